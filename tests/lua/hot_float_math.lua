-- Float arithmetic in hot loops: infinities, NaN, -0.0, int/float mixes, powers.
local x = 1.0
for i = 1, 1100 do x = x * 2 end
print(x, -x, x - x ~= x - x)
x = 1.0
for i = 1, 1200 do x = x / 2 end
print(x, 1 / x)
local s = 0
for i = 1, 600 do s = s + 1 / i end
print(("%.10f"):format(s))
local z = 0.0
for i = 1, 601 do z = -z end
print(z, 1 / z)
local nan, n = 0 / 0, 0
for i = 1, 600 do local v = i % 2 == 0 and nan or i if v ~= v then n = n + 1 elseif v > 300 then n = n + 1000 end end
print(n)
local p = 0
for i = 1, 300 do p = p + i ^ 2 + 2 ^ (i % 10) + (i / 2) ^ 0.5 end
print(("%.6f"):format(p))
local m = 0
for i = 1, 600 do m = m + (i % 2 == 0 and i or i / 2) end
print(m, math.type(m))
local c = 0
for i = 1, 600 do if i / 3 == i // 3 then c = c + 1 end if i + 0.0 == i then c = c + 1 end if i < i + 0.5 then c = c + 1 end end
print(c)
local eps = 1.0
while 1.0 + eps / 2 > 1.0 do eps = eps / 2 end
print(eps)
local acc = 0
for i = 1, 600 do acc = acc + (2 ^ 53 + i) - 2 ^ 53 end
print(acc)

--[[expect
inf	-inf	true
0.0	inf
6.9749784220
-0.0	-inf
150300
9078195.468170
135300.0	float
1400
2.2204460492503e-16
180300.0
]]
