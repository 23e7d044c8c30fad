-- Each iteration of a loop has its own variables.
local fs = {}
for i = 1, 5 do fs[i] = { function() i = i + 1 return i end, function() return i end } end
for i = 1, 5 do fs[i][1]() io.write(fs[i][2](), " ") end print()
local gs = {}
for k, v in ipairs { "a", "b", "c" } do gs[k] = function() v = v .. k return v end end
print(gs[1](), gs[2](), gs[3](), gs[1]())
local hs, i = {}, 0
while i < 3 do i = i + 1 local j = i hs[i] = function() j = j * 10 return j end end
print(hs[1](), hs[2](), hs[3](), hs[1]())
local rs = {}
i = 0
repeat i = i + 1 local j = i rs[i] = function() j = j + 100 return j end until j >= 3
print(rs[1](), rs[2](), rs[3](), rs[1]())
local shared = 0
local adders = {}
for n = 1, 300 do adders[n] = function() shared = shared + n return shared end end
for n = 1, 300 do adders[n]() end
print(shared)

--[[expect
2 3 4 5 6 
a1	b2	c3	a11
10	20	30	100
101	102	103	201
45150
]]
