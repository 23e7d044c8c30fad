-- goto: forward, backward, continue, nested loops, closures per iteration.
do
  local i = 1
  ::top::
  if i <= 3 then io.write(i, " ") i = i + 1 goto top end
  print()
end
for i = 1, 5 do
  if i % 2 == 0 then goto continue end
  io.write(i, " ")
  ::continue::
end
print()
for i = 1, 3 do
  for j = 1, 3 do
    if j == 2 then goto next_i end
    io.write(i, ":", j, " ")
  end
  ::next_i::
end
print()
local fs = {}
do
  local k = 0
  ::again::
  local x = k
  fs[#fs + 1] = function() x = x + 1 return x end
  k = k + 1
  if k < 3 then goto again end
end
print(fs[1](), fs[1](), fs[2](), fs[3](), fs[3]())
local s = 0
do
  local i = 0
  ::loop::
  i = i + 1
  if i > 1000 then goto done end
  if i % 3 == 0 then goto loop end
  s = s + i
  goto loop
  ::done::
end
print(s)
goto finish
print("skipped")
::finish::
print(load("goto nowhere"))
print(load("do local x goto l1 end ::l1:: ::l1::"))
print(load("goto l1; local a; ::l1:: print(a)"))
print(load("::a:: ::a::"))
print(load("break"))
print((load("do goto l1; local a; ::l1:: end return 1"))())

--[[expect
1 2 3 
1 3 5 
1:1 2:1 3:1 
1	2	2	3	4
333667
nil	[string "goto nowhere"]:1: no visible label 'nowhere' for <goto> at line 1
nil	[string "do local x goto l1 end ::l1:: ::l1::"]:1: label 'l1' already defined on line 1
nil	[string "goto l1; local a; ::l1:: print(a)"]:1: <goto l1> at line 1 jumps into the scope of local 'a'
nil	[string "::a:: ::a::"]:1: label 'a' already defined on line 1
nil	[string "break"]:1: break outside loop at line 1
1
]]
