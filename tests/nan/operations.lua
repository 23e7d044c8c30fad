-- What tests/nan.rs does with floats. Returns the doors, by which a float gets in from 8 bytes or from the host, and
-- operations on two floats; these return numbers, booleans and nil only.
local host = ...
local unpack, pack = string.unpack, string.pack

local doors = {
  { "argument", function(bytes, number) return number end },
  { "unpack", function(bytes) return (unpack("<d", bytes)) end },
  { "unpack, other order", function(bytes) return (unpack(">d", bytes:reverse())) end },
  { "unpack among others", function(bytes) return (select(2, unpack("<i4dB", "\1\2\3\4" .. bytes .. "\5"))) end },
  { "unpack of 32 bits", function(bytes)
    local high = unpack("<I4", bytes, 5)
    return (unpack("<f", pack("<I4", high & 0x80000000 | 0x7F800000 | high & 0x7FFFFF | 1)))
  end },
  { "repacked", function(bytes) return (unpack("<d", pack("<d", unpack("<d", bytes)))) end },
  { "result of a callback", function(bytes) return host.convert(bytes) end },
  { "one of many results", function(bytes) return (select(2, host.three(bytes))) end },
  { "element set by the host", function(bytes) return host.list(bytes)[2] end },
  { "field set by the host", function(bytes) return host.record(bytes).x end },
  { "field of userdata", function(bytes, number)
    host.userdata.x = number
    return host.userdata.x
  end },
  { "global", function(bytes)
    host.global(bytes)
    return from_host
  end },
  { "argument of a coroutine", function(bytes) return host.resume(bytes) end },
}

