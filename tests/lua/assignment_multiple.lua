-- Multiple assignment: adjusting, evaluation before assignment, swaps.
local a, b, c = 1, 2
print(a, b, c)
a, b = b, a
print(a, b)
local function f() return 1, 2, 3 end
local x, y, z, w = f()
print(x, y, z, w)
x, y, z, w = 0, f()
print(x, y, z, w)
x, y, z, w = f(), 10
print(x, y, z, w)
x, y = (f())
print(x, y)
local t = { 1, 2, 3 }
local i = 1
i, t[i] = i + 1, 20
print(i, t[1], t[2])
t[1], t[2], t[3] = t[3], t[1], t[2]
print(t[1], t[2], t[3])
local t2 = { f(), f(), [10] = f(), f() }
print(#t2, t2[1], t2[2], t2[3], t2[5], t2[10])
local p, q = {}, {}
p.x, q.x, p.y = f()
print(p.x, q.x, p.y)

--[[expect
1	2	nil
2	1
1	2	3	nil
0	1	2	3
1	10	nil	nil
1	nil
2	20	2
3	20	2
5	1	1	1	3	1
1	2	3
]]
