-- __len: called by #, not by rawlen; used by the table library.
local t = setmetatable({ 1, 2, 3 }, { __len = function() return 10 end })
print(#t, rawlen(t))
print(pcall(function() return #nil end))
print(pcall(function() return #5 end))
print(pcall(function() local v = print return #v end))
print(#"abc", #"", #"\0\0", #{ n = 1 }, #{ 1, 2, nil })
local odd = setmetatable({}, { __len = function() return "5", 2 end })
print(#odd, #odd + 1)
print(pcall(table.concat, setmetatable({}, { __len = function() return "x" end })))
print(pcall(table.unpack, setmetatable({ 1, 2 }, { __len = function() return 2.0 end })))
local v = setmetatable({}, { __len = function() return 3 end, __index = function(_, i) return "v" .. i end })
print(table.concat(v, ","), table.unpack(v))
local s = 0
for _ = 1, 400 do s = s + #t end
print(s)

--[[expect
10	3
false	meta_len.lua:4: attempt to get length of a nil value
false	meta_len.lua:5: attempt to get length of a number value
false	meta_len.lua:6: attempt to get length of a function value (local 'v')
3	0	2	0	2
5	6
false	object length is not an integer
true	1	2
v1,v2,v3	v1	v2	v3
4000
]]
