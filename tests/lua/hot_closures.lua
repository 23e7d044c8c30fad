-- Closures created and called in hot loops; many upvalues; recursion through upvalues.
local function make(a, b) local c = a + b return function(x) c = c + x return c, a, b end end
local s = 0
for i = 1, 800 do local f = make(i, 1) f(1) s = s + f(2) end
print(s)
local fs = {}
for i = 1, 400 do local k = i * 2 fs[i] = function() k = k + i return k end end
for r = 1, 3 do for i = 1, 400 do s = s + fs[i]() end end
print(s)
local a, b, c, d, e, f, g, h, i, j = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local function rot() a, b, c, d, e, f, g, h, i, j = j, a, b, c, d, e, f, g, h, i return a + b * c - d end
local t = 0
for _ = 1, 603 do t = t + rot() end
print(t, a, j)
local function Y(fn) return (function(x) return x(x) end)(function(x) return fn(function(...) return x(x)(...) end) end) end
local fact = Y(function(self) return function(n) if n == 0 then return 1 end return n * self(n - 1) end end)
local y = 0
for n = 1, 300 do y = y + fact(n % 15) end
print(y)
local function compose(...) local list = { ... } return function(x) for k = 1, #list do x = list[k](x) end return x end end
local p = compose(function(x) return x + 1 end, function(x) return x * 2 end, math.sqrt)
local r = 0
for n = 1, 400 do r = r + p(n) end
print(("%.6f"):format(r))
local memo = {}
local function fib(n) if n < 2 then return n end local m = memo[n] if m then return m end m = fib(n - 1) + fib(n - 2) memo[n] = m return m end
print(fib(80))

--[[expect
323600
1286000
20523	8	7
1878565366280
7583.228810
23416728348467685
]]
