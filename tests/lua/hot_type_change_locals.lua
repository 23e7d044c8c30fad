-- A local of a hot loop changes its type: int, float, string, table, nil.
local function run(n)
  local x, log = 0, {}
  for i = 1, n do
    if i == 300 then x = x + 0.5
    elseif i == 500 then x = tostring(x)
    elseif i == 501 then x = x + 1
    elseif i == 700 then x = { x }
    elseif i == 701 then x = x[1]
    elseif i == 900 then x = nil
    elseif i == 901 then x = 1
    elseif type(x) == "number" then x = x + 1 end
    if i % 100 == 0 then log[#log + 1] = type(x) == "table" and "t" .. x[1] or tostring(x) end
  end
  return table.concat(log, " ")
end
for _ = 1, 3 do print(run(1000)) end

--[[expect
100 200 299.5 399.5 498.5 598.5 t697.5 796.5 nil 100
100 200 299.5 399.5 498.5 598.5 t697.5 796.5 nil 100
100 200 299.5 399.5 498.5 598.5 t697.5 796.5 nil 100
]]
