-- Metamethods that call themselves without end run into the limit of nested calls, not into that of the
-- stack; also after the stack has been as large as it gets.
local t = setmetatable({}, { __index = function(t, k) return t[k] end })
for i = 1, 3 do print(pcall(function() return t.x end)) end
local u = setmetatable({}, { __index = function(t, k) local v = t[k] return v end })
for i = 1, 2 do print(pcall(function() return u.x end)) end
local function f(x) return 1 + f(x) end
for i = 1, 3 do print(pcall(f, 1)) end
for i = 1, 2 do print(pcall(function() return u.x end)) end
local c = setmetatable({}, { __concat = function(a, b) return a .. b end , __add = function(a, b) local x = a + b return x end, __newindex=function(t,k,v) t[k]=v end, __eq = function(a,b) return a == b end, __lt = function(a,b) return a < b end, __len=function(a) return #a end, __call=function(self, x) local y = self(x) return y end, __unm = function(a) local b = -a return b end})
local d = setmetatable({}, getmetatable(c))
for i = 1, 2 do
print(pcall(function() return c .. 'x' end))
print(pcall(function() return c + 'x' end))
print(pcall(function() c.x = 1 end))
print(pcall(function() return c == d end))
print(pcall(function() return c < d end))
print(pcall(function() return #c end))
print(pcall(function() return c(1) end))
print(pcall(function() return -c end))
end
print(pcall(string.gsub, ('x'):rep(10), 'x', function() return u.x end))
local function s(t) table.sort({1,2,3}, s) return true end
print(pcall(s))

-- Returns give the room back, errors and yields too.
local n = setmetatable({}, { __index = function(t, k) if k == 0 then return 'end' end local v = t[k - 1] return v end })
for i = 1, 500 do assert(n[150] == 'end') end
print(n[150], pcall(function() return n[250] end))
local y = setmetatable({}, { __add = function(a, b) coroutine.yield(b) local v = b > 0 and a + (b - 1) return v end })
for _ = 1, 3 do
  local co = coroutine.wrap(function() return y + 100 end)
  local last
  repeat last = co() until not last or last == 0
  io.write(tostring(last), ' ', tostring(co()), '\n')
end
for _ = 1, 300 do pcall(function() return n[10] .. {} end) end
print(n[150])

--[[expect
false	meta_recursion_overflow.lua:3: C stack overflow
false	meta_recursion_overflow.lua:3: C stack overflow
false	meta_recursion_overflow.lua:3: C stack overflow
false	meta_recursion_overflow.lua:5: C stack overflow
false	meta_recursion_overflow.lua:5: C stack overflow
false	meta_recursion_overflow.lua:7: stack overflow
false	meta_recursion_overflow.lua:7: stack overflow
false	meta_recursion_overflow.lua:7: stack overflow
false	meta_recursion_overflow.lua:5: C stack overflow
false	meta_recursion_overflow.lua:5: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:10: stack overflow
false	meta_recursion_overflow.lua:10: C stack overflow
false	meta_recursion_overflow.lua:5: C stack overflow
false	C stack overflow
end	false	meta_recursion_overflow.lua:27: C stack overflow
0 false
0 false
0 false
end
]]
