-- __call: arguments, chains, as method, in tail position, non-callable.
local c = setmetatable({}, { __call = function(self, ...) return select("#", ...), ... end })
print(c(), c(1), c(nil, nil), (c(1, 2, 3)))
local d = setmetatable({}, { __call = c })
print(d(7) ~= nil, select("#", d(1, 2)))
local o = { m = c }
print((o:m(5)), (o.m(5)))
local function tail(...) return c(...) end
print(tail(1, 2))
print(pcall(c, 1, 2))
print(pcall(function() local x = setmetatable({}, { __call = 5 }) x() end))
print(pcall(function() local notcallable = {} notcallable() end))
local acc = setmetatable({ n = 0 }, { __call = function(self, k) self.n = self.n + k return self end })
for i = 1, 400 do acc(i) end
print(acc.n, acc(1)(2).n)
print(table.concat({ pcall(string.gsub, "abc", ".", setmetatable({}, { __call = print })) }, " ", 2))
table.sort({ 3, 1, 2 }, setmetatable({}, { __call = function(_, a, b) return a < b end }) and function(a, b) return a < b end)
for k in setmetatable({}, { __call = function(_, s, i) if i < 3 then return i + 1 end end }), nil, 0 do io.write(k, " ") end print()

--[[expect
0	1	2	3
true	4
2	1
2	1	2
true	2	1	2
false	meta_call.lua:11: attempt to call a number value (local 'x')
false	meta_call.lua:12: attempt to call a table value (local 'notcallable')
80200	80203
abc 3
1 2 3 
]]
