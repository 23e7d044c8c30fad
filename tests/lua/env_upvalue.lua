-- _ENV as a local, a parameter, and a global table with metamethods.
local function f(_ENV) return a + b end
print(f { a = 1, b = 2 })
local log = {}
local proxy = setmetatable({}, { __index = function(_, k) log[#log + 1] = "get " .. k return _G[k] end, __newindex = function(_, k, v) log[#log + 1] = "set " .. k rawset(_G, k, v) end })
local g = load("foo = 1; foo2 = foo; return tostring(foo2)", "=g", "t", proxy)
print(g(), table.concat(log, ", "))
foo, foo2 = nil
do local _ENV <const> = { print = print } x = 1 print(x, _ENV.x) end
print(x)
local print, pcall = print, pcall
local function no_env() local _ENV = nil return pcall(function() return y end) end
print(no_env())
_ENV.late = 5
print(late, _G.late, _ENV == _G)
for i = 1, 400 do counter = (counter or 0) + i end
print(counter)

--[[expect
3
1	set foo, get foo, set foo2, get tostring, get foo2
1	1
nil
false	env_upvalue.lua:12: attempt to index a nil value (upvalue '_ENV')
5	5	true
80200
]]
