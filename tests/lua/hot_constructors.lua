-- Table constructors and tail calls of library functions in compiled code.
local function pair(a, b) return { a, b } end
local function three(a, b, c) return { a, b, c } end
local function record(a, b) return { x = a, y = b, a, b } end
local function nested(a) return { { a }, { a, { a } }, n = { a, a } } end
local function fresh() return {} end
local function calls(f, a) return { f(a), f(a + 1), (f(a + 2)) } end

local function show(t)
  local parts = {}
  for i = 1, #t do
    local v = t[i]
    parts[#parts + 1] = type(v) == "table" and "{" .. #v .. "}" or tostring(v)
  end
  return table.concat(parts, " ")
end

local shown = {}
local function see(text)
  if not shown[text] then
    shown[text] = true
    print(text)
  end
end

for i = 1, 400 do
  see("int " .. show(pair(1, 2)) .. " " .. #pair(i, i))
  see("float " .. show(pair(1.5, -0.0)))
  see("string " .. show(pair("a", "b")))
  see("wide " .. show(pair(1 << 50, math.mininteger)))
  see("mixed " .. show(three(1, 2.5, "z")))
  see("bool " .. show(three(true, false, 3)))
  local r = record(i, "s")
  assert(r.x == i and r.y == "s" and r[1] == i and r[2] == "s" and #r == 2)
  local n = nested(i)
  assert(n[1][1] == i and n[2][2][1] == i and n.n[2] == i and #n == 2)
  local e = fresh()
  assert(next(e) == nil and #e == 0)
  e[1] = i
  e.k = i
  assert(#e == 1 and e[1] == i and e.k == i)
  local c = calls(function(x) return { x } end, i)
  assert(#c == 3 and c[1][1] == i and c[3][1] == i + 2)
  local p = pair(i, i)
  p[3] = "more"
  assert(#p == 3 and p[3] == "more")
  p[#p] = nil
  assert(#p == 2)
end

-- A list that has a hole at its end, or is all nil.
for i = 1, 300 do
  local t = pair(i, nil)
  assert(t[1] == i and t[2] == nil)
  local u = pair(nil, nil)
  assert(#u == 0 and next(u) == nil)
  local w = three(nil, i, nil)
  assert(w[2] == i and w[1] == nil)
end

-- Keys in brackets come before the list, and may be among its places or behind.
for i = 1, 300 do
  local r = { [1] = i, i * 2, [i % 3] = "k" }
  assert(r[1] == i * 2 and r[2] == (i % 3 == 2 and "k" or nil))
  local s = { [2] = "b", i }
  assert(s[1] == i and s[2] == "b" and #s == 2)
  local u = { i, i + 1, [3] = "c", x = { [1] = 0 } }
  assert(#u == 3 and u[3] == "c" and u.x[1] == 0)
end

-- Tail calls of library functions.
local Class = {}
Class.__index = Class
function Class:get() return self.v end
local function object(v) return setmetatable({ v = v }, Class) end
local function half(x) return math.floor(x / 2) end
local function root(x) return math.sqrt(x) end
local function kind(x) return type(x) end
local function first(s) return string.sub(s, 1, 1) end
local function last(t) return table.remove(t) end
local function greater(a, b) return math.max(a, b) end
local function add(t, v) return table.insert(t, v) end
local function check(...) return assert(...) end
local function following(t, k) return next(t, k) end
local function code(s) return string.byte(s) end

local total = 0
for i = 1, 400 do
  local o = object(i)
  total = total + o:get() + half(i) + greater(i, 7)
  assert(getmetatable(o) == Class and select("#", object(1)) == 1)
  assert(kind(i) == "number" and kind(o) == "table" and kind("") == "string")
  assert(select("#", kind(nil)) == 1 and root(16) == 4.0)
  assert(first("xyz") == "x" and first("") == "" and code("a") == 97 and code("") == nil)
  local t = { i, i + 1 }
  assert(last(t) == i + 1 and last(t) == i and last(t) == nil)
  assert(select("#", add(t, 3)) == 0 and t[1] == 3)
  assert(select("#", check(1, 2, 3)) == 3)
  assert(select("#", following({}, nil)) == 1 and following({ 5 }) == 1)
end
print(total)

-- What goes wrong is told where it was called, as in the interpreter.
print(type(select(2, pcall(object))))
print(pcall(function() return setmetatable(1, Class) end))
print(pcall(half, "x"))
print(pcall(half, {}))
print(pcall(root, nil))
setmetatable(Class, { __metatable = "locked" })
print(pcall(function() return setmetatable(Class, {}) end))

--[[expect
int 1 2 2
float 1.5 -0.0
string a b
wide 1125899906842624 -9223372036854775808
mixed 1 2.5 z
bool true false 3
200421
table
false	hot_constructors.lua:105: bad argument #1 to 'setmetatable' (table expected, got number)
false	hot_constructors.lua:76: attempt to div a 'string' with a 'number'
false	hot_constructors.lua:76: attempt to perform arithmetic on a table value (local 'x')
false	hot_constructors.lua:77: bad argument #1 to 'sqrt' (number expected, got nil)
false	hot_constructors.lua:110: cannot change a protected metatable
]]
