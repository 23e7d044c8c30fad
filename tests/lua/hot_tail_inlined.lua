-- Tail calls inside functions that are inlined into hot loops; errors and yields through them.
local function add(a,b) return a+b end
local function step(a) return add(a, 1) end
local function odd(a) if a > 20 then error("x "..a) end return step(a) end
local function top(a) return odd(a) end
local s = 0
for i = 1, 200 do s = s + step(i) + top(i % 20) end
print(s)
print(pcall(function() local r = top(25) return r end))
local co = coroutine.wrap(function() for i=1,300 do s = step(s) if i%100==0 then coroutine.yield(s) end end return "end" end)
print(co(), co(), co(), co())
local function mx(a) return math.max(a, 3) end
for i=1,300 do s = s + mx(i) end print(s)

--[[expect
22400
false	hot_tail_inlined.lua:4: x 25
22500	22600	22700	end
67853
]]
