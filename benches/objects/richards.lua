-- An operating system's scheduler, after Martin Richards' description: tasks with queues of packets.
-- Style: inheritance in two levels, and a metatable of its own for every object.
-- small: 2
local n = tonumber((...)) or 45

local function new(class, object)
  return setmetatable(object, { __index = class })
end

local IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = 1, 2, 3, 4, 5, 6
local KIND_DEVICE, KIND_WORK = 0, 1
local BUFFER = 4

local Packet = {}

function Packet.new(link, id, kind)
  local data = {}
  for i = 1, BUFFER do data[i] = 0 end
  return new(Packet, { link = link, id = id, kind = kind, datum = 0, data = data })
end

function Packet:append(queue)
  self.link = nil
  if queue == nil then return self end
  local last = queue
  while last.link do last = last.link end
  last.link = self
  return queue
end

-- A task control block: what the scheduler knows of a task.
local Block = {}

function Block.new(link, id, priority, queue, task)
  local self = new(Block, {
    link = link, id = id, priority = priority, queue = queue, task = task,
    held = false, suspended = true, runnable = queue ~= nil,
  })
  return self
end

function Block:is_held_or_suspended()
  return self.held or (self.suspended and not self.runnable)
end

function Block:mark_suspended() self.suspended = true end
function Block:mark_held() self.held = true end
function Block:mark_not_held() self.held = false end

function Block:run()
  local packet
  if self.suspended and self.runnable then
    packet = self.queue
    self.queue = packet.link
    self.suspended = false
    self.runnable = self.queue ~= nil
  end
  return self.task:run(packet)
end

function Block:check_priority_add(task, packet)
  if self.queue == nil then
    self.queue = packet
    self.runnable = true
    if self.priority > task.priority then return self end
  else
    self.queue = packet:append(self.queue)
  end
  return task
end

local Scheduler = {}

function Scheduler.new()
  return new(Scheduler, {
    queued = 0, held = 0, blocks = {}, list = nil, current = nil, current_id = nil, steps = 0,
  })
end

function Scheduler:add(id, priority, queue, task)
  local block = Block.new(self.list, id, priority, queue, task)
  self.list = block
  self.blocks[id] = block
  return block
end

function Scheduler:add_running(id, priority, queue, task)
  local block = self:add(id, priority, queue, task)
  block.suspended, block.runnable = false, false
  self.current = block
  return block
end

function Scheduler:schedule()
  self.current = self.list
  while self.current do
    self.steps = self.steps + 1
    if self.current:is_held_or_suspended() then
      self.current = self.current.link
    else
      self.current_id = self.current.id
      self.current = self.current:run()
    end
  end
end

function Scheduler:release(id)
  local block = self.blocks[id]
  if not block then return nil end
  block:mark_not_held()
  if block.priority > self.current.priority then return block end
  return self.current
end

function Scheduler:hold_current()
  self.held = self.held + 1
  self.current:mark_held()
  return self.current.link
end

function Scheduler:suspend_current()
  self.current:mark_suspended()
  return self.current
end

function Scheduler:queue(packet)
  local block = self.blocks[packet.id]
  if not block then return nil end
  self.queued = self.queued + 1
  packet.link = nil
  packet.id = self.current_id
  return block:check_priority_add(self.current, packet)
end

local Task = {}
function Task:wait() return self.scheduler:suspend_current() end

local function subclass() return setmetatable({}, { __index = Task }) end

local Idle = subclass()
function Idle:run()
  self.count = self.count - 1
  if self.count == 0 then return self.scheduler:hold_current() end
  if self.seed % 2 == 0 then
    self.seed = self.seed / 2
    return self.scheduler:release(DEVICE_A)
  end
  local half = (self.seed - 1) / 2
  -- A linear feedback register: exclusive or with 0xD008, bit by bit.
  local result, bit = 0, 1
  local mask = 0xD008
  local a = half
  while a > 0 or mask > 0 do
    if a % 2 ~= mask % 2 then result = result + bit end
    a, mask, bit = math.floor(a / 2), math.floor(mask / 2), bit * 2
  end
  self.seed = result
  return self.scheduler:release(DEVICE_B)
end

local Device = subclass()
function Device:run(packet)
  if packet == nil then
    if self.pending == nil then return self:wait() end
    local pending = self.pending
    self.pending = nil
    return self.scheduler:queue(pending)
  end
  self.pending = packet
  return self.scheduler:hold_current()
end

local Worker = subclass()
function Worker:run(packet)
  if packet == nil then return self:wait() end
  self.destination = self.destination == HANDLER_A and HANDLER_B or HANDLER_A
  packet.id = self.destination
  packet.datum = 0
  for i = 1, BUFFER do
    self.letter = self.letter % 26 + 1
    packet.data[i] = self.letter
  end
  return self.scheduler:queue(packet)
end

local Handler = subclass()
function Handler:run(packet)
  if packet then
    if packet.kind == KIND_WORK then
      self.work = packet:append(self.work)
    else
      self.devices = packet:append(self.devices)
    end
  end
  if self.work then
    local work = self.work
    local count = work.datum + 1
    if count <= BUFFER then
      if self.devices then
        local device = self.devices
        self.devices = device.link
        device.datum = work.data[count]
        work.datum = count
        return self.scheduler:queue(device)
      end
    else
      self.work = work.link
      return self.scheduler:queue(work)
    end
  end
  return self:wait()
end

local function run()
  local s = Scheduler.new()
  s:add_running(IDLE, 0, nil, new(Idle, { scheduler = s, seed = 1, count = 10000 }))
  local queue = Packet.new(nil, WORKER, KIND_WORK)
  queue = Packet.new(queue, WORKER, KIND_WORK)
  s:add(WORKER, 1000, queue, new(Worker, { scheduler = s, destination = HANDLER_A, letter = 0 }))
  for k, handler in ipairs({ HANDLER_A, HANDLER_B }) do
    queue = nil
    for _ = 1, 3 do queue = Packet.new(queue, DEVICE_A + k - 1, KIND_DEVICE) end
    s:add(handler, 1000 + 1000 * k, queue, new(Handler, { scheduler = s }))
  end
  s:add(DEVICE_A, 4000, nil, new(Device, { scheduler = s }))
  s:add(DEVICE_B, 5000, nil, new(Device, { scheduler = s }))
  s:schedule()
  return s.queued, s.held
end

local queued, held
for _ = 1, n do
  queued, held = run()
  if queued ~= 23246 or held ~= 9297 then error("richards: " .. queued .. " queued, " .. held .. " held") end
end
print("richards", queued, held)
