-- The upvalues of a function that is called in a condition, and that another function stands for
-- at times, are not read before it is known which function it is.
local function adder(n)
  return function(x) return x + n end
end

local function plain(x) return -x end

local other = { n = 1 }
local lookup = setmetatable({}, { __call = function(_, x) return other.n + x end })

local function sum(f, limit, list)
  local total = 0
  for i = 1, limit do
    if list[i] then
      total = total + f(i)
    end
  end
  return total
end

local all = {}
for i = 1, 50 do all[i] = true end

local five = adder(5)
for _ = 1, 300 do sum(five, 20, all) end
print(sum(five, 20, all))
-- A function without upvalues, a native one, and what is no function.
for _ = 1, 20 do
  print(sum(plain, 20, {}), sum(plain, 20, all), sum(math.abs, 20, {}), sum(math.abs, 20, all))
end
print(sum(lookup, 20, {}), sum(lookup, 20, all))
print(sum(five, 20, all), sum(adder(7), 20, all))

--[[expect
310
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	-210	0	210
0	230
310	350
]]
