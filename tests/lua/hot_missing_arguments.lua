-- A hot function that calls itself, called with fewer arguments than it has parameters.
local function fib(n, acc)
  if n < 2 then return n end
  return fib(n - 1, acc) + fib(n - 2, acc)
end
for i = 1, 60 do fib(8, 1) end
print(fib(10, 1))
print(fib(10))
for i = 1, 60 do fib(8) end
print(fib(9), fib(9, nil), fib(9, 1))
print(pcall(fib))
local count = 0
local function loop(x, y, z)
  count = count + 1
  if count > 400 then error("enough") end
  return 1 + loop(x, y, z)
end
print(pcall(loop))
count = 0
print(pcall(loop, 1))
count = 0
print(pcall(loop, 1, 2))
count = 0
print(pcall(loop, 1, 2, 3, 4))
print(xpcall(loop, loop) == false)

--[[expect
55
55
34	34	34
false	hot_missing_arguments.lua:3: attempt to compare nil with number
false	hot_missing_arguments.lua:15: enough
false	hot_missing_arguments.lua:15: enough
false	hot_missing_arguments.lua:15: enough
false	hot_missing_arguments.lua:15: enough
true
]]
