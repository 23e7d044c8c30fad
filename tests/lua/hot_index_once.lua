-- A field that tables of several shapes have, and others get from __index: the function is called once for
-- each read, also where its result has a type that was not seen before.
local calls = 0
local meta = { __index = function(t, k) calls = calls + 1 return t.value end }

local function own(i)
  local t = {}
  for k = 1, i % 12 do t["f" .. k] = k end
  t.field = i
  return t
end
local function inherited(i, value)
  local t = { value = value }
  for k = 1, i % 7 do t["g" .. k] = k end
  return setmetatable(t, meta)
end

local function read(o, x) local v = o.field return v + x end
function meta.__add(a, b) return "sum" end

local expected, sum = 0, 0
for i = 1, 6000 do
  local o
  if i % 3 == 0 then
    expected = expected + 1
    o = inherited(i, i > 3000 and i % 2 == 0 and 0.5 or i > 4000 and i % 5 == 0 and "3" or 2)
  else
    o = own(i)
  end
  sum = sum + read(o, 1)
end
print(calls == expected, calls, sum)

--[[expect
true	2000	12009317.0
]]
