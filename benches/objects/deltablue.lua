-- An incremental solver of one-way constraints with strengths, after Freeman-Benson and Maloney.
-- Style: one shared metatable a class, chains of classes by __index, methods that call the parent's.
-- small: 20
local n = tonumber((...)) or 20000

local function class(parent)
  local c = {}
  c.__index = c
  if parent then setmetatable(c, parent) end
  return c
end

-- Strengths: the smaller the stronger.
local REQUIRED, PREFERRED, NORMAL, WEAKEST = 0, 2, 4, 6

local Variable = class()
function Variable.new(name, value)
  return setmetatable({
    value = value, constraints = {}, determined_by = nil, mark = 0, walk = WEAKEST, stay = true, name = name,
  }, Variable)
end
function Variable:add(c) self.constraints[#self.constraints + 1] = c end
function Variable:remove(c)
  local list = self.constraints
  for i = #list, 1, -1 do
    if list[i] == c then table.remove(list, i) end
  end
  if self.determined_by == c then self.determined_by = nil end
end

local planner

local Constraint = class()
function Constraint:install()
  self:add_to_graph()
  planner:incremental_add(self)
end
function Constraint:destroy()
  if self:is_satisfied() then planner:incremental_remove(self) else self:remove_from_graph() end
end
function Constraint:is_input() return false end
function Constraint:satisfy(mark)
  self:choose_method(mark)
  if not self:is_satisfied() then
    if self.strength == REQUIRED then error("a required constraint cannot be satisfied") end
    return nil
  end
  self:mark_inputs(mark)
  local out = self:output()
  local overridden = out.determined_by
  if overridden then overridden:mark_unsatisfied() end
  out.determined_by = self
  if not planner:add_propagate(self, mark) then error("a cycle") end
  out.mark = mark
  return overridden
end

local Unary = class(Constraint)
function Unary:setup(v, strength)
  self.strength, self.out, self.satisfied = strength, v, false
  self:install()
  return self
end
function Unary:add_to_graph() self.out:add(self) self.satisfied = false end
function Unary:choose_method(mark)
  self.satisfied = self.out.mark ~= mark and self.strength < self.out.walk
end
function Unary:is_satisfied() return self.satisfied end
function Unary:mark_inputs() end
function Unary:inputs_known() return true end
function Unary:output() return self.out end
function Unary:mark_unsatisfied() self.satisfied = false end
function Unary:recalculate()
  self.out.walk = self.strength
  self.out.stay = not self:is_input()
  if self.out.stay then self:execute() end
end
function Unary:remove_from_graph()
  if self.out then self.out:remove(self) end
  self.satisfied = false
end

local Stay = class(Unary)
function Stay.new(v, strength) return setmetatable({}, Stay):setup(v, strength) end
function Stay:execute() end

local Edit = class(Unary)
function Edit.new(v, strength) return setmetatable({}, Edit):setup(v, strength) end
function Edit:is_input() return true end
function Edit:execute() end

local NONE, FORWARD, BACKWARD = 0, 1, -1
local Binary = class(Constraint)
function Binary:setup(v1, v2, strength)
  self.strength, self.v1, self.v2, self.direction = strength, v1, v2, NONE
  self:install()
  return self
end
function Binary:choose_method(mark)
  local v1, v2 = self.v1, self.v2
  if v1.mark == mark then
    self.direction = v2.mark ~= mark and self.strength < v2.walk and FORWARD or NONE
  elseif v2.mark == mark then
    self.direction = v1.mark ~= mark and self.strength < v1.walk and BACKWARD or NONE
  elseif v1.walk > v2.walk then
    self.direction = self.strength < v1.walk and BACKWARD or NONE
  else
    self.direction = self.strength < v2.walk and FORWARD or NONE
  end
end
function Binary:add_to_graph()
  self.v1:add(self)
  self.v2:add(self)
  self.direction = NONE
end
function Binary:is_satisfied() return self.direction ~= NONE end
function Binary:input() return self.direction == FORWARD and self.v1 or self.v2 end
function Binary:output() return self.direction == FORWARD and self.v2 or self.v1 end
function Binary:mark_inputs(mark) self:input().mark = mark end
function Binary:inputs_known(mark)
  local i = self:input()
  return i.mark == mark or i.stay or i.determined_by == nil
end
function Binary:mark_unsatisfied() self.direction = NONE end
function Binary:recalculate()
  local i, o = self:input(), self:output()
  o.walk = math.max(self.strength, i.walk)
  o.stay = i.stay
  if o.stay then self:execute() end
end
function Binary:remove_from_graph()
  self.v1:remove(self)
  self.v2:remove(self)
  self.direction = NONE
end

local Equal = class(Binary)
function Equal.new(a, b, strength) return setmetatable({}, Equal):setup(a, b, strength) end
function Equal:execute() self:output().value = self:input().value end

local Scale = class(Binary)
function Scale.new(source, scale, offset, result, strength)
  return setmetatable({ scale = scale, offset = offset }, Scale):setup(source, result, strength)
end
function Scale:add_to_graph()
  Binary.add_to_graph(self)
  self.scale:add(self)
  self.offset:add(self)
end
function Scale:remove_from_graph()
  Binary.remove_from_graph(self)
  self.scale:remove(self)
  self.offset:remove(self)
end
function Scale:mark_inputs(mark)
  Binary.mark_inputs(self, mark)
  self.scale.mark, self.offset.mark = mark, mark
end
function Scale:execute()
  if self.direction == FORWARD then
    self.v2.value = self.v1.value * self.scale.value + self.offset.value
  else
    self.v1.value = (self.v2.value - self.offset.value) / self.scale.value
  end
end
function Scale:recalculate()
  local i, o = self:input(), self:output()
  o.walk = math.max(self.strength, i.walk)
  o.stay = i.stay and self.scale.stay and self.offset.stay
  if o.stay then self:execute() end
end

local Planner = class()
function Planner.new() return setmetatable({ current = 0 }, Planner) end
function Planner:new_mark()
  self.current = self.current + 1
  return self.current
end
function Planner:incremental_add(c)
  local mark = self:new_mark()
  local overridden = c:satisfy(mark)
  while overridden do overridden = overridden:satisfy(mark) end
end
function Planner:incremental_remove(c)
  local out = c:output()
  c:mark_unsatisfied()
  c:remove_from_graph()
  local unsatisfied = self:remove_propagate(out)
  for strength = REQUIRED, WEAKEST do
    for _, u in ipairs(unsatisfied) do
      if u.strength == strength then self:incremental_add(u) end
    end
  end
end
function Planner:make_plan(sources)
  local mark, plan, todo = self:new_mark(), {}, sources
  while #todo > 0 do
    local c = table.remove(todo)
    if c:output().mark ~= mark and c:inputs_known(mark) then
      plan[#plan + 1] = c
      c:output().mark = mark
      self:consumers(c:output(), todo)
    end
  end
  return plan
end
function Planner:plan_from(constraints)
  local sources = {}
  for _, c in ipairs(constraints) do
    if c:is_input() and c:is_satisfied() then sources[#sources + 1] = c end
  end
  return self:make_plan(sources)
end
function Planner:add_propagate(c, mark)
  local todo = { c }
  while #todo > 0 do
    local d = table.remove(todo)
    if d:output().mark == mark then
      self:incremental_remove(c)
      return false
    end
    d:recalculate()
    self:consumers(d:output(), todo)
  end
  return true
end
function Planner:remove_propagate(out)
  out.determined_by, out.walk, out.stay = nil, WEAKEST, true
  local unsatisfied, todo = {}, { out }
  while #todo > 0 do
    local v = table.remove(todo)
    for _, c in ipairs(v.constraints) do
      if not c:is_satisfied() then unsatisfied[#unsatisfied + 1] = c end
    end
    local determining = v.determined_by
    for _, c in ipairs(v.constraints) do
      if c ~= determining and c:is_satisfied() then
        c:recalculate()
        todo[#todo + 1] = c:output()
      end
    end
  end
  return unsatisfied
end
function Planner:consumers(v, list)
  local determining = v.determined_by
  for _, c in ipairs(v.constraints) do
    if c ~= determining and c:is_satisfied() then list[#list + 1] = c end
  end
end

local function change(v, value)
  local edit = Edit.new(v, PREFERRED)
  local plan = planner:plan_from({ edit })
  for _ = 1, 10 do
    v.value = value
    for _, c in ipairs(plan) do c:execute() end
  end
  edit:destroy()
end

local function chain_test(size)
  planner = Planner.new()
  local previous, first, last
  for i = 0, size do
    local v = Variable.new("v" .. i, 0)
    if previous then Equal.new(previous, v, REQUIRED) end
    first = first or v
    last, previous = v, v
  end
  Stay.new(last, NORMAL)
  local edit = Edit.new(first, PREFERRED)
  local plan = planner:plan_from({ edit })
  for i = 0, 99 do
    first.value = i
    for _, c in ipairs(plan) do c:execute() end
    if last.value ~= i then error("the chain gives " .. last.value) end
  end
  return #plan
end

local function projection_test(size)
  planner = Planner.new()
  local scale, offset = Variable.new("scale", 10), Variable.new("offset", 1000)
  local source, target
  local targets = {}
  for i = 0, size - 1 do
    source, target = Variable.new("source", i), Variable.new("target", i)
    targets[#targets + 1] = target
    Stay.new(source, NORMAL)
    Scale.new(source, scale, offset, target, REQUIRED)
  end
  change(source, 17)
  if target.value ~= 1170 then error("forward: " .. target.value) end
  change(target, 1050)
  if source.value ~= 5 then error("backward: " .. source.value) end
  change(scale, 5)
  for i = 1, size - 1 do
    if targets[i].value ~= (i - 1) * 5 + 1000 then error("scale: " .. targets[i].value) end
  end
  change(offset, 2000)
  local sum = 0
  for i = 1, size - 1 do
    if targets[i].value ~= (i - 1) * 5 + 2000 then error("offset: " .. targets[i].value) end
    sum = sum + targets[i].value
  end
  return sum
end

local a = chain_test(n)
local b = projection_test(n)
print("deltablue", a, b)
