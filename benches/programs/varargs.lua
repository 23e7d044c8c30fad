-- Variable arguments: forwarding, select, packing, unpacking.
-- small: 50
local n = tonumber((...)) or 600000
local unpack = table.unpack or unpack

local function count(...) return select("#", ...) end
local function sum(...)
  local s = 0
  for i = 1, select("#", ...) do s = s + (select(i, ...)) end
  return s
end
local function sumTable(...)
  local s = 0
  for _, v in ipairs({ ... }) do s = s + v end
  return s
end
local function forward(f, ...) return f(...) end
local function first(a, ...) return a end
local function rest(_, ...) return ... end
local function recurse(a, ...)
  if a == nil then return 0 end
  return a + recurse(...)
end
local function bind(f, ...)
  local args = { ... }
  return function() return f(unpack(args)) end
end

local bound = bind(sum, 1, 2, 3)
local total, counted = 0, 0
for i = 1, n do
  total = total + sum(i, 1, 2, 3)
  total = total + sumTable(i, 4)
  total = total + forward(recurse, i, 1)
  total = total + first(rest(0, i, 5))
  total = total + bound()
  counted = counted + count(i, nil, nil) + forward(count)
end
local expected = 4 * n * (n + 1) / 2 + n * (6 + 4 + 1 + 6)
if total ~= expected or counted ~= 3 * n then error("varargs gave " .. total .. ", " .. counted) end
print("varargs", n, string.format("%d", total), counted)
