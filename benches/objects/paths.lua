-- Shortest paths in a maze: A-star and breadth-first search over nodes named "x,y".
-- Style: strings as keys everywhere, tables made and dropped, a priority queue object, iterators by coroutine.
-- small: 12
local n = tonumber((...)) or 300

local function key(x, y) return x .. "," .. y end
local function split(k)
  local x, y = k:match("^(%-?%d+),(%-?%d+)$")
  return tonumber(x), tonumber(y)
end

local Queue = {}
function Queue:new() return setmetatable({ items = {}, ranks = {}, size = 0 }, { __index = self }) end
function Queue:push(item, rank)
  self.size = self.size + 1
  local i = self.size
  while i > 1 do
    local up = math.floor(i / 2)
    if self.ranks[up] <= rank then break end
    self.items[i], self.ranks[i] = self.items[up], self.ranks[up]
    i = up
  end
  self.items[i], self.ranks[i] = item, rank
end
function Queue:pop()
  local top = self.items[1]
  if self.size == 0 then return nil end
  local item, rank = self.items[self.size], self.ranks[self.size]
  self.items[self.size], self.ranks[self.size] = nil, nil
  self.size = self.size - 1
  local i = 1
  while true do
    local c = 2 * i
    if c > self.size then break end
    if c < self.size and self.ranks[c + 1] < self.ranks[c] then c = c + 1 end
    if self.ranks[c] >= rank then break end
    self.items[i], self.ranks[i] = self.items[c], self.ranks[c]
    i = c
  end
  if self.size > 0 then self.items[i], self.ranks[i] = item, rank end
  return top
end

local Maze = {}
Maze.__index = Maze
function Maze.new(size, seed)
  local walls = {}
  local state = seed
  for y = 1, size do
    for x = 1, size do
      state = (state * 16807) % 2147483647
      if state % 100 < 28 and not (x + y < 5 or x + y > 2 * size - 3) then walls[key(x, y)] = true end
    end
  end
  return setmetatable({ size = size, walls = walls }, Maze)
end
function Maze:neighbours(k)
  return coroutine.wrap(function()
    local x, y = split(k)
    for _, d in ipairs({ { 1, 0 }, { 0, 1 }, { -1, 0 }, { 0, -1 } }) do
      local nx, ny = x + d[1], y + d[2]
      if nx >= 1 and ny >= 1 and nx <= self.size and ny <= self.size then
        local other = key(nx, ny)
        if not self.walls[other] then coroutine.yield(other) end
      end
    end
  end)
end
function Maze:breadth(from, to)
  local distance, list, at = { [from] = 0 }, { from }, 1
  while list[at] do
    local k = list[at]
    if k == to then return distance[k], at end
    for other in self:neighbours(k) do
      if distance[other] == nil then
        distance[other] = distance[k] + 1
        list[#list + 1] = other
      end
    end
    at = at + 1
  end
  return nil, at
end
function Maze:astar(from, to)
  local tx, ty = split(to)
  local cost, came, done = { [from] = 0 }, {}, {}
  local queue = Queue:new()
  queue:push(from, 0)
  local visited = 0
  while true do
    local k = queue:pop()
    if not k then return nil, visited end
    if not done[k] then
      done[k] = true
      visited = visited + 1
      if k == to then
        local path = { k }
        while came[k] do
          k = came[k]
          table.insert(path, 1, k)
        end
        return #path - 1, visited, table.concat(path, " ")
      end
      for other in self:neighbours(k) do
        local c = cost[k] + 1
        if cost[other] == nil or c < cost[other] then
          cost[other], came[other] = c, k
          local x, y = split(other)
          queue:push(other, c + math.abs(tx - x) + math.abs(ty - y))
        end
      end
    end
  end
end

local total, visited, open = 0, 0, 0
for seed = 1, 6 do
  local maze = Maze.new(n, seed * 7919)
  local from, to = key(1, 1), key(n, n)
  local a, seen = maze:breadth(from, to)
  local b, count, path = maze:astar(from, to)
  if a ~= b then error("paths: " .. tostring(a) .. " and " .. tostring(b)) end
  if a then
    open = open + 1
    total = total + a
    if #path < 2 * a then error("paths: too short") end
  end
  visited = visited + seen + count
end
print("paths", open, total, visited)
