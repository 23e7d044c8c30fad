-- Loops that only count and compute: any step, any border, as many turns as there are.
local function run(first, last, step)
  local turns, sum, at = 0, 0, nil
  for i = first, last, step do
    turns = turns + 1
    sum = sum ~ i
    at = i
  end
  return turns, sum, at
end
-- The step is a constant of the code here, which lets the compiler know its sign.
local function constant(step)
  return load("local first, last = ... local turns, sum, at = 0, 0, nil for i = first, last, " .. step ..
    " do turns = turns + 1 sum = sum ~ i at = i end return turns, sum, at", "=constant")
end
local MAX, MIN = math.maxinteger, math.mininteger
for _, step in ipairs { 1, -1, 2, -3, 7, 1000, -4096, 1048576, 1048577, -1048577 } do
  local f = constant(step)
  local sign = step > 0 and 1 or -1
  for _, turns in ipairs { 0, 1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 5000 } do
    for _, from in ipairs { 0, 1, -1, -5000, MAX, MIN, MAX - 4096 * step * sign, MIN + 4096 * step * sign } do
      local last = from + step * (turns - 1)
      local wrapped = (last < from) == (step > 0) and last ~= from
      if turns == 0 then wrapped, last = false, step > 0 and MIN or MAX end
      if turns == 0 and from == last then from = 0 end
      if wrapped then last = step > 0 and MAX or MIN end
      local a, b, c = run(from, last, step)
      local d, e, g = f(from, last)
      assert(a == d and b == e and c == g)
      if not wrapped then assert(a == turns, turns .. " " .. a) end
    end
  end
end
-- Constant borders: a thousand turns and one more, up and down.
local function borders()
  local a, b, c, d = 0, 0, 0, 0
  for i = 1, 1024 do a = a + i end
  for i = 0, 1024 do b = b + i end
  for i = 512, -512, -1 do c = c + i * i end
  for i = 9, 3 do d = d + 1 end
  return a, b, c, d
end
for _ = 1, 20 do borders() end
print(borders())
-- A loop in a loop, with a way out in the middle, and one that is left by an error.
local function find(list, n, x)
  local looked = 0
  for round = 1, 3 do
    for i = 1, n do
      looked = looked + 1
      if list[i] == x then goto found end
    end
    x = x - 1
  end
  ::found::
  return looked, x
end
local list = {}
for i = 1, 3000 do list[i] = i * 2 end
for _ = 1, 30 do find(list, 3000, 5) end
print(find(list, 3000, 5), find(list, 3000, 6000), find(list, 1025, 2049))
list[2900] = "x"
local function total(list, n)
  local sum = 0
  for i = 1, n do sum = sum + list[i] end
  return sum
end
for _ = 1, 30 do total(list, 2899) end
print(total(list, 2899), pcall(total, list, 3000))
-- An integer that grows wide on the way, and a float counter.
local function grow(n)
  local x = 1
  for i = 1, n do x = x * 3 + i end
  return x
end
for _ = 1, 30 do grow(2000) end
print(grow(20), grow(60), grow(2500))
local function floats(n)
  local x = 0.0
  for f = 0.5, n do x = x + f end
  for f = n, 0.25, -0.25 do x = x - f end
  return x
end
for _ = 1, 30 do floats(600) end
print(floats(1500))
--[[expect
524800	524800	89740800	0
3002	3000	2049	2048
8407100	false	hot_counting_loops.lua:65: attempt to add a 'number' with a 'string'
6101872691	-1576288467601887785	1034704650318881515
-3375750.0
]]
