-- Numeric loops of all shapes, hot, nested, with break and changing bounds.
local s = 0
for i = 1, 1000 do s = s + i end
for i = 1000, 1, -1 do s = s - i * 2 end
for i = 1, 1000, 7 do s = s + i end
for i = 1.0, 500 do s = s + i end
for i = 1, 50, 0.1 do s = s + 1 end
print(s)
local c = 0
for i = 1, 60 do
  for j = i, 60 do
    if (i * j) % 17 == 0 then break end
    for k = 1, j % 5 do c = c + k end
  end
end
print(c)
local function bounds(a, b, st) local n, last = 0 for i = a, b, st do n = n + 1 last = i end return n, last end
for i = 1, 300 do bounds(1, i % 7, 1) end
print(bounds(1, 10, 1)) print(bounds(1, 10, 3)) print(bounds(10, 1, -1)) print(bounds(1, 0, 1)) print(bounds(1, 2.5, 1)) print(bounds(1.5, 4, 1))
print(bounds(math.maxinteger - 3, math.maxinteger, 1)) print(bounds(math.mininteger + 3, math.mininteger, -1)) print(bounds(1, 10, 4.5))
print(pcall(bounds, 1, 10, 0)) print(pcall(bounds, "x", 1, 1)) print(pcall(bounds, 1, nil, 1))
local n = 10
for i = 1, n do n = 20 c = c + 1 end
print(c, n)

--[[expect
-303546.0
1787
10	10
4	10
10	1
0	nil
2	2
3	3.5
4	9223372036854775807
4	-9223372036854775808
3	10.0
false	hot_for_loops.lua:17: 'for' step is zero
false	hot_for_loops.lua:17: bad 'for' initial value (number expected, got string)
false	hot_for_loops.lua:17: bad 'for' limit (number expected, got nil)
1797	20
]]
