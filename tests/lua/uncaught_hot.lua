-- An uncaught error out of a hot loop.
local function work(i) if i > 900 then return nil end return { v = i } end
local s = 0
for i = 1, 1000 do
  s = s + work(i).v
end

--[[expect-error
uncaught_hot.lua:5: attempt to index a nil value
]]
