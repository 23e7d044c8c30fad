-- load: chunk readers, names, modes, environments.
print(load("return 1 + 1")(), load("x = ")) 
local env = { y = 5 }
local f = load("x = y; return _ENV", "chunk", "t", env)
print(f() == env, env.x, rawget(_G, "x"))
local pieces = { "return ", "1", " + ", "41", nil }
local i = 0
print(load(function() i = i + 1 return pieces[i] end)())
print(load(function() return nil end)())
print(pcall(load, 5))
print(load(function() return {} end))
print(load(function() error("reader", 0) end))
print(load("return 1", "n", "b"))
print(load("\27Lua", "n", "t"))
local function scoped() local _ENV = { print = print, z = 9 } print(z) w = 3 return _ENV end
print(scoped().w, w)
local g = load("local a = ... ; return a, b", "=g", "t", { b = "envb" })
print(g("arg"))
print(pcall(load("return undefined.field", "=chunk")))
print(dofile == nil, loadstring)
print(pcall(load("error('msg')", "@name.lua")))
print(pcall(load("error('msg')", "literal source")))

--[[expect
2	nil	[string "x = "]:1: unexpected symbol near <eof>
true	5	nil
42

true	nil	[string "5"]:1: unexpected symbol near '5'
nil	load_env.lua:11: reader function must return a string
stack traceback:
	[C]: in function 'load'
	load_env.lua:11: in main chunk
	[C]: in ?
nil	reader
stack traceback:
	[C]: in function 'error'
	load_env.lua:12: in function <load_env.lua:12>
	[C]: in function 'load'
	load_env.lua:12: in main chunk
	[C]: in ?
nil	attempt to load a text chunk (mode is 'b')
nil	attempt to load a binary chunk (mode is 't')
9
3	nil
arg	envb
false	chunk:1: attempt to index a nil value (global 'undefined')
false	nil
false	name.lua:1: msg
false	[string "literal source"]:1: msg
]]
