-- The fourth value of a generic for is closed when the loop ends.
local function iter(n, name)
  local function step(s, i) if i < s then return i + 1 end end
  return step, n, 0, setmetatable({}, { __close = function(_, e) print("closed", name, e) end })
end
for i in iter(3, "normal") do io.write(i, " ") end print()
for i in iter(3, "break") do if i == 2 then break end end
local function f() for i in iter(3, "return") do if i == 2 then return "ret" .. i end end end
print(f())
print(pcall(function() for i in iter(3, "error") do error("e" .. i, 0) end end))
for i in iter(2, "goto") do goto out end
::out::
local co = coroutine.wrap(function() for i in iter(2, "coroutine") do coroutine.yield(i) end return "end" end)
print(co(), co(), co())
for i = 1, 300 do
  for j in iter(2, "x") do if i < 300 then goto quiet end end
  ::quiet::
  if i == 2 then break end
end

--[[expect
1 2 3 closed	normal	nil

closed	break	nil
closed	return	nil
ret2
closed	error	e1
false	e1
closed	goto	nil
closed	coroutine	nil
1	2	end
closed	x	nil
closed	x	nil
]]
