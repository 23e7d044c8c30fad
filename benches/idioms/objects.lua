--# shared_metatable 700000 50
local P = {}
P.__index = P
function P:get() return self.x end
local c = 0
for i = 1, n do c = c + setmetatable({ x = i }, P):get() end
return c
--# metatable_per_object 500000 50
local P = {}
function P:get() return self.x end
local c = 0
for i = 1, n do c = c + setmetatable({ x = i }, { __index = P }):get() end
return c
--# kept_objects_own_metatables 20000 10
local P = {}
function P:step(k) self.x = self.x + k return self.x end
local list, c = {}, 0
for i = 1, 100 do list[i] = setmetatable({ x = i }, { __index = P }) end
for k = 1, n do
  for i = 1, 100 do c = c + list[i]:step(k) % 7 end
end
return c
--# inheritance_three_deep 2000000 50
local A = {}
A.__index = A
function A:area() return self.w * self.h end
local B = setmetatable({}, A)
B.__index = B
local C = setmetatable({}, B)
C.__index = C
local o, c = setmetatable({ w = 3, h = 4 }, C), 0
for _ = 1, n do c = c + o:area() end
return c
--# super_calls 1000000 50
local A = {}
A.__index = A
function A:cost(k) return k + self.base end
local B = setmetatable({}, { __index = A })
B.__index = B
function B:cost(k) return A.cost(self, k) * 2 end
local o, c = setmetatable({ base = 5 }, B), 0
for i = 1, n do c = c + o:cost(i) % 11 end
return c
--# polymorphic_calls 2000000 50
local kinds = {}
for k = 1, 4 do
  local K = {}
  K.__index = K
  K.value = function(self) return self.n * k end
  kinds[k] = K
end
local list, c = {}, 0
for i = 1, 40 do list[i] = setmetatable({ n = i }, kinds[i % 4 + 1]) end
for i = 1, n do c = c + list[i % 40 + 1]:value() end
return c
--# closures_as_objects 300000 50
local function account(balance)
  local self = {}
  function self.deposit(x) balance = balance + x end
  function self.balance() return balance end
  return self
end
local c = 0
for i = 1, n do
  local a = account(i)
  a.deposit(10)
  c = c + a.balance()
end
return c
--# getters_and_setters 2000000 50
local P = {}
P.__index = P
function P:get_x() return self.x end
function P:set_x(v) self.x = v end
local o = setmetatable({ x = 0 }, P)
for _ = 1, n do o:set_x(o:get_x() + 1) end
return o.x
--# properties_by_index_function 2000000 50
local getters = { double = function(o) return o.x * 2 end }
local meta = { __index = function(o, k) local g = getters[k] return g and g(o) end }
local o, c = setmetatable({ x = 4 }, meta), 0
for _ = 1, n do c = c + o.double end
return c
--# proxy 1000000 50
local store, reads = { a = 1 }, 0
local p = setmetatable({}, {
  __index = function(_, k) reads = reads + 1 return store[k] end,
  __newindex = function(_, k, v) store[k] = v end,
})
for _ = 1, n do p.a = p.a + 1 end
return store.a + reads
--# default_values_by_index 4000000 50
local defaults = { width = 10, height = 20 }
local o, c = setmetatable({ height = 5 }, { __index = defaults }), 0
for _ = 1, n do c = c + o.width * o.height end
return c
--# operators_on_vectors 300000 50
local V = {}
V.__index = V
local function v(x, y) return setmetatable({ x = x, y = y }, V) end
V.__add = function(a, b) return v(a.x + b.x, a.y + b.y) end
V.__mul = function(a, k) return v(a.x * k, a.y * k) end
local p, d = v(0, 0), v(1, 2)
for _ = 1, n do p = p + d * 2 end
return p.x + p.y
--# callable_objects 2000000 50
local f, c = setmetatable({ k = 3 }, { __call = function(self, x) return self.k + x end }), 0
for i = 1, n do c = c + f(i) % 5 end
return c
--# equality_and_order 1000000 50
local M = {}
M.__eq = function(a, b) return a.v == b.v end
M.__lt = function(a, b) return a.v < b.v end
local a, b, c = setmetatable({ v = 1 }, M), setmetatable({ v = 2 }, M), 0
for _ = 1, n do
  if a == b then c = c + 1 end
  if a < b then c = c + 2 end
end
return c
--# class_library_with_copies 200000 50
local function class(parent)
  local c = {}
  for k, v in pairs(parent or {}) do c[k] = v end
  c.__index = c
  c.new = function(...)
    local o = setmetatable({}, c)
    if o.init then o:init(...) end
    return o
  end
  return c
end
local A = class()
function A:init(x) self.x = x end
function A:value() return self.x end
local B = class(A)
function B:init(x, y) A.init(self, x) self.y = y end
function B:sum() return self:value() + self.y end
local c = 0
for i = 1, n do c = c + B.new(i, 1):sum() end
return c
--# method_cached_in_local 4000000 50
local P = {}
P.__index = P
function P:add(k) self.total = self.total + k end
local o = setmetatable({ total = 0 }, P)
local add = o.add
for i = 1, n do add(o, 1) end
return o.total
--# event_emitter 500000 50
local listeners = {}
local function on(name, f)
  local l = listeners[name] or {}
  listeners[name] = l
  l[#l + 1] = f
end
local function emit(name, ...)
  for _, f in ipairs(listeners[name] or {}) do f(...) end
end
local c = 0
on("tick", function(a) c = c + a end)
on("tick", function(a, b) c = c + b end)
for i = 1, n do emit("tick", 1, 2) end
return c
--# class_of_300_methods 1000000 50
local K = {}
K.__index = K
for i = 1, 300 do K["m" .. i] = function(self) return self.v + i end end
local o, c = setmetatable({ v = 1 }, K), 0
for _ = 1, n do c = c + o:m7() + o:m250() end
return c
--# module_of_functions 2000000 50
local M = {}
function M.twice(x) return x * 2 end
function M.inc(x) return x + 1 end
local c = 0
for i = 1, n do c = c + M.inc(M.twice(i)) % 3 end
return c
--# singletons_with_state 3000000 50
local counter = { value = 0 }
function counter.next() counter.value = counter.value + 1 return counter.value end
local c = 0
for _ = 1, n do c = counter.next() end
return c
--# tree_of_nodes 12 3
local function tree(d)
  if d == 0 then return { value = 1 } end
  return { left = tree(d - 1), right = tree(d - 1), value = d }
end
local function sum(t)
  if not t then return 0 end
  return t.value + sum(t.left) + sum(t.right)
end
local c = 0
for _ = 1, 30 do c = c + sum(tree(n)) end
return c
