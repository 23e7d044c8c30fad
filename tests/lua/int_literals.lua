-- Integer and float literals, and what is too big for an integer.
print(9223372036854775807, 9223372036854775808, -9223372036854775808, 18446744073709551616)
print(0xffffffffffffffff, 0x7fffffffffffffff, 0x1ffffffffffffffff, 0x10000000000000000)
print(1e15, 1e16, 1e100, 123456789012345678)
print(0x.8p1, 0xA.8, 0x1p-2, 0xAp3, 3., .5, 0.1e1, 5e-1, 0x.1, 0xfp0)
print(1//1, 1.0, -0.0, 0e12, 100000000000000, 1e14)
print(math.type(1), math.type(1.0), math.type(1e2), math.type(0x10), math.type(0x1p4), math.type("1"))

--[[expect
9223372036854775807	9.2233720368548e+18	-9.2233720368548e+18	1.844674407371e+19
-1	9223372036854775807	-1	0
1e+15	1e+16	1e+100	123456789012345678
1.0	10.5	0.25	80.0	3.0	0.5	1.0	0.5	0.0625	15.0
1	1.0	-0.0	0.0	100000000000000	1e+14
integer	float	float	integer	float	nil
]]
