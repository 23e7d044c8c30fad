-- Updating tables while traversing them in hot loops.
local t = {}
for i = 1, 200 do t["k" .. i] = i end
for r = 1, 5 do for k, v in pairs(t) do t[k] = v + 1 end end
local s = 0
for k, v in pairs(t) do s = s + v end
print(s)
for k, v in pairs(t) do if v % 2 == 0 then t[k] = nil end end
s = 0
for k, v in pairs(t) do s = s + 1 end
print(s)
local a = {}
for i = 1, 300 do a[i] = i end
for i, v in ipairs(a) do a[i] = v * 2 if i > 1 then a[i - 1] = a[i - 1] + 1 end end
print(a[1], a[299], a[300])
for k, v in pairs(a) do a[k] = v % 3 == 0 and "three" or v + 0.5 end
local strs, nums = 0, 0
for k, v in pairs(a) do if v == "three" then strs = strs + 1 else nums = nums + v end end
print(strs, nums)
local rounds = 0
for i = 1, 300 do local q = { 1, 2, 3 } for k in pairs(q) do q[k] = nil end if next(q) == nil then rounds = rounds + 1 end end
print(rounds)

--[[expect
21100
100
3	599	600
101	60098.5
300
]]
