-- __newindex: functions, tables, chains; only for absent keys; rawset.
local log = {}
local t = setmetatable({ present = 1 }, { __newindex = function(t, k, v) log[#log + 1] = k rawset(t, k, v) end })
t.present = 2 t.a = 1 t.a = 2 t[1] = "x" t[1] = "y"
print(t.present, t.a, t[1], #log, log[1], log[2])
local store = {}
local proxy = setmetatable({}, { __newindex = store, __index = store })
for i = 1, 300 do proxy[i] = i * 2 end
print(#store, rawlen(proxy), proxy[300], next(proxy))
proxy.x = nil
t.present = nil
t.present = 5
print(log[3])
local second = setmetatable({}, { __newindex = function(_, k, v) print("end of chain", k, v) end })
local first = setmetatable({}, { __newindex = second })
first.k = 1
print(rawget(second, "k"), rawget(first, "k"))
print(pcall(function() local x = setmetatable({}, { __newindex = 5 }) x.y = 1 end))
local loop = {} setmetatable(loop, { __newindex = loop })
print(pcall(function() loop.x = 1 end))
local count = 0
local ro = setmetatable({}, { __newindex = function(_, k) count = count + 1 if count > 300 then error("read-only " .. k, 2) end end })
print(pcall(function() for i = 1, 400 do ro["f" .. i % 7] = i end end))

--[[expect
2	2	y	2	a	1
300	0	600	nil
present
end of chain	k	1
nil	nil
false	meta_newindex.lua:18: attempt to index a number value
false	meta_newindex.lua:20: '__newindex' chain too long; possible loop
false	meta_newindex.lua:23: read-only f0
]]
