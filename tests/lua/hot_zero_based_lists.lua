-- Lists from 0: element 0 is not in the array part, and a sum that starts as an integer makes the first
-- turn a copy of its own. Then lists that end early, have holes, or begin elsewhere.
local function dot(n, x, y)
  local s = 0
  for i = 0, n - 1 do s = s + x[i] * y[i] end
  return s
end
local function make(n, k) local t = {} for i = 0, n - 1 do t[i] = i * k end return t end
local x, y = make(300, 0.5), make(300, 0.25)
for round = 1, 6 do print(dot(300, x, y)) end
print(dot(1, x, y), dot(0, x, y))
print(pcall(dot, 301, x, y))
local short = make(100, 0.5)
for round = 1, 12 do print(pcall(dot, 120, short, y)) end
local holes = make(300, 0.5)
holes[150] = nil
print(pcall(dot, 300, holes, y))
holes[150] = 1
print(dot(300, holes, y))
local late = {}
for i = 299, 0, -1 do late[i] = i * 0.5 end
print(dot(300, late, y))
local meta = setmetatable({}, { __index = function(_, i) return i * 0.5 end })
for round = 1, 12 do print(dot(300, meta, y)) end
local function count(n, t)
  local found, last = 0
  for i = 0, n do local v = t[i] if v ~= nil then found = found + v last = i end end
  return found, last
end
for n = 90, 110 do print(n, count(n, short)) end

--[[expect
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
0.0	0
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
false	hot_zero_based_lists.lua:5: attempt to perform arithmetic on a nil value (field '?')
1116606.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
1119381.25
90	2047.5	90
91	2093.0	91
92	2139.0	92
93	2185.5	93
94	2232.5	94
95	2280.0	95
96	2328.0	96
97	2376.5	97
98	2425.5	98
99	2475.0	99
100	2475.0	99
101	2475.0	99
102	2475.0	99
103	2475.0	99
104	2475.0	99
105	2475.0	99
106	2475.0	99
107	2475.0	99
108	2475.0	99
109	2475.0	99
110	2475.0	99
]]
