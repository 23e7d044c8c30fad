-- next: order does not matter, every key exactly once, errors for unknown keys.
local t = { 1, 2, 3, x = 1, y = 2, [2.5] = 3, [true] = 4, [print] = 5 }
local n, sum = 0, 0
for k, v in next, t do n = n + 1 sum = sum + v end
print(n, sum)
print(next({}), next({}, nil), next({ 10 }), next({ 10 }, 1))
print(pcall(next, {}, "missing"))
print(pcall(next, { 1, 2 }, 5))
print(pcall(next), pcall(next, nil))
local seen = {}
for i = 1, 500 do t["k" .. i] = i end
for k in pairs(t) do assert(not seen[k]) seen[k] = true end
n = 0
for k in pairs(seen) do n = n + 1 end
print(n)
local one = { v = 1 }
local count = 0
for i = 1, 500 do for k, v in pairs(one) do count = count + v end end
print(count)
local arr = {}
for i = 1, 100 do arr[i] = i end
local order = {}
for k in pairs(arr) do order[#order + 1] = k end
print(table.concat(order, " ", 1, 10), #order)

--[[expect
8	21
nil	nil	1	nil
false	invalid key to 'next'
false	invalid key to 'next'
false	false	bad argument #1 to 'next' (table expected, got nil)
508
500
1 2 3 4 5 6 7 8 9 10	100
]]
