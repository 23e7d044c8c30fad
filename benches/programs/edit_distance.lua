-- Levenshtein distance over byte arrays, and longest common subsequence over strings.
-- small: 20
local n = tonumber((...)) or 1000

local letters = "abcdefghij"
local function word(length, seed)
  local parts = {}
  for i = 1, length do
    seed = (seed * 16807) % 2147483647
    local k = seed % #letters + 1
    parts[i] = letters:sub(k, k)
  end
  return table.concat(parts)
end

local function distance(a, b)
  local previous, current = {}, {}
  for j = 0, #b do previous[j] = j end
  for i = 1, #a do
    current[0] = i
    local ca = a:byte(i)
    for j = 1, #b do
      local cost = 1
      if ca == b:byte(j) then cost = 0 end
      current[j] = math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
    end
    previous, current = current, previous
  end
  return previous[#b]
end

local function subsequence(a, b)
  local row = {}
  for j = 0, #b do row[j] = 0 end
  for i = 1, #a do
    local diagonal = 0
    for j = 1, #b do
      local above = row[j]
      if a:sub(i, i) == b:sub(j, j) then
        row[j] = diagonal + 1
      elseif row[j - 1] > above then
        row[j] = row[j - 1]
      end
      diagonal = above
    end
  end
  return row[#b]
end

if distance("kitten", "sitting") ~= 3 or distance("", "abc") ~= 3 then error("small distances") end
if subsequence("AGGTAB", "GXTXAYB") ~= 4 then error("small subsequence") end

local a, b = word(n, 1), word(n, 2)
local d = distance(a, b)
local s = subsequence(a, b)
if d ~= distance(b, a) then error("the distance is not symmetric") end
if distance(a, a) ~= 0 or subsequence(a, a) ~= n then error("distance to itself") end
if s < n - d or d > n then error("distance " .. d .. " with common subsequence " .. s) end
print("edit_distance", n, d, s)
