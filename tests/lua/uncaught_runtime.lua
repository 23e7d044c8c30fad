-- An uncaught run-time error with variable information.
local t = { a = {} }
print(t.a.b.c)

--[[expect-error
uncaught_runtime.lua:3: attempt to index a nil value (field 'b')
]]
