-- Functions that return different types and counts.
local function f(i)
  local k = i % 6
  if k == 0 then return i elseif k == 1 then return i + 0.5 elseif k == 2 then return "s" .. i
  elseif k == 3 then return nil elseif k == 4 then return i, i else return end
end
local n, fl, st, ni, two = 0, 0, 0, 0, 0
for i = 1, 1200 do
  local v, w = f(i)
  if math.type(v) == "integer" then n = n + v elseif math.type(v) == "float" then fl = fl + v
  elseif type(v) == "string" then st = st + #v elseif v == nil then ni = ni + 1 end
  if w then two = two + w end
end
print(n, fl, st, ni, two)
local function count(...) return select("#", ...) end
local c = 0
for i = 1, 1200 do c = c + count(f(i)) end
print(c)
local t = {}
for i = 1, 60 do t[#t + 1] = count(f(i), f(i)) end
print(table.concat(t))
local function cond(i) return i > 500 and i end
local trues = 0
for i = 1, 1000 do if cond(i) then trues = trues + 1 end end
print(trues, cond(1), cond(501))

--[[expect
240800	119700.0	814	400	120200
1200
222312222312222312222312222312222312222312222312222312222312
500	false	501
]]
