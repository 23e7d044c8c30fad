-- Operators whose metamethods are inlined into compiled code, and left in the middle.
local V = {}
V.__index = V
local trouble = false
local function check(x) if trouble then error("trouble " .. x, 2) end return x end
local function new(x) return setmetatable({ x = x }, V) end
function V.__add(a, b)
  if type(a) == "number" then return new(a + b.x) end
  if type(b) == "number" then return new(a.x + b) end
  return new(check(a.x + b.x))
end
function V.__unm(a) return new(-a.x) end
function V.__eq(a, b) return a.x == b.x end
function V.__lt(a, b) return a.x < b.x end
function V.__le(a, b) if a.x <= b.x then return "yes" end end
function V.__concat(a, b) return tostring(a.x or a) .. "~" .. tostring(type(b) == "table" and b.x or b) end
local function run(n, step)
  local s, equal, less, most = new(0), 0, 0, 0
  for i = 1, n do
    s = s + new(step) + 1
    s = 2 + s
    if s == -new(-s.x) then equal = equal + 1 end
    if new(i) < s then less = less + 1 end
    if s <= new(i * 3) then most = most + 1 end
    if not (s <= new(0)) then most = most + 1 end
  end
  return s.x, equal, less, most
end
for _ = 1, 60 do run(20, 1) end
print(run(100, 1))
print(run(100, 0.5))         -- floats: types change in the middle of the metamethods
print(run(3, 1 << 46))       -- wide integers
print(pcall(run, 3, "x"))
trouble = true
print(select(2, pcall(run, 3, 1)))
trouble = false
local add = V.__add
local yielding = coroutine.wrap(function()
  V.__add = function(a, b)
    coroutine.yield("in add")
    return new((type(a) == "table" and a.x or a) + (type(b) == "table" and b.x or b))
  end
  return run(1, 1)
end)
print(yielding()) print(yielding()) print(yielding()) print(yielding())
V.__add = add
V.__lt = function() return nil end
print(run(5, 1))

--[[expect
400	100	100	100
350.0	100	100	100
211106232533001	3	3	3
false	meta_operators_inlined.lua:10: attempt to add a 'number' with a 'string'
meta_operators_inlined.lua:10: trouble 1
in add
in add
in add
4	1	1	1
20	5	0	5
]]
