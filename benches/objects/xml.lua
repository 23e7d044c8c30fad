-- A parser, a tree and a writer of XML, with queries over the tree.
-- Style: each node has its own metatable whose __index is a function that looks for attributes, then methods.
-- small: 3
local n = tonumber((...)) or 600

local Node = {}

local function node(tag)
  local self = { tag = tag, children = {}, attributes = {} }
  return setmetatable(self, {
    __index = function(o, key)
      local method = Node[key]
      if method then return method end
      return rawget(o, "attributes")[key]
    end,
  })
end

function Node:append(child)
  local list = self.children
  list[#list + 1] = child
  return self
end

function Node:text()
  local parts = {}
  for _, child in ipairs(self.children) do
    parts[#parts + 1] = type(child) == "string" and child or child:text()
  end
  return table.concat(parts)
end

function Node:elements(tag)
  local i, list = 0, self.children
  return function()
    while i < #list do
      i = i + 1
      local child = list[i]
      if type(child) == "table" and (tag == nil or child.tag == tag) then return child end
    end
  end
end

function Node:descend(visit)
  visit(self)
  for child in self:elements() do child:descend(visit) end
end

local names = { lt = "<", gt = ">", amp = "&", quot = '"', apos = "'" }
local escapes = { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;", ['"'] = "&quot;" }

local function unescape(s)
  return (s:gsub("&(#?)(%w+);", function(number, name)
    if number == "#" then return string.char(tonumber(name)) end
    return names[name]
  end))
end

local function escape(s) return (s:gsub('[<>&"]', escapes)) end

function Node:write(out)
  out[#out + 1] = "<" .. self.tag
  local keys = {}
  for key in pairs(self.attributes) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do out[#out + 1] = " " .. key .. '="' .. escape(self.attributes[key]) .. '"' end
  if #self.children == 0 then
    out[#out + 1] = "/>"
    return out
  end
  out[#out + 1] = ">"
  for _, child in ipairs(self.children) do
    if type(child) == "string" then out[#out + 1] = escape(child) else child:write(out) end
  end
  out[#out + 1] = "</" .. self.tag .. ">"
  return out
end

local Parser = {}
function Parser.new(text)
  return setmetatable({ text = text, at = 1, stack = {} }, { __index = Parser })
end

function Parser:fail(message)
  local _, line = self.text:sub(1, self.at):gsub("\n", "")
  error("xml:" .. (line + 1) .. ": " .. message, 0)
end

function Parser:take(pattern)
  local first, last, a, b = self.text:find("^" .. pattern, self.at)
  if first then
    self.at = last + 1
    return true, a, b
  end
  return false
end

function Parser:attributes(into)
  while true do
    local ok, key, value = self:take('%s+([%w_:-]+)%s*=%s*"([^"]*)"')
    if not ok then break end
    into.attributes[key] = unescape(value)
  end
end

function Parser:parse()
  local root = node("#document")
  local stack = { root }
  while self.at <= #self.text do
    local top = stack[#stack]
    local ok, a = self:take("<!%-%-.-%-%->")
    if ok then
      -- A comment.
    elseif self:take("<%?.-%?>") then
      -- An instruction.
    else
      ok, a = self:take("</([%w_:-]+)%s*>")
      if ok then
        if top.tag ~= a then self:fail("</" .. a .. "> closes <" .. top.tag .. ">") end
        stack[#stack] = nil
      else
        ok, a = self:take("<([%w_:-]+)")
        if ok then
          local element = node(a)
          self:attributes(element)
          top:append(element)
          self:take("%s*")
          if not self:take("/>") then
            if not self:take(">") then self:fail("a tag without end") end
            stack[#stack + 1] = element
          end
        else
          ok, a = self:take("([^<]+)")
          if not ok then self:fail("what is this?") end
          if a:find("%S") then top:append(unescape(a)) end
        end
      end
    end
  end
  if #stack > 1 then self:fail("<" .. stack[#stack].tag .. "> is not closed") end
  return root
end

local function document(seed)
  local out = { '<?xml version="1.0"?>\n<library name="moon &amp; sons">\n' }
  for i = 1, 40 do
    local k = (seed * 31 + i * 17) % 97
    out[#out + 1] = '  <book id="b' .. i .. '" year="' .. (1900 + k) .. '">\n    <title>Volume ' .. k ..
      ' &lt;revised&gt;</title>\n    <!-- shelf ' .. k % 9 .. ' -->\n    <price currency="EUR">' .. k * 2 ..
      '</price>\n' .. (k % 3 == 0 and "    <lent/>\n" or "") .. "  </book>\n"
  end
  out[#out + 1] = "</library>\n"
  return table.concat(out)
end

local total, lent, bytes = 0, 0, 0
for seed = 1, n do
  local tree = Parser.new(document(seed)):parse()
  local library = tree:elements("library")()
  for book in library:elements("book") do
    if tonumber(book.year) > 1950 then
      for price in book:elements("price") do total = total + tonumber(price:text()) end
    end
    for _ in book:elements("lent") do lent = lent + 1 end
  end
  local count = 0
  library:descend(function(e) if e.tag == "title" and e:text():find("<revised>", 1, true) then count = count + 1 end end)
  if count ~= 40 then error("xml: " .. count .. " titles") end
  local written = table.concat(library:write({}))
  bytes = bytes + #written
  local again = Parser.new(written):parse()
  if table.concat(again:elements()():write({})) ~= written then error("xml: not the same") end
end
local ok, message = pcall(function() return Parser.new("<a>\n<b></a>"):parse() end)
if ok or message ~= "xml:2: </a> closes <b>" then error("xml: " .. tostring(message)) end
print("xml", string.format("%d", total), lent, bytes)
