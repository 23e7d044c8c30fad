-- Records with very many fields, added, deleted and added again.
local t = {}
for i = 1, 1000 do t["field" .. i] = i end
local s = 0
for i = 1, 1000 do s = s + t["field" .. i] end
print(s)
for i = 1, 1000, 2 do t["field" .. i] = nil end
for i = 1, 1000 do if i % 2 == 1 then assert(t["field" .. i] == nil) else assert(t["field" .. i] == i) end end
for i = 1, 1000, 2 do t["field" .. i] = -i end
s = 0
for k, v in pairs(t) do s = s + v end
print(s)
local o = {}
for r = 1, 300 do o.a = r o.b = r o.c = r o.b = nil o.a = nil o.d = r if r < 300 then o.c = nil o.d = nil end end
print(o.a, o.b, o.c, o.d)
local u = {}
for i = 1, 200 do local p = {} for j = 1, i % 20 do p["f" .. j] = j end u[i] = p end
s = 0
for i = 1, 200 do for k, v in pairs(u[i]) do s = s + v end end
print(s)

--[[expect
500500
500
nil	nil	300	300
13300
]]
