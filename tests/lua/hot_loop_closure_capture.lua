-- Loop variables captured in hot loops while the loop goes on to change them.
local fs = {}
for i = 1, 600 do
  local x = i
  if i % 100 == 0 then fs[#fs + 1] = function(d) x = x + d return x end end
  x = x * 2
end
local out = {}
for _, f in ipairs(fs) do out[#out + 1] = f(1) out[#out + 1] = f(1) end
print(table.concat(out, " "))
local get
local n = 0
while n < 500 do
  local k = n
  n = n + 1
  if n == 400 then get = function() k = k + 1 return k end end
  k = k + 1000
end
print(get(), get())
local acc = 0
local function add(v) acc = acc + v end
for i = 1, 600 do add(i) if i == 300 then local old = add add = function(v) old(-v) end end end
print(acc)
local shared = 0
local incs = {}
for i = 1, 10 do incs[i] = function() shared = shared + i return shared end end
for r = 1, 100 do for i = 1, 10 do incs[i]() end end
print(shared)
local function outer()
  local v = 0
  local function inc() v = v + 1 end
  for i = 1, 500 do inc() v = v + 1 end
  return v, inc, function() return v end
end
local v, inc, read = outer()
for i = 1, 300 do inc() end
print(v, read())
local r = {}
for i = 1, 3 do local y <close> = setmetatable({}, { __close = function() r[#r + 1] = i end }) for j = 1, 200 do if j == 100 then break end end end
print(table.concat(r))

--[[expect
201 202 401 402 601 602 801 802 1001 1002 1201 1202
1400	1401
-90000
5500
1000	1300
123
]]
