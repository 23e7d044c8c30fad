-- An upvalue holding a function or number changes while its users are hot.
local f = function(x) return x + 1 end
local k = 1
local function use(x) return f(x) * k end
local s = 0
for i = 1, 900 do
  if i == 300 then f = function(x) return x - 1 end end
  if i == 500 then k = 0.5 end
  if i == 700 then k = -1 f = math.abs end
  s = s + use(i)
  if i % 150 == 0 then print(i, s) end
end
k = "2" print(use(3))
k = nil print(pcall(use, 1))
k = 1 f = nil print(pcall(use, 1))
local function counter() local n = 0 return function() n = n + 1 return n end, function(v) n = v end end
local inc, set = counter()
for i = 1, 400 do inc() end
set(math.maxinteger) print(inc() == math.mininteger)
set(0.5) for i = 1, 300 do inc() end print(inc())
set("10") print(inc(), math.type(inc()))

--[[expect
150	11475
300	45448
450	101623
600	152573.5
750	147724.0
900	23899.0
6
false	hot_upvalue_redefined.lua:4: attempt to perform arithmetic on a nil value (upvalue 'k')
false	hot_upvalue_redefined.lua:4: attempt to call a nil value (upvalue 'f')
true
301.5
11	integer
]]
