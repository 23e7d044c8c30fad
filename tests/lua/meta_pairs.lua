-- __pairs, and pairs over what ipairs sees through __index.
local t = setmetatable({}, { __pairs = function(t) return function(_, k) k = (k or 0) + 1 if k <= 3 then return k, k * k end end, t, nil end })
for k, v in pairs(t) do io.write(k, "=", v, " ") end print()
print(select("#", pairs(t)), select("#", pairs({})))
local p = setmetatable({}, { __index = function(_, i) if i <= 4 then return i * 10 end end })
for i, v in ipairs(p) do io.write(i, ":", v, " ") end print()
print(pcall(pairs))
print((pcall(pairs, nil)), pcall(function() for _ in pairs(nil) do end end))
print(pcall(ipairs))
print(select("#", ipairs({})))
for i, v in ipairs { 1, 2, nil, 4 } do io.write(i, " ") end print()
print(pcall(ipairs(5) , 5, 0))
print(next({}), type(next), rawequal(pairs({}), next))

--[[expect
1=1 2=4 3=9 
3	3
1:10 2:20 3:30 4:40 
false	bad argument #1 to 'pairs' (value expected)
true	false	meta_pairs.lua:8: bad argument #1 to 'for iterator' (table expected, got nil)
false	bad argument #1 to 'ipairs' (value expected)
3
1 2 
false	attempt to index a number value
nil	function	true
]]
