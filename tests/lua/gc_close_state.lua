-- Finalizers of live objects run when the state closes, in reverse order of marking.
for i = 1, 4 do
  _G["keep" .. i] = setmetatable({}, { __gc = function() print("finalized", i) end })
end
local x <close> = setmetatable({}, { __close = function() print("main chunk closes") end })
print("end of script")

--[[expect
end of script
main chunk closes
finalized	4
finalized	3
finalized	2
finalized	1
]]
