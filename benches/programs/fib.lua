-- Doubly recursive Fibonacci: the cost of a call and a return.
-- small: 15
local n = tonumber((...)) or 35

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

local result = fib(n)

local a, b = 0, 1
for _ = 1, n do a, b = b, a + b end
if result ~= a then error("fib(" .. n .. ") gave " .. result) end
print("fib", n, result)
