-- A collection within table.unpack gives stack room back; what is unpacked later has room all the same.
local function sum(...)
  local s = 0
  for i = 1, select("#", ...) do s = s + (select(i, ...)) end
  return select("#", ...), s
end
local function list(from, to)
  local t = setmetatable({}, { __index = function(_, k) collectgarbage() return k end })
  for i = from + 1, to do rawset(t, i, i) end
  return table.unpack(t, from, to)
end
print(sum(list(1, 250)))
print(coroutine.wrap(function() return sum(list(11, 900)) end)())
print(select("#", table.unpack({}, 1, 5000)))
--[[expect
250	31375
890	405395
5000
]]
