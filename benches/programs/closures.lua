-- Closures made and called: counters, accumulators, composition, curried functions.
-- small: 100
local n = tonumber((...)) or 1500000

local function counter(start)
  local value = start
  return function() value = value + 1 return value end,
    function() return value end
end

local function adder(k)
  return function(x) return x + k end
end

local function compose(f, g)
  return function(x) return f(g(x)) end
end

local function curry3(f)
  return function(a)
    return function(b)
      return function(c) return f(a, b, c) end
    end
  end
end

local function run(n)
  local up, get = counter(0)
  local inc2 = compose(adder(1), adder(1))
  local curried = curry3(function(a, b, c) return a + b * c end)
  local sum = 0
  for i = 1, n do
    up()
    sum = inc2(sum)
    local k = adder(i)
    sum = sum + k(-i + 1)
    sum = curried(sum)(i)(2) - 2 * i
  end
  return sum, get()
end

local sum, count = run(n)
if sum ~= 3 * n or count ~= n then error("closures gave " .. sum .. ", " .. count) end

-- Closures of one loop share nothing.
local list = {}
for i = 1, 100 do list[i] = function(d) i = i + d return i end end
for i = 1, 100 do
  if list[i](1) ~= i + 1 or list[i](1) ~= i + 2 then error("loop closures share a variable") end
end
print("closures", n, sum)
