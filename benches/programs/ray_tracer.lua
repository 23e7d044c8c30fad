-- A small ray tracer: spheres over a floor, shadows and reflections.
-- small: 8
local n = tonumber((...)) or 280

local sqrt, floor, max = math.sqrt, math.floor, math.max

local function vec(x, y, z) return { x = x, y = y, z = z } end
local function add(a, b) return vec(a.x + b.x, a.y + b.y, a.z + b.z) end
local function sub(a, b) return vec(a.x - b.x, a.y - b.y, a.z - b.z) end
local function scale(a, k) return vec(a.x * k, a.y * k, a.z * k) end
local function dot(a, b) return a.x * b.x + a.y * b.y + a.z * b.z end
local function unit(a) return scale(a, 1 / sqrt(dot(a, a))) end

local Sphere = {}
Sphere.__index = Sphere
function Sphere.new(center, radius, shade, mirror)
  return setmetatable({ center = center, radius = radius, shade = shade, mirror = mirror }, Sphere)
end
function Sphere:intersect(origin, direction)
  local oc = sub(origin, self.center)
  local b = dot(oc, direction)
  local d = b * b - dot(oc, oc) + self.radius * self.radius
  if d < 0 then return nil end
  local root = sqrt(d)
  local t = -b - root
  if t > 1e-4 then return t end
  t = -b + root
  if t > 1e-4 then return t end
  return nil
end
function Sphere:normal(point) return unit(sub(point, self.center)) end
function Sphere:shadeAt() return self.shade end

local Floor = {}
Floor.__index = Floor
function Floor.new(y)
  return setmetatable({ y = y, mirror = 0.2 }, Floor)
end
function Floor:intersect(origin, direction)
  if direction.y > -1e-6 then return nil end
  local t = (self.y - origin.y) / direction.y
  if t > 1e-4 then return t end
  return nil
end
function Floor:normal() return vec(0, 1, 0) end
function Floor:shadeAt(point)
  if (floor(point.x) + floor(point.z)) % 2 == 0 then return 0.9 end
  return 0.3
end

local scene = {
  Floor.new(-1),
  Sphere.new(vec(0, 0, 5), 1, 0.8, 0.3),
  Sphere.new(vec(-2, 0.2, 6), 1.2, 0.6, 0.1),
  Sphere.new(vec(2, -0.3, 4.5), 0.7, 0.9, 0.5),
}
local light = unit(vec(1, 2, -1))

local function nearest(origin, direction)
  local best, object
  for _, o in ipairs(scene) do
    local t = o:intersect(origin, direction)
    if t and (not best or t < best) then best, object = t, o end
  end
  return best, object
end

local function trace(origin, direction, depth)
  local t, object = nearest(origin, direction)
  if not t then return 0.2 + 0.3 * max(0, direction.y) end
  local point = add(origin, scale(direction, t))
  local normal = object:normal(point)
  local shade = object:shadeAt(point)
  local lit = max(0, dot(normal, light))
  if lit > 0 and nearest(point, light) then lit = 0 end
  local colour = shade * (0.15 + 0.85 * lit)
  if depth > 0 and object.mirror > 0 then
    local reflected = sub(direction, scale(normal, 2 * dot(normal, direction)))
    colour = colour * (1 - object.mirror) + object.mirror * trace(point, reflected, depth - 1)
  end
  return colour
end

local sum, darkest, brightest = 0, 1, 0
for y = 0, n - 1 do
  for x = 0, n - 1 do
    local direction = unit(vec((x + 0.5) / n * 2 - 1, 1 - (y + 0.5) / n * 2, 1.5))
    local colour = trace(vec(0, 0, 0), direction, 3)
    sum = sum + colour
    if colour < darkest then darkest = colour end
    if colour > brightest then brightest = colour end
  end
end
local mean = sum / (n * n)
if darkest <= 0 or brightest > 1 or math.abs(mean - 0.367) > (n >= 50 and 0.005 or 0.05) then
  error("ray tracer: mean " .. mean .. " of " .. darkest .. " to " .. brightest)
end
print("ray_tracer", n, string.format("%.9f", mean))
