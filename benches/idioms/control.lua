--# pcall_success 2000000 50
local c = 0
local function f(x) return x + 1 end
for i = 1, n do
  local ok, v = pcall(f, i)
  if ok then c = c + v % 3 end
end
return c
--# pcall_error 400000 50
local c = 0
local function f(x) if x % 2 == 0 then error("even") end return x end
for i = 1, n do
  if not pcall(f, i) then c = c + 1 end
end
return c
--# pcall_error_table 400000 50
local c = 0
for i = 1, n do
  local ok, e = pcall(error, { code = i % 5 })
  if not ok then c = c + e.code end
end
return c
--# generator_by_coroutine 600000 50
local function range(k)
  return coroutine.wrap(function() for i = 1, k do coroutine.yield(i) end end)
end
local c = 0
for v in range(n) do c = c + v end
return c
--# many_short_coroutines 200000 20
local c = 0
for i = 1, n do
  local co = coroutine.wrap(function(x) local y = coroutine.yield(x + 1) return y * 2 end)
  c = c + co(i) + co(3)
end
return c
--# producer_consumer 700000 50
local producer = coroutine.create(function() for i = 1, n do coroutine.yield(i) end end)
local c = 0
while true do
  local _, v = coroutine.resume(producer)
  if not v then break end
  c = c + v
end
return c
--# iterator_by_closure 2000000 50
local function each(t)
  local i = 0
  return function() i = i + 1 return t[i] end
end
local t, c = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 0
for _ = 1, n / 10 do
  for v in each(t) do c = c + v end
end
return c
--# stateless_iterator 2000000 50
local function step(t, i)
  i = i + 2
  if t[i] then return i, t[i] end
end
local t, c = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, 0
for _ = 1, n / 5 do
  for _, v in step, t, -1 do c = c + v end
end
return c
--# closures_in_loop 1000000 50
local list, c = {}, 0
for i = 1, n do
  list[i % 50 + 1] = function() return i end
end
for _, f in ipairs(list) do c = c + f() end
return c
--# composed_functions 500000 50
local function compose(f, g) return function(x) return f(g(x)) end end
local f = function(x) return x + 1 end
for _ = 1, 6 do f = compose(f, function(x) return x + 1 end) end
local c = 0
for i = 1, n do c = c + f(i) % 10 end
return c
--# map_filter_reduce 30000 10
local function map(t, f) local r = {} for i = 1, #t do r[i] = f(t[i]) end return r end
local function filter(t, f) local r = {} for _, v in ipairs(t) do if f(v) then r[#r + 1] = v end end return r end
local function reduce(t, f, a) for _, v in ipairs(t) do a = f(a, v) end return a end
local t, c = {}, 0
for i = 1, 20 do t[i] = i end
for _ = 1, n do
  local even = filter(map(t, function(x) return x * 3 end), function(x) return x % 2 == 0 end)
  c = c + reduce(even, function(a, b) return a + b end, 0)
end
return c
--# varargs_sum 600000 50
local function sum(...)
  local s = 0
  for i = 1, select("#", ...) do s = s + (select(i, ...)) end
  return s
end
local c = 0
for i = 1, n do c = c + sum(i, 2, 3) end
return c
--# varargs_in_table 1000000 50
local function count(...) local t = { ... } return #t end
local c = 0
for i = 1, n do c = c + count(i, i, i) end
return c
--# varargs_handed_on 2000000 50
local function inner(a, b) return a + b end
local function outer(...) return inner(...) end
local c = 0
for i = 1, n do c = c + outer(i, 1) % 7 end
return c
--# multiple_results 2000000 50
local function divide(a, b) return (a - a % b) / b, a % b end
local c = 0
for i = 1, n do
  local q, r = divide(i, 7)
  c = c + q + r
end
return c
--# default_arguments 2000000 50
local function f(a, b, c)
  b = b or 2
  c = c == nil and 3 or c
  return a + b + c
end
local s = 0
for i = 1, n do s = s + f(i) + f(i, 1) end
return s
--# named_arguments 800000 50
local function area(o) return (o.width or 1) * (o.height or 1) end
local c = 0
for i = 1, n do c = c + area({ width = i % 9, height = 2 }) end
return c
--# mutual_recursion 400 4
local even, odd
function even(k) if k == 0 then return true end return odd(k - 1) end
function odd(k) if k == 0 then return false end return even(k - 1) end
local c = 0
for i = 1, n * 1000 do if even(i % 30) then c = c + 1 end end
return c
--# recursion_fibonacci 29 8
local function fib(k) if k < 2 then return k end return fib(k - 1) + fib(k - 2) end
return fib(n)
--# tail_calls 5000000 50
local function loop(k, a) if k == 0 then return a end return loop(k - 1, a + k % 3) end
return loop(n, 0)
--# while_with_break 9000000 50
local c, i = 0, 0
while true do
  i = i + 1
  if i > n then break end
  if i % 2 == 0 then c = c + i end
end
return c
--# repeat_until 10000000 50
local c, i = 0, 0
repeat
  local step = i % 3 + 1
  i = i + step
  c = c + 1
until i >= n
return c
--# nested_loops 3000 8
local c = 0
for i = 1, n do
  for j = i, n do
    if (i + j) % 3 == 0 then c = c + 1 end
  end
end
return c
--# dispatch_table 2000000 50
local acc = 0
local ops = {
  add = function(x) acc = acc + x end,
  sub = function(x) acc = acc - x end,
  dbl = function() acc = acc * 2 % 1000 end,
}
local names = { "add", "sub", "dbl", "add" }
for i = 1, n do ops[names[i % 4 + 1]](i % 10) end
return acc
--# global_variables 7000000 50
total_of_idiom = 0
for i = 1, n do total_of_idiom = total_of_idiom + i % 5 end
local c = total_of_idiom
total_of_idiom = nil
return c
--# global_functions 4000000 50
function helper_of_idiom(x) return x + 1 end
local c = 0
for i = 1, n do c = helper_of_idiom(c) end
helper_of_idiom = nil
return c
--# upvalue_counter 5000000 50
local function counter()
  local k = 0
  return function() k = k + 1 return k end
end
local next_value, c = counter(), 0
for _ = 1, n do c = next_value() end
return c
--# type_checks 2000000 50
local values, c = { 1, "a", true, {}, 2.5 }, 0
for i = 1, n do
  local t = type(values[i % 5 + 1])
  if t == "number" then c = c + 1 elseif t == "string" then c = c + 2 elseif t == "table" then c = c + 3 end
end
return c
--# assert_everything 2000000 50
local c = 0
for i = 1, n do
  assert(i > 0, "positive")
  c = c + assert(i % 7 + 1)
end
return c
