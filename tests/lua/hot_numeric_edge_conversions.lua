-- Implicit conversions in hot code: float loop indexes as keys, string numbers, tointeger.
local t = {}
for i = 1, 400 do t[i] = i end
local s = 0
for x = 1.0, 400.0 do s = s + t[x] end
print(s)
local x = 0.5
local hits = 0
for i = 1, 800 do if t[x] then hits = hits + 1 end x = x + 0.5 end
print(hits)
local b = 0
for i = 1, 400 do b = b ~ (i * 1.0) << 1 b = b & 0xFFFF end
print(b)
print(pcall(function() local r = 0 for i = 1, 400 do r = r | (i < 400 and i or i + 0.5) end return r end))
local str = 0
for i = 1, 400 do str = str + ("" .. i) * 1 end
print(str, math.type(str))
local f = 0
for i = 1, 400 do f = f + (i % 2 == 0 and "0x10" or "1e1") end
print(f)
local ti = 0
for i = 1, 400 do ti = ti + (math.tointeger(i / 2) or 0) end
print(ti)
local fl = 0
for i = 1, 400 do fl = fl + math.floor(i / 3) - math.ceil(i / 3) end
print(fl, math.type(fl))
local n = 0
for i = 1, 400 do n = n + (tonumber(i % 3 == 0 and "x" or tostring(i)) or 0) end
print(n)

--[[expect
80200
400
800
false	hot_numeric_edge_conversions.lua:14: number has no integer representation
80200	integer
5200.0
20100
-267	integer
53467
]]
