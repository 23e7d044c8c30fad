-- Closures of one scope share variables, while open and after closing.
local function make()
  local a, b = 0, 0
  local function incA() a = a + 1 return a end
  local function incB() b = b + a return b end
  local function get() return a, b end
  incA()
  local function nested() return function() a = a * 2 return a, b end end
  return incA, incB, get, nested()
end
local incA, incB, get, double = make()
for _ = 1, 300 do incA() incB() end
print(get())
print(double())
print(get())
local incA2, _, get2 = make()
incA2()
print(get2())
print(get())
local x = 1
local function outer() x = x + 1 return function() x = x * 2 return x end end
local inner = outer()
x = x + 10
print(inner(), x, outer()(), x)

--[[expect
301	45450
602	45450
602	45450
2	0
602	45450
24	24	50	50
]]
