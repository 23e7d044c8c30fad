-- Loops made of goto only: self loops, nested, irreducible-looking, with locals.
local i, s = 0, 0
::top::
i = i + 1
s = s + i
if i < 1500 then goto top end
print(i, s)
do
  local a = 0
  ::outer::
  local b = 0
  ::inner::
  b = b + 1
  s = s + a * b
  if b < 40 then goto inner end
  a = a + 1
  if a < 40 then goto outer end
end
print(s)
local function machine(input)
  local pos, count = 1, 0
  ::A::
  if pos > #input then goto done end
  if input:byte(pos) == 97 then pos = pos + 1 count = count + 1 goto B end
  pos = pos + 1
  goto A
  ::B::
  if pos > #input then goto done end
  if input:byte(pos) == 98 then pos = pos + 1 count = count + 10 goto A end
  pos = pos + 1
  goto B
  ::done::
  return count
end
print(machine(("abacab"):rep(200)), machine(("b"):rep(500)), machine(""))
local n = 0
for k = 1, 600 do
  local j = 0
  ::again::
  j = j + 1
  if j < k % 4 then goto again end
  n = n + j
end
print(n)

--[[expect
1500	1125750
1765350
4400	0	0
1050
]]
