-- Varargs in hot loops: select('#'), select(i), packing, forwarding, changing counts.
local function cnt(...) return select("#", ...) end
local function sum(...) local s = 0 for i = 1, select("#", ...) do s = s + (select(i, ...) or 0) end return s end
local function fwd(...) return sum(...) + cnt(...) end
local s = 0
for i = 1, 500 do s = s + fwd(i, 2, 3) + fwd() + fwd(nil, i) + fwd(1.5) end
print(s)
local function tbl(...) local t = { ... } return #t, t[1], t[#t] end
local n = 0
for i = 1, 500 do local c, a, z = tbl(i, i + 1, i + 2) n = n + c + a + z end
print(n)
local function grow(n, ...) if n == 0 then return ... end return grow(n - 1, n, ...) end
local c = 0
for i = 1, 300 do c = c + cnt(grow(i % 20)) end
print(c, sum(grow(50)))
local function three() return 1, 2, 3 end
for i = 1, 400 do c = c + cnt(three()) + cnt(three(), three()) + cnt((three())) end
print(c)
local function a2(a, b, ...) return a, b, ... end
local x, y, z, w
for i = 1, 400 do x, y, z, w = a2(i, i * 2, i * 3) end
print(x, y, z, w)
local function neg(...) return (select(-1, ...)) end
for i = 1, 300 do c = c + neg(1, 2, i) end
print(c, pcall(select, i))
local u = table.unpack
for i = 1, 400 do c = c + cnt(u({ 1, 2, 3 }, 1, i % 6)) end
print(c)

--[[expect
256750.0
253000
2850	1275
6050
400	800	1200	nil
51200	false	bad argument #1 to 'select' (number expected, got nil)
52200
]]
