-- A million entries into and exits from a loop that alternates its types, in one frame.
local x, ints, floats = 0, 0, 0
local i = 0
while i < 300000 do
  i = i + 1
  if i % 2 == 0 then x = i else x = i + 0.5 end
  local y = x + 1
  if math.type(y) == "integer" then ints = ints + 1 else floats = floats + 1 end
end
print(ints, floats)
local t = { 1, 2.5, "3", 4 }
local s = 0
for k = 1, 100000 do s = s + t[k & 3 | 1] end
print(s)
local r = 0
for a = 1, 20000 do for b = 1, 3 do r = r + b end end
print(r)

--[[expect
150000	150000
200000
120000
]]
