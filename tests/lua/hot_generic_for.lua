-- Generic loops: ipairs, pairs, next, closures, state functions, changed midway.
local list = {}
for i = 1, 1000 do list[i] = i end
local s = 0
for i, v in ipairs(list) do s = s + i * v end
for k, v in pairs(list) do s = s - k * v end
for k, v in next, list do s = s + v end
print(s)
local function range(n) local i = 0 return function() i = i + 1 if i <= n then return i end end end
for i in range(1000) do s = s + i end
local function step(n, i) if i < n then return i + 1, i * i end end
for i, sq in step, 1000, 0 do s = s + sq end
print(s)
local function total(iter, t) local c = 0 for _, v in iter(t) do c = c + v end return c end
print(total(ipairs, list), total(pairs, list), total(function(t) return next, t end, list))
print(total(pairs, { a = 1, b = 2, 3 }), total(ipairs, { 1, 2, nil, 4 }))
for i, v in ipairs(list) do if i == 500 then list[501] = nil end s = i end
print(s)
local t, n = { 1 }, 0
for i, v in ipairs(t) do if i < 600 then t[i + 1] = v + 1 end n = n + v end
print(n, #t)
for r = 1, 300 do for k, v in pairs({ x = r }) do n = n + v end end
print(n)
print(pcall(function() for i = 1, 400 do for _ in (i < 400 and pairs or 5)({}) do end end end))

--[[expect
500500
333834500
500500	500500	500500
6	3
500
180300	600
225450
false	hot_generic_for.lua:24: attempt to call a number value
]]
