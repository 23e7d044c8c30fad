-- Detection of collisions between aircraft: a red-black tree, grid cells, swept spheres.
-- Style: constructors that give each object its own metatable; vectors made for every operation.
-- small: 2
local n = tonumber((...)) or 2400

local Vector = {}
local function vector(x, y, z)
  return setmetatable({ x = x, y = y, z = z }, { __index = Vector })
end
function Vector:plus(o) return vector(self.x + o.x, self.y + o.y, self.z + o.z) end
function Vector:minus(o) return vector(self.x - o.x, self.y - o.y, self.z - o.z) end
function Vector:times(k) return vector(self.x * k, self.y * k, self.z * k) end
function Vector:dot(o) return self.x * o.x + self.y * o.y + self.z * o.z end
function Vector:squared() return self:dot(self) end
function Vector:length() return math.sqrt(self:squared()) end
function Vector:compare(o)
  if self.x ~= o.x then return self.x < o.x and -1 or 1 end
  if self.y ~= o.y then return self.y < o.y and -1 or 1 end
  return self.z < o.z and -1 or self.z > o.z and 1 or 0
end

local function by_number(a, b) return a < b and -1 or a > b and 1 or 0 end

-- A red-black tree of keys and values.
local Tree = {}
function Tree.new(compare) return setmetatable({ compare = compare, size = 0 }, { __index = Tree }) end

local function tree_node(key, value)
  return { key = key, value = value, red = true }
end

function Tree:find(key)
  local node = self.root
  while node do
    local c = self.compare(key, node.key)
    if c == 0 then return node end
    if c < 0 then node = node.left else node = node.right end
  end
end

function Tree:get(key)
  local node = self:find(key)
  return node and node.value
end

function Tree:rotate(x, up, down)
  local y = x[down]
  x[down] = y[up]
  if y[up] then y[up].parent = x end
  y.parent = x.parent
  if x.parent == nil then
    self.root = y
  elseif x == x.parent.left then
    x.parent.left = y
  else
    x.parent.right = y
  end
  y[up] = x
  x.parent = y
end

function Tree:put(key, value)
  local parent, node, side = nil, self.root, nil
  while node do
    parent = node
    local c = self.compare(key, node.key)
    if c == 0 then
      local old = node.value
      node.value = value
      return old
    end
    side = c < 0 and "left" or "right"
    node = node[side]
  end
  local x = tree_node(key, value)
  self.size = self.size + 1
  x.parent = parent
  if parent then parent[side] = x else self.root = x end
  while x ~= self.root and x.parent.red do
    local grand = x.parent.parent
    local mine, other = "left", "right"
    if x.parent ~= grand.left then mine, other = other, mine end
    local uncle = grand[other]
    if uncle and uncle.red then
      x.parent.red, uncle.red, grand.red = false, false, true
      x = grand
    else
      if x == x.parent[other] then
        x = x.parent
        self:rotate(x, mine, other)
      end
      x.parent.red, grand.red = false, true
      self:rotate(grand, other, mine)
    end
  end
  self.root.red = false
end

function Tree:each(f)
  local function walk(node)
    if node then
      walk(node.left)
      f(node.key, node.value)
      walk(node.right)
    end
  end
  walk(self.root)
end

local CELL, RADIUS = 2.0, 0.5

local Motion = {}
function Motion.new(name, from, to)
  return setmetatable({ name = name, from = from, to = to }, { __index = Motion })
end

-- Where two moving spheres touch first, if they do within this step.
function Motion:meets(other)
  local start = self.from:minus(other.from)
  local move = self.to:minus(self.from):minus(other.to:minus(other.from))
  local a, b, c = move:squared(), 2 * start:dot(move), start:squared() - 4 * RADIUS * RADIUS
  if c <= 0 then return self.from:plus(other.from):times(0.5) end
  if a == 0 then return nil end
  local d = b * b - 4 * a * c
  if d < 0 then return nil end
  local t = (-b - math.sqrt(d)) / (2 * a)
  if t < 0 or t > 1 then return nil end
  local p = self.from:plus(self.to:minus(self.from):times(t))
  local q = other.from:plus(other.to:minus(other.from):times(t))
  return p:plus(q):times(0.5)
end

local Detector = {}
function Detector.new() return setmetatable({ known = Tree.new(by_number) }, { __index = Detector }) end

local function cell_of(x) return math.floor(x / CELL) end

function Detector:voxels(motions)
  local cells = Tree.new(function(a, b) return a:compare(b) end)
  for _, m in ipairs(motions) do
    local x0, x1 = math.min(m.from.x, m.to.x) - RADIUS, math.max(m.from.x, m.to.x) + RADIUS
    local y0, y1 = math.min(m.from.y, m.to.y) - RADIUS, math.max(m.from.y, m.to.y) + RADIUS
    for i = cell_of(x0), cell_of(x1) do
      for j = cell_of(y0), cell_of(y1) do
        local key = vector(i, j, 0)
        local list = cells:get(key)
        if not list then
          list = {}
          cells:put(key, list)
        end
        list[#list + 1] = m
      end
    end
  end
  return cells
end

function Detector:step(aircraft)
  local motions = {}
  for _, a in ipairs(aircraft) do
    motions[#motions + 1] = Motion.new(a.name, self.known:get(a.name) or a.at, a.at)
    self.known:put(a.name, a.at)
  end
  local seen, count = {}, 0
  self:voxels(motions):each(function(_, list)
    for i = 1, #list do
      for j = i + 1, #list do
        local a, b = list[i], list[j]
        local pair = a.name * 1000 + b.name
        if not seen[pair] and a:meets(b) then
          seen[pair] = true
          count = count + 1
        end
      end
    end
  end)
  return count
end

local function simulate(t)
  local list = {}
  for i = 1, 40 do
    local angle = t * 0.1 + i * 0.37
    list[i] = {
      name = i,
      at = vector(math.cos(angle) * (i % 7 + 2), math.sin(angle * (1 + i % 3)) * (i % 5 + 1), 10 + i % 2 * 0.3),
    }
  end
  return list
end

local detector = Detector.new()
local total = 0
for t = 1, n do total = total + detector:step(simulate(t)) end
if n == 2400 and total ~= 52122 then error("collision: " .. total) end
print("collision", total, detector.known.size)
