-- Tracebacks, messages and closed variables of errors under chains of functions that call each other in all
-- sorts of ways, which compiled code inlines or calls. Chains are chosen by a generator of our own, so that
-- all implementations see the same.
local state = 1
local function random(n)
  state = (state * 1103515245 + 12345) % 2147483648
  return state // 65536 % n + 1
end

-- What happens at the end of a chain, when `x` is true.
local ends = {
  'if x then error("e") end return 1',
  'if x then error({}) end return 1',
  'local t = x and nil or {} if x then t = nil end return t.a',
  'if x then return debug.traceback("shown") end return "fine"',
  'local s = 0 for i = 1, 3 do s = s + (x and i == 2 and {} or i) end return s',
  'local s = 0 for i = 1, 3 do if x and i == 2 then s = s .. {} end end return s',
  'return x and math.floor("z") or 1',
  'return math.floor(x and "z" or 1.5)',
  'return ("x"):rep(x and {} or 1)',
  'return (function() if x then error("in closure") end return 2 end)()',
  'local f = x and 5 or type return f(1)',
  'assert(not x, "asserted") return 3',
  'return select(x and "z" or 1, 2, 3)',
  'local a <close> = closing if x then error("with a variable to close") end return 1',
  'local ok, m = pcall(error, x and "inner" or nil) if x then return debug.traceback(m) end return 1',
  'if x then string.rep() end return 1',
  'if x then return x.y.z end return 1',
  'if x then return failing.foo end return 1',
  'if x then return failing + 1 end return 1',
  'for k in pairs({1}) do if x then error("in a loop") end end return 1',
  'if x then table.sort({3, 2, 1}, function(a, b) error("comparing") end) end return 1',
  'if x then return (string.gsub("a", "a", function() error("replacing") end)) end return 1',
}

-- How a function calls the one before it, `g`.
local links = {
  'return g(x)', 'local r = g(x) return r', 'return (g(x))', 'return 1, g(x)', 'local r = {g(x)} return r[1]',
  'return o:m(x)', 'local r = o:m(x) return r', 'return o.n(x)', 'local r = tostring(g(x)) return r',
  'for i = 1, 2 do local r = g(i == 2 and x) if i == 2 then return r end end', 'return first(x)',
  'local r = first(x) return r', 'local ok, r = pcall(g, x) if not ok then error(r, 0) end return r',
  'return select(2, 0, g(x))', 'local r = varargs(1, x) return r', 'return varargs(1, x)',
  'if x then g(x) end return g(x)', 'return meta + x', 'local r = meta + x return r', 'return meta[x]',
  'local r = meta.k return g(x)', 'local f = function() return g(x) end return f()',
  'local f = function() local r = g(x) return r end local q = f() return q',
  'GLOBAL = g local r = GLOBAL(x) return r', 'return GLOBAL(x)', 'local r repeat r = g(x) until true return r',
  'while true do local r = g(x) do return r end end', 'local a, b, c = g(x) return a',
  'return coroutine.wrap(function() return g(x) end)()', 'return coroutine.wrap(g)(x)',
}

-- What a function of a chain sees; CALL is one of two ways.
local scope = [[
GLOBAL = g
local o = { m = function(self, x) CALL(x) end, n = g }
local varargs = function(...) local a, b = ... CALL(b) end
local meta = setmetatable({}, {
  __add = function(a, b) return g(b) end,
  __index = function(t, k) if k == 'k' then return 1 end return g(k) end,
})
]]

local closed = {}
closing = setmetatable({}, { __close = function(_, e) if e then closed[#closed + 1] = 'closed ' .. tostring(e) end end })
failing = setmetatable({}, {
  __index = function(t, k) error('index ' .. k) end,
  __add = function(a, b) return nil + 1 end,
})

local function chain()
  local parts = { 'local g = function(x) ' .. ends[random(#ends)] .. ' end local first = g\n' }
  for depth = 1, random(4) do
    local body = links[random(#links)]
    local text = scope:gsub('CALL(%b())', random(2) == 1 and 'return g%1' or 'local r = g%1 return r')
    if random(2) == 1 then
      text = text .. 'local g = function(x) ' .. body .. ' end\n'
    else
      text = text .. 'local function h' .. depth .. '(x) ' .. body .. ' end local g = h' .. depth .. '\n'
    end
    parts[#parts + 1] = text:gsub('GLOBAL', 'G' .. depth)
  end
  return table.concat(parts) .. 'return g'
end

local function shown(m) return (tostring(m):gsub('0x%x+', 'address'):gsub('\n%s*', ' / ')) end

for n = 1, 400 do
  local f = assert(load(chain(), '=chain'))()
  for round = 1, 2 do
    for _ = 1, 110 do pcall(f, false) end
    local _, traced = xpcall(f, function(m) return debug.traceback(tostring(m), 1) end, true)
    local _, plain = pcall(f, true)
    print(n, round, shown(traced), shown(plain), table.concat(closed, ', '))
    closed = {}
  end
end
