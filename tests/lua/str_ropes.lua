-- Long strings built by many concatenations in every direction, then examined.
local s = ""
for i = 1, 1500 do s = s .. i .. ";" end
print(#s, s:sub(1, 20), s:sub(-11), s:find("777;"), s:byte(3000))
local p = ""
for i = 1, 800 do p = i .. "," .. p end
print(#p, p:sub(1, 12), p:sub(-6))
local m = "x"
for i = 1, 300 do m = i .. m .. i end
print(#m, m:sub(#m // 2 - 2, #m // 2 + 4))
local d = "ab"
for i = 1, 12 do d = d .. d end
print(#d, d == ("ab"):rep(4096), d:sub(4095, 4098))
local parts = {}
for i = 1, 200 do parts[i] = ("p"):rep(i) .. "|" end
local function join(lo, hi) if lo == hi then return parts[lo] end local mid = (lo + hi) // 2 return join(lo, mid) .. join(mid + 1, hi) end
local j = join(1, 200)
print(#j, j == table.concat(parts), j:sub(-5))
local t = {}
local key = ("k"):rep(50) .. ("e"):rep(50)
t[key] = 1
print(t[("k"):rep(50) .. ("e"):rep(50)], t[("ke"):rep(50)])
local a = ("long"):rep(30)
local b, c = a .. "x", a .. "x"
print(b == c, b < a .. "y", #(b .. c), (b .. c):upper():sub(118, 124), rawequal(b, c))
local sum = 0
local r = ""
for i = 1, 400 do r = r .. "ab" sum = sum + #r + (r:byte(-1)) end
print(sum)
local q = "seed"
for i = 1, 300 do local other = q .. i if i % 3 == 0 then q = other end end
print(#q, q:sub(-12))

--[[expect
6393	1;2;3;4;5;6;7;8;9;10	;1499;1500;	2997	59
3092	800,799,798,	3,2,1,
1585	321x123
8192	true	abab
20300	true	pppp|
1	nil
true	true	242	ONGXLON	true
199600
268	291294297300
]]
