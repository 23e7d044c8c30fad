-- # on sequences through growth, shrinking, appends and removals at the end.
local t = {}
for i = 1, 500 do t[#t + 1] = i end
print(#t)
for i = 500, 251, -1 do t[i] = nil end
print(#t)
while #t > 0 do t[#t] = nil end
print(#t, next(t))
for i = 1, 10 do t[i] = i end
t[11] = nil t[0] = "x" t[-1] = "y" t.n = 3 t[1.5] = 1
print(#t)
local r = {}
for i = 300, 1, -1 do r[i] = i end
print(#r)
local s = 0
for i = 1, #r do s = s + r[i] end
print(s)
local u = { 1, 2, 3 }
u[#u] = nil u[#u + 1] = "a" u[#u + 1] = "b"
print(#u, u[3], u[4])
for i = 1, 300 do u[#u + 1] = i if i % 2 == 0 then u[#u] = nil end end
print(#u)

--[[expect
500
250
0	nil
10
300
45150
4	a	b
154
]]
