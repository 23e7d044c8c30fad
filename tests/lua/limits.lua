-- Compile-time limits are errors: locals, upvalues, nesting, constants.
local function locals(n) local t = {} for i = 1, n do t[i] = "local v" .. i end return table.concat(t, "\n") end
print(load(locals(200)) ~= nil)
print(load(locals(201), "=s"))
local function nest(open, close, n) return open:rep(n) .. close:rep(n) end
print(load("return " .. nest("(", ")", 150):gsub("%(%)", "(1)")) ~= nil)
print(load("x = " .. ("("):rep(1000), "=s"))
print(load(("do "):rep(150) .. ("end "):rep(150)) ~= nil)
print(load(("do "):rep(1000), "=s"))
print(select(2, load("x = " .. ("{"):rep(1000), "=s")))
print(select(2, load("x = " .. ("-"):rep(1000) .. "1", "=s")) ~= nil)
local parts = {}
for i = 1, 300 do parts[i] = "local function f" .. (i % 100) .. "() end" end
print((select(2, load(table.concat(parts, " "), "=s"))))
local names = {}
for i = 1, 3000 do names[i] = ("x%d = 'c%d' .. %d.5"):format(i, i, i) end
names[#names + 1] = "return x3000"
print(load(table.concat(names, "\n"))())
local long = {}
for i = 1, 1000 do long[i] = i end
print(#load("return {" .. table.concat(long, ",") .. "}")())

--[[expect
true
nil	s:201: too many local variables (limit is 200) in main function near <eof>
true
nil	C stack overflow
stack traceback:
	[C]: in function 'load'
	limits.lua:7: in main chunk
	[C]: in ?
true
nil	C stack overflow
stack traceback:
	[C]: in function 'load'
	limits.lua:9: in main chunk
	[C]: in ?
C stack overflow
stack traceback:
	[C]: in function 'load'
	limits.lua:10: in main chunk
	[C]: in ?
true
s:1: too many local variables (limit is 200) in main function near '('
c30003000.5
1000
]]
