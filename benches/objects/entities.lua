-- An entity system: components in stores, systems over views, a message bus.
-- Style: components as plain tables of different shapes, systems as tables of functions, deletion while walking.
-- small: 10
local n = tonumber((...)) or 4000

local World = {}
World.__index = World

function World.new()
  return setmetatable({ next = 0, alive = {}, stores = {}, systems = {}, dead = {}, listeners = {} }, World)
end
function World:store(kind)
  local store = self.stores[kind]
  if not store then
    store = {}
    self.stores[kind] = store
  end
  return store
end
function World:spawn(components)
  local id = self.next + 1
  self.next = id
  self.alive[id] = true
  for kind, data in pairs(components) do self:store(kind)[id] = data end
  return id
end
function World:kill(id) self.dead[#self.dead + 1] = id end
function World:reap()
  for i = 1, #self.dead do
    local id = self.dead[i]
    if self.alive[id] then
      self.alive[id] = nil
      for _, store in pairs(self.stores) do store[id] = nil end
    end
    self.dead[i] = nil
  end
end
function World:on(event, f)
  local list = self.listeners[event] or {}
  self.listeners[event] = list
  list[#list + 1] = f
end
function World:emit(event, ...)
  local list = self.listeners[event]
  if list then
    for i = 1, #list do list[i](...) end
  end
end

-- Entities that have all of the kinds, in the order of their numbers.
function World:view(first, ...)
  local others = {}
  for i = 1, select("#", ...) do others[i] = self:store((select(i, ...))) end
  local store = self:store(first)
  local ids = {}
  for id in pairs(store) do ids[#ids + 1] = id end
  table.sort(ids)
  local at = 0
  local count = #others
  return function()
    while true do
      at = at + 1
      local id = ids[at]
      if not id then return nil end
      local a = store[id]
      if a then
        if count == 0 then return id, a end
        local b = others[1][id]
        if b then
          if count == 1 then return id, a, b end
          local c = others[2][id]
          if c then return id, a, b, c end
        end
      end
    end
  end
end
function World:system(name, f) self.systems[#self.systems + 1] = { name = name, run = f, calls = 0 } end
function World:step(dt)
  for _, s in ipairs(self.systems) do
    s.calls = s.calls + 1
    s.run(self, dt)
  end
  self:reap()
end

local world = World.new()
local state = 7
local function random()
  state = (state * 48271) % 2147483647
  return state / 2147483647
end

world:system("move", function(w, dt)
  for _, p, v in w:view("position", "velocity") do
    p.x, p.y = p.x + v.x * dt, p.y + v.y * dt
    if p.x < 0 or p.x > 100 then v.x = -v.x end
    if p.y < 0 or p.y > 100 then v.y = -v.y end
  end
end)
world:system("gravity", function(w, dt)
  for _, v, m in w:view("velocity", "mass") do v.y = v.y - m.kilograms * 0.01 * dt end
end)
world:system("age", function(w, dt)
  for id, life in w:view("lifetime") do
    life.left = life.left - dt
    if life.left <= 0 then w:kill(id) w:emit("died", id) end
  end
end)
world:system("poison", function(w, dt)
  for id, h, p in w:view("health", "poison") do
    h.points = h.points - p.strength * dt
    if h.points <= 0 then w:kill(id) w:emit("died", id, "poison") end
  end
end)
local function spawn_some(w, count)
  for _ = 1, count do
    local k = random()
    local c = { position = { x = random() * 100, y = random() * 100 } }
    if k < 0.8 then c.velocity = { x = random() - 0.5, y = random() - 0.5 } end
    if k < 0.4 then c.mass = { kilograms = random() * 10, label = "m" } end
    if k > 0.3 then c.lifetime = { left = 5 + random() * 20 } end
    if k < 0.6 then c.health = { points = 10 + random() * 10 } end
    if k < 0.3 then c.poison = { strength = random() } end
    w:spawn(c)
  end
end
local deaths, poisoned = 0, 0
world:on("died", function() deaths = deaths + 1 end)
world:on("died", function(_, why) if why == "poison" then poisoned = poisoned + 1 end end)
world:system("spawn", function(w) spawn_some(w, 4) end)

spawn_some(world, 100)
for _ = 1, n do world:step(0.5) end
local left, energy = 0, 0
for id in pairs(world.alive) do left = left + 1 end
for _, v in world:view("velocity") do energy = energy + math.abs(v.x) end
if left + deaths < world.next then error("entities: " .. left .. " + " .. deaths .. " < " .. world.next) end
print("entities", world.next, left, deaths, poisoned, string.format("%.6f", energy))
