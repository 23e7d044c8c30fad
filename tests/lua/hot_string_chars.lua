-- One byte of a string at a time: s:sub(i, i), comparisons with constants and with one another, at and
-- beyond the ends, of strings that are being built, and kept across collections.
local function count(s, c)
  local n = 0
  for i = 1, #s do if s:sub(i, i) == c then n = n + 1 end end
  return n
end
local text = ("abcabxyz\0\255"):rep(60)
print(count(text, "a"), count(text, "\0"), count(text, "\255"), count(text, ""), count(text, "ab"), count(text, 1))
local function kinds(s)
  local a, other, wide = 0, 0, 0
  for i = 1, #s do
    local c = s:sub(i, i)
    if c == "a" then a = a + 1 elseif c ~= "b" then other = other + 1 end
    if c == "abc" or c == "" then wide = wide + 1 end
  end
  return a, other, wide
end
print(kinds(text))
local function common(a, b)
  local n = 0
  for i = 1, #a do for j = 1, #b do if a:sub(i, i) == b:sub(j, j) then n = n + 1 end end end
  return n
end
print(common("kitten on the mat", "sitting in the hall"))
-- Beyond the ends.
local function walk(s, from, to)
  local t = {}
  for i = from, to do t[#t + 1] = "[" .. s:sub(i, i) .. "]" end
  return table.concat(t)
end
for round = 1, 40 do walk("hello", 1, 5) end
print(walk("hello", 1, 5), walk("hello", -6, 8), walk("", 0, 2))
local function tokens(s)
  local i, words = 1, 0
  while true do
    local c = s:sub(i, i)
    if c == "" then return words, i end
    if c == " " then words = words + 1 end
    i = i + 1
  end
end
for round = 1, 60 do tokens("a b c d e") end
print(tokens("a b c d e"), tokens(""))
-- Of ropes.
local function grow(n)
  local s, found = "", 0
  for i = 1, n do
    s = s .. string.char(97 + i % 26)
    if s:sub(i, i) == "c" then found = found + 1 end
  end
  return found, #s
end
print(grow(500))
-- Kept, and used as keys.
local seen = {}
for i = 1, 600 do
  local c = text:sub(i % 10 + 1, i % 10 + 1)
  seen[c] = (seen[c] or 0) + 1
  if i % 100 == 0 then collectgarbage() end
end
print(seen.a, seen.b, seen["\0"], seen["\255"], seen.q)
local weak = setmetatable({}, { __mode = "v" })
for i = 1, 300 do weak[i] = text:sub(i % 7 + 1, i % 7 + 1) end
collectgarbage()
print(weak[1], weak[300], #weak)
-- Another string library.
local sub = string.sub
string.sub = function(s, i, j) return sub(s, i, j):upper() end
print(count(text, "a"), count(text, "A"))
string.sub = sub
print(count(text, "a"), count(text, "A"))

--[[expect
120	60	60	0	0	0
120	360	0
33
[h][e][l][l][o]	[][h][e][l][l][o][][h][e][l][l][o][][][]	[][][]
4	0	1
20	500
120	120	60	60	nil
b	y	300
0	120
120	0
]]
