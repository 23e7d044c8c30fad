-- Sorting a large table by a function while collections run: the numbers stay what they are.
local a = {}
for i = 1, 2500 do a[i] = (i * 7919) % 2503 + 0.5 end
local calls = 0
table.sort(a, function(x, y)
  calls = calls + 1
  if calls % 4096 == 0 then collectgarbage() end
  return x < y
end)
local ok = true
for i = 2, #a do ok = ok and a[i - 1] <= a[i] end
print(#a, ok, calls > 2500)
-- With holes, through metamethods.
local n = 2200
local back = {}
for i = 1, 2189 do back[i] = i % 97 end
local proxy = setmetatable({}, {
  __len = function() return n end,
  __index = back,
  __newindex = back,
})
print(pcall(table.sort, proxy, function(x, y)
  if not (x and y) then collectgarbage() end
  return (x or 100) < (y or 100)
end))
print(back[1], back[2189], back[2190], back[n])
print(pcall(table.sort, setmetatable({}, { __len = function() return n end })))

--[[expect
2500	true	true
true
0	96	nil	nil
false	attempt to compare two nil values
]]
