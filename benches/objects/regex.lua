-- A regular expression engine: parser to nodes, nodes to a nondeterministic automaton, sets of states.
-- Style: node types as closures that build states, states as records of several shapes, sets as arrays with marks.
-- small: 2
local n = tonumber((...)) or 400

local function parse(pattern)
  local at = 1
  local alternatives
  local function peek() return pattern:sub(at, at) end
  local function class()
    local set, negative = {}, false
    if peek() == "^" then negative, at = true, at + 1 end
    while peek() ~= "]" do
      local c = pattern:byte(at)
      if pattern:sub(at + 1, at + 1) == "-" and pattern:sub(at + 2, at + 2) ~= "]" then
        for k = c, pattern:byte(at + 2) do set[k] = true end
        at = at + 3
      else
        set[c] = true
        at = at + 1
      end
    end
    at = at + 1
    return { kind = "class", set = set, negative = negative }
  end
  local function atom()
    local c = peek()
    at = at + 1
    if c == "(" then
      local node = alternatives()
      if peek() ~= ")" then error("')' expected at " .. at) end
      at = at + 1
      return { kind = "group", node = node }
    elseif c == "[" then
      return class()
    elseif c == "." then
      return { kind = "any" }
    elseif c == "\\" then
      c = peek()
      at = at + 1
      if c == "d" then
        local set = {}
        for k = 48, 57 do set[k] = true end
        return { kind = "class", set = set, negative = false }
      end
      return { kind = "char", char = c:byte() }
    end
    return { kind = "char", char = c:byte() }
  end
  local function piece()
    local node = atom()
    while true do
      local c = peek()
      if c == "*" or c == "+" or c == "?" then
        at = at + 1
        node = { kind = "repeat", node = node, least = c == "+" and 1 or 0, many = c ~= "?" }
      else
        return node
      end
    end
  end
  local function sequence()
    local list = {}
    while at <= #pattern and peek() ~= "|" and peek() ~= ")" do list[#list + 1] = piece() end
    return { kind = "sequence", list = list }
  end
  alternatives = function()
    local left = sequence()
    while peek() == "|" do
      at = at + 1
      left = { kind = "either", a = left, b = sequence() }
    end
    return left
  end
  return alternatives()
end

local State = {}
State.__index = State
function State:accepts(c)
  if self.kind == "char" then return self.char == c end
  if self.kind == "any" then return true end
  if self.kind == "class" then return (self.set[c] == true) ~= self.negative end
  return false
end

local builders = {}
local serial = 0
local function state(fields)
  serial = serial + 1
  fields.id, fields.mark = serial, 0
  return setmetatable(fields, State)
end
local function build(node, next) return builders[node.kind](node, next) end
function builders.char(node, next) return state({ kind = "char", char = node.char, next = next }) end
function builders.any(_, next) return state({ kind = "any", next = next }) end
function builders.class(node, next)
  return state({ kind = "class", set = node.set, negative = node.negative, next = next })
end
function builders.group(node, next) return build(node.node, next) end
function builders.sequence(node, next)
  for i = #node.list, 1, -1 do next = build(node.list[i], next) end
  return next
end
function builders.either(node, next)
  return state({ kind = "split", next = build(node.a, next), other = build(node.b, next) })
end
builders["repeat"] = function(node, next)
  local split = state({ kind = "split", other = next })
  local body = build(node.node, node.many and split or next)
  split.next = body
  return node.least == 1 and body or split
end

local Regex = {}
Regex.__index = Regex
function Regex.compile(pattern)
  local final = state({ kind = "final" })
  return setmetatable({ start = build(parse(pattern), final), generation = 0, steps = 0 }, Regex)
end
function Regex:add(list, s)
  if s.mark == self.generation then return end
  s.mark = self.generation
  if s.kind == "split" then
    self:add(list, s.next)
    self:add(list, s.other)
  else
    list[#list + 1] = s
  end
end
-- The end of the longest match that begins at `from`.
function Regex:match(text, from)
  self.generation = self.generation + 1
  local now, best = {}, nil
  self:add(now, self.start)
  for i = from, #text + 1 do
    local c = text:byte(i)
    self.generation = self.generation + 1
    local later = {}
    for k = 1, #now do
      local s = now[k]
      self.steps = self.steps + 1
      if s.kind == "final" then
        best = i - 1
      elseif c and s:accepts(c) then
        self:add(later, s.next)
      end
    end
    if #later == 0 then break end
    now = later
  end
  return best
end
function Regex:find_all(text)
  local found, at = {}, 1
  while at <= #text do
    local last = self:match(text, at)
    if last and last >= at then
      found[#found + 1] = text:sub(at, last)
      at = last + 1
    else
      at = at + 1
    end
  end
  return found
end

local text = ("The 12 quick-brown foxes (aged 3.14 years) mailed fox@den.example on 2024-05-17; " ..
  "abababab aaaa cab 0x1F lazy_dog, colour color."):rep(3, " ")
local cases = {
  { "\\d+", 24 }, { "\\d\\d\\d\\d-\\d\\d-\\d\\d", 3 }, { "(ab)+", 6 }, { "a*b", 18 }, { "colou?r", 6 },
  { "[a-z]+@[a-z]+(\\.[a-z]+)*", 3 }, { "(quick|lazy)[-_](brown|dog)", 6 }, { "0x[0-9A-F]+", 3 },
  { "(a|aa)*c", 12 }, { "[^ ]+ years\\)", 3 }, { "(x+x+)+y", 0 },
}
local steps, matches = 0, 0
for _ = 1, n do
  for _, case in ipairs(cases) do
    local regex = Regex.compile(case[1])
    local found = regex:find_all(text)
    if #found ~= case[2] then error("regex: " .. case[1] .. " found " .. #found) end
    matches = matches + #found
    steps = steps + regex.steps
  end
end
print("regex", matches, steps)
