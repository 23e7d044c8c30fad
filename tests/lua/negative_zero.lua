-- -0.0 in arithmetic, comparison, keys and printing.
local z = -0.0
print(z, -z, z == 0, 1 / z, 1 / -z, z + 0.0, z + 0, z - 0, z * 1, 0 * -1, 0 * -1.0, -(0), -(0.0))
local t = {}
t[0] = "zero"
print(t[-0.0], t[0.0])
t[-0.0] = "minus"
print(t[0], next(t), math.type(next(t)))
for i = 1, 300 do z = z * -1 end
print(z, 1 / z)
print(string.format("%g %f %d", -0.0, -0.0, -0.0), -0.0 .. "", math.abs(-0.0), math.max(-0.0, 0.0), 0.0 // -1, -0.0 % 5)

--[[expect
-0.0	0.0	true	-inf	inf	0.0	0.0	0.0	-0.0	0	-0.0	0	-0.0
zero	zero
minus	0	integer
-0.0	-inf
-0 -0.000000 0	-0.0	0.0	-0.0	-0.0	-0.0
]]
