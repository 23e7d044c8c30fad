-- A hot function whose argument types change midway, several times.
local function add(a, b) return a + b end
local s = 0
for i = 1, 400 do s = add(s, i) end
print(s, math.type(s))
for i = 1, 400 do s = add(s, 0.5) end
print(s, math.type(s))
for i = 1, 400 do s = add(s, "1") end
print(s, math.type(s))
local mt = { __add = function(a, b) return (type(a) == "table" and a.v or a) + (type(b) == "table" and b.v or b) end }
for i = 1, 400 do s = add(s, setmetatable({ v = i }, mt)) end
print(s, math.type(s))
for i = 1, 400 do s = add(i, i) end
print(s, math.type(s))
print(pcall(add, nil, 1))
for i = 1, 400 do s = add(i % 2 == 0 and i or i + 0.0, 1) end
print(s, math.type(s), add(math.maxinteger, 1), add(2 ^ 53, 1))

--[[expect
80200	integer
80400.0	float
80800.0	float
161000.0	float
800	integer
false	hot_type_change_args.lua:2: attempt to perform arithmetic on a nil value (local 'a')
401	integer	-9223372036854775808	9.007199254741e+15
]]
