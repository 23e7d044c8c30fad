-- Calls with all, some or none of their results wanted: what gives the results by what takes them. Each
-- function is warmed with different arguments and then meets the others.
local callees = {
  zero = 'function(a, b) end',
  one = 'function(a, b) return a end',
  two = 'function(a, b) return a, b end',
  many = 'function(a, b) return a, b, a, b, a, b end',
  varying = 'function(a, b) if a then return a, b end return b end',
  sometimes = 'function(a, b) if a then return a end end',
  varargs = 'function(...) return ... end',
  varargs_but_one = 'function(a, ...) return ... end',
  tail_native = 'function(a, b) return select(2, a, b) end',
  tail = 'function(a, b) return two(a, b) end',
  cut_and_open = 'function(a, b) return two(b, a), two(a, b) end',
  protected = 'function(a, b) return pcall(two, a, b) end',
  unpacked = 'function(a, b) return table.unpack({a, b, 3}) end',
  asserted = 'function(a, b) return assert(b, a) end',
  nexted = 'function(a, b) return next({b}, nil) end',
  from_loop = 'function(a, b) for i = 1, 3 do if i == b then return i, a end end return end',
  from_closure = 'function(a, b) local f = function() return a, b end return f() end',
  inserted = 'function(a, b) return table.insert({}, b) end',
  cut = 'function(a, b) return (two(a, b)) end',
  either = 'function(a, b) return a and two(a, b) or b, b end',
  lists = 'function(a, b) return setmetatable({b}, nil)[1], #{two(a, b)} end',
  extremes = 'function(a, b) return math.max(b, 2), math.min(two(b, 1)) end',
}
local consumers = {
  'F return 0', 'local x = F return x', 'local x, y, z = F return x, y, z', 'local x, y = 1, F return x, y',
  'return F', 'return 1, F', 'return (F)', 'return (F), F', 'return F == F', 'if F then return 1 end return 2',
  'return {F}', 'return {0, F}', 'return #{F}, F', 'local t = {} t[1], t[2] = F return t',
  'return two(F)', 'return two(0, F)', 'return two(F), two(F)', 'return (two(F))', 'return many(F)',
  'return varargs(F)', 'return varargs(0, F)', 'return varargs(two(F))', 'return but_one(varargs(F))',
  'return varargs((F), F, nil)', 'return select("#", F)', 'return select(-1, 0, F)', 'return pcall(two, F)',
  'return assert(1, F)', 'return type(1), tostring(1), F', 'return math.max(1, (F) and 3 or 4)',
  'for i, v in pass(F) do return i, v end', 'while true do local x, y = F if not x then return y end return y, x end',
}
local prelude = 'local two, varargs, but_one, many = ' .. callees.two .. ', ' .. callees.varargs .. ', '
  .. callees.varargs_but_one .. ', ' .. callees.many .. '\nlocal function pass(a, b) local n = 0 '
  .. 'return function() n = n + 1 if n < 3 then return a, b end end end\n'
local arguments = { { 1, 2 }, { true, 3 }, { nil, 2 }, { 'x', 'y' }, { false, 1.5 } }

local function show(v)
  if type(v) ~= 'table' then return tostring(v) end
  local parts = {}
  for i = 1, 8 do parts[i] = tostring(v[i]) end
  return '{' .. table.concat(parts, ' ') .. '}'
end

local names = {}
for name in pairs(callees) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
  local source = { prelude .. 'local g = ' .. callees[name] .. '\nreturn {' }
  for _, consumer in ipairs(consumers) do
    source[#source + 1] = 'function(a, b) ' .. consumer:gsub('F', 'g(a, b)') .. ' end,'
  end
  source[#source + 1] = '}'
  for number, f in ipairs(assert(load(table.concat(source, '\n'), '=f'))()) do
    local out = {}
    for warm = 1, 3 do
      local with = arguments[(warm + number) % #arguments + 1]
      for _ = 1, 130 do pcall(f, with[1], with[2]) end
      for _, with in ipairs(arguments) do
        local results = table.pack(pcall(f, with[1], with[2]))
        for i = 1, results.n do results[i] = show(results[i]) end
        out[#out + 1] = table.concat(results, ' ', 1, results.n)
      end
    end
    print(name, consumers[number], table.concat(out, ' | '))
  end
end
