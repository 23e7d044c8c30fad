-- dump: ssa-opt, exits
-- of: drive
-- A method found through the metatable, inlined; fields by shape.
local Point = {}
Point.__index = Point
function Point.step(self, dx) self.x = self.x + dx return self end
local function drive(p, n)
  while n > 0 do
    p:step(2)
    n = n - 1
  end
  return p.x
end
for _ = 1, 150 do drive(setmetatable({ x = 0 }, Point), 3) end
