-- To-be-closed variables on fall-through, break, goto, return; reverse order.
local function closer(name) return setmetatable({ name = name }, { __close = function(o, e) print("close", o.name, e) end }) end
do
  local a <close> = closer("a")
  local b <close> = closer("b")
  local c <close> = nil
  local d <close> = false
  print("in block")
end
for i = 1, 2 do
  local x <close> = closer("loop" .. i)
  if i == 2 then break end
end
do
  local i = 0
  ::again::
  i = i + 1
  do
    local g <close> = closer("goto" .. i)
    if i < 3 then goto again end
  end
end
local function f()
  local r <close> = closer("ret")
  return "value", 1, 2
end
print(f())
local function tail()
  local r <close> = closer("not tail")
  return print("called before close")
end
tail()
while true do local w <close> = closer("while") do break end end
repeat local r <close> = closer("repeat") until true

--[[expect
in block
close	b	nil
close	a	nil
close	loop1	nil
close	loop2	nil
close	goto1	nil
close	goto2	nil
close	goto3	nil
close	ret	nil
value	1	2
called before close
close	not tail	nil
close	while	nil
close	repeat	nil
]]
