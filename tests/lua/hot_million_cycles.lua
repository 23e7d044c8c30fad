-- A million turns of one loop, each of the other type than the last, in one frame.
local i, x, s, ints = 0, 1, 0, 0
while i < 1000000 do
  i = i + 1
  if math.type(x) == "integer" then x = 0.5 ints = ints + 1 else x = 1 end
  s = s + x
end
print(i, s, ints)

--[[expect
1000000	750000.0	500000
]]
