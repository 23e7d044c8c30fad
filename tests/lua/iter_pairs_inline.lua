-- pairs and next over arrays with holes, hash parts with keys 0 and below, removals on the way.
local function all(t) local s = {} for k, v in pairs(t) do s[#s+1] = tostring(k) .. "=" .. tostring(v) end return table.concat(s, " ") end
local function sum(t) local s = 0 for k, v in pairs(t) do s = s + k * 2 + v end return s end
local t = {} for i = 1, 50 do t[i] = i end
for _ = 1, 300 do sum(t) all({1,nil,3,x=1,[2.5]=7}) end
print(sum(t), all({1,2,nil,4,x=1}), all({}), all({nil,nil,3}), all({[0]=5,[-1]=6,1}))
local u = {} for i = 1, 10 do u[i] = i end
for k in pairs(u) do u[k] = nil end print(next(u), #u)
for i = 1, 200 do local n = 0 for k, v in next, t do n = n + v if k == 30 then break end end assert(n == 465) end
print(pcall(function() for k in next, t, 51 do end end))

--[[expect
3825	1=1 2=2 4=4 x=1		3=3	1=1 0=5 -1=6
nil	0
true
]]
