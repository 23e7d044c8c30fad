-- Frames of vararg functions, hot: moved, forwarded, deep, with more arguments than fit and too few.
local function deep(n, ...) if n == 0 then return select('#', ...) end return deep(n - 1, n, ...) end
local function f(a, b, ...) local t = {...} return a, b, #t, ... end
local function g(...) return f(...) end
local function h(a, ...) local x = a return g(...), select('#', ...), x end
for i = 1, 300 do g() g(1) g(1,2) g(1,2,3) h() h(i) h(1,2,3,4,5) end
print(g()) print(g(1)) print(g(1,2,3,4)) print(h()) print(h(1,2,3,4,5)) print(deep(60))
print(pcall(function() local t = {} for i = 1, 200 do t[i] = i end local function r(...) return 1 + r(1, ...) end return r(table.unpack(t)) end))
local function big(...) return (select('#', g(...))) end
local t = {} for i = 1, 5000 do t[i] = i end
for i = 1, 300 do big(1, 2) end
print(big(table.unpack(t)))
local function wrap(f, ...) return pcall(f, ...) end
for i = 1, 300 do wrap(g, i, 2) end
print(wrap(error, "x", 0))
print(select(2, pcall(function() local function r(...) return r(..., 1) , 1 end r() end)))
--[[expect
nil	nil	0
1	nil	0
1	2	2	3	4
nil	0	nil
2	4	1
60
false	hot_vararg_frames.lua:8: stack overflow
5001
false	x
hot_vararg_frames.lua:16: stack overflow
]]
