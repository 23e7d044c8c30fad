-- Metamethods added, replaced and removed while a loop over them is hot.
local log = {}
local mt = {}
local t = setmetatable({ x = 1 }, mt)
local function read(o) return o.y end
local function add(o, k) return o + k end
local s = 0
for i = 1, 900 do
  if i == 300 then mt.__index = { y = 10 } end
  if i == 500 then mt.__index = function(_, k) return i end end
  if i == 700 then rawset(t, "y", -1) end
  if i == 800 then t.y = nil end
  s = s + (read(t) or 0)
  if i % 300 == 0 then log[#log + 1] = s end
end
print(table.concat(log, " "))
for i = 1, 900 do
  if i == 200 then mt.__add = function(_, k) return k end end
  if i == 600 then mt.__add = function(_, k) return -k end end
  local ok, v = pcall(add, t, i)
  if ok then s = s + v end
  if i == 900 then mt.__add = nil end
end
print(s, pcall(add, t, 1))

--[[expect
10 52500 152400
86450	false	meta_during_hot_loop.lua:6: attempt to perform arithmetic on a table value (local 'o')
]]
