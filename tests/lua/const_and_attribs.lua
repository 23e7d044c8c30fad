-- <const> variables, compile-time constants, and errors about them.
local a <const>, b = 1, 2
b = b + a
print(a, b)
local k <const> = 10
local function f() return k * 2 end
print(f())
local t <const> = { 1 }
t[1] = 5
print(t[1])
print(load("local x <const> = 1; x = 2"))
print(load("local x <const> = 1; return function() x = 2 end"))
print(load("local x <foo> = 1"))
print(load("local x <close>, y <close> = nil, nil"))
print(load("local s <const> = 'str' .. 1 return s")())
local n <const> = nil
local s <const> = "hello"
print(n, s, #s, s == "hello")

--[[expect
1	3
20
5
nil	[string "local x <const> = 1; x = 2"]:1: attempt to assign to const variable 'x'
nil	[string "local x <const> = 1; return function() x = 2 ..."]:1: attempt to assign to const variable 'x'
nil	[string "local x <foo> = 1"]:1: unknown attribute 'foo'
nil	[string "local x <close>, y <close> = nil, nil"]:1: multiple to-be-closed variables in local list
str1
nil	hello	5	true
]]
