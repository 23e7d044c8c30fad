-- Objects get their metatable in hot code: one class, several in turn, metatables that begin to ask for
-- finalizers or weakness, tables that are somebody's metatable, and such as have one already.
local function new(class, x) return setmetatable({ x = x, y = x + 1 }, class) end
local A = {} A.__index = A function A:sum() return self.x + self.y end
local B = {} B.__index = B function B:sum() return self.x - self.y end
local function run(n, f) local s = 0 for i = 1, n do s = s + new(f(i), i):sum() end return s end
print(run(600, function() return A end))
print(run(600, function(i) return i % 2 == 0 and A or B end))
-- __gc is asked for when the metatable is set, not when it appears.
local finalized = 0
local before = new(A, 1)
A.__gc = function() finalized = finalized + 1 end
for i = 1, 300 do new(A, i) end
collectgarbage() collectgarbage()
print(finalized)
A.__gc = nil
for i = 1, 300 do new(A, i) end
collectgarbage() collectgarbage()
print(finalized)
-- __mode likewise decides at that moment.
local function weak(meta) local t = setmetatable({}, meta) t[1] = {} return t end
local plain = {}
local kept
for i = 1, 300 do kept = weak(plain) end
collectgarbage()
print(kept[1] ~= nil)
plain.__mode = "v"
for i = 1, 300 do kept = weak(plain) end
collectgarbage()
print(kept[1] == nil)
-- Classes that become metatables of classes: what was inherited changes.
local Base = {} Base.__index = Base function Base.hello() return "base" end
local function class(parent) local c = setmetatable({}, parent) c.__index = c return c end
local found = {}
for i = 1, 300 do
  local c = class(Base)
  found[i] = new(c, i).hello()
  if i == 200 then Base.hello = function() return "new" end end
end
print(found[1], found[200], found[201], found[300])
-- There is one already, or it is protected.
local function again(t, m) return setmetatable(t, m) end
local t = {}
for i = 1, 300 do again(t, i % 3 == 0 and A or i % 3 == 1 and B or nil) end
print(getmetatable(t) == A)
A.__metatable = "locked"
local good, bad = 0, 0
for i = 1, 300 do if pcall(again, i % 2 == 0 and t or {}, B) then good = good + 1 else bad = bad + 1 end end
print(good, bad, getmetatable(new(A, 1)))
A.__metatable = nil
-- Many classes, dropped again.
local sum = 0
for i = 1, 400 do
  local C = { __index = function(_, k) return k end }
  sum = sum + new(C, i)[i]
  if i % 50 == 0 then collectgarbage() end
end
print(sum)
print(pcall(again, 1, A), pcall(again, {}, 1))
--[[expect
361200
180600
300
300
true
true
base	base	new	new
true
150	150	locked
80200
false	false	hot_setmetatable.lua:42: bad argument #2 to 'setmetatable' (nil or table expected, got number)
]]
