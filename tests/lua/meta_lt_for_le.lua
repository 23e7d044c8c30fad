-- LUA_COMPAT_5_3: __lt stands in for a missing __le, operands swapped and result negated.
local mt = { __lt = function(a, b) return a.v < b.v end }
local a, b = setmetatable({ v = 1 }, mt), setmetatable({ v = 2 }, mt)
print(pcall(function() return a < b, b < a, a > b end))
print(pcall(function() return a <= b, b <= a end))

--[[expect
true	true	false	false
true	true	false
]]
