-- Scanning strings: byte loops, find, match, gmatch, gsub.
-- small: 2
local n = tonumber((...)) or 380

local words = {
  "the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while",
  "x1", "counts", "42", "sheep", "and", "3.14", "pies",
}

local function text(count)
  local parts = {}
  for i = 1, count do
    parts[i] = words[(i * 7) % #words + 1]
    if i % 12 == 0 then parts[i] = parts[i] .. ".\n" end
  end
  return table.concat(parts, " ")
end

local source = text(1700)

local function countVowels(s)
  local count = 0
  for i = 1, #s do
    local b = s:byte(i)
    if b == 97 or b == 101 or b == 105 or b == 111 or b == 117 then count = count + 1 end
  end
  return count
end

local function countLines(s)
  local count, from = 0, 1
  while true do
    local at = s:find("\n", from, true)
    if not at then return count end
    count = count + 1
    from = at + 1
  end
end

local function frequencies(s)
  local freq = {}
  for w in s:gmatch("%a+") do freq[w] = (freq[w] or 0) + 1 end
  return freq
end

local function checksum(s)
  local a, b = 1, 0
  for i = 1, #s do
    a = (a + string.byte(s, i)) % 65521
    b = (b + a) % 65521
  end
  return b * 65536 + a
end

local function splitFields(s)
  local count = 0
  for key, value in ("k1=v1;k2=v2;longer=value;n=10;"):gmatch("(%w+)=(%w+);") do
    count = count + #key + #value
  end
  return count
end

local vowels, lines, fox, numbers, sum, upper, fields = 0, 0, 0, 0, 0, 0, 0
for _ = 1, n do
  vowels = vowels + countVowels(source)
  lines = lines + countLines(source)
  fox = fox + frequencies(source).fox
  local _, found = source:gsub("%d+%.?%d*", "#")
  numbers = numbers + found
  sum = checksum(source)
  local big = source:sub(1, 4000):gsub("%f[%a]%l", string.upper)
  if big:match("^%u%l*") then upper = upper + 1 end
  fields = fields + splitFields(source)
end

if fox ~= 100 * n then error("foxes: " .. fox) end
if lines ~= 141 * n then error("lines: " .. lines) end
if numbers ~= 300 * n then error("numbers: " .. numbers) end
if upper ~= n or fields ~= n * 22 then error("upper " .. upper .. ", fields " .. fields) end
local _, again = source:gsub("[aeiou]", "")
if vowels ~= again * n then error("vowels: " .. vowels) end
print("string_scan", n, vowels, string.format("%d", sum))
