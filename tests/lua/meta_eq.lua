-- __eq: only for two tables, not when rawequal; result converted to a boolean.
local n = 0
local mt = { __eq = function(a, b) n = n + 1 return a.v == b.v and "yes" or nil end }
local a, b, c = setmetatable({ v = 1 }, mt), setmetatable({ v = 1 }, mt), setmetatable({ v = 2 }, mt)
print(a == b, a ~= b, a == c, a ~= c, a == a, n)
print(a == 1, a == nil, a == "x", rawequal(a, b), n)
local plain = { v = 1 }
print(a == plain, plain == a, n)
local other = setmetatable({ v = 1 }, { __eq = function() error("second") end })
print(a == other)
local t = { [a] = "by identity" }
print(t[a], t[b])
local hits = 0
for i = 1, 400 do if setmetatable({ v = i % 3 }, mt) == a then hits = hits + 1 end end
print(hits, n)

--[[expect
true	false	false	true	true	4
false	false	false	false	4
true	true	6
true
by identity	nil
134	407
]]
