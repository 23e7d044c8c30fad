-- Coroutines as iterators, and calls with several results of functions that give more or fewer, in loops
-- that are compiled.
local function gen(n, width)
  return coroutine.wrap(function()
    for i = 1, n do
      local w = width or i % 5
      if w == 0 then coroutine.yield(i)
      elseif w == 1 then coroutine.yield(i, -i)
      elseif w == 2 then coroutine.yield(i, -i, "c")
      elseif w == 3 then coroutine.yield(i, nil, i)
      else coroutine.yield(i, -i, i * 2, i * 3, i * 4, i * 5) end
    end
  end)
end

local function drain(n, width)
  local one, two, three, four, nils = 0, 0, 0, 0, 0
  for a in gen(n, width) do one = one + a end
  for a, b in gen(n, width) do
    two = two + a
    if b == nil then nils = nils + 1 else two = two + b end
  end
  for a, b, c in gen(n, width) do
    three = three + a
    if b == nil then nils = nils + 1 end
    if c == "c" then three = three + 1 elseif c then three = three + c else nils = nils + 1 end
  end
  for a, b, c, d in gen(n, width) do
    four = four + a + (d or 0)
    if d == nil then nils = nils + 1 end
  end
  return one, two, three, four, nils
end
print(drain(10))
print(drain(5000))
print(drain(3000, 0))
print(drain(3000, 4))

-- Results of resume.
local function several(limit)
  local co = coroutine.create(function(a, b)
    while true do
      local n = (a or 0) % 4
      if n == 0 then a, b = coroutine.yield()
      elseif n == 1 then a, b = coroutine.yield(a)
      elseif n == 2 then a, b = coroutine.yield(a, b)
      else a, b = coroutine.yield(a, b, "more", "and more") end
    end
  end)
  local got, missing = 0, 0
  for i = 1, limit do
    local ok, x, y, z = coroutine.resume(co, i, -i)
    if not ok then error(x) end
    if x == nil then missing = missing + 1 else got = got + x end
    if y == nil then missing = missing + 1 else got = got + 2 * y end
    if z == nil then missing = missing + 1 elseif z ~= "more" then error("z") end
  end
  return got, missing, coroutine.status(co)
end
print(several(10))
print(several(8000))

-- The same of Lua functions, with a global written in between.
local function give(n)
  if n == 0 then return end
  if n == 1 then return 1 end
  if n == 2 then return 1, 2 end
  return 1, 2, 3, 4, 5
end
function take(limit)
  local sum, missing = 0, 0
  for i = 0, limit do
    local a, b, c = (i % 7 == 8 and print or give)(i % 4)
    sum = sum + (a or 0) + (b or 0) + (c or 0)
    if not a then missing = missing + 1 end
    if not b then missing = missing + 1 end
    if not c then missing = missing + 1 end
  end
  return sum, missing
end
print(take(10))
print(take(20000))

-- Results that closures share.
local function shared(limit)
  local list = {}
  for i = 1, limit do
    local a, b = select(i % 3 + 1, 10, 20, 30)
    list[#list + 1] = function() a = a + 1 return a, b end
    for x, y in gen(3, 1) do
      list[#list + 1] = function() y = y - 1 return x, y end
    end
  end
  local total = 0
  for i = 1, #list do
    list[i]()
    local p, q = list[i]()
    total = total + p + (q or 0)
  end
  return #list, total
end
print(shared(3))
print(shared(1500))

-- Iterators of all sorts at one loop.
local callable = setmetatable({}, { __call = function(_, limit, i) if i < limit then return i + 1, "called" end end })
local function step(limit, i) if i < limit then return i + 1, "lua" end end
local function walk(f, s, i)
  local count, last = 0, nil
  for _, what in f, s, i do count = count + 1 last = what end
  return count, last
end
for round = 1, 3 do
  for _ = 1, 200 do
    walk(step, 5, 0)
    if round > 1 then walk(gen(4, 1)) end
    if round > 2 then walk(callable, 6, 0) end
  end
  print(walk(step, 50, 0))
  print(walk(gen(40, 1)))
  print(walk(callable, 30, 0))
  print(pcall(walk, nil))
end

-- Errors and closing in the middle.
local function failing(n)
  return coroutine.wrap(function()
    for i = 1, n do coroutine.yield(i) end
    error("at the end", 0)
  end)
end
local function collect(n)
  local count = 0
  local ok, message = pcall(function()
    for _ in failing(n) do count = count + 1 end
  end)
  return ok, message, count
end
for _ = 1, 300 do collect(10) end
print(collect(2000))

-- Yields across pcall, a metamethod and a comparison within hot coroutines.
local meta = { __add = function(_, b) return (coroutine.yield(b)) end, __lt = function() return coroutine.yield("lt") end }
local across = coroutine.wrap(function()
  local v, sum = setmetatable({}, meta), 0
  for i = 1, 3000 do
    local ok, x, y = pcall(coroutine.yield, i)
    sum = sum + x + (y or 0)
    sum = sum + (v + i)
    if v < v then sum = sum + 1 end
  end
  return "sum", sum
end)
local input, result = 0, nil
repeat
  local what, sum = across(input, input % 2)
  input = input + 1
  result = sum
until what == "sum"
print(result)

--[[expect
55	26	94	94	20
12502500	5003000	20007000	20007000	10000
4501500	4501500	4501500	4501500	12000
4501500	0	13504500	18006000	0
-13	15	suspended
-8004000	12000	suspended
24	18
50000	30003
12	98
6000	49000
50	lua
40	-40
30	called
false	co_hot_iterators.lua:110: attempt to call a nil value (for iterator 'for iterator')
50	lua
40	-40
30	called
false	co_hot_iterators.lua:110: attempt to call a nil value (for iterator 'for iterator')
50	lua
40	-40
30	called
false	co_hot_iterators.lua:110: attempt to call a nil value (for iterator 'for iterator')
false	co_hot_iterators.lua:135: at the end	2000
27004500
]]
