-- Strings convert to numbers in arithmetic.
print("10" + 5, "10" * "2", "3" - 1, "7" // 2, "7" % "4", "2" ^ 3, -"4", "0x10" + 0, "1e1" + 0, " 5 " + 0)
print(math.type("10" + 5), math.type("10.0" + 5), math.type("1e1" + 0))
print("9223372036854775807" + 1, "9223372036854775808" + 0)
print(pcall(function() return "abc" + 1 end))
print(pcall(function() return 1 + "abc" end))
print(pcall(function() return {} + "1" end))
print(pcall(function() return -"x" end))
print("10" == 10, "abc" < "abd", pcall(function() return "1" < 2 end))
print(10 .. 20, 1.5 .. "x", -1 .. "", 2 ^ 63 .. "")

--[[expect
15	20	2	3	3	8.0	-4	16	10.0	5
integer	float	float
-9223372036854775808	9.2233720368548e+18
false	string_coercion_arith.lua:5: attempt to add a 'string' with a 'number'
false	string_coercion_arith.lua:6: attempt to add a 'number' with a 'string'
false	string_coercion_arith.lua:7: attempt to add a 'table' with a 'string'
false	string_coercion_arith.lua:8: attempt to unm a 'string' with a 'string'
false	true	false	string_coercion_arith.lua:9: attempt to compare string with number
1020	1.5x	-1	9.2233720368548e+18
]]
