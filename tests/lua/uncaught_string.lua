-- An uncaught error: the message with position and a traceback on stderr, exit status 1.
print("before")
local function f() error("uncaught") end
f()

--[[expect
before
]]

--[[expect-error
uncaught_string.lua:3: uncaught
]]
