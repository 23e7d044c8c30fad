-- Table constructors: all kinds of fields, order, trailing calls, nested, many items.
local function f() return 1, 2, 3 end
local t = { 1, 2, x = 1, [3] = "three", 4, ["y z"] = 2, f() }
print(#t, t[1], t[2], t[3], t[4], t[5], t[6], t.x, t["y z"])
t = { f(), f() } print(#t)
t = { f(), (f()) } print(#t)
t = { [1] = "a", "b" } print(t[1])
t = { n = nil, 1 } print(next(t))
t = {} t = { t, { t } } print(#t, #t[2])
print(#{ ... }, #{ nil, nil, 3 }, #{ 1, nil }, #{ n = 1 })
t = { 1, 2, 3; 4, 5; x = 1; } print(#t)
local big = {}
for i = 1, 120 do big[i] = i end
print(#{ table.unpack(big) }, #{ 0, table.unpack(big) }, select("#", table.unpack(big)))
local s = 0
for i = 1, 500 do local p = { x = i, y = i * 2, i, i + 1 } s = s + p.x + p.y + p[1] + p[2] + #p end
print(s)
print(pcall(load("return { [nil] = 1 }")), pcall(load("return { [0/0] = 1 }")))
local function make(i) return { id = i, tags = { "a", "b", i }, pos = { x = i, y = { z = i } } } end
s = 0
for i = 1, 400 do local m = make(i) s = s + m.pos.y.z + m.tags[3] + #m.tags end
print(s)

--[[expect
6	1	2	4	1	2	3	1	2
4
2
b
1	1
2	1
0	3	1	0
5
120	121	120
627750
false	false	[string "return { [0/0] = 1 }"]:1: table index is NaN
161600
]]
