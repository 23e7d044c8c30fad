-- An uncaught error object with __tostring.
error(setmetatable({}, { __tostring = function() return "my object" end }))

--[[expect-error
my object
]]
