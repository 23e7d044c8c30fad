-- Comparisons between integers and floats are exact.
local max, min = math.maxinteger, math.mininteger
print(max < 2 ^ 63, max + 0.0 == 2 ^ 63, max == 2 ^ 63, max <= 2 ^ 63, max >= 2 ^ 63, max > 2 ^ 63)
print(min == -2 ^ 63, min <= -2 ^ 63, min < -2 ^ 63, min >= -2 ^ 63)
local big = 2 ^ 53
local i = 1 << 53
print(i == big, i + 1 == big, i + 1 > big, i + 1 < big + 2, i + 1 == big + 1, i - 1 < big)
for _, f in ipairs { 0.5, -0.5, 1e308, -1e308, 1 / 0, -1 / 0, 0 / 0 } do
  print(1 < f, 1 <= f, 1 > f, 1 >= f, 1 == f, max < f, max >= f, min < f, min > f)
end
print(1 == 1.0, -0.0 == 0, 0.0 == -0.0, 1 < 1.5, 2 > 1.5, 1 <= 1.0, "1" == 1)
local nan = 0 / 0
print(nan == nan, nan ~= nan, nan < nan, nan <= nan, 1 < nan, nan < 1)

--[[expect
true	true	false	true	false	false
true	true	false	true
true	false	true	true	false	true
false	false	true	true	false	false	true	true	false
false	false	true	true	false	false	true	true	false
true	true	false	false	false	true	false	true	false
false	false	true	true	false	false	true	false	true
true	true	false	false	false	true	false	true	false
false	false	true	true	false	false	true	false	true
false	false	false	false	false	false	false	false	false
true	true	true	true	true	true	false
false	true	false	false	false	false
]]
