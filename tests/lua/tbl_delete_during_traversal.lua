-- Assigning to existing fields, and clearing them, during a traversal.
local t = {}
for i = 1, 300 do t[i] = i t["k" .. i] = i t[i + 0.5] = i end
local n = 0
for k, v in pairs(t) do t[k] = nil n = n + 1 end
print(n, next(t))
for i = 1, 300 do t["k" .. i] = i end
n = 0
for k, v in pairs(t) do if v % 2 == 0 then t[k] = nil else t[k] = v * 2 end n = n + 1 end
print(n)
n = 0
for k, v in pairs(t) do assert(v % 2 == 0) n = n + v end
print(n)
for k in pairs(t) do t[k] = nil collectgarbage("step") end
print(next(t))
t = { a = 1, b = 2, c = 3 }
for k in next, t do t[k] = nil end
print(next(t))
for i = 1, 50 do t[i] = i end
local k = next(t)
local seen = 0
while k do local nk = next(t, k) t[k] = nil seen = seen + 1 k = nk end
print(seen, next(t))

--[[expect
900	nil
300
45000
nil
nil
50	nil
]]
