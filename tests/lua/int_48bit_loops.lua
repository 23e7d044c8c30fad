-- Loop bounds and steps around ±2^47 and the ends of 64 bits.
local p = 1 << 47
for i = p - 2, p + 2 do io.write(i, " ") end print()
for i = -p + 2, -p - 2, -1 do io.write(i, " ") end print()
for i = math.maxinteger - 2, math.maxinteger do io.write(i, " ") end print()
for i = math.mininteger + 2, math.mininteger, -1 do io.write(i, " ") end print()
for i = p, 4 * p, p do io.write(i, " ") end print()
for i = math.mininteger, math.maxinteger, math.maxinteger do io.write(i, " ") end print()
for i = math.maxinteger, math.mininteger, math.mininteger do io.write(i, " ") end print()
local sum = 0
for i = p - 500, p + 500 do sum = sum + i end
print(sum)
sum = 0
for i = -p + 500, -p - 500, -1 do sum = sum + i end
print(sum)
local count = 0
for i = 1, math.maxinteger, p do count = count + 1 if count == 400 then print(i) break end end

--[[expect
140737488355326 140737488355327 140737488355328 140737488355329 140737488355330 
-140737488355326 -140737488355327 -140737488355328 -140737488355329 -140737488355330 
9223372036854775805 9223372036854775806 9223372036854775807 
-9223372036854775806 -9223372036854775807 -9223372036854775808 
140737488355328 281474976710656 422212465065984 562949953421312 
-9223372036854775808 -1 9223372036854775806 
9223372036854775807 -1 
140878225843683328
-140878225843683328
56154257853775873
]]
