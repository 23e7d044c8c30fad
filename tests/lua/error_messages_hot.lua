-- The same messages and lines from hot functions.
local function arith(a, b) return a + b end
local function index(t) return t.x.y end
local function call(f) return f(1) end
local function compare(a, b) return a < b end
local function concat(a, b)
  return a ..
    b
end
local up
local function upvalue() return up.field end
local function method(o) return o:run(1) end
local obj = { run = function(_, x) return x end }
up = { field = 1 }
for i = 1, 500 do
  arith(i, 1) index { x = { y = i } } call(math.abs) compare(i, 5) concat("a", i) upvalue() method(obj)
end
print(pcall(arith, 1, nil))
print(pcall(arith, {}, 1))
print(pcall(arith, 1, "x"))
print(arith(1, "2"), arith(1.5, 2))
print(pcall(index, { x = 5 }))
print(pcall(index, {}))
print(pcall(index, nil))
print(pcall(call, nil))
print(pcall(call, {}))
print(pcall(compare, 1, "x"))
print(pcall(compare, {}, {}))
print(pcall(concat, "a", nil))
print(pcall(concat, {}, "a"))
up = nil
print(pcall(upvalue))
print(pcall(method, {}))
print(pcall(method, nil))
print(pcall(method, { run = 5 }))

--[[expect
false	error_messages_hot.lua:2: attempt to perform arithmetic on a nil value (local 'b')
false	error_messages_hot.lua:2: attempt to perform arithmetic on a table value (local 'a')
false	error_messages_hot.lua:2: attempt to add a 'number' with a 'string'
3	3.5
false	error_messages_hot.lua:3: attempt to index a number value (field 'x')
false	error_messages_hot.lua:3: attempt to index a nil value (field 'x')
false	error_messages_hot.lua:3: attempt to index a nil value (local 't')
false	error_messages_hot.lua:4: attempt to call a nil value (local 'f')
false	error_messages_hot.lua:4: attempt to call a table value (local 'f')
false	error_messages_hot.lua:5: attempt to compare number with string
false	error_messages_hot.lua:5: attempt to compare two table values
false	error_messages_hot.lua:7: attempt to concatenate a nil value (local 'b')
false	error_messages_hot.lua:7: attempt to concatenate a table value (local 'a')
false	error_messages_hot.lua:11: attempt to index a nil value (upvalue 'up')
false	error_messages_hot.lua:12: attempt to call a nil value (method 'run')
false	error_messages_hot.lua:12: attempt to index a nil value (local 'o')
false	error_messages_hot.lua:12: attempt to call a number value (method 'run')
]]