local operations = {}
local function operation(name, f) operations[#operations + 1] = { name, f } end

-- Every operator with floats and integers, in registers and constants, on both sides.
local function generate(text)
  operation(text, assert(load("local x, y = ... return " .. text)))
end
for _, op in ipairs { "+", "-", "*", "/", "//", "%", "^" } do
  for _, other in ipairs { "y", "x", "1.5", "2.0", "0.0", "1e308", "(1/0)", "3", "2", "0", "(1 << 60)", "'2.5'" } do
    if other ~= "0" or op ~= "//" and op ~= "%" then generate("x " .. op .. " " .. other) end
    generate(other .. " " .. op .. " x")
  end
end
for _, op in ipairs { "==", "~=", "<", "<=", ">", ">=" } do
  for _, other in ipairs { "y", "x", "1.5", "3" } do generate("x " .. op .. " " .. other) end
end
for _, e in ipairs {
  "-x", "-(-x)", "-x + 1", "1 - -x", "-(x + y)", "-x * -y", "-(0/0) + x", "not x", "x and -y or x",
  "math.abs(x)", "-math.abs(x)", "math.abs(-x) + 1.0", "math.sqrt(x)", "math.sqrt(-x)", "math.sqrt(-1.0) + x",
  "math.max(x, y)", "math.max(1.5, x)", "math.max(x, 1.5)", "math.min(x, y)", "math.min(x, -y, 1.5)", "math.min(1, x)",
  "math.fmod(x, y)", "math.fmod(x, 3)", "math.fmod(3, x)", "math.modf(x)", "math.floor(1.5 + (x == x and x or 0))",
  "math.ceil(1.5 + (x == x and x or 0))", "math.tointeger(x)", "(math.frexp or math.modf)(x)",
  "(math.ldexp or math.fmod)(x, 3)", "(math.pow or math.fmod)(x, y)", "(math.atan2 or math.atan)(x, y)",
  "math.sin(x)", "math.cos(x)", "math.tan(x)", "math.asin(x)", "math.acos(x)", "math.atan(x)", "math.atan(x, y)",
  "math.atan(1, x)", "math.exp(x)", "math.log(x)", "math.log(x, 2)", "math.log(x, 10)", "math.log(x, y)",
  "math.log(8, x)", "math.deg(x)", "math.rad(x)", "math.type(x) == 'float'", "tonumber(x) == x",
  "pcall(function() return x | 1 end)", "string.unpack('<d', string.pack('<d', -x))",
  "string.unpack('<f', string.pack('<f', x))", "tonumber(tostring(x))", "tonumber(string.format('%a', x))",
  "#tostring(x) > 0", "rawequal(x, x)", "select(2, nil, x, y)", "(function(...) return ... end)(-x, y)",
} do
  if not e:find("^pcall") then generate(e) end
end

operation("elements", function(x, y)
  local t = { x, y, 1.5 }
  local sum = 0.0
  for i = 1, #t do
    t[i] = -t[i]
    sum = sum + t[i]
  end
  for i = 1, #t do t[i] = t[i] * 0.5 - x end
  return sum, t[1], t[2], t[3], table.unpack(t)
end)
operation("more elements", function(x, y)
  local t = {}
  for i = 1, 20 do t[i] = i % 2 == 0 and x or -y end
  table.insert(t, 3, -x)
  table.move(t, 1, 10, 5)
  for i, v in ipairs(t) do t[i] = v + 1 end
  return t[7], table.remove(t), table.remove(t, 1)
end)
operation("sorting", function(x, y)
  local t = { 3.5, x, 2.5, y, 1.5, -x }
  pcall(table.sort, t)
  return table.unpack(t)
end)
operation("fields", function(x, y)
  local p = { x = x, y = y }
  for i = 1, 4 do p.x, p.y = -p.y + 1, -p.x * 2 end
  return p.x, p.y
end)
operation("keys", function(x)
  local t = { 1 }
  return pcall(rawset, t, x, 1), t[x], t[-x], rawget(t, x + 1)
end)
operation("upvalues", function(x, y)
  local function flip() x, y = -y, -x + 1 end
  for i = 1, 4 do flip() end
  return x, y
end)
local function descend(x, n)
  if n == 0 then return -x end
  return descend(x + 1.5, n - 1) - 1.0
end
operation("a typed entry", function(x, y) return descend(1.5, 3), descend(x, 3), -descend(-y, 2) end)
local function mixed(x, n)
  if n > 3 then return -x, n end
  return mixed(-x, n + 1)
end
operation("a tail call", function(x) return mixed(x, 0) end)
operation("a loop", function(x, y)
  local s, p = 0.0, 1.5
  for i = 1, 12 do
    s = s - x
    p = -p * y
    if s < 0 then s = -s end
  end
  return s, p
end)
operation("loops from and to", function(x, y)
  local n = 0
  for i = x, 3.0 do n = n + 1 if n > 5 then break end end
  for i = 1.0, x do n = n + 1 if n > 10 then break end end
  for i = 1, x do n = n + 1 if n > 15 then break end end
  for i = 1.0, 2.0, x do n = n + 1 if n > 20 then break end end
  for i = x, y, -1.0 do n = n + 1 if n > 25 then break end end
  return n
end)
operation("a coroutine", function(x, y)
  local co = coroutine.wrap(function(a) while true do a = coroutine.yield(-a) end end)
  return co(x), co(y), co(-x)
end)
local arithmetic = setmetatable({}, {
  __add = function(_, v) return -v end,
  __index = function(_, k) return k + 1 end,
  __call = function(_, v) return v * 2 end,
  __unm = function() return 0 / 0 end,
})
operation("metamethods", function(x, y) return arithmetic + x, arithmetic[x], arithmetic(-y), -arithmetic end)
operation("the host", function(x, y) return host.identity(-x), host.identity(y) + 1, host.difference(x, y) end)
operation("varargs", function(...)
  local function negate(a, ...) if a then return -a, negate(...) end end
  return negate(...)
end)
operation("concatenation", function(x) return tonumber(x .. "") == nil, #(x .. -x) > 0 end)

return doors, operations
