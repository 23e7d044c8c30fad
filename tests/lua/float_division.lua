-- Division, floor division and modulo of floats.
for _, a in ipairs { 7.5, -7.5, 0.0, -0.0, 1.0, 1 / 0, -1 / 0 } do
  for _, b in ipairs { 2.0, -2.0, 0.5, 1 / 0, -1 / 0, 0.0 } do
    local q, r = a // b, a % b
    print(a, b, a / b ~= a / b and "nan" or a / b, q ~= q and "nan" or q, r ~= r and "nan" or r)
  end
end
print(7 / 2, 8 / 2, 7 // 2.0, -7 // 2.0, 7 % 2.5, -7 % 2.5, 7 % -2.5, 5.3 % math.huge, -5.3 % math.huge)
print(1 / 0, -1 / 0, 1 // 0.0, -1 // 0.0, 2 ^ 53, 2 ^ 0.5, (-8) ^ (1 / 3) ~= (-8) ^ (1 / 3))

--[[expect
7.5	2.0	3.75	3.0	1.5
7.5	-2.0	-3.75	-4.0	-0.5
7.5	0.5	15.0	15.0	0.0
7.5	inf	0.0	0.0	7.5
7.5	-inf	-0.0	-0.0	-inf
7.5	0.0	inf	inf	nan
-7.5	2.0	-3.75	-4.0	0.5
-7.5	-2.0	3.75	3.0	-1.5
-7.5	0.5	-15.0	-15.0	-0.0
-7.5	inf	-0.0	-0.0	inf
-7.5	-inf	0.0	0.0	-7.5
-7.5	0.0	-inf	-inf	nan
0.0	2.0	0.0	0.0	0.0
0.0	-2.0	-0.0	-0.0	0.0
0.0	0.5	0.0	0.0	0.0
0.0	inf	0.0	0.0	0.0
0.0	-inf	-0.0	-0.0	0.0
0.0	0.0	nan	nan	nan
-0.0	2.0	-0.0	-0.0	-0.0
-0.0	-2.0	0.0	0.0	-0.0
-0.0	0.5	-0.0	-0.0	-0.0
-0.0	inf	-0.0	-0.0	-0.0
-0.0	-inf	0.0	0.0	-0.0
-0.0	0.0	nan	nan	nan
1.0	2.0	0.5	0.0	1.0
1.0	-2.0	-0.5	-1.0	-1.0
1.0	0.5	2.0	2.0	0.0
1.0	inf	0.0	0.0	1.0
1.0	-inf	-0.0	-0.0	-inf
1.0	0.0	inf	inf	nan
inf	2.0	inf	inf	nan
inf	-2.0	-inf	-inf	nan
inf	0.5	inf	inf	nan
inf	inf	nan	nan	nan
inf	-inf	nan	nan	nan
inf	0.0	inf	inf	nan
-inf	2.0	-inf	-inf	nan
-inf	-2.0	inf	inf	nan
-inf	0.5	-inf	-inf	nan
-inf	inf	nan	nan	nan
-inf	-inf	nan	nan	nan
-inf	0.0	-inf	-inf	nan
3.5	4.0	3.0	-4.0	2.0	0.5	-0.5	5.3	inf
inf	-inf	inf	-inf	9.007199254741e+15	1.4142135623731	true
]]
