-- Metamethods written in Lua, for every sort of operator: results cut to one, none is nil, errors and yields pass.
local mt = {}
mt.__index = function(t,k) if k == 'err' then error('idx') end return function(self, x) return k, x end end
mt.__newindex = function(t,k,v) rawset(t, k, v) return 1, 2 end
mt.__add = function(a,b) return 'add' end
mt.__eq = function(a,b) return nil end
mt.__lt = function(a,b) return 1 end
mt.__le = function(...) return select('#', ...) == 2 end
mt.__unm = function(a, b) return rawequal(a, b) end
mt.__bnot = function(a) return end
local a, b = setmetatable({}, mt), setmetatable({}, mt)
print(a:meth(3)) print(a.foo(1, 2)) print(a[1](0, 4))
a.x = 5 a[1] = 6 a['y'] = 7 print(rawget(a, 'x'), a[1], a.y)
print(a + 1, 1 + a, a + b, a == b, a ~= b, a < b, a > b, a <= b, a >= 1, 1 < a, a < 1, -a, ~a)
print(pcall(function() local q = a.err end))
print(pcall(function() return a .. 1 end))
print(select('#', ~a), (~a))
if a < b then print 'lt' else print 'ge' end
if a == b then print 'eq' else print 'ne' end
while not (a < b) do break end
local co = coroutine.wrap(function() local d = setmetatable({}, {__index = function(t, k) return coroutine.yield(k) end, __lt = function() return coroutine.yield('lt') end}) print(d.x, d.y) if d < d then print 'yes' else print 'no' end return 'end' end)
print(co()) print(co(1)) print(co(2)) print(co(false))
local n = 0
local s = setmetatable({}, {__index = function(t, k) n = n + 1 if k == 0 then return 'deep' end return t[k - 1] end})
print(s[100], n)
print("10" + setmetatable({}, {__add = function(a, b) return 'tbl' end}))
local depth = 0
local v = setmetatable({}, { __add = function(x, k) depth = depth + 1 if k == 0 then return 0 end return 1 + (x + (k - 1)) end })
print(v + 150, depth)
for _ = 1, 3 do collectgarbage() print((a + b), a.field == nil, #tostring(-a)) end

--[[expect
meth	3
foo	2
1	4
5	6	7
add	add	add	false	true	true	true	true	true	true	true	true	nil
false	meta_written_in_lua.lua:3: idx
false	meta_written_in_lua.lua:16: attempt to concatenate a table value (upvalue 'a')
1	nil
lt
ne
x
y
1	2
lt
no
end
deep	101
tbl
150	151
add	false	4
add	false	4
add	false	4
]]
