-- To-be-closed variables in hot loops: normal, break, error, return, nested.
local open, closed = 0, 0
local mt = { __close = function(o, e) closed = closed + 1 if e then o.log[#o.log + 1] = e end end }
local log = {}
local function res() open = open + 1 return setmetatable({ log = log }, mt) end
for i = 1, 400 do local r <close> = res() end
print(open, closed)
for i = 1, 400 do for j = 1, 3 do local r <close> = res() if j == 2 then break end end end
print(open, closed)
local function early(i) local a <close> = res() if i % 3 == 0 then return "early" end local b <close> = res() return "late" end
local n = 0
for i = 1, 300 do if early(i) == "early" then n = n + 1 end end
print(open, closed, n)
for i = 1, 300 do pcall(function() local r <close> = res() if i % 100 == 0 then error("e" .. i, 0) end end) end
print(open, closed, table.concat(log, " "))
local i = 0
::again::
do local r <close> = res() i = i + 1 if i < 300 then goto again end end
print(open, closed)
local function nested(n) local r <close> = res() if n > 0 then return (nested(n - 1)) end return closed end
print(nested(50), open - closed)

--[[expect
400	400
1200	1200
1700	1700	100
2000	2000	e100 e200 e300
2300	2300
2300	0
]]
