-- A stack overflows while each of its frames allocates: the collector does not walk all of it each time.
local function deep(n)
  local t = { n }
  return deep(n + 1) + #t
end
local function message(ok, e)
  return ok, (e:match("stack overflow"))
end
print(message(pcall(deep, 1)))
print(message(coroutine.resume(coroutine.create(deep), 1)))
print(message(pcall(function()
  local function f(n) local s = ("%d"):format(n) return f(n + 1) .. s end
  return f(1)
end)))
-- The state works on.
local t = {}
for i = 1, 300 do t[i] = { i } end
print(#t, t[300][1])
--[[expect
false	stack overflow
false	stack overflow
false	stack overflow
300	300
]]
