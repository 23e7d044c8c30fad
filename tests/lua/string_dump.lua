-- string.dump and load of what it gives: upvalues, stripping, hot functions, nested functions.
local function f(a, b) local t = { a, b, k = "const", 1.5, 1 << 50 } local function g(x) return x + a end return #t, t.k, g(b), t[3], t[4] end
local d = string.dump(f)
print(type(d), d:sub(1, 1) == "\27", load(d, "d", "b")(1, 2))
print(load(string.dump(f, true))(3, 4))
print(load(d, "d", "t"))
local up = 5
local h = load(string.dump(function() return up end))
print(pcall(h), debug.setupvalue(h, 1, 7), h())
for i = 1, 300 do f(i, i) end
print(load(string.dump(f))(1, 2))
print(load(string.dump(load("local a, b = ... return a .. b, _ENV ~= nil", "=x")))("p", "q"))
print(load(d:sub(1, 10)) == nil, load("\27garbage") == nil, pcall(string.dump, print))

--[[expect
string	true	4	const	3	1.5	1125899906842624
4	const	7	1.5	1125899906842624
nil	attempt to load a binary chunk (mode is 't')
true	up	7
4	const	3	1.5	1125899906842624
pq	true
true	true	false	unable to dump given function
]]
