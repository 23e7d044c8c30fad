--# build_by_table 300000 100
local t = {}
for i = 1, n do t[#t + 1] = "item " .. i end
return #table.concat(t, ",")
--# build_by_append 100000 100
local s = ""
for i = 1, n do s = s .. "x" .. i % 10 end
return #s
--# compare_equal 7000000 100
local a, b, c = "alpha", "beta", 0
for i = 1, n do
  local s = i % 2 == 0 and a or b
  if s == "alpha" then c = c + 1 end
end
return c
--# compare_order 3000000 100
local words, c = { "pear", "apple", "fig", "quince", "plum" }, 0
for i = 1, n do
  if words[i % 5 + 1] < words[(i + 2) % 5 + 1] then c = c + 1 end
end
return c
--# split_on_comma 100000 20
local line, c = "one,two,three,four,five,six,seven,eight", 0
for _ = 1, n do
  for field in line:gmatch("[^,]+") do c = c + #field end
end
return c
--# split_by_find 200000 20
local line, c = "one,two,three,four,five,six,seven,eight", 0
for _ = 1, n do
  local at = 1
  while true do
    local comma = line:find(",", at, true)
    if not comma then c = c + #line - at + 1 break end
    c = c + comma - at
    at = comma + 1
  end
end
return c
--# characters_by_sub 50000 20
local s, vowels = "the quick brown fox jumps over", 0
for _ = 1, n do
  for i = 1, #s do
    local ch = s:sub(i, i)
    if ch == "a" or ch == "e" or ch == "i" or ch == "o" or ch == "u" then vowels = vowels + 1 end
  end
end
return vowels
--# bytes_of_string 70000 20
local s, sum = "the quick brown fox jumps over", 0
for _ = 1, n do
  for i = 1, #s do sum = (sum * 31 + s:byte(i)) % 65521 end
end
return sum
--# reverse_words 60000 20
local c = 0
for _ = 1, n do
  local words = {}
  for w in ("a man a plan a canal"):gmatch("%a+") do table.insert(words, 1, w) end
  c = c + #table.concat(words, " ")
end
return c
--# trim 200000 50
local c = 0
for i = 1, n do
  local s = ("   padded " .. i % 7 .. "  "):match("^%s*(.-)%s*$")
  c = c + #s
end
return c
--# substitute 200000 20
local c = 0
for _ = 1, n do
  local s = ("hello $name, you are $age"):gsub("%$(%w+)", { name = "Ann", age = "33" })
  c = c + #s
end
return c
--# substitute_function 100000 20
local c = 0
for _ = 1, n do
  local s = ("a1b22c333"):gsub("%d+", function(d) return "<" .. #d .. ">" end)
  c = c + #s
end
return c
--# starts_with 2000000 50
local c = 0
local names = { "get_x", "set_x", "get_y", "other" }
for i = 1, n do
  if names[i % 4 + 1]:sub(1, 4) == "get_" then c = c + 1 end
end
return c
--# keys_built 900000 50
local t, c = {}, 0
for i = 1, n do
  local k = "key" .. i % 100
  t[k] = (t[k] or 0) + 1
end
for _, v in pairs(t) do c = c + v end
return c
--# format_numbers 200000 20
local c = 0
for i = 1, n do c = c + #string.format("%d %5.2f %s", i, i / 3, "x") end
return c
--# to_string 600000 50
local c = 0
for i = 1, n do c = c + #tostring(i) end
return c
--# to_number 2000000 50
local c, texts = 0, { "12", "3.5", "0x10", "99", "1e3" }
for i = 1, n do c = c + tonumber(texts[i % 5 + 1]) end
return c
--# upper_and_lower 1000000 50
local c = 0
for i = 1, n do
  local s = i % 2 == 0 and ("Mixed Case"):upper() or ("Mixed Case"):lower()
  if s == "MIXED CASE" then c = c + 1 end
end
return c
--# repeated 900000 50
local c = 0
for i = 1, n do c = c + #("ab"):rep(i % 20) end
return c
--# state_machine 4000000 50
local state, c = "idle", 0
for i = 1, n do
  if state == "idle" then
    if i % 3 == 0 then state = "running" end
  elseif state == "running" then
    if i % 5 == 0 then state = "paused" elseif i % 7 == 0 then state = "done" end
  elseif state == "paused" then
    if i % 2 == 0 then state = "running" end
  elseif state == "done" then
    c = c + 1
    state = "idle"
  end
end
return c
