-- Operands and arguments are evaluated from left to right.
local log = {}
local function v(name, value) log[#log + 1] = name return value end
local t = setmetatable({}, { __newindex = function(_, k, x) log[#log + 1] = k .. "=" .. tostring(x) end })
local _ = v("a", 1) + v("b", 2) * v("c", 3)
local _ = v("d", "x") .. v("e", "y") .. v("f", "z")
local _ = { v("g", 1), k = v("h", 2), [v("i", 3)] = v("j", 4) }
print(v("k", 1), v("l", 2), (v("m", 3)))
local _ = v("n", {})[v("o", 1)]
local _ = v("p", 1) < v("q", 2) and v("r", nil) or v("s", 1)
v("u", string).format(v("w", "x"))
print(table.concat(log, " "))
local _ = t

--[[expect
1	2	3
a b c d e f g h i j k l m n o p q r s u w
]]
