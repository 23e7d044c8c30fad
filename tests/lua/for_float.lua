-- Float loops: type of the variable, accumulation, steps.
local function w(...) io.write(table.concat({ ... }, " "), " ") end
for i = 1.0, 3 do w(i) end print()
for i = 1, 2, 0.5 do w(i) end print()
for i = 1, 0, -0.25 do w(i) end print()
for i = 0.1, 1, 0.1 do io.write(string.format("%.2f", i), " ") end print()
local n = 0
for i = 0.0, 1000 do n = n + i end print(n, math.type(n))
for i = 3, 1 do print("never") end
for i = 1.5, 0 do print("never") end
for i = 1, 3.0 do io.write(math.type(i), " ") end print()
for i = -math.huge, math.huge, math.huge do print(i) if i ~= i then break end n = n + 1 if n > 500503 then break end end
local c = 0
for i = 0, 1, 1e-3 do c = c + 1 end print(c)
for i = 1, 3 do local j = i i = 10 w(j, i) end print()

--[[expect
1.0 2.0 3.0 
1.0 1.5 2.0 
1.0 0.75 0.5 0.25 0.0 
0.10 0.20 0.30 0.40 0.50 0.60 0.70 0.80 0.90 1.00 
500500.0	float
integer integer integer 
-inf
1000
1 10 2 10 3 10 
]]
