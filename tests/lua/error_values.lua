-- error with all kinds of values and levels; pcall gives them back.
local function try(...) local r = table.pack(pcall(...)) for i = 2, r.n do if type(r[i]) == "table" then r[i] = "table " .. tostring(r[i].code) end r[i] = tostring(r[i]) end print(r[1], table.unpack(r, 2, r.n)) end
try(error)
try(error, nil)
try(error, "msg")
try(error, "msg", 0)
try(error, 42)
try(error, 4.5)
try(error, { code = 7 })
try(error, true)
local function lvl(n) error("level " .. n, n) end
local function caller(n) lvl(n) end
for i = 0, 3 do try(caller, i) end
try(function() error() end)
try(function() error("in function") end)
try(function() error("x", 2) end)
try(function() local x = error x("via local") end)
print(select("#", pcall(error)), pcall(pcall))
print(pcall(pcall, error, "e"))
local t = {}
print(select(2, pcall(error, t)) == t)
try(function() error(setmetatable({}, { __tostring = function() return "custom" end })) end)
try(assert, false)
try(assert, nil, "assert message")
try(assert, false, { code = 9 })
try(assert)
print(assert(1, 2, 3), (assert("v")))

--[[expect
false	nil
false	nil
false	msg
false	msg
false	42
false	4.5
false	table 7
false	true
false	level 0
false	error_values.lua:11: level 1
false	error_values.lua:12: level 2
false	level 3
false	nil
false	error_values.lua:15: in function
false	x
false	error_values.lua:17: via local
2	false	bad argument #1 to 'pcall' (value expected)
true	false	e
true
false	table nil
false	assertion failed!
false	assert message
false	table 9
false	bad argument #1 to 'assert' (value expected)
1	v
]]
