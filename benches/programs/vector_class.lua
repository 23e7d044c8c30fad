-- A vector class with arithmetic metamethods.
-- small: 50
local n = tonumber((...)) or 450000

local Vector = {}
Vector.__index = Vector

local function vec(x, y, z)
  return setmetatable({ x = x, y = y, z = z }, Vector)
end

function Vector.__add(a, b) return vec(a.x + b.x, a.y + b.y, a.z + b.z) end
function Vector.__sub(a, b) return vec(a.x - b.x, a.y - b.y, a.z - b.z) end
function Vector.__mul(a, b)
  if type(a) == "number" then return vec(a * b.x, a * b.y, a * b.z) end
  if type(b) == "number" then return vec(a.x * b, a.y * b, a.z * b) end
  return a.x * b.x + a.y * b.y + a.z * b.z
end
function Vector.__unm(a) return vec(-a.x, -a.y, -a.z) end
function Vector.__eq(a, b) return a.x == b.x and a.y == b.y and a.z == b.z end
function Vector.__lt(a, b) return a:length() < b:length() end
function Vector.__tostring(a) return "(" .. a.x .. ", " .. a.y .. ", " .. a.z .. ")" end
function Vector:length() return math.sqrt(self * self) end
function Vector:cross(b)
  return vec(self.y * b.z - self.z * b.y, self.z * b.x - self.x * b.z, self.x * b.y - self.y * b.x)
end

local position = vec(0, 0, 0)
local velocity = vec(1, 2, 3)
local equal, longer = 0, 0
for i = 1, n do
  position = position + velocity * 2 - velocity
  if position == velocity * i then equal = equal + 1 end
  if i % 4 == 0 then
    local side = velocity:cross(-position)
    if side == vec(0, 0, 0) then longer = longer + 1 end
    if velocity < position then longer = longer + 1 end
  end
end
if equal ~= n then error("vectors: " .. equal .. " equal") end
if longer ~= 2 * math.floor(n / 4) then error("vectors: " .. longer .. " longer") end
if position ~= vec(n, 2 * n, 3 * n) then error("vectors: " .. tostring(position)) end
print("vector_class", n, tostring(position))
