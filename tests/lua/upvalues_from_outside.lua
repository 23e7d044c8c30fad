-- debug.setupvalue and debug.upvaluejoin on variables that nothing else assigns: seen at once, wherever the
-- function runs.

-- A local variable that a closure reads, in a loop.
local function loop(n)
  local u = 1
  local function rd() return u end
  local s = 0
  for i = 1, n do
    s = s + u
    if i == n // 2 then debug.setupvalue(rd, 1, 10) end
  end
  return s
end
print(loop(1000), loop(3000), loop(3000))

-- An upvalue, in a loop and in later calls; from a function that is called.
local function counted(step)
  local function set(v) end
  local function get() return step end
  local function run(n, change)
    local sum = 0
    for i = 1, n do
      sum = sum + step
      if change and i == n // 2 then change(get) end
    end
    return sum
  end
  return run, get
end
local run, get = counted(2)
print(run(500), run(500))
print(run(500, function(f) debug.setupvalue(f, 1, 7) end), run(500))
print(run(500, function(f) debug.setupvalue(f, 1, 0.5) end), run(500))

-- A captured parameter.
local function parameter(p, n)
  local function rd() return p end
  local s = 0
  for i = 1, n do
    s = s + p
    if i == 100 then debug.setupvalue(rd, 1, p + 1) end
  end
  return s, rd()
end
for i = 1, 3 do print(parameter(i, 300)) end

-- A recursive function's own name: calls of itself, in the middle of a recursion.
local function make()
  local swap
  local function fib(n)
    if n == 3 and swap then
      local f = swap
      swap = nil
      f()
    end
    if n < 2 then return n end
    return fib(n - 1) + fib(n - 2)
  end
  local function arm(f) swap = f end
  return fib, arm
end
local function index_of(f, name)
  for i = 1, 10 do if debug.getupvalue(f, i) == name then return i end end
end
do
  local fib, arm = make()
  print(fib(15), fib(16))
  arm(function() debug.setupvalue(fib, index_of(fib, "fib"), function(n) return 100 end) end)
  print(fib(15), fib(16))
end
do
  local fib, arm = make()
  print(fib(16))
  arm(function() debug.setupvalue(fib, index_of(fib, "fib"), 5) end)
  local ok, message = pcall(fib, 15)
  print(ok, (message:gsub("^.-:%d+: ", "")))
end
do
  local fib, arm = make()
  local other, arm_other = make()
  print(fib(16), other(16))
  arm(function() debug.upvaluejoin(fib, index_of(fib, "fib"), function() return print end, 1) end)
  local ok, message = pcall(fib, 10)
  print(ok, (tostring(message):gsub("^.-:%d+: ", "")))
  print(other(12))
end

-- With floats, several parameters and results of any kind.
local function make_power()
  local change
  local function power(x, n, acc)
    if n == 0 then return acc end
    if n == 5 and change then change() change = nil end
    return 1.0 * power(x, n - 1, acc * x)
  end
  return power, function(f) change = f end
end
do
  local power, arm = make_power()
  for i = 1, 300 do power(1.5, 10, 1.0) end
  print(power(2.0, 10, 1.0))
  arm(function() debug.setupvalue(power, index_of(power, "power"), function(x, n, acc) return -acc end) end)
  print(power(2.0, 10, 1.0), power(2.0, 10, 1.0))
end
local function make_names()
  local change
  local function names(n)
    if n == 7 and change then change() change = nil end
    if n == 0 then return "" end
    return names(n - 1) .. n
  end
  return names, function(f) change = f end
end
do
  local names, arm = make_names()
  for i = 1, 300 do names(9) end
  arm(function() debug.setupvalue(names, index_of(names, "names"), function(n) return "<" .. n .. ">" end) end)
  print(names(10), names(10))
end

-- A callee that is inlined, or called through an upvalue.
local function helper(x) return x + 1 end
local function calls(n, at, change)
  local s = 0
  for i = 1, n do
    s = s + helper(i)
    if i == at then change() end
    s = s + helper(-i)
  end
  return s
end
print(calls(400, 0))
print(calls(400, 200, function() debug.setupvalue(calls, 1, function(x) return x * 3 end) end))
print(pcall(calls, 400, 200, function() debug.setupvalue(calls, 1, 12) end))
debug.setupvalue(calls, 1, setmetatable({}, {__call = function(_, x) return 1000 end}))
print(calls(400, 0))

