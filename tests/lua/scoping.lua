-- Blocks, shadowing, the scope of repeat's condition and of local functions.
local x = 1
do
  local x = x + 1
  do local x = x + 1 print(x) end
  print(x)
end
print(x)
local n = 0
repeat local done = n >= 3 n = n + 1 until done
print(n)
local function f(n) if n == 0 then return 1 end return n * f(n - 1) end
print(f(10))
local g = function(n) return g end
print(g())
if false then elseif nil then else local x = 5 print(x) end
for i = 1, 2 do local x = i * 10 io.write(x, " ") end print(x)
while x < 3 do local y = x x = y + 1 end print(x)
local x = x
local x = x + 1
print(x)

--[[expect
3
2
1
4
3628800
nil
5
10 20 1
3
4
]]
