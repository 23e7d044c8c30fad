-- Integer loops never overflow.
local max, min = math.maxinteger, math.mininteger
local n = 0
for i = max - 1, max do n = n + 1 end print(n)
n = 0
for i = min + 1, min, -1 do n = n + 1 end print(n)
n = 0
for i = max - 10, max, 7 do n = n + 1 io.write(i, " ") end print(n)
n = 0
for i = 1, 0 do n = n + 1 end print(n)
for i = 1, math.huge do if i > 3 then break end io.write(i, " ") end print()
for i = 1, -math.huge do print("never") end
for i = -1, -math.huge, -1 do if i < -3 then break end io.write(i, " ") end print()
for i = 1, 3.7 do io.write(i, " ") end print()
for i = 3, 1.2, -1 do io.write(i, " ") end print()
for i = max, max + 1.0 do n = n + 1 if n > 3 then break end end print(n)
for i = 1, 2 ^ 70 do if i == 3 then print(i, math.type(i)) break end end
print(pcall(function() for i = 1, 10, 0 do end end))
print(pcall(function() for i = 1.0, 10, 0 do end end))
print(pcall(function() for i = "a", 10 do end end))
print(pcall(function() for i = 1, {} do end end))
print(pcall(function() for i = 1, 2, "x" do end end))
print(pcall(function() for i = "1", 2 do end end))

--[[expect
2
2
9223372036854775797 9223372036854775804 2
0
1 2 3 
-1 -2 -3 
1 2 3 
3 2 
1
3	integer
false	for_integer_overflow.lua:18: 'for' step is zero
false	for_integer_overflow.lua:19: 'for' step is zero
false	for_integer_overflow.lua:20: bad 'for' initial value (number expected, got string)
false	for_integer_overflow.lua:21: bad 'for' limit (number expected, got table)
false	for_integer_overflow.lua:22: bad 'for' step (number expected, got string)
true
]]
