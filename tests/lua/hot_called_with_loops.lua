-- Functions with loops that are called often: long ones, short ones, long at first and short later, and
-- a loop that is left early by an exit again and again.
local function sum(n) local s = 0 for i = 1, n do s = s + i end return s end
print(sum(5000))
local all = 0
for i = 1, 200 do all = all + sum(i % 7) end
print(all)
for i = 1, 80 do all = all + sum(300) end
print(all)
local function find(t, x) for i = 1, #t do if t[i] == x then return i end end return nil end
local names = {}
for i = 1, 60 do names[i] = "n" .. i end
local hits = 0
for i = 1, 900 do local at = find(names, "n" .. (i % 70)) if at then hits = hits + at end end
print(hits)
local function each(list, k)
  local n = 0
  for _, v in ipairs(list) do
    local d = v.x * k
    if d > 1 then n = n + d end
  end
  return n
end
local list = { { x = 1.5 }, { x = 2 }, { x = 0.25 }, { x = 3 } }
local got = 0
for i = 1, 900 do got = got + each(list, i % 3 == 0 and 2 or 0.5) end
print(got)
list[3].x = 4 list[1].x = 2
for i = 1, 900 do got = got + each(list, i % 3 == 0 and 2 or 0.5) end
print(got)
local function nest(n) local c = 0 for i = 1, n do for j = 1, i do c = c + (i ~ j) % 3 end end return c end
local c = 0
for i = 1, 60 do c = c + nest(i) end
print(c)

--[[expect
12502500
1588
3613588
23790
4800.0
13500.0
35970
]]
