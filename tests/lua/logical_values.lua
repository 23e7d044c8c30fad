-- and/or give operands, only nil and false are false.
local function f(...) return ... end
for _, v in ipairs { 0, "", 0.0, {} } do assert(v and true) end
print(nil and 1, false and 1, 0 and 1, "" and 1, nil or 1, false or nil, 1 or 2)
local a = nil
print(a and a.b, a or "default", not a, not not a, not 0)
print((f(1, 2) and f(3, 4)), f(nil, 1) or f(5, 6))
print(1 and nil or 2, false == nil, 1 and 2 and 3, nil or false or 4, (nil or {} ) ~= nil)
local n = 0
local function count() n = n + 1 return n end
local x = count() > 0 or count()
local y = count() < 0 and count()
print(n, x, y)

--[[expect
nil	false	1	1	1	nil	1
nil	default	true	false	false
3	5
2	false	3	4	true
2	true	false
]]
