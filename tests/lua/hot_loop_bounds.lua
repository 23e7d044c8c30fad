-- Bounds checks of loops over ranges: arrays that are too short, grow, shrink; starts below 1; breaks.
local function sum(t, from, to)
  local s = 0
  for i = from, to do s = s + (t[i] or 1000) end
  return s
end
local function sumOffset(t, n)
  local s = 0
  for i = 3, n do s = s + t[i - 2] * t[i] end
  return s
end
local function first(t, n)
  for i = 1, n do if t[i] > 5 then return i end end
end
local function shrink(t, n)
  local s = 0
  for i = 1, n do
    if i == 3 then for k = #t, 4, -1 do t[k] = nil end end
    s = s + (t[i] or 0)
  end
  return s
end
local t = {}
for i = 1, 100 do t[i] = i end
for _ = 1, 50 do sum(t, 1, 100) sumOffset(t, 100) first(t, 100) end
print(sum(t, 1, 100), sum(t, 1, 101), sum(t, 0, 100), sum(t, -3, 3), sum(t, 5, 4), sum(t, 90, 120))
print(sumOffset(t, 100), pcall(sumOffset, t, 101), sumOffset(t, 2))
print(first(t, 100), first(t, 1000000), first({ 9 }, 50), pcall(first, { 1, 2 }, 3))
for _ = 1, 20 do
  local u = {}
  for i = 1, 50 do u[i] = i end
  assert(shrink(u, 50) == 6)
end
print(sum(t, math.maxinteger - 1, math.maxinteger), sum(t, 1, 3))
local whole, count = {}, 0
for i = 1, 2000 do
  whole[#whole + 1] = i
  for k = 1, #whole do count = count + whole[k] if k == 3 then break end end
end
print(#whole, count)

--[[expect
5050	6050	6050	4006	0	21045
328251	false	0
6	6	1	false	hot_loop_bounds.lua:13: attempt to compare number with nil
2000	6
2000	11992
]]
