-- Lists of integers and floats with holes: what is missing comes from the metatable, once for each use.
local asked = 0
local meta = { __index = function(_, k) asked = asked + 1 return k * 0.5 end }
local function list(n, hole)
  local t = {}
  for i = 1, n do t[i] = i % 3 == 0 and i + 0.5 or i end
  if hole then t[hole] = nil end
  return t
end
local function sum(t, n)
  local s = 0
  for i = 1, n do s = s + t[i] end
  return s
end
local function product(t, n)
  local s = 0.0
  for i = 1, n do s = s + 2.0 * t[i] * t[i] end
  return s
end
local function fields(rows, n)
  local s = 0
  for i = 1, n do s = s + #rows[i] + rows[i].x end
  return s
end
local plain, holed = list(100), setmetatable(list(100, 50), meta)
local rows = {}
for i = 1, 100 do rows[i] = { i, x = i } end
for round = 1, 60 do
  sum(plain, 100) product(plain, 100) fields(rows, 100)
  if round % 20 == 0 then
    asked = 0
    print(sum(holed, 100), asked, product(holed, 100), asked)
  end
end
setmetatable(rows, { __index = function() asked = asked + 1 return { 1, 2, 3, x = 1000 } end })
rows[70] = nil
asked = 0
print(fields(rows, 100), asked)
setmetatable(holed, nil)
local function failing(f, ...)
  local ok, message = pcall(f, ...)
  return ok, (message:gsub("^[^:]*:%d+: ", ""))
end
print(failing(sum, holed, 100))
print(failing(product, holed, 100))
--[[expect
5041.5	1	676332.5	3
5041.5	1	676332.5	3
5041.5	1	676332.5	3
6082	2
false	attempt to perform arithmetic on a nil value (field '?')
false	attempt to perform arithmetic on a nil value (field '?')
]]
