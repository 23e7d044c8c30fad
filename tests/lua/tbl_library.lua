-- insert, remove, concat, unpack, pack, move, with metamethods and at their limits.
local t = {}
table.insert(t, "a") table.insert(t, 1, "b") table.insert(t, 2, "c") table.insert(t, #t + 1, "d")
print(table.concat(t, ","), table.remove(t), table.remove(t, 1), table.remove(t, #t + 1), table.concat(t, ","))
print(table.remove({}), table.remove({}, 0), #t, table.remove({ [0] = "zero" }, 0))
print(table.concat({}), table.concat({ 1, 2, 3 }, "-", 2), table.concat({ 1, 2, 3 }, "-", 2, 3), table.concat({ 1, 2 }, ", ", 3), table.concat({ 1.5, "x" }))
print(table.unpack({ 1, 2, 3 }), table.unpack({ 1, 2, 3 }, 2), table.unpack({ 1, 2, 3 }, 2, 5))
print(table.unpack({}, 1, 0), select("#", table.unpack({}, 1, 3)), table.unpack({ 1, 2 }, -1, 1))
local p = table.pack(nil, nil)
print(p.n, #p, table.pack().n)
print(table.concat(table.move({ 1, 2, 3 }, 1, 3, 2), ","), table.concat(table.move({ 1, 2, 3 }, 2, 3, 1), ","), table.concat(table.move({ 1, 2, 3 }, 1, 3, 1, {}), ","), #table.move({ 1, 2 }, 1, 0, 5))
print(pcall(table.move, {}, 1, math.maxinteger, 2), pcall(table.move, {}, -1, math.maxinteger, 2))
print(pcall(table.insert, {}, 3, 1), pcall(table.insert, {}, 1, 2, 3), pcall(table.insert, {}))
print(pcall(table.unpack, {}, 1, 10000000))
local log = {}
local proxy = setmetatable({}, { __len = function() return 3 end, __index = function(_, i) log[#log + 1] = "get" .. i return i * 10 end, __newindex = function(_, i, v) log[#log + 1] = "set" .. i .. "=" .. tostring(v) end })
table.insert(proxy, 1, "x") table.remove(proxy, 1) table.insert(proxy, 99)
print(table.concat(log, " "), table.concat(proxy, ","))
local q = {}
for i = 1, 500 do table.insert(q, i) end
local s = 0
for i = 1, 250 do s = s + table.remove(q, 1) + table.remove(q) end
print(s, #q)

--[[expect
b,c,a,d	d	b	nil	c,a
nil	nil	2	zero
	2-3	2-3		1.5x
1	2	2	3	nil	nil
nil	3	nil	nil	1
2	0	0
1,1,2,3	2,3,3	1,2,3	2
false	false	bad argument #3 to 'table.move' (too many elements to move)
false	false	false	wrong number of arguments to 'insert'
false	too many results to unpack
get3 set4=30 get2 set3=20 get1 set2=10 set1=x get1 get2 set1=20 get3 set2=30 set3=nil set4=99	10,20,30
125250	0
]]
