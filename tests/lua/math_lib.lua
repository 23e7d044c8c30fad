-- The math library's exact parts.
print(math.floor(3.7), math.floor(-3.7), math.ceil(3.2), math.ceil(-3.2), math.floor(5), math.floor(2 ^ 70) == 2 ^ 70, math.type(math.floor(1e15)))
print(math.abs(-5), math.abs(math.mininteger), math.abs(-5.5), math.max(1, 2.5, -1), math.min(3, 1.0, 2), pcall(math.max))
print(math.fmod(7, 3), math.fmod(-7, 3), math.fmod(7, -3), math.fmod(5.5, 2), math.fmod(-6, 2), pcall(math.fmod, 1, 0))
print(math.fmod(1, math.huge), math.fmod(math.mininteger, -1), math.fmod(3, 1.5))
print(math.modf(3.7), math.modf(-3.7), math.modf(5), math.modf(math.huge), math.modf(-math.huge))
print(math.sqrt(16), math.sqrt(2), math.exp(0), math.log(1), math.log(8, 2), math.log(100, 10), math.log(27, 3), math.sin(0), math.cos(0), math.pi)
print(math.tointeger(5.0), math.tointeger("x"), math.tointeger(5.5), math.ult(1, -1), math.ult(-1, 1), math.type(1), math.type(1.0), math.type("1"), pcall(math.type))
print(math.maxinteger, math.mininteger, math.huge, -math.huge, math.deg(math.pi), math.rad(180) == math.pi, math.atan(1, 1) * 4 == math.pi, math.atan(1) * 4, math.asin(1) * 2, math.acos(1))
for i = 1, 100 do local r = math.random() assert(r >= 0 and r < 1) local k = math.random(10) assert(k >= 1 and k <= 10 and math.type(k) == "integer") k = math.random(-5, 5) assert(k >= -5 and k <= 5) end
print(pcall(math.random, 2, 1), pcall(math.random, 0) ~= nil, math.type(math.random(0)), math.random(5, 5))
math.randomseed(42) local a, b = math.random(1000), math.random(1000)
math.randomseed(42) print(a == math.random(1000), b == math.random(1000), a, b)
math.randomseed(123, 456) print(math.random(1 << 40), math.random(math.mininteger, math.maxinteger))
local s = 0
for i = -300, 300 do s = s + math.floor(i / 7) + math.ceil(i / 3) + math.abs(i) + math.max(i, 5) + math.min(i, -5) end
print(s, math.type(s))
local fs = 0
for i = 1, 300 do fs = fs + math.sqrt(i) + math.floor(i * 0.37) end
print(("%.6f"):format(fs))

--[[expect
3	-4	4	-3	5	true	integer
5	-9223372036854775808	5.5	2.5	1.0	false	bad argument #1 to 'math.max' (value expected)
1	-1	1	1.5	0	false	bad argument #2 to 'math.fmod' (zero)
1.0	0	0.0
3	-3	5	inf	-inf	0.0
4.0	1.4142135623731	1.0	0.0	3.0	2.0	3.0	0.0	1.0	3.1415926535898
5	nil	nil	true	false	integer	float	nil	false	bad argument #1 to 'math.type' (value expected)
9223372036854775807	-9223372036854775808	inf	-inf	180.0	true	true	3.1415926535898	3.1415926535898	0.0
false	true	integer	5
true	true	742	50
742559290030	5146976556696563471
90242	integer
20029.556389
]]
