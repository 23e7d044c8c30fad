-- Closing a suspended coroutine closes its variables.
local function closer(name, fail)
  return setmetatable({}, { __close = function(_, e) print("close", name, e) if fail then error(fail, 0) end end })
end
local co = coroutine.create(function()
  local a <close> = closer("a")
  do local b <close> = closer("b") coroutine.yield(1) end
end)
print(coroutine.resume(co))
print(coroutine.close(co), coroutine.status(co))
print(coroutine.close(co))
local bad = coroutine.create(function() local x <close> = closer("x", "close failed") coroutine.yield() end)
coroutine.resume(bad)
print(coroutine.close(bad))
print(coroutine.status(bad))
local wrapped = coroutine.wrap(function() local w <close> = closer("w") error("inside", 0) end)
print(pcall(wrapped))
local y = coroutine.wrap(function()
  local v <close> = setmetatable({}, { __close = function() print("yielding in close", coroutine.yield("from close")) end })
  return "result"
end)
print(y())
print(y("resumed"))
print(pcall(coroutine.close, coroutine.running()))

--[[expect
true	1
close	b	nil
close	a	nil
true	dead
true
close	x	nil
false	close failed
dead
close	w	inside
false	inside
from close
yielding in close	resumed
result
false	cannot close a running coroutine
]]
