-- Methods over several classes: inheritance by __index chains, one call site seeing four classes.
-- small: 50
local n = tonumber((...)) or 800000

local Shape = {}
Shape.__index = Shape
function Shape.new(class, name)
  return setmetatable({ name = name, hits = 0 }, class)
end
function Shape:area() return 0 end
function Shape:hit() self.hits = self.hits + 1 end
function Shape:describe() return self.name .. ":" .. self.hits end

local function class(parent)
  local c = setmetatable({}, { __index = parent })
  c.__index = c
  return c
end

local Square = class(Shape)
function Square.new(side)
  local s = Shape.new(Square, "square")
  s.side = side
  return s
end
function Square:area() return self.side * self.side end

local Rectangle = class(Shape)
function Rectangle.new(w, h)
  local r = Shape.new(Rectangle, "rectangle")
  r.w, r.h = w, h
  return r
end
function Rectangle:area() return self.w * self.h end

local Circle = class(Shape)
function Circle.new(radius)
  local c = Shape.new(Circle, "circle")
  c.radius = radius
  return c
end
function Circle:area() return 3 * self.radius * self.radius end

local Cube = class(Square)
function Cube.new(side)
  local c = setmetatable(Square.new(side), Cube)
  c.name = "cube"
  return c
end
function Cube:area() return 6 * Square.area(self) end

local shapes = { Square.new(2), Rectangle.new(2, 3), Circle.new(1), Cube.new(1), Shape.new(Shape, "point") }

local total = 0
for i = 1, n do
  for j = 1, #shapes do
    local s = shapes[j]
    total = total + s:area()
    s:hit()
  end
end

if total ~= n * (4 + 6 + 3 + 6) then error("areas sum to " .. total) end
local out = {}
for i, s in ipairs(shapes) do
  if s.hits ~= n then error(s.name .. " was hit " .. s.hits .. " times") end
  out[i] = s:describe()
end
print("method_dispatch", n, total, table.concat(out, " "))
