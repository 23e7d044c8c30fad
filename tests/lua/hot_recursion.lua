-- Deep and mutual recursion of hot functions.
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(18))
local function ack(m, n) if m == 0 then return n + 1 elseif n == 0 then return ack(m - 1, 1) end return ack(m - 1, ack(m, n - 1)) end
print(ack(2, 20))
local isEven, isOdd
function isEven(n) if n == 0 then return true end return isOdd(n - 1) end
function isOdd(n) if n == 0 then return false end return isEven(n - 1) end
print(isEven(5000), isOdd(5000))
local function mA(n) if n <= 0 then return 0 end return 1 + (n % 3 == 0 and mA(n - 2) or mA(n - 1)) end
print(mA(5000))
local function tak(x, y, z) if y >= x then return z end return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) end
print(tak(10, 6, 2))
local function hanoi(n, a, b, c) if n == 0 then return 0 end return hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a) end
print(hanoi(10, "a", "b", "c"))
local function flatten(t, out) for _, v in ipairs(t) do if type(v) == "table" then flatten(v, out) else out[#out + 1] = v end end return out end
print(#flatten({ 1, { 2, { 3, { 4, { 5 } } } }, 6 }, {}))
local function sumf(n) if n == 0 then return 0.0 end return n + sumf(n - 1) end
print(sumf(3000))
local function mixed(n) if n == 0 then return 0 end if n == 500 then return 0.5 + mixed(n - 1) end return 1 + mixed(n - 1) end
print(mixed(400), mixed(600), mixed(400))

--[[expect
2584
43
true	false
3334
3
1023
6
4501500.0
400	599.5	400
]]
