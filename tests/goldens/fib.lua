-- dump: ssa-opt, exits, layout
-- of: fib
-- A function that calls itself: unboxed parameters and result.
local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end
fib(15)
