-- Open arguments of a tail call are not lost when a collection is due.
local Channel = {}
Channel.__index = Channel
function Channel:publish(result, a, b, c, d, e)
  result[1] = a
  return a, b, c, d.n, e
end
local M = { channel = setmetatable({}, Channel) }
function M:get() return self.channel, {} end
function M.publish(self, name, ...)
  return (self:get(name)):publish({}, ...)
end

for i = 1, 400 do
  local a, b, c, n, e = M:publish('x', i, 'b' .. i, nil, { n = i }, 'e')
  if n ~= i or e ~= 'e' or b ~= 'b' .. i then print('lost', i, a, b, c, n, e) break end
end
print(M:publish('x', 1, 2, 3, { n = 4 }, 5))

-- Endless tail calls with open arguments are interrupted, and collected.
local function id(...) return ... end
local function down(n, t)
  if n == 0 then return t[1] end
  return down(id(n - 1, { n }))
end
print(down(20000))

--[[expect
1	2	3	4	5
1
]]
