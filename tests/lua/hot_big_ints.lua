-- Integers beyond 48 bits as arguments, results, upvalues, fields, elements, conditions.
local M = 0x9E3779B97F4A7C15
local function mix(z) z = (z ~ (z >> 30)) * M return z ~ (z >> 27) end
local acc, o, t = 0, { v = 0 }, {}
for i = 1, 600 do acc = acc ~ mix(i) o.v = o.v + mix(i) t[i % 10] = mix(i) end
print(acc, o.v, t[0], t[9])
local n, less, eq = 0, 0, 0
for i = 1, 600 do local m = mix(i) if m > 0 then n = n + 1 end if m < mix(i + 1) then less = less + 1 end if m == mix(i) then eq = eq + 1 end end
print(n, less, eq)
local seen = {}
for i = 1, 600 do seen[mix(i)] = i end
local found = 0
for i = 1, 1200 do if seen[mix(i)] then found = found + 1 end end
print(found)
local f = 0.0
for i = 1, 600 do f = f + mix(i) end
print(("%.6g"):format(f), mix(5) // 1000, mix(5) % 1000, mix(5) / 2 ^ 60 < 10)
local up = 1 << 60
local function bump() up = up + (1 << 50) return up end
for i = 1, 600 do bump() end
print(up, bump() - up)
print(tostring(1 << 62), (1 << 62) .. "", ("%x"):format(M), math.tointeger(2 ^ 60), 2 ^ 60 == 1 << 60)
for i = (1 << 48) - 2, (1 << 48) + 2 do io.write(i, " ") end print()
local total = 0
for i = 1 << 50, (1 << 50) + 600 do total = total + (i & 1023) end
print(total)

--[[expect
-1440156930429608155	-8703697997681296875	-3313159658914739854	3732869527154881593
299	230	600
600
-8.7037e+18	1663341867474386	822	true
1828461448712421376	0
4611686018427387904	4611686018427387904	9e3779b97f4a7c15	1152921504606846976	true
281474976710654 281474976710655 281474976710656 281474976710657 281474976710658 
180300
]]
