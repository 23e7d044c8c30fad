-- Methods redefined on the class, overridden on the object, and the class swapped, in hot loops.
local A = {} A.__index = A
function A:m(x) return x + self.k end
local B = {} B.__index = B
function B:m(x) return x * self.k end
local o = setmetatable({ k = 2 }, A)
local s = 0
for i = 1, 1200 do
  if i == 200 then function A:m(x) return x - self.k end end
  if i == 400 then o.m = function(self, x) return 1000 end end
  if i == 600 then o.m = nil end
  if i == 700 then setmetatable(o, B) end
  if i == 900 then setmetatable(o, A) A.m = nil A.__index = B end
  if i == 1000 then setmetatable(o, { __index = function(t, name) return function(self, x) return #name + x end end }) end
  s = s + o:m(i)
  if i % 100 == 0 then print(i, s) end
end
setmetatable(o, nil)
print(pcall(function() return o:m(1) end))

--[[expect
100	5250
200	20496
300	45346
400	80798
500	180798
600	280396
700	345948
800	496048
900	666148
1000	855249
1100	960399
1200	1075549
false	hot_method_redefined.lua:19: attempt to call a nil value (method 'm')
]]
