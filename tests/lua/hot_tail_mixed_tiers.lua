-- Endless tail calls through hundreds of functions, of which some are hot and some are new.
local fs = {}
for k = 1, 300 do
  fs[k] = load("local fs, k = ... return function(n, acc) if n == 0 then return acc, k end return fs[n % 300 + 1](n - 1, acc + k % 7) end")(fs, k)
end
print(fs[1](100000, 0))
for i = 1, 500 do fs[7](3, 0) fs[8](2, 0) end
print(fs[7](100000, 0.5))
local function hot(n, f) if n == 0 then return "end" end return f(n - 1, hot) end
for i = 1, 300 do hot(10, hot) end
local function fresh() return load("return function(n, f) if n == 0 then return 'fresh end' end return f(n - 1, f) end")() end
print(hot(1001, fresh()), fresh()(1000, hot), hot(100000, fresh()))
local chain = hot
for i = 1, 50 do chain = load("local f = ... return function(n, g) return f(n, g) end")(chain) end
print(chain(5000, hot))
print(pcall(function() local function f(n) if n == 0 then return nil + 1 end return f(n - 1) end return f(50000) end))

--[[expect
300997	2
300996.5	2
end	end	end
end
false	hot_tail_mixed_tiers.lua:16: attempt to perform arithmetic on a nil value
]]
