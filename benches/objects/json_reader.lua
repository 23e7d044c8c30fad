-- A JSON reader and writer with positions in errors.
-- Style: a reader object with methods as closures over the text (no self), a writer class with a shared metatable.
-- small: 5
local n = tonumber((...)) or 900

local byte, sub, find, format = string.byte, string.sub, string.find, string.format
local null = setmetatable({}, { __tostring = function() return "null" end })

local function reader(text)
  local at = 1
  local self = {}
  local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

  function self.fail(what)
    local line, column = 1, 1
    for i = 1, at - 1 do
      if byte(text, i) == 10 then line, column = line + 1, 1 else column = column + 1 end
    end
    error(format("%d:%d: %s", line, column, what), 0)
  end
  function self.space()
    while true do
      local c = byte(text, at)
      if c == 32 or c == 10 or c == 13 or c == 9 then at = at + 1 else return c end
    end
  end
  function self.string()
    local from = at + 1
    at = from
    local parts
    while true do
      local c = byte(text, at)
      if c == nil then self.fail("unfinished string") end
      if c == 34 then
        local piece = sub(text, from, at - 1)
        at = at + 1
        if not parts then return piece end
        parts[#parts + 1] = piece
        return table.concat(parts)
      elseif c == 92 then
        parts = parts or {}
        parts[#parts + 1] = sub(text, from, at - 1)
        local e = sub(text, at + 1, at + 1)
        if e == "u" then
          local code = tonumber(sub(text, at + 2, at + 5), 16)
          parts[#parts + 1] = string.char(code % 256)
          at = at + 6
        else
          parts[#parts + 1] = escapes[e] or self.fail("bad escape")
          at = at + 2
        end
        from = at
      else
        at = at + 1
      end
    end
  end
  function self.number()
    local _, last = find(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", at)
    if not last then self.fail("unexpected character") end
    local value = tonumber(sub(text, at, last))
    at = last + 1
    return value
  end
  function self.list()
    at = at + 1
    local list, size = {}, 0
    if self.space() == 93 then
      at = at + 1
      return list
    end
    while true do
      size = size + 1
      list[size] = self.value()
      local c = self.space()
      at = at + 1
      if c == 93 then return list end
      if c ~= 44 then at = at - 1 self.fail("',' or ']' expected") end
    end
  end
  function self.object()
    at = at + 1
    local object = {}
    if self.space() == 125 then
      at = at + 1
      return object
    end
    while true do
      if self.space() ~= 34 then self.fail("a key expected") end
      local key = self.string()
      if self.space() ~= 58 then self.fail("':' expected") end
      at = at + 1
      object[key] = self.value()
      local c = self.space()
      at = at + 1
      if c == 125 then return object end
      if c ~= 44 then at = at - 1 self.fail("',' or '}' expected") end
    end
  end
  local words = { t = { "true", true }, f = { "false", false }, n = { "null", null } }
  function self.word()
    local word = words[sub(text, at, at)]
    if not word or sub(text, at, at + #word[1] - 1) ~= word[1] then self.fail("unexpected character") end
    at = at + #word[1]
    return word[2]
  end
  function self.value()
    local c = self.space()
    if c == 123 then return self.object() end
    if c == 91 then return self.list() end
    if c == 34 then return self.string() end
    if c == 45 or (c and c >= 48 and c <= 57) then return self.number() end
    return self.word()
  end
  function self.document()
    local value = self.value()
    if self.space() then self.fail("something behind the end") end
    return value
  end
  return self
end

local Writer = {}
Writer.__index = Writer
function Writer.new(options)
  return setmetatable({ out = {}, indent = options and options.indent, depth = 0 }, Writer)
end
function Writer:put(s) self.out[#self.out + 1] = s end
function Writer:newline()
  if self.indent then self:put("\n" .. string.rep(" ", self.indent * self.depth)) end
end
local function quoted(c)
  if c == '"' then return '\\"' elseif c == "\\" then return "\\\\" elseif c == "\n" then return "\\n" end
  return format("\\u%04x", byte(c))
end
local write = {}
write["string"] = function(w, v) w:put('"' .. v:gsub('[%c"\\]', quoted) .. '"') end
write["number"] = function(w, v) w:put(v == math.floor(v) and format("%d", v) or format("%.14g", v)) end
write["boolean"] = function(w, v) w:put(v and "true" or "false") end
write["table"] = function(w, v)
  if v == null then return w:put("null") end
  w.depth = w.depth + 1
  if #v > 0 or next(v) == nil then
    w:put("[")
    for i, item in ipairs(v) do
      if i > 1 then w:put(",") end
      w:newline()
      w:value(item)
    end
    w.depth = w.depth - 1
    w:newline()
    w:put("]")
  else
    w:put("{")
    local keys = {}
    for key in pairs(v) do keys[#keys + 1] = key end
    table.sort(keys)
    for i, key in ipairs(keys) do
      if i > 1 then w:put(",") end
      w:newline()
      w:value(key)
      w:put(":")
      w:value(v[key])
    end
    w.depth = w.depth - 1
    w:newline()
    w:put("}")
  end
end
function Writer:value(v) write[type(v)](self, v) end
function Writer:done() return table.concat(self.out) end

local people = {}
for i = 1, 60 do
  people[i] = {
    id = i, name = "person " .. i, email = "p" .. i .. '@example.org "work"', balance = i * 12.25, active = i % 2 == 0,
    tags = { "a" .. i % 5, "b" .. i % 3 }, manager = i % 4 == 0 and null or { id = i % 7, notes = "line\nbreak\\" },
  }
end
local w = Writer.new({ indent = 2 })
w:value(people)
local text = w:done()
local sum = 0
for _ = 1, n do
  local back = reader(text).document()
  for _, p in ipairs(back) do
    if p.active then sum = sum + p.balance end
    if p.manager ~= null then sum = sum + p.manager.id end
  end
  local v = Writer.new()
  v:value(back)
  if #v:done() ~= 8936 then error("json_reader: " .. #v:done()) end
end
local ok, message = pcall(function() return reader('{"a": [1,\n 2,, 3]}').document() end)
if ok or message ~= "2:4: unexpected character" then error("json_reader: " .. tostring(message)) end
print("json_reader", string.format("%.2f", sum), #text)
