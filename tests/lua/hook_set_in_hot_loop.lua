-- A hook that a compiled loop sets sees the next line already.
local seen = 0
local function run()
  for i = 1, 1000 do
    if i == 500 then debug.sethook(function() seen = seen + 1 end, "l") end
    if i == 510 then debug.sethook() end
  end
end
for _ = 1, 6 do
  run()
  print(seen)
  seen = 0
end

--[[expect
31
31
31
31
31
31
]]
