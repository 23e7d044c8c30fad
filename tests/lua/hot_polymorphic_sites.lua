-- One call and one access site seeing many shapes and functions.
local shapes = {}
for k = 1, 12 do
  local o = {}
  for j = 1, k do o["f" .. j] = j end
  o.v = k
  o.get = function(self, x) return self.v * x + k end
  shapes[k] = o
end
local s = 0
for i = 1, 1200 do local o = shapes[i % 12 + 1] s = s + o:get(i) o.v = o.v + 1 end
print(s)
local fns = { math.abs, function(x) return -x end, math.floor, function(...) return ... end, tostring, function(x, y) return y or x end, select, setmetatable({}, { __call = function(_, x) return x end }) }
local r = 0
for i = 1, 800 do local f = fns[i % 8 + 1] if f == select then r = r + f("#", 1, 2) else r = r + f(i) end end
print(r)
local things = { 1, 1.5, "10", { 1, 2 }, "str" }
local n = 0
for i = 1, 1000 do
  local v = things[i % 5 + 1]
  if type(v) == "table" then n = n + #v elseif tonumber(v) then n = n + v * 2 else n = n + #v end
end
print(n)
local keys = { "a", 1, 2.5, true, "b" }
local d = { a = 1, 10, [2.5] = 100, [true] = 1000 }
local k = 0
for i = 1, 1000 do k = k + (d[keys[i % 5 + 1]] or 0) d.b = i end
print(k)

--[[expect
52367900
201000
6000.0
322300
]]
