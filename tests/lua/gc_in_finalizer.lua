-- A finalizer cannot drive the collector; finalizers of a state that closes run in reverse order.
setmetatable({}, {__gc = function()
  print(collectgarbage(), collectgarbage("count"), collectgarbage("step"))
  print(collectgarbage("isrunning"), collectgarbage("incremental"))
end})
collectgarbage()
print(collectgarbage(), collectgarbage("isrunning"))
setmetatable({}, {__gc = function() print("last") end})
setmetatable({}, {__gc = function()
  print("first")
  setmetatable({}, {__gc = function() print("never") end})
  print(collectgarbage())
end})

--[[expect
nil	nil	nil
nil	nil
0	true
first
nil
last
]]
