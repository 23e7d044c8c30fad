-- What is compared is the same table, or no table, in registers that closures share: `__eq` is not
-- asked.
local C = {}
C.__eq = function(a, b) return a.n == b.n end
local v, w = setmetatable({ n = 0 / 0 }, C), setmetatable({ n = 1 }, C)

local function compare(x, y)
  local a, b = x, y
  local set = function(p, q) a, b = p, q end
  local equal = a == b
  set(y, x)
  return equal, a == b
end

for i = 1, 300 do
  local x, y = compare(setmetatable({ n = 1 }, C), w)
  if not (x and y) then print('tables', i) end
end
for i = 1, 100 do
  local x, y = compare(v, v)
  if not (x and y) then print('the same', i) end
  x, y = compare(w, i)
  if x or y then print('no table', i) end
  x, y = compare(nil, w)
  if x or y then print('nil', i) end
end
print(compare(v, w), compare(w, w), compare(v, v))

--[[expect
false	true	true	true
]]
