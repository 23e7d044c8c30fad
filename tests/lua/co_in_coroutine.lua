-- Coroutines resuming coroutines; errors pass through wrap; recursion of generators.
local function tree(n) if n > 0 then return { tree(n - 1), n, tree(n - 1) } end end
local function walk(t) if t then for v in coroutine.wrap(function() walk(t[1]) end) do coroutine.yield(v) end coroutine.yield(t[2]) for v in coroutine.wrap(function() walk(t[3]) end) do coroutine.yield(v) end end end
local out = {}
for v in coroutine.wrap(function() walk(tree(4)) end) do out[#out + 1] = v end
print(table.concat(out, " "))
local function perm(a, n) n = n or #a if n <= 1 then coroutine.yield(table.concat(a)) else for i = 1, n do a[n], a[i] = a[i], a[n] perm(a, n - 1) a[n], a[i] = a[i], a[n] end end end
local count, first, last = 0
for p in coroutine.wrap(function() perm { "a", "b", "c", "d", "e" } end) do count = count + 1 first = first or p last = p end
print(count, first, last)
local w1 = coroutine.wrap(function() coroutine.wrap(function() error("inner", 0) end)() end)
print(pcall(w1))
local levels = 0
local function nest(n) levels = n if n == 0 then return "bottom" end return coroutine.wrap(nest)(n - 1) end
print(nest(50), levels)
local ping, pong
local log = {}
ping = coroutine.create(function() for i = 1, 3 do log[#log + 1] = "ping" .. i coroutine.yield() end end)
pong = coroutine.create(function() for i = 1, 3 do coroutine.resume(ping) log[#log + 1] = "pong" .. i coroutine.yield() end end)
while coroutine.resume(pong) and coroutine.status(pong) ~= "dead" do end
print(table.concat(log, " "))

--[[expect
1 2 1 3 1 2 1 4 1 2 1 3 1 2 1
120	bcdea	abcde
false	co_in_coroutine.lua:11: inner
bottom	0
ping1 pong1 ping2 pong2 ping3 pong3
]]
