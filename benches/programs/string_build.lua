-- Building strings: concatenation in a loop, table.concat, string.rep, string.format.
-- small: 30
local n = tonumber((...)) or 750

local function byConcat(n)
  local s = ""
  for i = 1, n do s = s .. i .. "," end
  return s
end

local function byTable(n)
  local parts = {}
  for i = 1, n do
    parts[#parts + 1] = i
    parts[#parts + 1] = ","
  end
  return table.concat(parts)
end

local function byFormat(n)
  local parts = {}
  for i = 1, n do parts[i] = string.format("%d", i) end
  return table.concat(parts, ",") .. ","
end

local function key(i)
  return "item-" .. i .. ":" .. string.rep("x", i % 5) .. ";"
end

local length, keys = 0, 0
for i = 1, n do
  local a, b, c = byConcat(3 * i), byTable(3 * i), byFormat(3 * i)
  if a ~= b or b ~= c then error("string building differs at " .. i) end
  length = length + #a
  for j = 1, 100 do keys = keys + #key(j) end
end

local one = 0
for j = 1, 100 do one = one + 7 + #tostring(j) + j % 5 end
if keys ~= n * one then error("string building made " .. keys .. " bytes of keys") end
local expected, sofar = 0, 0
for i = 1, n do
  for k = 3 * i - 2, 3 * i do sofar = sofar + #tostring(k) + 1 end
  expected = expected + sofar
end
if length ~= expected then error("string building made " .. length .. " bytes") end
print("string_build", n, length, keys)
