-- create, resume, yield, status, wrap, isyieldable, running; values both ways.
local co = coroutine.create(function(a, b)
  print("start", a, b)
  local c = coroutine.yield(a + b)
  print("got", c)
  local d, e = coroutine.yield()
  print("got", d, e)
  return "end", nil, 3
end)
print(coroutine.status(co))
print(coroutine.resume(co, 1, 2))
print(coroutine.status(co), coroutine.resume(co, "c"))
print(coroutine.resume(co, "d", "e"))
print(coroutine.status(co), coroutine.resume(co))
print(coroutine.isyieldable(), select(2, coroutine.running()))
local w = coroutine.wrap(function(...) print(coroutine.isyieldable(), select(2, coroutine.running())) local n = select("#", ...) while true do n = n + select("#", coroutine.yield(n)) end end)
print(w(1, 2), w(nil), w(1, 2, 3))
local outer
outer = coroutine.create(function()
  local inner = coroutine.create(function() print(coroutine.status(outer)) coroutine.yield() end)
  print(coroutine.resume(inner), coroutine.status(inner), coroutine.status(outer))
end)
print(coroutine.resume(outer))
print(pcall(coroutine.yield, 1))
print(coroutine.resume(coroutine.running()))
print(coroutine.resume(coroutine.create(print), 1, 2))
print(pcall(coroutine.wrap(function() error("in wrap") end)))
print(pcall(coroutine.wrap(function() error({ 1 }) end)) == false)
local dead = coroutine.wrap(function() end)
dead()
print(pcall(dead))
print(coroutine.resume(coroutine.create(function() return coroutine.resume(coroutine.running()) end)))

--[[expect
suspended
start	1	2
true	3
got	c
suspended	true
got	d	e
true	end	nil	3
dead	false	cannot resume dead coroutine
false	true
true	false
2	3	6
normal
true	suspended	running
true
false	attempt to yield from outside a coroutine
false	cannot resume non-suspended coroutine
1	2
true
false	co_basics.lua:27: in wrap
true
false	cannot resume dead coroutine
true	false	cannot resume non-suspended coroutine
]]
