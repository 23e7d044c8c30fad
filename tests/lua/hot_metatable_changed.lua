-- The metatable of an object used by a hot loop changes in the loop.
local t = {}
local function get(o) return o.v end
local function put(o, x) o.v = x end
local s, sets = 0, 0
for i = 1, 1400 do
  if i == 200 then t.v = 1 end
  if i == 400 then t.v = nil setmetatable(t, { __index = { v = 2 } }) end
  if i == 600 then setmetatable(t, { __index = function(_, k) return 3 end }) end
  if i == 800 then setmetatable(t, { __newindex = function(o, k, x) sets = sets + 1 rawset(o, k, x) end, __index = { v = 4 } }) end
  if i == 1000 then t.v = nil end
  if i == 1200 then setmetatable(t, nil) t.v = nil end
  s = s + (get(t) or 0)
  if i > 900 and i % 50 == 0 then put(t, 5) end
  if i % 200 == 0 then print(i, s, sets) end
end
local cmp = setmetatable({ n = 1 }, {})
local other = setmetatable({ n = 1 }, {})
local eq = 0
for i = 1, 900 do
  if i == 300 then getmetatable(cmp).__eq = function(a, b) return a.n == b.n end end
  if i == 600 then cmp.n = 2 end
  if cmp == other then eq = eq + 1 end
end
print(eq)
local len = 0
for i = 1, 600 do if i == 300 then setmetatable(t, { __len = function() return 100 end }) end len = len + #t end
print(len)

--[[expect
200	1	0
400	202	0
600	603	0
800	1204	0
1000	2053	2
1200	3048	2
1400	4048	2
300
30100
]]
