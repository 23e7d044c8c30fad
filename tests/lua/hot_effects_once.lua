-- Guards that fail behind an effect do not repeat it: leaving goes on behind the last one.
local count = {}
local function tick(name) count[name] = (count[name] or 0) + 1 end

local meta = {
  __index = function(t, k) tick("index") return 1 end,
  __newindex = function(t, k, v) tick("newindex") rawset(t, k .. "_", v) end,
  __add = function(a, b) tick("add") return 2 end,
  __eq = function(a, b) tick("eq") return true end,
  __lt = function(a, b) tick("lt") return false end,
  __len = function(a) tick("len") return 3 end,
  __concat = function(a, b) tick("concat") return "c" end,
  __call = function(self, x) tick("call") return x end,
  __unm = function(a) tick("unm") return 4 end,
}

-- Objects of many shapes, some with the field.
local function object(i)
  local o = {}
  for k = 1, i % 12 do o["f" .. k] = k end
  if i % 3 == 0 then o.field = 5 end
  return setmetatable(o, meta)
end

local plain = {}
local function global_effect() tick("function") return 1 end

-- Each adds a value at the end that is mostly an integer, at times a float, a string or a table.
local function read(o, x) local v = o.field return v + x end
local function write(o, x) o.new = x return x + 1 end
local function arith(o, x) local v = o + 1 return v + x end
local function compare(o, p, x) if o == p and not (o < p) then return x + 1 end return x end
local function length(o, x) local n = #o return n + x end
local function join(o, x) local s = o .. "x" return #s + x end
local function call(o, x) local v = o(1) return v + x end
local function negate(o, x) local v = -o return v + x end
local function upvalue(o, x) tick("upvalue") plain.a = x return plain.a + x end
local function field(o, x) plain.n = (plain.n or 0) + 1 return plain.n * 0 + x end
local function several(o, x)
  local a = o.field
  local b = global_effect()
  local c = x + b
  local d = o.other
  return a + c + d
end
local function loop(o, x)
  local sum = 0
  for i = 1, 3 do
    local v = o.field
    sum = sum + v
    if i == 2 then sum = sum + x end
    plain[i] = sum
  end
  return sum + plain[3]
end

local strange = setmetatable({}, { __add = function() tick("strange") return 0 end,
  __mul = function() return 0 end })
local total = 0
for i = 1, 1200 do
  local o, p = object(i), object(i + 1)
  local x = 1
  if i % 97 == 0 then x = 0.5 elseif i % 101 == 0 then x = "7" elseif i % 103 == 0 then x = strange end
  for _, f in ipairs { read, write, arith, length, join, call, negate, upvalue, field, several, loop } do
    local v = f(o, x)
    if type(v) == "number" then total = total + v end
  end
  local v = compare(o, p, x)
  if type(v) == "number" then total = total + v end
end

-- The same where some shapes are known and the others are left to the interpreter: these have the effect.
local function late(o, x) local v = o.late return v + x end
local function known(i) if i % 2 == 0 then return { late = 1 } else return { a = 1, late = 1 } end end
local makers = {
  function() return setmetatable({ u = 1 }, meta) end,
  function() return setmetatable({ v = 1 }, meta) end,
  function() return setmetatable({ w = 1, u = 1 }, meta) end,
  function() return setmetatable({ x = 1, v = 2 }, meta) end,
}
meta.__index = function() tick("late") return 1 end
for i = 1, 4000 do
  local o = known(i)
  local x = i
  if i > 1000 and i % 2 == 0 then o = makers[i // 2 % 4 + 1]() end
  if i > 2500 and i % 64 == 0 then x = 0.5 end
  total = total + late(o, x)
end

local names = {}
for name in pairs(count) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do print(name, count[name]) end
print(plain.n, total)

--[[expect
add	1200
call	1200
concat	1200
eq	1200
function	1200
index	5200
late	1500
len	1200
lt	1200
newindex	1200
strange	132
unm	1200
upvalue	1200
1200	7988556.5
]]
