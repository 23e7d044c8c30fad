-- Ways out of generic loops, hot: return, break and goto from one and from two loops, with variables that
-- closures captured, with closing values that some iterators have, and by errors.
local function find(t, x) for i, v in ipairs(t) do if v == x then return i, v end end end
local function key_of(t, x) for k, v in pairs(t) do if v == x then return k end end return "none" end
local function pair(a, b)
  for i, x in ipairs(a) do
    for j, y in ipairs(b) do
      if x + y == 10 then return i, j, x, y end
      if x - y == 10 then goto out end
    end
  end
  ::out::
  return "out"
end
local function first_even(t)
  local found
  for _, v in ipairs(t) do if v % 2 == 0 then found = v break end end
  return found
end
local function collect(t)
  local fs = {}
  for i, v in ipairs(t) do
    local w = v * 2
    fs[#fs + 1] = function() w = w + i return w end
    if #fs == 3 then return fs, function() return w end end
  end
  return fs
end
local list, map = {}, {}
for i = 1, 12 do list[i] = i map["k" .. i] = i end
local function all(n)
  local s = 0
  for i = 1, n do
    local a, b = find(list, i % 14)
    s = s + (a or 100) + (b or 1000) + #key_of(map, i % 14)
    local i1, j1 = pair(list, list)
    s = s + i1 + j1 + first_even(list)
    local fs, w = collect(list)
    s = s + fs[1]() + fs[1]() + fs[3]() + w()
  end
  return s
end
for _ = 1, 4 do print(all(150)) end
print(pair({ 20 }, { 10 }), find({}, 1), key_of({}, 1), first_even({ 1 }), #collect({ 1, 2 }))
-- Iterators with a closing value: nil for a while, then one; closed on every way out, once.
local closed = {}
local function closing(name)
  return setmetatable({}, { __close = function(_, e) closed[#closed + 1] = name .. ":" .. tostring(e) end })
end
local function iterate(n, close) return function(limit, i) if i < limit then return i + 1 end end, n, 0, close end
local function search(n, x, close)
  for i in iterate(n, close) do
    if i == x then return i, "found" end
    if i == -x then break end
    if i == x - 0.5 then goto out end
  end
  ::out::
  return "end"
end
local function searches(n, close)
  local s = ""
  for i = 1, n do s = tostring(search(5, i % 7, close)) .. tostring(search(3, -2, close)) end
  return s
end
for _ = 1, 4 do print(searches(100, nil), searches(10, false)) end
print(searches(2, closing("a")), table.concat(closed, " "))
closed = {}
for _ = 1, 30 do searches(10, closing("b")) end
print(#closed, closed[1])
closed = {}
local function nested(x)
  for i in iterate(3, closing("outer" .. x)) do
    for j in iterate(3, closing("inner" .. i)) do
      local v <close> = closing("v" .. j)
      if i * j == x then return i, j end
      if i * j == x + 1 then goto next end
    end
    ::next::
  end
end
print(nested(4), table.concat(closed, " "))
closed = {}
for _ = 1, 60 do nested(6) end
print(#closed)
closed = {}
local function throwing(t, close)
  for i in iterate(#t, close) do if t[i] == "x" then error("at " .. i, 0) end end
  return #t
end
for _ = 1, 300 do throwing({ 1, 2, 3 }) end
print(throwing({ 1, 2 }), pcall(throwing, { 1, "x" }), #closed)
print(pcall(throwing, { 1, "x" }, closing("t")), closed[1])
print(pcall(throwing, { 1 }, 5))
-- The callers' variables stay open, those of the frame get cells of their own.
local function counter_and_loop(t)
  local n = 0
  local function inc() n = n + 1 return n end
  for _, v in ipairs(t) do
    local mine = v
    inc()
    if v == 3 then return inc, function() mine = mine + 1 return mine end end
  end
  return inc, inc
end
local function use(n)
  local s = 0
  for _ = 1, n do
    local f, g = counter_and_loop(list)
    local h = counter_and_loop({ 1 })
    s = s + f() + g() + g() + h()
  end
  return s
end
for _ = 1, 4 do print(use(120)) end
-- Tail calls and open results from functions with captured variables.
local function id(...) return ... end
local function tail(x) local y = x local f = function() y = y + 1 return y end f() return id(f(), y) end
local function open(x) local y = x local f = function() y = y + 1 return y end return f(), id(f(), y) end
local function tails(n) local s = 0 for i = 1, n do local a, b = tail(i) local c, d, e = open(i) s = s + a + b + c + d + e end return s end
for _ = 1, 4 do print(tails(150)) end
-- pairs and ipairs that change, and what they refuse.
local function count(t) local n = 0 for k, v in pairs(t) do n = n + v end for _ in ipairs(t) do n = n + 100 end return n end
for _ = 1, 300 do count(list) end
print(count(list), count({}), count(map))
print(count(setmetatable({}, { __pairs = function(t) return function(_, k) if not k then return 1, 5 end end, t, nil end })))
print(count(setmetatable({ 1, 2 }, { __index = { 9, 9, 3, 4 } })))
print(pcall(count, nil))
print(pcall(count, 5))
local real = ipairs
ipairs = function(t) return function(_, i) if i < 2 then return i + 1, 0 end end, t, 0 end
print(count(list))
ipairs = real
print(count(list), pcall(load("for _ in ipairs() do end")))
--[[expect
29591
29591
29591
29591
out	nil	none	nil	2
2end	3end
2end	3end
2end	3end
2end	3end
2end	a:nil a:nil a:nil a:nil
600	b:nil
2	v1:nil v2:nil v3:nil inner1:nil v1:nil v2:nil inner2:nil outer4:nil
540
2	false	0
false	t:at 2
false	hot_loop_returns.lua:87: variable '(for state)' got a non-closable value
1800
1800
1800
1800
57975
57975
57975
57975
1278	0	78
5
403
false	hot_loop_returns.lua:122: bad argument #1 to 'for iterator' (table expected, got nil)
false	hot_loop_returns.lua:122: bad argument #1 to 'for iterator' (table expected, got number)
278
1278	false	[string "for _ in ipairs() do end"]:1: bad argument #1 to 'ipairs' (value expected)
]]
