-- What was always an integer turns into a float, where rounding it or storing it was built for integers.
local function snap(t)
  local s = 0.0
  for i = 1, #t do
    local x = t[i]
    s = s + x * 0.5
    s = s + math.floor(x) * 0.25
  end
  return s
end
local t = {}
for i = 1, 40 do t[i] = i end
for r = 1, 200 do snap(t) end
print(snap(t))
t[40] = 2.5
print(snap(t))
local function one(x)
  local h = x / 2
  return math.floor(x) / 4 + h, math.ceil(x), math.floor(x)
end
for i = 1, 1000 do one(i) end
print(one(2.5))
print(one(-2.5))
local function round(v) return math.floor(v) end
local function scaled(x) return round(x) * 0.5 + x / 8 end
for i = 1, 1000 do scaled(i) end
print(scaled(3), scaled(3.75))
-- Lists of integers get floats, which are integers, floats or nothing of the kind to who reads them.
local function copy(from, to)
  local f = 0.0
  for i = 1, #from do
    local x = from[i]
    f = f + x / 2
    to[i] = x
  end
  return f
end
local function append(from)
  local f, to = 0.0, {}
  for i = 1, #from do
    local x = from[i]
    f = f + x / 2
    to[#to + 1] = x
  end
  return to, f
end
local function pack(x) return { x, x }, x / 2 end
local function kinds(list)
  local k = {}
  for i = 1, #list do k[i] = math.type(list[i]) or type(list[i]) end
  return table.concat(k, " ")
end
local from, to = {}, {}
for i = 1, 12 do from[i], to[i] = i, i end
for r = 1, 300 do copy(from, to) append(from) pack(r) end
for _, x in ipairs({ 2.5, 5.0, -0.0, 1 << 50 }) do
  from[7] = x
  print(copy(from, to), kinds(to))
  print(kinds(append(from)), kinds((pack(x))))
  table.sort(to)
  print(table.concat(to, " "))
end
--[[expect
615.0
586.75
1.75	3	2
-2.0	-2	-3
1.875	1.96875
36.75	integer integer integer integer integer integer float integer integer integer integer integer
integer integer integer integer integer integer float integer integer integer integer integer	float float
1 2 2.5 3 4 5 6 8 9 10 11 12
38.0	integer integer integer integer integer integer float integer integer integer integer integer
integer integer integer integer integer integer float integer integer integer integer integer	float float
1 2 3 4 5 5.0 6 8 9 10 11 12
35.5	integer integer integer integer integer integer float integer integer integer integer integer
integer integer integer integer integer integer float integer integer integer integer integer	float float
-0.0 1 2 3 4 5 6 8 9 10 11 12
5.6294995342135e+14	integer integer integer integer integer integer integer integer integer integer integer integer
integer integer integer integer integer integer integer integer integer integer integer integer	integer integer
1 2 3 4 5 6 8 9 10 11 12 1125899906842624
]]
