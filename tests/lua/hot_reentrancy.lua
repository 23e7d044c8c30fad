-- Compiled code re-entered: through metamethods, sort, gsub, load, coroutines, while active.
local depth, max = 0, 0
local t = setmetatable({}, { __index = function(t, k) if k <= 0 then return 0 end depth = depth + 1 if depth > max then max = depth end local v = t[k - 1] + 1 depth = depth - 1 return v end })
local s = 0
for i = 1, 200 do s = s + t[i % 30] end
print(s, max)
local function cmp(a, b) return a.k < b.k end
for r = 1, 20 do local l = {} for i = 1, 30 do l[i] = { k = (i * 7 + r) % 31 } end table.sort(l, cmp) for i = 2, 30 do assert(l[i - 1].k <= l[i].k) end end
local n = 0
for i = 1, 200 do ("abc"):gsub(".", function(c) n = n + c:byte() end) end
print(n)
local src = "local a = ... local s = 0 for i = 1, 50 do s = s + a * i end return s"
local total = 0
for i = 1, 60 do total = total + load(src)(i) end
print(total)
local function work(k, depth) local s = 0 for i = 1, 20 do s = s + i * k if i == 10 and depth > 0 then s = s + work(k + 1, depth - 1) end end return s end
print(work(1, 30))
local function gen(n) for i = 1, n do if n > 0 and i % 5 == 0 then for v in coroutine.wrap(function() gen(n - 7) end) do coroutine.yield(v) end end coroutine.yield(i) end end
local g = 0
for v in coroutine.wrap(function() gen(20) end) do g = g + v end
print(g)
local obj = setmetatable({}, { __add = function(a, b) local s = 0 for i = 1, b do s = s + i end return s end })
s = 0
for i = 1, 300 do s = s + (obj + i % 20) end
print(s)

--[[expect
2820	29
58800
2333250
104160
742
19950
]]
