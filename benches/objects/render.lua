-- A renderer: shapes, materials and lights; rays, shadows, reflections; the picture's checksum is printed.
-- Style: closures per shape (no classes), vectors as records with a metatable of operators per instance maker.
-- small: 12
local n = tonumber((...)) or 290

local vec
local operators = {
  __add = function(a, b) return vec(a.x + b.x, a.y + b.y, a.z + b.z) end,
  __sub = function(a, b) return vec(a.x - b.x, a.y - b.y, a.z - b.z) end,
  __mul = function(a, b)
    if type(b) == "number" then return vec(a.x * b, a.y * b, a.z * b) end
    return a.x * b.x + a.y * b.y + a.z * b.z
  end,
  __unm = function(a) return vec(-a.x, -a.y, -a.z) end,
}
function vec(x, y, z) return setmetatable({ x = x, y = y, z = z }, operators) end
local function unit(v) return v * (1 / math.sqrt(v * v)) end

local function matte(r, g, b)
  return { color = function() return r, g, b end, mirror = 0 }
end
local function checkered(size)
  return {
    color = function(p)
      local k = math.floor(p.x / size) + math.floor(p.z / size)
      if k % 2 == 0 then return 0.9, 0.9, 0.9 end
      return 0.1, 0.1, 0.2
    end,
    mirror = 0.15,
  }
end
local function shiny(r, g, b, mirror)
  local m = matte(r, g, b)
  m.mirror = mirror
  return m
end

local function sphere(center, radius, material)
  local self = { material = material, name = "sphere" }
  local square = radius * radius
  function self.hit(from, direction)
    local to = center - from
    local along = to * direction
    if along <= 0 then return nil end
    local d = to * to - along * along
    if d > square then return nil end
    local t = along - math.sqrt(square - d)
    return t > 1e-6 and t or nil
  end
  function self.normal(p) return (p - center) * (1 / radius) end
  return self
end
local function plane(height, material)
  local up = vec(0, 1, 0)
  return {
    material = material,
    name = "plane",
    hit = function(from, direction)
      if direction.y == 0 then return nil end
      local t = (height - from.y) / direction.y
      return t > 1e-6 and t or nil
    end,
    normal = function() return up end,
  }
end
-- What two shapes share is hit where the second begins: a sphere cut by a slab.
local function slab(shape, low, high)
  return {
    material = shape.material,
    name = "cut " .. shape.name,
    hit = function(from, direction)
      local t = shape.hit(from, direction)
      if t then
        local y = from.y + direction.y * t
        if y >= low and y <= high then return t end
      end
      return nil
    end,
    normal = shape.normal,
  }
end

local scene = {
  plane(-1, checkered(0.7)),
  sphere(vec(0, 0.2, 4), 1.2, shiny(0.9, 0.3, 0.2, 0.3)),
  sphere(vec(-1.7, -0.4, 3), 0.6, shiny(0.2, 0.8, 0.3, 0.1)),
  slab(sphere(vec(1.6, -0.3, 2.8), 0.7, shiny(0.3, 0.4, 0.9, 0.5)), -0.8, 0.2),
}
for i = 1, 5 do
  scene[#scene + 1] = sphere(vec(i - 3, -0.85, 1.8 + i % 2 * 0.4), 0.15, matte(i / 5, 0.5, 1 - i / 5))
end
local lights = { { at = vec(-4, 5, -1), power = 0.7 }, { at = vec(5, 3, 1), power = 0.4 } }

local rays = 0
local function nearest(from, direction, except)
  rays = rays + 1
  local best, shape = math.huge, nil
  for _, s in ipairs(scene) do
    if s ~= except then
      local t = s.hit(from, direction)
      if t and t < best then best, shape = t, s end
    end
  end
  return shape, best
end

local function trace(from, direction, depth, except)
  local shape, t = nearest(from, direction, except)
  if not shape then
    local k = 0.5 + 0.5 * direction.y
    return 0.4 * k, 0.6 * k, 0.9 * k
  end
  local p = from + direction * t
  local normal = shape.normal(p)
  local r, g, b = shape.material.color(p)
  local light = 0.1
  for _, l in ipairs(lights) do
    local to = unit(l.at - p)
    local facing = normal * to
    if facing > 0 and not nearest(p, to, shape) then light = light + facing * l.power end
  end
  r, g, b = r * light, g * light, b * light
  local mirror = shape.material.mirror
  if mirror > 0 and depth < 3 then
    local away = unit(direction - normal * (2 * (normal * direction)))
    local r2, g2, b2 = trace(p, away, depth + 1, shape)
    r, g, b = r * (1 - mirror) + r2 * mirror, g * (1 - mirror) + g2 * mirror, b * (1 - mirror) + b2 * mirror
  end
  return r, g, b
end

local eye = vec(0, 0.5, -2)
local sum, row = 0, {}
for y = 0, n - 1 do
  for x = 0, n - 1 do
    local direction = unit(vec((x + 0.5) / n - 0.5, 0.5 - (y + 0.5) / n, 0.9))
    local r, g, b = trace(eye, direction, 0)
    row[x] = math.floor(255 * math.min(r, 1)) + math.floor(255 * math.min(g, 1)) + math.floor(255 * math.min(b, 1))
    sum = (sum * 3 + row[x]) % 1000007
  end
end
if n == 90 and (sum ~= 151999 or rays ~= 27851) then error("render: " .. sum) end
print("render", sum, rays)
