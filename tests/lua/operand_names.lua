-- What messages call an operand, where a jump may have set it, and where the event is not the instruction's.
local x, t
print(pcall(function() return ("" or x) | t end))
print(pcall(function() return t & ("" or x) end))
print(pcall(function() return ("" and x) | 1 end))
print(pcall(function() return (x or "") | 1 end))
print(pcall(function() ("" or x)() end))
print(pcall(function() return ("a" or x).b.c end))
print(pcall(function() return "a" | 1 end))
print(pcall(function() return x | ("b" or t) end))

-- `x - 0` is a subtraction.
print(pcall(function() return "abc" - 0 end))
print(pcall(function() return x - 0 end))
local number = setmetatable({}, { __add = function() return "add" end, __sub = function() return "sub" end })
local subs = 0
for _ = 1, 400 do
  if number - 0 == "sub" and number + 0 == "add" then
    subs = subs + 1
  end
end
print(subs, number - 0)
local function minus(v)
  return v - 0
end
local zeros = {}
for i = 1, 400 do
  local z = 1 / minus(i % 2 == 0 and -0.0 or 0.0)
  zeros[z] = (zeros[z] or 0) + 1
end
print(zeros[1 / 0], zeros[-1 / 0], minus(5), minus(2.5), minus(1 << 62), 1 / (-0.0 - 0.0))
--[[expect
false	operand_names.lua:3: attempt to perform bitwise operation on a string value
false	operand_names.lua:4: attempt to perform bitwise operation on a nil value (upvalue 't')
false	operand_names.lua:5: attempt to perform bitwise operation on a nil value (upvalue 'x')
false	operand_names.lua:6: attempt to perform bitwise operation on a string value
false	operand_names.lua:7: attempt to call a string value
false	operand_names.lua:8: attempt to index a nil value (field 'b')
false	operand_names.lua:9: attempt to perform bitwise operation on a string value (constant 'a')
false	operand_names.lua:10: attempt to perform bitwise operation on a nil value (upvalue 'x')
false	operand_names.lua:13: attempt to sub a 'string' with a 'number'
false	operand_names.lua:14: attempt to perform arithmetic on a nil value (upvalue 'x')
400	sub
400	nil	5	2.5	4611686018427387904	-inf
]]
