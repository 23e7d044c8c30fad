-- Concatenation: metamethods in chains, numbers, errors.
local mt = { __concat = function(a, b) return (type(a) == "table" and "T" or a) .. "+" .. (type(b) == "table" and "T" or b) end }
local t = setmetatable({}, mt)
print(t .. "x", "x" .. t, 1 .. t, t .. t, "a" .. "b" .. t .. "c" .. "d", 1 .. 2 .. t)
print(pcall(function() return "a" .. {} end))
print(pcall(function() return nil .. "a" end))
print(pcall(function() local x = true return "a" .. "b" .. x end))
print(pcall(function() local y return y .. "b" end))
print(1 .. "", 1.0 .. "", -0.0 .. "", 2 ^ 53 .. "", 10 // 1 .. "")
local s = ""
for i = 1, 300 do s = s .. i end
print(#s, s:sub(-9))
local r = setmetatable({ n = 0 }, { __concat = function(a, b) local self = type(a) == "table" and a or b self.n = self.n + 1 return self end })
for i = 1, 300 do r = "x" .. r .. i end
print(r.n)

--[[expect
T+x	x+T	1+T	T+T	abT+cd	12+T
false	meta_concat.lua:5: attempt to concatenate a table value
false	meta_concat.lua:6: attempt to concatenate a nil value
false	meta_concat.lua:7: attempt to concatenate a boolean value (local 'x')
false	meta_concat.lua:8: attempt to concatenate a nil value (local 'y')
1	1.0	-0.0	9.007199254741e+15	10
792	298299300
600
]]
