-- Integer division and modulo in hot code with all signs, and by zero at last.
local function div(a, b) return a // b, a % b end
local s, m = 0, 0
for i = -300, 300 do if i ~= 0 then local q, r = div(1000, i) s = s + q m = m + r q, r = div(-1000, i) s = s + q * 2 m = m + r * 3 end end
print(s, m)
print(div(math.mininteger, -1)) print(div(math.mininteger, 1)) print(div(7, math.mininteger))
print(pcall(div, 1, 0)) print(div(1, 0.0) == 1 / 0) print(div(-7, 2.0)) print(pcall(div, 1, "x"))
local p2 = 0
for i = -500, 500 do p2 = p2 + i // 8 * 3 + i % 8 + (i // -8) + i % -8 + i // 1 + i % 1 end
print(p2)
local f = 0.0
for i = -300, 300 do f = f + (i + 0.5) // 3 + (i + 0.5) % 3 end
print(f)
local function sh(a, n) return a << n, a >> n end
local acc = 0
for i = -70, 70 do for k = 1, 4 do local l, r = sh(k * 12345, i) acc = acc ~ l ~ (r * 3) end end
print(acc)
print(pcall(function() local z = 5 for i = 1, 600 do z = 100 // (600 - i) end return z end))

--[[expect
-858	-2700
-9223372036854775808	0
-9223372036854775808	0
-1	-9223372036854775801
false	hot_int_division.lua:2: attempt to divide by zero
true
-4.0	1.0
false	hot_int_division.lua:2: attempt to idiv a 'number' with a 'string'
-1752
700.5
342
false	hot_int_division.lua:18: attempt to divide by zero
]]
