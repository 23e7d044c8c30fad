-- print's separators, tostring of everything deterministic, print through io.write order.
print() print(nil) print(1, 2.0, "three", true, nil) print("a\tb", "c\nd")
io.write("x", 1, " ", "y", "\n") io.stdout:write("chained"):write("\n")
print(#tostring(print) > 9, tostring(1e15), tostring(-1e15), tostring(123456789012))
print(table.unpack({ 1, nil, 3 }, 1, 3))
print((print("inner")))
local old = tostring
tostring = function() return "replaced" end
print(5)
tostring = old
print(string.format("%s %s %s", nil, true, 1.0))
io.write(string.rep("=", 20), "\n")
print(("x"):rep(3), "z" .. 1 .. 2.0)

--[[expect

nil
1	2.0	three	true	nil
a	b	c
d
x1 y
chained
true	1e+15	-1e+15	123456789012
1	nil	3
inner
nil
5
nil true 1.0
====================
xxx	z12.0
]]
