-- Hash maps with string keys: insertion, update, lookup of hits and misses, deletion.
-- small: 50
local n = tonumber((...)) or 250000

local function fill(n)
  local map = {}
  for i = 1, n do map["key" .. i] = i end
  return map
end

local map = fill(n)
local keys = {}
for i = 1, n do keys[i] = "key" .. i end
local sum, missing = 0, 0
for _ = 1, 4 do
  for i = 1, n do
    local k = keys[i]
    map[k] = map[k] + 1
    sum = sum + map[k]
  end
end
for i = 1, n do
  if not map["absent" .. (i % 1000)] then missing = missing + 1 end
end
for i = 1, n, 2 do map[keys[i]] = nil end
local left = 0
for _ in pairs(map) do left = left + 1 end

local words, text = {}, "a rose is a rose is a rose and so on"
for _ = 1, math.floor(n / 50) do
  for w in text:gmatch("%a+") do words[w] = (words[w] or 0) + 1 end
end
local rounds = math.floor(n / 50)

if sum ~= 4 * n * (n + 1) / 2 + 10 * n then error("string map sum " .. sum) end
if missing ~= n then error("string map missed " .. missing) end
if left ~= math.floor(n / 2) then error("string map has " .. left .. " left") end
if (words.rose or 0) ~= 3 * rounds or (words.on or 0) ~= rounds then error("word counts") end
print("map_string", n, string.format("%d", sum))
