-- A function is dropped and collected around while it runs, returns into, or is resumed.
local t = {}
for r = 1, 40 do
  t.f = load("local t, n = ... local s = 0 for i = 1, n do s = s + i if i == n // 2 then t.f = nil collectgarbage() end end return s + " .. r)
  local f = t.f
  local a = f(t, 300)
  f = nil
  t.f = load("local t, n = ... t.f = nil collectgarbage() local s = 0 for i = 1, n do s = s + i end return s + " .. r)
  local b = t.f(t, 300)
  assert(a == 45150 + r and b == a)
end
local function nested(n)
  local inner = load("local n, again = ... if n == 0 then collectgarbage() return 0 end local s = 0 for i = 1, 30 do s = s + 1 end return s + again(n - 1)")
  return inner(n, nested)
end
print(nested(30))
local cos = {}
for i = 1, 30 do cos[i] = coroutine.wrap(load("local s = 0 for i = 1, 400 do s = s + i if i == 200 then s = s + coroutine.yield() end end return s")) cos[i]() end
collectgarbage()
local s = 0
for i = 1, 30 do s = s + cos[i](i) end
cos = nil
collectgarbage()
print(s)
local last
for i = 1, 300 do last = load("local x = " .. i .. " for k = 1, 60 do x = x + k end return x")() end
collectgarbage()
print(last)

--[[expect
900
2406465
2130
]]
