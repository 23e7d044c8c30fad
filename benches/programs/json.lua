-- A JSON encoder and decoder in plain Lua, round trip.
-- small: 1
local n = tonumber((...)) or 90

local escapes = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}
local unescapes = {}
for k, v in pairs(escapes) do unescapes[v:sub(2)] = k end
unescapes["/"] = "/"

local function quote(s)
  return '"' .. s:gsub('[%c"\\]', function(c)
    return escapes[c] or string.format("\\u%04x", c:byte())
  end) .. '"'
end

local encodeValue

local function encodeTable(t, out)
  if t[1] ~= nil or next(t) == nil then
    out[#out + 1] = "["
    for i, v in ipairs(t) do
      if i > 1 then out[#out + 1] = "," end
      encodeValue(v, out)
    end
    out[#out + 1] = "]"
  else
    local keys = {}
    for k in pairs(t) do keys[#keys + 1] = k end
    table.sort(keys)
    out[#out + 1] = "{"
    for i, k in ipairs(keys) do
      if i > 1 then out[#out + 1] = "," end
      out[#out + 1] = quote(k)
      out[#out + 1] = ":"
      encodeValue(t[k], out)
    end
    out[#out + 1] = "}"
  end
end

function encodeValue(v, out)
  local kind = type(v)
  if kind == "table" then
    encodeTable(v, out)
  elseif kind == "string" then
    out[#out + 1] = quote(v)
  elseif kind == "number" then
    out[#out + 1] = string.format("%.14g", v)
  else
    out[#out + 1] = tostring(v)
  end
end

local function encode(v)
  local out = {}
  encodeValue(v, out)
  return table.concat(out)
end

local function skip(s, i)
  return s:find("[^ \t\r\n]", i) or #s + 1
end

local function fail(i, message)
  error("JSON: " .. message .. " at " .. i)
end

local decodeValue

local function decodeString(s, i)
  local parts
  local from = i + 1
  while true do
    local at = s:find('["\\]', from)
    if not at then fail(i, "open string") end
    local piece = s:sub(from, at - 1)
    if s:byte(at) == 34 then
      if not parts then return piece, at + 1 end
      parts[#parts + 1] = piece
      return table.concat(parts), at + 1
    end
    parts = parts or {}
    parts[#parts + 1] = piece
    local c = s:sub(at + 1, at + 1)
    if c == "u" then
      parts[#parts + 1] = string.char(tonumber(s:sub(at + 2, at + 5), 16) % 256)
      from = at + 6
    else
      parts[#parts + 1] = unescapes[c] or fail(at, "bad escape")
      from = at + 2
    end
  end
end

local function decodeArray(s, i)
  local t, count = {}, 0
  i = skip(s, i + 1)
  if s:sub(i, i) == "]" then return t, i + 1 end
  while true do
    count = count + 1
    t[count], i = decodeValue(s, i)
    i = skip(s, i)
    local c = s:sub(i, i)
    if c == "]" then return t, i + 1 end
    if c ~= "," then fail(i, "',' expected") end
    i = skip(s, i + 1)
  end
end

local function decodeObject(s, i)
  local t = {}
  i = skip(s, i + 1)
  if s:sub(i, i) == "}" then return t, i + 1 end
  while true do
    local key
    key, i = decodeString(s, i)
    i = skip(s, i)
    if s:sub(i, i) ~= ":" then fail(i, "':' expected") end
    t[key], i = decodeValue(s, skip(s, i + 1))
    i = skip(s, i)
    local c = s:sub(i, i)
    if c == "}" then return t, i + 1 end
    if c ~= "," then fail(i, "',' expected") end
    i = skip(s, i + 1)
  end
end

local words = { ["true"] = true, ["false"] = false }

function decodeValue(s, i)
  local b = s:byte(i)
  if b == 123 then return decodeObject(s, i) end
  if b == 91 then return decodeArray(s, i) end
  if b == 34 then return decodeString(s, i) end
  local number = s:match("^-?%d+%.?%d*[eE]?[+-]?%d*", i)
  if number then return tonumber(number), i + #number end
  local word = s:match("^%a+", i)
  if not word or words[word] == nil then fail(i, "value expected") end
  return words[word], i + #word
end

local function decode(s)
  local v, i = decodeValue(s, skip(s, 1))
  if skip(s, i) <= #s then fail(i, "trailing text") end
  return v
end

local function document(count)
  local users = {}
  for i = 1, count do
    users[i] = {
      id = i,
      name = "User " .. i,
      email = "user" .. i .. "@example.com",
      active = i % 3 == 0,
      score = i * 1.5,
      tags = { "alpha", "beta\n", 'say "' .. i .. '"', "\1\\" },
      address = { street = "Main Street " .. i, zip = 10000 + i, geo = { lat = i / 8, lon = -i / 4 } },
      empty = {},
    }
  end
  return { users = users, total = count, version = "1.0" }
end

local length = 0
for round = 1, n do
  local source = document(60)
  local text = encode(source)
  local copy = decode(text)
  if encode(copy) ~= text then error("JSON round trip differs") end
  if copy.users[7].tags[3] ~= 'say "7"' or copy.users[6].active ~= true then error("JSON decoded wrongly") end
  if copy.users[5].address.geo.lon ~= -1.25 or copy.total ~= 60 then error("JSON numbers decoded wrongly") end
  length = length + #text
end
print("json", n, length)
