-- Numbers where strings are wanted and the reverse.
print(("5" + 0) | 0, ("x"):rep("3"), ("abc"):sub("2"), (10 .. ""):len())
print(#tostring(1e100), math.max("10" + 0, 9), ("10"):rep(2) + 1, table.concat({ 1, 2.5, "x" }, 0))
print(pcall(math.floor, "3.7"), math.floor("3"), pcall(string.rep, "x", "y"), string.byte(123, 2))
print(1 == "1", "1" + 1 == 2, 0 == "0", tostring(0) == "0", ("0x10") * 1, "1e1" * 1)
local t = { [1] = "int", ["1"] = "string" }
print(t[1], t["1"], t[1.0], #t)
for _, v in ipairs { "0x", "1 2", "", "1e+", "0b1" } do print(pcall(function() return v + 1 end)) end
local s = 0
for i = 1, 400 do s = s + tostring(i) + (i .. "") * 2 end
print(s, math.type(s))

--[[expect
5	xxx	bc	2
6	10	1011	102.50x
true	3	false	50
false	true	false	true	16	10.0
int	string	int	1
false	str_coercions.lua:8: attempt to add a 'string' with a 'number'
false	str_coercions.lua:8: attempt to add a 'string' with a 'number'
false	str_coercions.lua:8: attempt to add a 'string' with a 'number'
false	str_coercions.lua:8: attempt to add a 'string' with a 'number'
false	str_coercions.lua:8: attempt to add a 'string' with a 'number'
240600	integer
]]
