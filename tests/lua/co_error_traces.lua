-- Errors through coroutine boundaries keep value and position; status after; resume of dead.
local function lines(f) local co = coroutine.create(f) return co, coroutine.resume(co) end
print(select(2, lines(function() error("plain") end)))
print(select(3, lines(function() local x = nil; return x.y end)))
local co, ok, e = lines(function() local function deep(n) if n == 0 then error("deep", 2) end deep(n - 1) return 1 end deep(3) end)
print(ok, e, coroutine.status(co))
print(debug.traceback(co))
print(coroutine.resume(co))
local w = coroutine.wrap(function() coroutine.yield(1) error({ code = 5 }) end)
w()
local ok, e = pcall(w)
print(ok, e.code)
local gen = coroutine.wrap(function() for i = 1, 1000 do if i == 700 then error("gen " .. i) end coroutine.yield(i) end end)
local s = 0
print(pcall(function() for v in gen do s = s + v end end))
print(s, pcall(gen))

--[[expect
false	co_error_traces.lua:3: plain
co_error_traces.lua:4: attempt to index a nil value (local 'x')
false	co_error_traces.lua:5: deep	dead
stack traceback:
	[C]: in function 'error'
	co_error_traces.lua:5: in upvalue 'deep'
	co_error_traces.lua:5: in upvalue 'deep'
	co_error_traces.lua:5: in upvalue 'deep'
	co_error_traces.lua:5: in local 'deep'
	co_error_traces.lua:5: in function <co_error_traces.lua:5>
false	cannot resume dead coroutine
false	5
false	co_error_traces.lua:15: co_error_traces.lua:13: gen 700
244650	false	cannot resume dead coroutine
]]
