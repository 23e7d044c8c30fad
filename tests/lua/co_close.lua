-- coroutine.close in all states; errors; reuse is impossible.
local co = coroutine.create(function() coroutine.yield() end)
print(coroutine.close(co), coroutine.status(co))
co = coroutine.create(function() coroutine.yield() end)
coroutine.resume(co)
print(coroutine.close(co), coroutine.status(co), coroutine.resume(co))
co = coroutine.create(function() error("x", 0) end)
print(coroutine.resume(co))
print(coroutine.close(co))
print(coroutine.close(co))
co = coroutine.create(function() error({ 1 }) end)
coroutine.resume(co)
local ok, e = coroutine.close(co)
print(ok, type(e))
local outer
outer = coroutine.create(function() local inner = coroutine.create(function() return pcall(coroutine.close, outer) end) print(coroutine.resume(inner)) end)
coroutine.resume(outer)
print(pcall(coroutine.close, 5))
for i = 1, 300 do local c = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() i = -i end }) coroutine.yield(i) end) coroutine.resume(c) coroutine.close(c) end
print("closed 300")

--[[expect
true	dead
true	dead	false	cannot resume dead coroutine
false	x
false	x
true
false	table
true	false	cannot close a normal coroutine
false	bad argument #1 to 'coroutine.close' (thread expected, got number)
closed 300
]]
