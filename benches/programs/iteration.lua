-- Iteration over tables: ipairs, pairs, next, numeric for, a stateless and a closure iterator.
-- small: 3
local n = tonumber((...)) or 1600

local list, record, size = {}, {}, 2000
for i = 1, size do list[i] = i end
for i = 1, 200 do record["field" .. i] = i end

local function byIpairs(t)
  local s = 0
  for i, v in ipairs(t) do s = s + i * 0 + v end
  return s
end
local function byPairs(t)
  local s = 0
  for _, v in pairs(t) do s = s + v end
  return s
end
local function byNext(t)
  local s = 0
  local k, v = next(t)
  while k do
    s = s + v
    k, v = next(t, k)
  end
  return s
end
local function byFor(t)
  local s = 0
  for i = 1, #t do s = s + t[i] end
  return s
end
local function step(limit, i)
  if i < limit then return i + 1 end
end
local function byStateless(limit)
  local s = 0
  for i in step, limit, 0 do s = s + i end
  return s
end
local function each(t)
  local i = 0
  return function()
    i = i + 1
    return t[i]
  end
end
local function byClosure(t)
  local s = 0
  for v in each(t) do s = s + v end
  return s
end

local total = 0
for _ = 1, n do
  total = total + byIpairs(list) + byPairs(list) + byNext(list) + byFor(list)
  total = total + byStateless(size) + byClosure(list)
  total = total + byPairs(record) + byNext(record)
end
local expected = n * (6 * size * (size + 1) / 2 + 2 * 200 * 201 / 2)
if total ~= expected then error("iteration summed " .. total) end
print("iteration", n, string.format("%d", total))
