-- String building and scanning in hot loops.
local s = ""
for i = 1, 1000 do s = s .. "x" end
print(#s)
local n = 0
for i = 1, #s do if s:byte(i) == 120 then n = n + 1 end end
print(n)
local parts = {}
for i = 1, 500 do parts[#parts + 1] = i .. ":" .. (i * 0.5) .. ";" end
local j = table.concat(parts)
print(#j, j:sub(1, 24))
local c = 0
for i = 1, 600 do local k = "k" .. (i % 10) if k == "k3" then c = c + 1 elseif k < "k3" then c = c + 100 end end
print(c)
local rev = ""
for i = 1, 300 do rev = string.char(97 + i % 26) .. rev end
print(rev:sub(1, 30), #rev)
local up = 0
for w in ("the quick brown fox "):rep(60):gmatch("%a+") do if w:upper() ~= w:lower() then up = up + #w end end
print(up)
local t = {}
for i = 1, 600 do local k = ("id%03d"):format(i % 50) t[k] = (t[k] or 0) + i end
print(t.id000, t.id049, t.id050)
local mixed = ""
for i = 1, 300 do mixed = mixed .. (i % 3 == 0 and i or i % 3 == 1 and i / 2 or "s") end
print(#mixed, mixed:sub(-12))
local len = 0
for i = 1, 500 do len = len + #("abc" .. i) + #tostring(i) end
print(len)
print(pcall(function() local q = "" for i = 1, 600 do q = q .. (i < 600 and i or {}) end end))

--[[expect
1000
1000
4674	1:0.5;2:1.0;3:1.5;4:2.0;
18060
onmlkjihgfedcbazyxwvutsrqponml	300
960
3900	3888	nil
790	297149.0s300
4284
false	hot_strings.lua:30: attempt to concatenate a table value
]]
