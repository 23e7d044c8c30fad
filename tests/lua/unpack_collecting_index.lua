-- A collection within table.unpack gives stack room back; what is unpacked later has room all the same.
local calls = 0
local t = setmetatable({}, {
  __index = function(_, k)
    calls = calls + 1
    if k % 400 == 1 then collectgarbage() end
    return k
  end,
})
local function sum(...)
  local s = 0
  for i = 1, select("#", ...) do s = s + (select(i, ...)) end
  return select("#", ...), s
end
print(sum(table.unpack(t, 1, 250)))
print(calls)
local co = coroutine.wrap(function() return sum(table.unpack(t, 11, 900)) end)
print(co())
print(select("#", table.unpack({}, 1, 5000)))
--[[expect
250	31375
250
890	405395
5000
]]
