-- A spreadsheet: formulas parsed to trees of nodes, dependencies, recalculation in order.
-- Style: a class library (class "Name", extends, super), multiple levels, tostring metamethods, string keys "B7".
-- small: 4
local n = tonumber((...)) or 9000

local class
do
  local function look(c, key)
    while c do
      local value = rawget(c.__members, key)
      if value ~= nil then return value end
      c = c.super
    end
  end
  local meta = {
    __call = function(c, ...)
      local object = setmetatable({ class = c }, c.__instance)
      if object.initialize then object:initialize(...) end
      return object
    end,
    __newindex = function(c, key, value)
      if key:sub(1, 2) == "__" then c.__instance[key] = value else c.__members[key] = value end
    end,
    __index = function(c, key) return look(c, key) end,
    __tostring = function(c) return "class " .. rawget(c, "name") end,
  }
  class = function(name, super)
    local c = { name = name, super = super, __members = {} }
    c.__instance = { __index = function(_, key) return look(c, key) end }
    if super then
      for key, value in pairs(super.__instance) do
        if key ~= "__index" then c.__instance[key] = value end
      end
    end
    return setmetatable(c, meta)
  end
end

local Node = class("Node")
function Node:refer() end
function Node:is_constant() return false end
Node.__tostring = function(self) return self:show() end

local Number = class("Number", Node)
function Number:initialize(value) self.value = value end
function Number:evaluate() return self.value end
function Number:is_constant() return true end
function Number:show() return string.format("%g", self.value) end

local Cell = class("Cell", Node)
function Cell:initialize(name) self.name = name end
function Cell:evaluate(sheet) return sheet:get(self.name) end
function Cell:refer(add) add(self.name) end
function Cell:show() return self.name end

local Range = class("Range", Node)
function Range:initialize(from, to)
  self.names = {}
  local c1, r1 = from:match("(%a)(%d+)")
  local c2, r2 = to:match("(%a)(%d+)")
  for c = c1:byte(), c2:byte() do
    for r = tonumber(r1), tonumber(r2) do self.names[#self.names + 1] = string.char(c) .. r end
  end
  self.text = from .. ":" .. to
end
function Range:refer(add)
  for _, name in ipairs(self.names) do add(name) end
end
function Range:each(sheet)
  local i = 0
  return function()
    i = i + 1
    if self.names[i] then return sheet:get(self.names[i]) end
  end
end
function Range:show() return self.text end

local Operator = class("Operator", Node)
function Operator:initialize(a, b) self.a, self.b = a, b end
function Operator:refer(add) self.a:refer(add) self.b:refer(add) end
function Operator:evaluate(sheet) return self:apply(self.a:evaluate(sheet), self.b:evaluate(sheet)) end
function Operator:is_constant() return self.a:is_constant() and self.b:is_constant() end
function Operator:show() return "(" .. tostring(self.a) .. self.symbol .. tostring(self.b) .. ")" end

local operators = {}
for symbol, f in pairs({
  ["+"] = function(_, x, y) return x + y end, ["-"] = function(_, x, y) return x - y end,
  ["*"] = function(_, x, y) return x * y end, ["/"] = function(_, x, y) return y == 0 and 0 or x / y end,
}) do
  local c = class("Operator " .. symbol, Operator)
  c.symbol, c.apply = symbol, f
  operators[symbol] = c
end

local Call = class("Call", Node)
function Call:initialize(name, argument) self.name, self.argument = name, argument end
function Call:refer(add) self.argument:refer(add) end
function Call:show() return self.name .. "(" .. tostring(self.argument) .. ")" end
function Call:evaluate(sheet)
  local sum, count, least, most = 0, 0, math.huge, -math.huge
  for value in self.argument:each(sheet) do
    sum, count = sum + value, count + 1
    least, most = math.min(least, value), math.max(most, value)
  end
  if self.name == "SUM" then return sum end
  if self.name == "AVG" then return sum / count end
  return self.name == "MIN" and least or most
end

local Parser = class("Parser")
function Parser:initialize(text) self.text, self.at = text, 1 end
function Parser:match(pattern)
  local first, last, capture = self.text:find("^%s*" .. pattern, self.at)
  if first then
    self.at = last + 1
    return capture or self.text:sub(first, last)
  end
end
function Parser:factor()
  local number = self:match("(%d+%.?%d*)")
  if number then return Number(tonumber(number)) end
  if self:match("%(") then
    local node = self:sum()
    if not self:match("%)") then error("')' expected in " .. self.text) end
    return node
  end
  local call = self:match("(%u%u%u)%(")
  if call then
    local from, to = self:match("(%u%d+)"), nil
    self:match(":")
    to = self:match("(%u%d+)")
    self:match("%)")
    return Call(call, Range(from, to))
  end
  local name = self:match("(%u%d+)")
  if name then return Cell(name) end
  error("cannot read " .. self.text)
end
function Parser:product()
  local left = self:factor()
  while true do
    local op = self:match("([*/])")
    if not op then return left end
    left = operators[op](left, self:factor())
  end
end
function Parser:sum()
  local left = self:product()
  while true do
    local op = self:match("([+-])")
    if not op then return left end
    left = operators[op](left, self:product())
  end
end

local Sheet = class("Sheet")
function Sheet:initialize() self.formulas, self.values, self.users, self.evaluated = {}, {}, {}, 0 end
function Sheet:set(name, text)
  local old = self.formulas[name]
  if old then
    old:refer(function(other) self.users[other][name] = nil end)
  end
  local node = Parser(text):sum()
  self.formulas[name] = node
  node:refer(function(other)
    self.users[other] = self.users[other] or {}
    self.users[other][name] = true
  end)
  self:invalidate(name)
end
function Sheet:invalidate(name)
  self.values[name] = nil
  for user in pairs(self.users[name] or {}) do
    if self.values[user] ~= nil then self:invalidate(user) end
  end
end
function Sheet:get(name)
  local value = self.values[name]
  if value == nil then
    local node = self.formulas[name]
    if not node then return 0 end
    self.evaluated = self.evaluated + 1
    value = node:evaluate(self)
    self.values[name] = value
  end
  return value
end

local sheet = Sheet()
for row = 1, 20 do
  sheet:set("A" .. row, tostring(row))
  sheet:set("B" .. row, "A" .. row .. " * 2 + 1")
  sheet:set("C" .. row, row == 1 and "B1" or "C" .. row - 1 .. " + B" .. row .. " / (A" .. row .. " + 1)")
  sheet:set("D" .. row, "SUM(B1:B" .. row .. ") - MAX(A1:A" .. row .. ")")
end
sheet:set("E1", "SUM(D1:D20) + AVG(B1:C20) * 3")
local total = 0
for i = 1, n do
  sheet:set("A" .. (i % 20 + 1), tostring(i % 37))
  total = total + sheet:get("E1")
  if i % 10 == 0 then sheet:set("B" .. (i % 20 + 1), "A" .. (i % 20 + 1) .. " + " .. i) end
end
if tostring(sheet.formulas.B3) ~= "((A3*2)+1)" then error("spreadsheet: " .. tostring(sheet.formulas.B3)) end
print("spreadsheet", string.format("%.6f", total), sheet.evaluated)
