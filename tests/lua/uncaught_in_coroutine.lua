-- An uncaught error from a wrapped coroutine.
local co = coroutine.wrap(function() error("in co") end)
co()

--[[expect-error
uncaught_in_coroutine.lua:3: uncaught_in_coroutine.lua:2: in co
]]
