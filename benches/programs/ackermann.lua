-- Ackermann's function: deep recursion, nested calls as arguments, a tail call.
-- small: 4
local n = tonumber((...)) or 10

local function ack(m, n)
  if m == 0 then return n + 1 end
  if n == 0 then return ack(m - 1, 1) end
  return ack(m - 1, ack(m, n - 1))
end

local result = ack(3, n)
if result ~= 2 ^ (n + 3) - 3 then error("ack(3, n) gave " .. result) end
print("ackermann", n, result)
