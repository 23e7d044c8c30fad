-- debug.traceback: message handling and the frames' names.
local function inner() return debug.traceback("msg", 1) end
local function outer() local r = inner() return r end
print(outer())
print(debug.traceback("only", 0):match("^only\nstack traceback:\n\t%[C%]: in function 'debug.traceback'") ~= nil)
print(debug.traceback({}) ~= nil, type(debug.traceback({})), debug.traceback(nil) == nil)
print(debug.traceback(5))
function globalf() return debug.traceback("g") end
print((globalf()))
local o = {}
function o.method(self) local r = debug.traceback("m") return r end
print((o:method()))
local co = coroutine.create(function() local x = coroutine.yield() end)
coroutine.resume(co)
print(debug.traceback(co))
print(debug.traceback(co, "with message"))
print(debug.traceback(co, nil, 1))
local function rec(n) if n == 0 then return debug.traceback("deep") end local r = rec(n - 1) return r end
print((rec(30)))

--[[expect
msg
stack traceback:
	traceback_text.lua:2: in upvalue 'inner'
	traceback_text.lua:3: in local 'outer'
	traceback_text.lua:4: in main chunk
	[C]: in ?
true
true	table	false
5
stack traceback:
	traceback_text.lua:7: in main chunk
	[C]: in ?
g
stack traceback:
	traceback_text.lua:8: in function 'globalf'
	traceback_text.lua:9: in main chunk
	[C]: in ?
m
stack traceback:
	traceback_text.lua:11: in method 'method'
	traceback_text.lua:12: in main chunk
	[C]: in ?
stack traceback:
	[C]: in function 'coroutine.yield'
	traceback_text.lua:13: in function <traceback_text.lua:13>
with message
stack traceback:
	[C]: in function 'coroutine.yield'
	traceback_text.lua:13: in function <traceback_text.lua:13>
stack traceback:
	traceback_text.lua:13: in function <traceback_text.lua:13>
deep
stack traceback:
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	...	(skipping 11 levels)
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in upvalue 'rec'
	traceback_text.lua:18: in local 'rec'
	traceback_text.lua:19: in main chunk
	[C]: in ?
]]
