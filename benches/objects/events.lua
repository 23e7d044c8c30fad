-- A discrete simulation: an event queue in a heap, customers in a bank with several counters.
-- Style: closures as objects (no metatable at all), callbacks that make callbacks, private state in upvalues.
-- small: 100
local n = tonumber((...)) or 700000

local unpack_all = table.unpack or unpack

local function generator(seed)
  return function()
    seed = (seed * 16807) % 2147483647
    return seed / 2147483647
  end
end

local function heap(before)
  local items, size = {}, 0
  return {
    push = function(x)
      size = size + 1
      local i = size
      while i > 1 do
        local up = (i - i % 2) / 2
        if not before(x, items[up]) then break end
        items[i] = items[up]
        i = up
      end
      items[i] = x
    end,
    pop = function()
      local top = items[1]
      if not top then return nil end
      local x = items[size]
      items[size] = nil
      size = size - 1
      if size > 0 then
        local i = 1
        while 2 * i <= size do
          local c = 2 * i
          if c < size and before(items[c + 1], items[c]) then c = c + 1 end
          if not before(items[c], x) then break end
          items[i] = items[c]
          i = c
        end
        items[i] = x
      end
      return top
    end,
    size = function() return size end,
  }
end

local function simulation()
  local now, serial, count = 0, 0, 0
  local queue = heap(function(a, b)
    if a.time ~= b.time then return a.time < b.time end
    return a.serial < b.serial
  end)
  local self = {}
  function self.now() return now end
  function self.after(delay, action, ...)
    serial = serial + 1
    local event = { time = now + delay, serial = serial, action = action, ... }
    queue.push(event)
    return function() event.action = nil end
  end
  function self.run(limit)
    while count < limit do
      local event = queue.pop()
      if not event then break end
      now = event.time
      local action = event.action
      if action then
        count = count + 1
        action(unpack_all(event))
      end
    end
    return count
  end
  return self
end

local function counter(sim, service, random)
  local busy, served, idle_since, idle = false, 0, 0, 0
  local self = {}
  function self.free() return not busy end
  function self.serve(done)
    busy = true
    idle = idle + sim.now() - idle_since
    sim.after(service * (0.5 + random()), function()
      busy = false
      served = served + 1
      idle_since = sim.now()
      done(self)
    end)
  end
  function self.statistics() return served, idle end
  return self
end

local function bank(sim, counters, random)
  local waiting, first, last = {}, 1, 0
  local left, total_wait, longest = 0, 0, 0
  local next_customer
  local function take(desk)
    while first <= last do
      local customer = waiting[first]
      waiting[first] = nil
      first = first + 1
      if customer.cancel then
        customer.cancel()
        local wait = sim.now() - customer.came
        total_wait = total_wait + wait
        if wait > longest then longest = wait end
        return desk.serve(next_customer)
      end
    end
  end
  next_customer = function(desk) take(desk) end
  local self = {}
  function self.enter()
    for _, desk in ipairs(counters) do
      if desk.free() then return desk.serve(next_customer) end
    end
    local customer = { came = sim.now() }
    customer.cancel = sim.after(3 + random() * 5, function()
      customer.cancel = nil
      left = left + 1
    end)
    last = last + 1
    waiting[last] = customer
  end
  function self.statistics() return left, total_wait, longest end
  return self
end

local random = generator(1234)
local sim = simulation()
local counters = {}
for i = 1, 3 do counters[i] = counter(sim, 1 + i * 0.5, random) end
local place = bank(sim, counters, random)
local arrived = 0
local function arrive()
  arrived = arrived + 1
  place.enter()
  sim.after(random() * 1.2, arrive)
end
arrive()
local count = sim.run(n)
local served = 0
for _, desk in ipairs(counters) do served = served + desk.statistics() end
local left, total, longest = place.statistics()
if served + left > arrived then error("events: more left than came") end
if count ~= n then error("events: " .. count) end
print("events", arrived, served, left, string.format("%.4f %.4f", total, longest))
