-- Floats with integral values work as integers in bit operations, and nothing else does.
print(3.0 | 0, 2 ^ 31 | 0, -1.0 & 0xFF, 1e3 << 2, ~5.0)
print(2 ^ 53 | 0, -2 ^ 63 | 0)
local function err(f) print(select(2, pcall(f))) end
err(function() return "10" | 0 end)
err(function() return 1.5 | 0 end)
err(function() return 2 ^ 63 | 0 end)
err(function() return (0 / 0) | 0 end)
err(function() return (1 / 0) & 1 end)
err(function() return "1.5" | 0 end)
err(function() return "abc" | 0 end)
err(function() return {} | 0 end)
err(function() return 1 << nil end)
print(math.tointeger(3.0), math.tointeger(3.5), math.tointeger(2 ^ 63), math.tointeger(-2 ^ 63), math.tointeger("8"), math.tointeger({}))

--[[expect
3	2147483648	255	4000	-6
9007199254740992	-9223372036854775808
conversion_float_to_int.lua:5: attempt to perform bitwise operation on a string value (constant '10')
conversion_float_to_int.lua:6: number has no integer representation
conversion_float_to_int.lua:7: number has no integer representation
conversion_float_to_int.lua:8: number has no integer representation
conversion_float_to_int.lua:9: number has no integer representation
conversion_float_to_int.lua:10: attempt to perform bitwise operation on a string value (constant '1.5')
conversion_float_to_int.lua:11: attempt to perform bitwise operation on a string value (constant 'abc')
conversion_float_to_int.lua:12: attempt to perform bitwise operation on a table value
conversion_float_to_int.lua:13: attempt to perform bitwise operation on a nil value
3	nil	nil	-9223372036854775808	8	nil
]]
