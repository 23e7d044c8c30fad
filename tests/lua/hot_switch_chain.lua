-- Long if-elseif chains and table dispatch in hot loops, with rare cases late.
local function op(k, a, b)
  if k == 0 then return a + b elseif k == 1 then return a - b elseif k == 2 then return a * b % 1000
  elseif k == 3 then return a // (b + 1) elseif k == 4 then return a ~ b elseif k == 5 then return -a
  elseif k == "s" then return #tostring(a) elseif k == nil then return 0 else return a / b end
end
local v = 1
for i = 1, 900 do v = op(i % 6, v, i) end
print(v)
for i = 1, 100 do v = op("s", v, i) v = op(nil, v, i) v = op(7, v, i) v = op(0, v, i) end
print(v)
local handlers = { add = function(s, x) return s + x end, neg = function(s) return -s end, dup = function(s, x) return s * 2 % 10007 end }
local names = { "add", "dup", "neg", "add" }
local s = 1
for i = 1, 1200 do s = handlers[names[i % 4 + 1]](s, i) if i == 600 then handlers.add = function(s, x) return s - x end end end
print(s)
names[2] = "missing"
print(pcall(function() for i = 1, 10 do s = handlers[names[i % 4 + 1]](s, i) end end))

--[[expect
2
100.0
-9649
false	hot_switch_chain.lua:18: attempt to call a nil value (field '?')
]]
