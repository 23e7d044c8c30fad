-- A global function redefined, removed and restored in the middle of a hot loop.
function step(x) return x + 1 end
local s, log = 0, {}
for i = 1, 1000 do
  if i == 300 then step = function(x) return x + 2 end end
  if i == 500 then step = math.abs end
  if i == 600 then step = setmetatable({}, { __call = function(_, x) return x + 3 end }) end
  if i == 800 then step = nil end
  if i == 801 then function step(x) return x + 0.5 end end
  local ok, v = pcall(function() return step(s) end)
  if ok then s = v else log[#log + 1] = v end
  if i % 100 == 99 then log[#log + 1] = s end
end
for _, v in ipairs(log) do print(v) end
counter = 0
local function bump() counter = counter + 1 return counter end
for i = 1, 500 do bump() end
counter = "5" bump() print(counter, math.type(counter))
counter = 1.5 for i = 1, 300 do bump() end print(counter)
counter = nil print(pcall(bump))

--[[expect
99
199
299
499
699
699
999
1299
hot_global_redefined.lua:10: attempt to call a nil value (global 'step')
1348.5
1398.5
6	integer
301.5
false	hot_global_redefined.lua:16: attempt to perform arithmetic on a nil value (global 'counter')
]]
