-- Many suspended coroutines at once.
local list = {}
for i = 1, 500 do list[i] = coroutine.create(function(a) local b = coroutine.yield(a + i) return a + b + i end) end
local s = 0
for i = 1, 500 do local _, v = coroutine.resume(list[i], i) s = s + v end
print(s)
for i = 500, 1, -1 do local _, v = coroutine.resume(list[i], 2) s = s + v end
print(s)
for i = 1, 500 do assert(coroutine.status(list[i]) == "dead") end
for i = 1, 1000 do local c = coroutine.wrap(function() coroutine.yield(i) end) c() end
print("abandoned 1000")

--[[expect
250500
502000
abandoned 1000
]]
