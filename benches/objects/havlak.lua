-- Recognition of loops in control flow graphs, after Havlak's nested-loop forest.
-- Style: a class function that copies inherited methods into each class, constructors named init.
-- small: 1
local n = tonumber((...)) or 90

local function class(parent)
  local c = {}
  if parent then
    for name, method in pairs(parent) do c[name] = method end
  end
  c.__index = c
  c.new = function(...)
    local o = setmetatable({}, c)
    o:init(...)
    return o
  end
  return c
end

local List = class()
function List:init() self.count = 0 end
function List:add(x)
  self.count = self.count + 1
  self[self.count] = x
end
function List:each(f)
  for i = 1, self.count do f(self[i]) end
end

local Node = class()
function Node:init(name)
  self.name, self.inputs, self.outputs = name, List.new(), List.new()
end

local Graph = class()
function Graph:init() self.nodes, self.order = {}, List.new() end
function Graph:node(name)
  local node = self.nodes[name]
  if not node then
    node = Node.new(name)
    self.nodes[name] = node
    self.order:add(node)
    self.start = self.start or node
  end
  return node
end
function Graph:edge(from, to)
  from, to = self:node(from), self:node(to)
  from.outputs:add(to)
  to.inputs:add(from)
end

local Region = class()
function Region:init(header, reducible)
  self.header, self.reducible, self.children, self.members = header, reducible, List.new(), List.new()
  self.depth = 0
end
function Region:adopt(child)
  child.parent = self
  self.children:add(child)
end
function Region:nest(depth)
  self.depth = depth
  local deepest = depth
  self.children:each(function(child) deepest = math.max(deepest, child:nest(depth + 1)) end)
  return deepest
end

local Root = class(Region)
function Root:init() Region.init(self, nil, true) end

-- Union and find with path compression.
local Set = class()
function Set:init(node, number) self.node, self.number, self.up = node, number, self end
function Set:find()
  local path = List.new()
  local s = self
  while s ~= s.up do
    if s.up ~= s.up.up then path:add(s) end
    s = s.up
  end
  for i = 1, path.count do path[i].up = s end
  return s
end
function Set:union(other) self.up = other end

local Finder = class()
function Finder:init(graph)
  self.graph, self.root, self.found = graph, Root.new(), List.new()
end
function Finder:number(node, current)
  self.sets[current] = Set.new(node, current)
  self.numbers[node] = current
  local last = current
  node.outputs:each(function(target)
    if not self.numbers[target] then last = self:number(target, last + 1) end
  end)
  self.last[current] = last
  return last
end
function Finder:is_ancestor(w, v) return w <= v and v <= self.last[w] end
function Finder:run()
  self.sets, self.numbers, self.last = {}, {}, {}
  local size = self:number(self.graph.start, 1)
  local back, other, header, kind, regions = {}, {}, {}, {}, {}
  for w = 1, size do
    back[w], other[w], header[w], kind[w] = List.new(), {}, 1, "plain"
    self.sets[w].node.inputs:each(function(input)
      local v = self.numbers[input]
      if v then
        if self:is_ancestor(w, v) then back[w]:add(v) else other[w][v] = true end
      end
    end)
  end
  for w = size, 1, -1 do
    local pool = List.new()
    local in_pool = {}
    back[w]:each(function(v)
      if v ~= w then
        local s = self.sets[v]:find()
        if not in_pool[s] then
          in_pool[s] = true
          pool:add(s)
        end
      else
        kind[w] = "self"
      end
    end)
    if pool.count > 0 then kind[w] = "reducible" end
    local i = 1
    while i <= pool.count do
      local x = pool[i]
      i = i + 1
      -- In the order of numbers, so that every engine does the same.
      local inputs = {}
      for v in pairs(other[x.number]) do inputs[#inputs + 1] = v end
      table.sort(inputs)
      for _, v in ipairs(inputs) do
        local y = self.sets[v]:find()
        if not self:is_ancestor(w, y.number) then
          kind[w] = "irreducible"
          other[w][y.number] = true
        elseif y.number ~= w and not in_pool[y] then
          in_pool[y] = true
          pool:add(y)
        end
      end
    end
    if pool.count > 0 or kind[w] == "self" then
      local region = Region.new(self.sets[w].node, kind[w] ~= "irreducible")
      regions[w] = region
      self.found:add(region)
      pool:each(function(s)
        header[s.number] = w
        s:union(self.sets[w])
        if regions[s.number] then region:adopt(regions[s.number]) else region.members:add(s.node) end
      end)
    end
  end
  self.found:each(function(region)
    if not region.parent then self.root:adopt(region) end
  end)
  return self.found.count, self.root:nest(0)
end

local Maker = class()
function Maker:init() self.graph, self.next = Graph.new(), 0 end
function Maker:fresh()
  self.next = self.next + 1
  return self.next
end
function Maker:straight(from, length)
  for _ = 1, length do
    local to = self:fresh()
    self.graph:edge(from, to)
    from = to
  end
  return from
end
function Maker:diamond(from)
  local a, b, c = self:fresh(), self:fresh(), self:fresh()
  self.graph:edge(from, a)
  self.graph:edge(from, b)
  self.graph:edge(a, c)
  self.graph:edge(b, c)
  return c
end
function Maker:loop(from, depth)
  local header = self:straight(from, 1)
  local body = self:diamond(header)
  if depth > 0 then body = self:loop(body, depth - 1) end
  body = self:diamond(body)
  self.graph:edge(body, header)
  return self:straight(body, 1)
end

local loops, depth = 0, 0
for round = 1, n do
  local maker = Maker.new()
  local at = maker:fresh()
  maker.graph:node(at)
  for i = 1, 60 do
    at = maker:loop(at, (i + round) % 6)
    if i % 9 == 0 then
      -- A second entry into the loop that comes next: irreducible.
      local inside = maker:fresh()
      local head = maker:fresh()
      maker.graph:edge(at, head)
      maker.graph:edge(at, inside)
      maker.graph:edge(head, inside)
      maker.graph:edge(inside, head)
      at = maker:straight(inside, 2)
    end
  end
  local found, deepest = Finder.new(maker.graph):run()
  loops, depth = loops + found, math.max(depth, deepest)
end
if loops ~= n * 216 or depth ~= 6 then error("havlak: " .. loops .. " loops, " .. depth .. " deep") end
print("havlak", loops, depth)
