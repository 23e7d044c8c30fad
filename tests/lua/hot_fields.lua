-- Fields added, removed, changed in type and moved between shapes in hot loops.
local function area(p) return p.w * p.h end
local s = 0
for i = 1, 400 do s = s + area { w = i, h = 2 } end
for i = 1, 400 do s = s + area { h = 2, w = i } end
for i = 1, 400 do s = s + area { w = i + 0.5, h = 2, extra = 1 } end
print(s)
for i = 1, 400 do local p = { name = "x" } p.h = i p.w = 1 s = s + area(p) end
print(s, pcall(area, { w = 1 }))
local o = { n = 0 }
for i = 1, 1000 do
  o.n = o.n + 1
  if i % 100 == 0 then o["f" .. i] = i end
  if i % 250 == 0 then o["f" .. (i - 50)] = nil end
  if i == 600 then o.n = o.n + 0.5 end
  if i == 800 then o.n = nil o.n = 7 end
end
print(o.n, o.f100, o.f200, o.f300, o.f1000)
local names = {}
for k in pairs(o) do names[#names + 1] = k end
table.sort(names) print(table.concat(names, " "))
local objs = {}
for i = 1, 300 do local q = {} for j = 1, i % 5 do q["k" .. j] = j end q.v = i objs[i] = q end
s = 0
for r = 1, 3 do for i = 1, 300 do local q = objs[i] q.v = q.v + (q.k1 or 0) + (q.k4 or 0) s = s + q.v end end
print(s)
local function set(t, k, v) t[k] = v end
local d = {}
for i = 1, 500 do set(d, i % 3 == 0 and "x" or i % 3 == 1 and i or i + 0.5, i) end
print(d.x, d[1], d[2.5], #d >= 1)

--[[expect
481600.0
561800.0	false	hot_fields.lua:2: attempt to perform arithmetic on a nil value (field 'h')
207	100	nil	300	1000
f100 f1000 f300 f400 f500 f600 f800 f900 n
138330
498	1	2	true
]]
