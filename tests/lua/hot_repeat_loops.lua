-- repeat loops: condition sees locals, upvalues captured, break and continue by goto.
local i, s = 0, 0
repeat local sq = i * i s = s + sq i = i + 1 until sq > 500000
print(i, s)
local fs, n = {}, 0
repeat n = n + 1 local k = n fs[n] = function() return k end until k >= 300
local t = 0
for _, f in ipairs(fs) do t = t + f() end
print(t)
n = 0
repeat
  n = n + 1
  if n % 3 == 0 then goto continue end
  if n > 900 then break end
  s = s + n
  ::continue::
until false
print(n, s)
repeat local done = true until done
local a, b = 1, 1
repeat a, b = b, a + b until b > 1 << 60
print(a, b)
local depth = 0
repeat repeat depth = depth + 1 until depth % 7 == 0 until depth > 700
print(depth)

--[[expect
709	118549054
45150
901	118819054
1100087778366101931	1779979416004714189
707
]]
