-- __metatable protects; getmetatable and setmetatable arguments.
local t = setmetatable({}, { __metatable = "locked" })
print(getmetatable(t), pcall(setmetatable, t, {}))
print(getmetatable("").__index == string, getmetatable(5), getmetatable(nil))
print(pcall(setmetatable, 5, {}))
print(pcall(setmetatable, {}, 5))
print(pcall(setmetatable, {}))
local u = {}
print(setmetatable(u, nil) == u, getmetatable(u))
setmetatable(u, { __index = { x = 1 } })
print(u.x)
setmetatable(u, nil)
print(u.x)
print(getmetatable(setmetatable({}, { __metatable = false })))

--[[expect
locked	false	cannot change a protected metatable
true	nil	nil
false	bad argument #1 to 'setmetatable' (table expected, got number)
false	bad argument #2 to 'setmetatable' (nil or table expected, got number)
false	bad argument #2 to 'setmetatable' (nil or table expected, got no value)
true	nil
1
nil
false
]]
