-- Library functions that compiled code knows: each with too few, right and too many arguments, with
-- arguments of the wrong type, and with every number of results wanted. Functions are warmed with what
-- suits them, so that they run compiled when they meet the rest.
local good = {
  { 'math.floor', '2.5' }, { 'math.ceil', '2.5' }, { 'math.abs', '-3' }, { 'math.sqrt', '2.25' },
  { 'math.max', '1', '2.5' }, { 'math.max', '1', '2', '3' }, { 'math.min', '1', '2.5' }, { 'math.min', '4', '2', '3' },
  { 'math.sin', '0.5' }, { 'math.cos', '0.5' }, { 'math.tan', '0.5' }, { 'math.asin', '0.5' }, { 'math.acos', '0.5' },
  { 'math.atan', '0.5' }, { 'math.atan', '0.5', '-2' }, { 'math.exp', '0.5' }, { 'math.log', '8.0' },
  { 'math.log', '8', '2' }, { 'math.fmod', '7', '3' }, { 'math.fmod', '-7.5', '3' }, { 'math.modf', '-2.5' },
  { 'math.tointeger', '3.0' }, { 'math.type', '3' }, { 'math.random' }, { 'math.random', '10' },
  { 'math.random', '5', '10' }, { 'math.ult', '1', '-1' }, { 'type', '1.5' }, { 'type', 'nil' },
  { 'select', '2', '"a"', '"b"' }, { 'select', '"#"', '"a"', 'nil' }, { 'select', '-1', '"a"', '"b"' },
  { 'next', '{10, 20}' }, { 'next', '{10, 20}', '1' }, { 'next', '{x = 1}', '"x"' }, { 'pairs', '{1}' },
  { 'ipairs', '{1}' }, { 'ipairs(list)', '{10, 20}', '1' }, { 'rawget', '{10, 20}', '2' }, { 'rawget', '{x = 1}', '"x"' },
  { 'rawset', '{10, 20}', '3', '30' }, { 'rawset', '{}', '"x"', '30' }, { 'rawequal', '1', '1.0' },
  { 'rawequal', '"a"', '"a"' }, { 'rawlen', '{1, 2}' }, { 'rawlen', '"abc"' }, { 'tostring', '1.5' }, { 'tostring', '12' },
  { 'tostring', '"s"' }, { 'tonumber', '"0x10"' }, { 'tonumber', '"z"', '36' }, { 'tonumber', '7' }, { 'assert', '1' },
  { 'assert', '1', '2', 'nil' }, { 'assert', '"a"', '"b"' }, { 'setmetatable', '{}', '{}' }, { 'setmetatable', '{}', 'nil' },
  { 'getmetatable', '{}' }, { 'getmetatable', 'proxy' }, { 'pcall', 'tostring', '1' }, { 'pcall', 'error', '"e"' },
  { 'string.byte', '"abc"' }, { 'string.byte', '"abc"', '2' }, { 'string.byte', '"abc"', '1', '-1' }, { 'string.char' },
  { 'string.char', '65' }, { 'string.char', '65', '66' }, { 'string.sub', '"abc"', '2' }, { 'string.sub', '"abc"', '-2', '-1' },
  { 'string.len', '"abc"' }, { 'table.insert', '{1, 2}', '3' }, { 'table.insert', '{1, 2}', '1', '3' },
  { 'table.remove', '{1, 2, 3}' }, { 'table.remove', '{1, 2, 3}', '1' }, { 'table.unpack', '{1, 2, 3}' },
  { 'table.unpack', '{1, 2, 3}', '2' }, { 'table.unpack', '{1, 2, 3}', '1', '2' },
}
local odd = { 'nil', 'true', '5', '0', '-1', '1.5', '"str"', '"7"', '" 0x1p1 "', '{}', 'print', 'proxy', 'math.mininteger',
  '2^53', '-0.0', '0/0', '1e300' }

list = { 1 }
proxy = setmetatable({ 7 }, { __metatable = 'locked', __name = 'Proxy', __tostring = function() return 'a proxy' end,
  __len = function() return 2 end, __index = function(_, k) return k end, __pairs = function(t) return t, 1, 2, 3 end })

local function show(v, random)
  if type(v) == 'table' and v ~= proxy then
    local parts = {}
    for i = 1, rawlen(v) do parts[i] = show(rawget(v, i), random) end
    return '{' .. table.concat(parts, ' ') .. '}'
  elseif type(v) == 'number' then
    -- The sign of a NaN is nobody's business.
    return v ~= v and 'nan' or random and 'a number' or math.type(v) .. ' ' .. tostring(v)
  elseif type(v) == 'function' then
    return 'function'
  end
  return (tostring(v):gsub('0x%x+', 'address'))
end

local forms = {
  'F return "statement"', 'local x = F return x', 'local x, y, z = F return x, y, z', 'return { F }', 'return F',
  'return (F), "last"', 'if F then return "yes" end return "no"', 'return select("#", F), F',
  'for i = 1, 1 do local x, y = F return y, x end',
}

local function names(n)
  local all = { 'a', 'b', 'c', 'd', 'e' }
  return table.concat(all, ', ', 1, n)
end

local function call(f, form, arguments, random)
  local results = table.pack(pcall(f, form, arguments()))
  for i = 2, results.n do results[i] = show(results[i], random) end
  return table.concat(results, ' ', 2, results.n)
end

-- What calls of `name` with `n` arguments do, of which the first are those in `entry`.
local function test(entry, n)
  local name = entry[1]
  local random = name == 'math.random'
  local text = { 'local form' .. (n > 0 and ', ' or '') .. names(n) .. ' = ...\n' }
  for i, form in ipairs(forms) do
    local code = form:gsub('F', function() return name .. '(' .. names(n) .. ')' end)
    text[#text + 1] = ('if form == %d then %s end\n'):format(i, code)
  end
  local f = assert(load(table.concat(text), '=f'))
  local function arguments(position, value)
    local all = {}
    for i = 1, n do all[i] = i == position and value or entry[i + 1] or 'nil' end
    return assert(load('return ' .. table.concat(all, ', ')))
  end
  local suitable = arguments()
  for i = 1, 130 do pcall(f, i % #forms + 1, suitable()) end
  local function line(what, arguments)
    local shown = {}
    for form = 1, #forms do shown[form] = call(f, form, arguments, random) end
    for form = #forms, 2, -1 do
      -- Most differ in nothing.
      if shown[form] == shown[form - 1] then shown[form] = '=' end
    end
    print(name, n, what, table.concat(shown, ' | '))
  end
  line('suitable', suitable)
  for position = 1, n do
    for _, value in ipairs(odd) do line(position .. ': ' .. value, arguments(position, value)) end
  end
  line('suitable', suitable)
end

for _, entry in ipairs(good) do
  for n = math.max(#entry - 2, 0), #entry do test(entry, n) end
end
