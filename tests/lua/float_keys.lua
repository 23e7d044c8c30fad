-- Float keys with integral values are the integer keys.
local t = {}
t[1.0] = "a" t[2] = "b" t[3.5] = "c" t[2 ^ 53] = "big" t[-1.0] = "neg"
print(t[1], t[2.0], t[3.5], t[1 << 53], t[-1], #t)
for k in pairs(t) do io.write(math.type(k), " ") end print()
for i = 1, 400 do t[i + 0.0] = i end
print(#t, t[400], t[400.0], t[399.5])
local f = 1.0
local s = 0
for _ = 1, 400 do s = s + t[f] f = f + 1 end
print(s, math.type(s))

--[[expect
a	b	c	big	neg	2
integer integer float integer integer 
400	400	400	nil
80200	integer
]]