-- Joined to a variable that another function assigns.
do
  local shared = 0
  local function add() shared = shared + 1 end
  local function reader()
    local fixed = 5
    return function(n, at)
      local s = 0
      for i = 1, n do
        s = s + fixed
        if i == at then debug.upvaluejoin(debug.getinfo(1, "f").func, 1, add, 1) end
        add()
      end
      return s
    end
  end
  local read = reader()
  print(read(300, 0))
  print(read(300, 150), read(300, 0), shared)
  -- The other way round: what was constant is assigned by a function that joined it.
  local function constant()
    local c = 1
    local function get(n) local s = 0 for i = 1, n do s = s + c add() end return s end
    return get
  end
  local g = constant()
  print(g(300))
  debug.upvaluejoin(add, 1, g, 1)
  print(g(10), g(300))
end

-- From a finalizer.
do
  local value = 1
  local function get() return value end
  local function wait()
    local done = false
    setmetatable({}, {__gc = function() debug.setupvalue(get, 1, 2) done = true end})
    local turns = 0
    while value == 1 do
      turns = turns + 1
      local t = {turns}
      if turns % 100 == 0 then collectgarbage() end
    end
    return value
  end
  print(wait())
end

-- On a suspended coroutine.
do
  local function body(n)
    local u = 1
    local function rd() return u end
    local s = 0
    for i = 1, n do
      s = s + u
      if i % 100 == 0 then coroutine.yield(rd) end
    end
    return s
  end
  for _ = 1, 2 do
    local co = coroutine.create(body)
    local _, rd = coroutine.resume(co, 300)
    debug.setupvalue(rd, 1, 10)
    coroutine.resume(co)
    debug.setupvalue(rd, 1, 100)
    coroutine.resume(co)
    print(coroutine.resume(co))
  end
end

-- In metamethods: operators, comparisons, concatenation, closing.
do
  local k = 1
  local function get() return k end
  local change = {}
  local meta = {}
  local function bump() debug.setupvalue(get, 1, k + 1) end
  meta.__add = function(a, b) bump() return 1 end
  meta.__lt = function() bump() return true end
  meta.__le = function() bump() return false end
  meta.__eq = function() bump() return true end
  meta.__concat = function() bump() return "c" end
  meta.__index = function() bump() return 3 end
  meta.__newindex = function() bump() end
  meta.__len = function() bump() return 2 end
  meta.__close = function() bump() end
  meta.__call = function() bump() return 4 end
  local o, p = setmetatable(change, meta), setmetatable({}, meta)
  local function all(n)
    local seen = {}
    for i = 1, n do
      local x = o + 1
      seen[1] = k
      if o < p then seen[2] = k end
      if not (o <= p) then seen[3] = k end
      if o == p then seen[4] = k end
      x = o .. "x"
      seen[5] = k
      x = o.field
      seen[6] = k
      o.field = 1
      seen[7] = k
      x = #o
      seen[8] = k
      do local c <close> = o end
      seen[9] = k
      x = o()
      seen[10] = k
    end
    return table.concat(seen, " ")
  end
  print(all(1))
  print(all(50))
  print(all(2))
end

-- The environment of a running function.
do
  local env = {print = print, value = 2, debug = debug}
  local code = [[
    local s = 0
    for i = 1, 300 do
      s = s + value
      if i == 150 then change() end
    end
    return s
  ]]
  local f
  env.change = function()
    debug.setupvalue(f, 1, {value = 5, change = env.change})
  end
  f = load(code, "=chunk", "t", env)
  print(f(), f())
end

--[[expect
5500	16500	16500
1000	1000
2250	3500
1875.0	250.0
500	2
800	3
1100	4
610	987
1400	200
987
false	attempt to call a number value (upvalue 'fib')
987	987
false	attempt to call a table value (upvalue 'fib')
144
1024.0
-64.0	-2.0
<6>78910	<9>10
800
-1
false	upvalues_from_outside.lua:129: attempt to call a number value (upvalue 'helper')
800000
1500
79425	224850	900
300
55	48150
2
true	11100
true	11100
2 3 4 5 6 7 8 9 10 11
502 503 504 505 506 507 508 509 510 511
522 523 524 525 526 527 528 529 530 531
1050	1500
]]
