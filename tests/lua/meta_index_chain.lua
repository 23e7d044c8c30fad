-- __index: tables, functions, chains of both, rawget, absent.
local base = { greet = "hello", [1] = "one" }
local mid = setmetatable({ level = 2 }, { __index = base })
local top = setmetatable({}, { __index = mid })
print(top.greet, top.level, top[1], top.none, rawget(top, "greet"))
local calls = {}
local f = setmetatable({}, { __index = function(t, k) calls[#calls + 1] = tostring(k) return k .. "!" , "extra" end })
print(f.x, f["y z"], f[5], (f.w))
local g = setmetatable({}, { __index = f })
print(g.deep, table.concat(calls, ","))
local s = setmetatable({}, { __index = "abc" })
print(s.len == string.len, pcall(function() return s.upper(s) end))
local e = setmetatable({}, { __index = 5 })
print(pcall(function() return e.x end))
local loop = {} setmetatable(loop, { __index = loop })
print(pcall(function() return loop.x end))
base.greet = "changed"
print(top.greet)
local chain = {}
for i = 1, 50 do chain = setmetatable({ ["k" .. i] = i }, { __index = chain }) end
local sum = 0
for _ = 1, 20 do for i = 1, 50 do sum = sum + chain["k" .. i] end end
print(sum)

--[[expect
hello	2	one	nil	nil
x!	y z!	5!	w!
deep!	x,y z,5,w,deep
true	false	meta_index_chain.lua:12: bad argument #1 to 'upper' (string expected, got table)
false	meta_index_chain.lua:14: attempt to index a number value
false	meta_index_chain.lua:16: '__index' chain too long; possible loop
changed
25500
]]
