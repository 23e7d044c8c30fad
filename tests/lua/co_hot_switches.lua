-- Every way to switch coroutines, hot: what succeeds, what fails, and what is in between.
local create, resume, yield, wrap, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.wrap, coroutine.status

-- What coroutines do.
local seen = {}
local outer
outer = create(function()
  local inner = create(function() seen[status(outer)] = (seen[status(outer)] or 0) + 1 yield() end)
  for _ = 1, 500 do
    seen[status(outer)] = (seen[status(outer)] or 0) + 1
    if status(inner) ~= "dead" then resume(inner) end
    yield()
  end
end)
for _ = 1, 600 do
  seen[status(outer)] = (seen[status(outer)] or 0) + 1
  resume(outer)
end
print(seen.suspended, seen.running, seen.normal, seen.dead)
print(pcall(status, 1), select("#", pcall(status)))

-- What cannot be resumed or yielded.
local self
self = create(function()
  local count = 0
  for _ = 1, 500 do
    local ok, why = resume(self)
    if not ok and why == "cannot resume non-suspended coroutine" then count = count + 1 end
    local fine, reason = pcall(wrap(function() return resume(self) end))
    if fine and reason == false then count = count + 1 end
  end
  return count
end)
print(resume(self))
local refused = 0
for _ = 1, 500 do
  local ok, why = resume(self)
  if not ok and why == "cannot resume dead coroutine" then refused = refused + 1 end
  ok, why = pcall(yield, 1)
  if not ok and why == "attempt to yield from outside a coroutine" then refused = refused + 1 end
end
print(refused)
local dead = wrap(function() end)
dead()
local function call_dead() return (pcall(dead)), select(2, pcall(function() local x = dead() return x end)) end
for _ = 1, 300 do call_dead() end
print(call_dead())

-- Errors through resume and wrap.
local function fail(i) if i % 2 == 0 then error({ i }) end local t = nil; return t.x end
local function errors(limit)
  local tables, texts, last = 0, 0, nil
  for i = 1, limit do
    local co = create(function(a) fail(yield(a)) end)
    local _, a = resume(co, i)
    local ok, e = resume(co, a)
    if not ok and type(e) == "table" and e[1] == i then tables = tables + 1 end
    if not ok and type(e) == "string" then texts = texts + 1 last = e end
    if status(co) ~= "dead" then print("alive") end
  end
  return tables, texts, last
end
print(errors(1000))
local function through(limit)
  local last
  for i = 1, limit do
    local f = wrap(function() yield() error("in wrap " .. i) end)
    f()
    local ok
    ok, last = pcall(function() local r = f() return r end)
    if ok then print("no error") end
  end
  return last
end
print(through(500))

-- Tail calls of functions that switch.
local function tail_yield(...) return yield(...) end
local function tail_resume(co, ...) return resume(co, ...) end
local co = create(function(...)
  local a, b, c = ...
  while true do a, b, c = tail_yield(c, b, a) end
end)
local sum = 0
for i = 1, 2000 do
  local ok, x, y, z = tail_resume(co, i, i + 1, i + 2)
  sum = sum + x * 3 + y * 2 + z
end
print(sum, tail_resume(co), select("#", tail_resume(co)))

-- Many values, so that stacks grow on both sides.
local many = wrap(function(...)
  local got = table.pack(...)
  while true do got = table.pack(yield(table.unpack(got, 1, got.n))) end
end)
local list, total = {}, 0
for i = 1, 300 do
  list[i] = i
  local n = select("#", many(table.unpack(list, 1, i)))
  total = total + n
end
for i = 1, 20000 do list[i] = i end
print(total, select("#", many(table.unpack(list))), (select(20000, many(table.unpack(list)))))

-- Variables to close, on the way and by coroutine.close.
local closed = 0
local closing = { __close = function() closed = closed + 1 end }
for i = 1, 600 do
  local co = create(function()
    local v <close> = setmetatable({}, closing)
    for j = 1, 3 do
      local w <close> = setmetatable({}, closing)
      yield(j)
    end
  end)
  for _ = 1, i % 5 do resume(co) end
  if not coroutine.close(co) then print("not closed") end
end
print(closed)

-- Yields from under library functions fail or work as they do in the interpreter; collections in between.
local function under(limit)
  local f = wrap(function()
    local good = 0
    for i = 1, limit do
      local t = setmetatable({}, { __index = function(_, k) return yield(k) end })
      if t[i] == i then good = good + 1 end
      if i % 100 == 0 then collectgarbage() end
      local ok = pcall(function() for k in pairs(setmetatable({}, { __pairs = function(x) yield("pairs") return next, { i } end })) do good = good + k end end)
      if not ok then print("pairs failed") end
    end
    return "good", good
  end)
  local back, good
  repeat back, good = f(back) until back == "good"
  return good
end
print(under(1000))

-- Coroutines in coroutines, each hot.
local function nest(depth)
  if depth == 0 then return 1 end
  local f = wrap(function() local n = nest(depth - 1) yield(n) return n end)
  return f() + f()
end
local deep = 0
for _ = 1, 100 do deep = deep + nest(6) end
print(deep)
local function endless() return select(2, resume(create(endless))) end
print(endless())
for _ = 1, 20 do endless() end
print(endless())

-- Left where they are, by the thousand.
local alive = 0
for i = 1, 5000 do
  local f = wrap(function(x) while true do x = yield(x + i) end end)
  for j = 1, 3 do alive = alive + f(j) end
end
collectgarbage()
print(alive)

--[[expect
501	500	1	99
false	2
true	1000
1000
false	co_hot_switches.lua:45: cannot resume dead coroutine
500	500	co_hot_switches.lua:50: attempt to index a nil value (local 't')
co_hot_switches.lua:70: co_hot_switches.lua:67: in wrap 500
12022000	true	4
45150	20000	20000
1560
2000
6400
C stack overflow
C stack overflow
37537500
]]
