-- __tostring, __name, and what print does with them.
local t = setmetatable({}, { __tostring = function(x) return "I am t" end })
print(t, tostring(t), ("%s|%10s"):format(t, t))
print(pcall(tostring, setmetatable({}, { __tostring = function() return 5 end })))
print(pcall(tostring, setmetatable({}, { __tostring = function() return {} end })))
print((tostring(setmetatable({}, { __name = "My.Type" })):gsub("0x%x+", "ADDR")))
print(pcall(function() return setmetatable({}, { __name = "My.Type" }) + 1 end))
print(pcall(string.rep, setmetatable({}, { __name = "My.Type" })))
print(pcall(function() return setmetatable({}, { __name = "My.Type" }) < 1 end))
print((tostring(print):gsub("0x%x+", "ADDR")), (tostring({}):gsub("0x%x+", "ADDR")))
print(tostring(nil), tostring(true), tostring(-0.0), pcall(tostring))

--[[expect
I am t	I am t	I am t|    I am t
true	5
false	'__tostring' must return a string
My.Type: ADDR
false	meta_tostring_name.lua:7: attempt to perform arithmetic on a My.Type value
false	bad argument #1 to 'string.rep' (string expected, got My.Type)
false	meta_tostring_name.lua:9: attempt to compare My.Type with number
function: ADDR	table: ADDR
nil	true	-0.0	false	bad argument #1 to 'tostring' (value expected)
]]
