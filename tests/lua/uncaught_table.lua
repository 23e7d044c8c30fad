-- An uncaught error that is a table without __tostring.
error({ code = 1 })

--[[expect-error
(error object is a table value)
]]
