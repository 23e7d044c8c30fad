-- __lt and __le: tables, mixed operands, no fallback from __le to __lt needed when defined.
local mt = {}
mt.__lt = function(a, b) return (type(a) == "table" and a.v or a) < (type(b) == "table" and b.v or b) end
mt.__le = function(a, b) return (type(a) == "table" and a.v or a) <= (type(b) == "table" and b.v or b) end
local function new(v) return setmetatable({ v = v }, mt) end
local a, b = new(1), new(2)
print(a < b, a <= b, a > b, a >= b, a < 5, 5 < a, a <= 1, 1 >= a, 0 > a, a > 0.5, a < 1.5)
local str = setmetatable({}, { __lt = function(x, y) return type(x) .. type(y) end, __le = function() return nil end })
print(str < "x", "x" < str, str <= 1, not (1 <= str))
print(pcall(function() return {} < {} end))
print(pcall(function() return {} < 1 end))
print(pcall(function() return "a" < 1 end))
print(pcall(function() return nil > 1 end))
print(pcall(function() return print <= print end))
print(pcall(function() return true >= false end))
local list = {}
for i = 1, 100 do list[i] = new((i * 37) % 101) end
table.sort(list, function(x, y) return x < y end)
local ok = true
for i = 2, 100 do ok = ok and list[i - 1] <= list[i] end
print(ok, list[1].v, list[100].v)

--[[expect
true	true	false	false	true	false	true	true	false	true	true
true	true	false	true
false	meta_lt_le.lua:10: attempt to compare two table values
false	meta_lt_le.lua:11: attempt to compare table with number
false	meta_lt_le.lua:12: attempt to compare string with number
false	meta_lt_le.lua:13: attempt to compare number with nil
false	meta_lt_le.lua:14: attempt to compare two function values
false	meta_lt_le.lua:15: attempt to compare two boolean values
true	1	100
]]
