-- Functions as __index, __newindex and __call, hot: keys that come and go, handlers that change, yield, throw
-- and call back, and accesses through all instructions that have a key.
local log = {}
local function proxy(store)
  return setmetatable({}, {
    __index = function(t, k) return store[k] end,
    __newindex = function(t, k, v) store[k] = v end,
  })
end
local function constant_keys(p, n)
  local s = 0
  for i = 1, n do
    p.x = i
    p[1] = i * 2
    s = s + p.x + p[1]
  end
  return s
end
local function variable_keys(p, n)
  local s = 0
  for i = 1, n do
    p[i] = i
    p["k" .. i % 10] = i
    s = s + p[i] + p["k" .. i % 10]
  end
  return s
end
local p = proxy({})
for _ = 1, 5 do
  print(constant_keys(p, 300), variable_keys(p, 300), rawget(p, "x"), rawget(p, 1), #p)
end
-- A key of its own hides the handler, and so does a nil slot once it is filled again.
rawset(p, "x", -1)
print(constant_keys(p, 10), rawget(p, "x"))
rawset(p, "x", nil)
print(constant_keys(p, 10), rawget(p, "x"))
rawset(p, 1, 100)
print(constant_keys(p, 10), variable_keys(p, 10), rawget(p, 1), rawlen(p))
-- Methods by a function, receivers that are computed, a handler that answers different types.
local Class = {}
local object = setmetatable({ n = 3 }, {
  __index = function(t, k)
    if k == "name" then return "object" end
    return function(self, x) return rawget(self, "n") + x end
  end,
})
local function methods(o, n)
  local s = 0
  for i = 1, n do
    s = s + o:get(i) + #o.name
    if i % 100 == 0 then s = s + (o.half or 0.5)(o, 1) end
  end
  return s
end
for _ = 1, 4 do print(methods(object, 250)) end
-- Calls of tables: constructors, results dropped and many, varargs, too few and too many arguments.
local Point = setmetatable({}, {
  __call = function(class, x, y, ...)
    log.last = class
    return setmetatable({ x = x, y = y or 7, more = select("#", ...) }, class)
  end,
})
Point.__index = Point
function Point:sum() return self.x + self.y + self.more end
local function points(n)
  local s = 0
  for i = 1, n do
    Point(i)
    s = s + Point(i):sum() + Point(i, 2):sum() + Point(i, 2, nil, nil).more
  end
  return s
end
for _ = 1, 4 do print(points(200), log.last == Point) end
local adder = setmetatable({ k = 1 }, { __call = function(self, a, b) return self.k + a, b end })
local function both(n)
  local s, t = 0, 0
  for i = 1, n do
    local a, b = adder(i, i + 1)
    s, t = s + a, t + b
    s = s + adder(i, 0)
    t = t + select("#", adder(1, nil))
  end
  return s, t
end
for _ = 1, 4 do print(both(200)) end
local function through(n) return adder(n, 5) end
for i = 1, 300 do through(i) end
print(through(10))
-- The handler is replaced, becomes a table, goes; another object comes.
local meta = { __index = function(t, k) return 1 end, __call = function(self, x) return x end }
local changing = setmetatable({}, meta)
local function use(t, n)
  local s = 0
  for i = 1, n do s = s + t.a + t[i] + t(i) end
  return s
end
for _ = 1, 4 do use(changing, 200) end
print(use(changing, 10))
meta.__index = function(t, k) return 10 end
print(use(changing, 10))
meta.__call = function(self, x) return -x end
print(use(changing, 10))
meta.__index = setmetatable({ a = 5 }, { __index = function() return 2 end })
print(use(changing, 10))
meta.__index = nil
print(pcall(use, setmetatable({ a = 0 }, meta), 1))
meta.__call = nil
print(select(2, pcall(use, setmetatable({ a = 0, 1 }, meta), 1)))
print(use(setmetatable({}, { __index = function(_, k) return 3 end, __call = function() return 4 end }), 10))
-- Handlers that yield, throw, and call the same code again.
local function steps(t, n)
  local s = 0
  for i = 1, n do
    t.v = i
    s = s + t.v + t(i)
  end
  return s
end
local yielding = setmetatable({}, {
  __index = function(t, k) return coroutine.yield("get") end,
  __newindex = function(t, k, v) coroutine.yield("set " .. v) end,
  __call = function(t, x) return coroutine.yield("call " .. x) end,
})
local plain = setmetatable({}, {
  __index = function() return 1 end,
  __newindex = function() end,
  __call = function(_, x) return x end,
})
for _ = 1, 6 do steps(plain, 200) end
local co = coroutine.wrap(steps)
local seen = { co(yielding, 2) }
for i = 1, 6 do seen[#seen + 1] = co(i * 100) end
print(table.concat(seen, " "))
co = coroutine.wrap(function() for _ = 1, 60 do steps(yielding, 5) end return "end" end)
local count, got = 0, nil
repeat got = co(1) count = count + 1 until got == "end"
print(count)
local failing = setmetatable({}, {
  __index = function(t, k) if k == 150 then error("at " .. k) end return k end,
  __newindex = function(t, k, v) if v == 160 then error({ v }) end end,
  __call = function(t, x) if x == 170 then error("called", 2) end return x end,
})
local function risky(t, from, to)
  local s = 0
  for i = from, to do
    t[i] = i
    s = s + t[i] + t(i)
  end
  return s
end
for _ = 1, 4 do risky(failing, 1, 149) end
print(pcall(risky, failing, 140, 200))
print(type(select(2, pcall(risky, failing, 151, 200))))
print(pcall(risky, failing, 161, 200))
local trace = select(2, xpcall(risky, debug.traceback, failing, 149, 151))
print((trace:gsub("[^\n]*xpcall.*", "")))
local deep = setmetatable({}, {})
getmetatable(deep).__index = function(t, k) if k <= 0 then return 0 end return 1 + t[k - 1] end
local function nested(n) local s = 0 for i = 1, n do s = s + deep[i % 20] end return s end
for _ = 1, 4 do print(nested(200)) end
getmetatable(deep).__index = function(t, k) return t[k + 1] end
print(pcall(nested, 5))
--[[expect
135450	90300	nil	nil	0
135450	90300	nil	nil	0
135450	90300	nil	nil	0
135450	90300	nil	nil	0
135450	90300	nil	nil	0
165	10
165	nil
165	110	1	1
33633
33633
33633
33633
42400	true
42400	true
42400	true
42400	true
40600	20700
40600	20700
40600	20700
40600	20700
11	5
75
255
145
15
false	hot_access_handlers.lua:94: attempt to perform arithmetic on a nil value (field '?')
hot_access_handlers.lua:94: attempt to call a table value (local 't')
100
set 1 get call 1 set 2 get call 2 1600
901
false	hot_access_handlers.lua:139: at 150
table
false	hot_access_handlers.lua:147: called
hot_access_handlers.lua:139: at 150
stack traceback:
	[C]: in function 'error'
	hot_access_handlers.lua:139: in metamethod 'index'
	hot_access_handlers.lua:147: in function <hot_access_handlers.lua:143>

1900
1900
1900
1900
false	hot_access_handlers.lua:161: C stack overflow
]]
