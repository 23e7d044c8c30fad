-- collectgarbage options and what they answer.
print(type(collectgarbage("count")), collectgarbage(), collectgarbage("collect"), type(collectgarbage("step")))
print(collectgarbage("isrunning"), collectgarbage("stop"), collectgarbage("isrunning"), collectgarbage("restart"), collectgarbage("isrunning"))
collectgarbage("incremental")
print(collectgarbage("generational"), collectgarbage("incremental"))
print(pcall(collectgarbage, "bogus"))
local before = collectgarbage("count")
local t = {}
for i = 1, 2000 do t[i] = { i } end
local mid = collectgarbage("count")
t = nil
collectgarbage() collectgarbage()
local after = collectgarbage("count")
print(mid > before, after < mid)
print(math.type(collectgarbage("count")), collectgarbage("step", 1000000))

--[[expect
number	0	0	boolean
true	0	false	0	true
incremental	generational
false	bad argument #1 to 'collectgarbage' (invalid option 'bogus')
true	true
float	true
]]
