-- debug: getinfo, getlocal, sethook-free parts, upvalues, metatables.
local function f(a, b) local c = a + b local i = debug.getinfo(1, "nSlutf") return i, c end
local i = f(1, 2)
print(i.name, i.namewhat, i.short_src, i.source, i.what, i.currentline, i.linedefined, i.lastlinedefined, i.nups, i.nparams, i.isvararg, i.istailcall, i.func == f)
local function g(x) local y = x * 2 local names = {} for k = 1, 5 do local n, v = debug.getlocal(1, k) if n and n:find("state") then v = "?" end if n then names[#names + 1] = n .. "=" .. tostring(v):gsub("table: .*", "table") end end return table.concat(names, " ") end
print(g(21))
local u1, u2 = 10, 20
local function h() return u1 + u2 end
print(debug.getupvalue(h, 1), debug.getupvalue(h, 2), debug.getupvalue(h, 3), debug.setupvalue(h, 1, 100), h(), u1)
local function k() return u2 end
debug.upvaluejoin(k, 1, h, 1) print(k(), debug.upvalueid(k, 1) == debug.upvalueid(h, 1))
print(debug.getinfo(print).what, debug.getinfo(print, "S").short_src, debug.getinfo(1, "l").currentline, debug.getinfo(100))
print(debug.getmetatable("").__index == string, debug.getregistry() ~= nil)
local lines = {}
for l in pairs(debug.getinfo(f, "L").activelines) do lines[#lines + 1] = l end
table.sort(lines) print(table.concat(lines, " "))
local co = coroutine.create(function(p) local q = p + 1 coroutine.yield(q) end)
coroutine.resume(co, 5)
print(debug.getlocal(co, 1, 1)) print(debug.getlocal(co, 1, 2)) print(debug.getinfo(co, 1, "l").currentline)
print(debug.setlocal(co, 1, 1, 50), debug.getlocal(co, 1, 1))
local function va(...) return debug.getlocal(1, -1), debug.getlocal(1, -2) end
print(va("x", "y"))
print(pcall(debug.getinfo, 1, "X"), pcall(debug.getlocal, 100, 1))

--[[expect
f	local	debug_basics.lua	@debug_basics.lua	Lua	2	2	2	1	2	false	false	true
x=21 y=42 names=table (for state)=? (for state)=?
u1	u2	nil	u1	120	100
100	true
C	[C]	12	nil
true	true
2
p	5
q	6
17
p	p	50
(vararg)	(vararg)	y
false	false	bad argument #1 to 'debug.getlocal' (level out of range)
]]
