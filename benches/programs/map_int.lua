-- Hash maps with sparse integer keys: insertion, update, lookup, deletion.
-- small: 50
local n = tonumber((...)) or 500000

local function scatter(i) return (i * 7919) % 10000019 + 1000000 end

local map = {}
for i = 1, n do
  map[scatter(i)] = i
end
local sum = 0
for _ = 1, 3 do
  for i = 1, n do
    local k = scatter(i)
    map[k] = map[k] + 1
    sum = sum + map[k]
  end
end
local missing = 0
for i = 1, n do
  if map[-i] == nil then missing = missing + 1 end
end
for i = 1, n, 2 do map[scatter(i)] = nil end
local left = 0
for k, v in pairs(map) do
  left = left + 1
  if v % 2 ~= 1 then error("integer map kept " .. k) end
end

if sum ~= 3 * n * (n + 1) / 2 + 6 * n then error("integer map sum " .. sum) end
if missing ~= n then error("integer map missed " .. missing) end
if left ~= math.floor(n / 2) then error("integer map has " .. left .. " left") end
print("map_int", n, string.format("%d", sum))
