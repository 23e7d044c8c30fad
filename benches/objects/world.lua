-- A small world: rooms, things, characters that walk about, take, drop and talk.
-- Style: properties with getters and setters through __index and __newindex functions, mixins, many small methods.
-- small: 20
local n = tonumber((...)) or 70000

-- A class whose instances look for getters, then methods, then the parent's.
local function class(name, parent)
  local c = { name = name, methods = {}, getters = {}, setters = {}, parent = parent }
  local function look(kind, key)
    local at = c
    while at do
      local found = at[kind][key]
      if found then return found end
      at = at.parent
    end
  end
  local meta = {
    __index = function(self, key)
      local getter = look("getters", key)
      if getter then return getter(self) end
      return look("methods", key)
    end,
    __newindex = function(self, key, value)
      local setter = look("setters", key)
      if setter then setter(self, value) else rawset(self, key, value) end
    end,
    __tostring = function(self) return name .. " " .. rawget(self, "_name") end,
  }
  function c.new(object_name, ...)
    local self = setmetatable({ _name = object_name }, meta)
    local init = look("methods", "init")
    if init then init(self, ...) end
    return self
  end
  return c
end

local random_state = 42
local function random(limit)
  random_state = (random_state * 16807) % 2147483647
  return random_state % limit + 1
end

local Thing = class("thing")
function Thing.methods:init(weight) self._weight = weight end
function Thing.getters:weight() return self._weight end
function Thing.getters:place() return self._place end
function Thing.setters:place(where)
  local old = rawget(self, "_place")
  if old then old:remove(self) end
  rawset(self, "_place", where)
  if where then where:add(self) end
end

-- What holds things: mixed into rooms and characters.
local Holder = {}
function Holder.add(self, thing)
  self._things[#self._things + 1] = thing
end
function Holder.remove(self, thing)
  for i, t in ipairs(self._things) do
    if t == thing then return table.remove(self._things, i) end
  end
  error(tostring(thing) .. " is not here")
end
local function mix(class_, mixin)
  for key, value in pairs(mixin) do class_.methods[key] = value end
end

local Room = class("room")
mix(Room, Holder)
function Room.methods:init()
  self._things, self._exits, self.visits = {}, {}, 0
end
function Room.methods:connect(direction, other, back)
  self._exits[direction] = other
  other._exits[back] = self
end
function Room.getters:exits()
  local list = {}
  for _, d in ipairs({ "north", "east", "south", "west" }) do
    if self._exits[d] then list[#list + 1] = d end
  end
  return list
end
function Room.getters:load()
  local sum = 0
  for _, t in ipairs(self._things) do sum = sum + t.weight end
  return sum
end

local Character = class("character", Thing)
mix(Character, Holder)
function Character.methods:init(weight, strength)
  self._things = {}
  self._weight, self.strength, self.log = weight, strength, 0
end
function Character.getters:carried()
  local sum = 0
  for _, t in ipairs(self._things) do sum = sum + t.weight end
  return sum
end
function Character.getters:weight() return self._weight + self.carried end
function Character.methods:say() self.log = self.log + 1 end
function Character.methods:go(direction)
  local to = self.place._exits[direction]
  if not to then return self:say("no way") end
  self.place = to
  to.visits = to.visits + 1
end
function Character.methods:take()
  local here = self.place
  for _, t in ipairs(here._things) do
    if t ~= self and not rawget(t, "strength") and t.weight + self.carried <= self.strength then
      t.place = self
      return t
    end
  end
  self:say("nothing")
end
function Character.methods:drop()
  local t = self._things[1]
  if t then t.place = self.place else self:say("empty hands") end
end
function Character.methods:act()
  local k = random(5)
  if k <= 2 then
    local exits = self.place.exits
    return self:go(exits[random(#exits)])
  elseif k == 3 then
    return self:take()
  elseif k == 4 then
    return self:drop()
  end
  self:say("hm")
end

local Giant = class("giant", Character)
function Giant.methods:init(weight, strength)
  Character.methods.init(self, weight * 3, strength * 4)
end
function Giant.methods:say() self.log = self.log + 3 end

local rooms = {}
for y = 1, 4 do
  for x = 1, 4 do
    local room = Room.new("room " .. x .. "," .. y)
    rooms[#rooms + 1] = room
    if x > 1 then room:connect("west", rooms[#rooms - 1], "east") end
    if y > 1 then room:connect("north", rooms[#rooms - 4], "south") end
  end
end
local things, people = {}, {}
for i = 1, 50 do
  things[i] = Thing.new("thing " .. i, i % 9 + 1)
  things[i].place = rooms[random(16)]
end
for i = 1, 12 do
  people[i] = (i % 4 == 0 and Giant or Character).new("person " .. i, 60 + i, 20)
  people[i].place = rooms[random(16)]
end
for _ = 1, n do
  for _, p in ipairs(people) do p:act() end
end
local weight, visits, said = 0, 0, 0
for _, room in ipairs(rooms) do
  weight = weight + room.load
  visits = visits + room.visits
end
for _, p in ipairs(people) do said = said + p.log end
local expected = 0
for _, t in ipairs(things) do expected = expected + t.weight end
for i = 1, 12 do expected = expected + (60 + i) * (i % 4 == 0 and 3 or 1) end
if weight ~= expected then error("world: " .. weight .. " is not " .. expected) end
print("world", weight, visits, said)
