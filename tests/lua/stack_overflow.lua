-- Runaway recursion is an error that can be caught, repeatedly, and leaves all usable.
local function msg(ok, e) print(ok, (tostring(e):match("stack overflow") or e)) end
local function endless(n) return 1 + endless(n + 1) end
for _ = 1, 2 do msg(pcall(endless, 1)) end
local function mutualA() return 1 + mutualB() end
function mutualB() return (mutualA()) end
msg(pcall(mutualA))
local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
local ok, e = pcall(function() return t[1] end)
print(ok, tostring(e):match("overflow"))
local depth = 0
local function count() depth = depth + 1 count() return 1 end
msg(pcall(count))
print(depth > 10000, depth < 1000000)
local co = coroutine.wrap(function() return pcall(endless, 1) end)
msg(co())
local r = 0
local function fine(n) if n == 0 then return 0 end return 1 + fine(n - 1) end
print(fine(1000))
msg(pcall(function() local function f(...) return (f(1, ...)) end return f() end))

--[[expect
false	stack overflow
false	stack overflow
false	stack overflow
false	overflow
false	stack overflow
true	true
false	stack overflow
1000
false	stack overflow
]]
