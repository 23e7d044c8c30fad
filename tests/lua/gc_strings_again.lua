-- A loop that ends at each collection and makes the same strings again finds them unswept. That they
-- live again must not let the heap grow from round to round.
local function round()
  local seen = setmetatable({ {} }, { __mode = 'v' })
  local i = 0
  while seen[1] do
    i = i + 1
    local s = 'string number ' .. i
  end
  return collectgarbage 'count'
end

local grown = {}
for i = 1, 10 do
  if round() > 3000 then grown[#grown + 1] = i end
end
print('grown in rounds', table.concat(grown, ' '))

--[[expect
grown in rounds	
]]
