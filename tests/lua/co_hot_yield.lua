-- Yields inside hot loops; many coroutines interleaved.
local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local s = 0
for v in gen(1500) do s = s + v end
print(s)
local list = {}
for k = 1, 20 do list[k] = coroutine.wrap(function(a) local t = 0 while true do t = t + a a = coroutine.yield(t) end end) end
local total = 0
for i = 1, 100 do for k = 1, 20 do total = total + list[k](i * k) end end
print(total)
local function deep(n) if n == 0 then coroutine.yield("bottom") return 0 end return 1 + deep(n - 1) end
local co = coroutine.create(deep)
print(coroutine.resume(co, 500))
print(coroutine.resume(co))
local co2 = coroutine.wrap(function()
  local s = 0
  for i = 1, 900 do
    s = s + i
    if i % 300 == 0 then local r = coroutine.yield(s) if r then s = s + r end end
  end
  return "end " .. s
end)
print(co2(), co2(1), co2(0.5), co2("1"))

--[[expect
1125750
36057000
true	bottom
true	500
45150	180301	405451.5	end 405452.5
]]
