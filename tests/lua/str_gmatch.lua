-- gmatch: captures, anchors, empty matches, init argument, modification while iterating.
for w in ("one two  three"):gmatch("%a+") do io.write(w, "|") end print()
for k, v in ("a=1, b=2, c=3"):gmatch("(%w+)=(%w+)") do io.write(k, v, " ") end print()
for p in ("abc"):gmatch("()") do io.write(p, " ") end print()
for w in ("abc"):gmatch("^a") do io.write(w, " ") end print()
for w in ("aXbXc"):gmatch("[^X]*") do io.write("<", w, ">") end print()
for w in ("hello world"):gmatch("o", 6) do io.write(w, " ") end print()
for w in ("abc"):gmatch("", -1) do io.write("x") end print()
local it = ("x1y2"):gmatch("%a(%d)")
print(it(), it(), it(), it())
local n = 0
for w in (("ab "):rep(400)):gmatch("%w+") do n = n + #w end
print(n)
for a, b in ("k1v1k2v2"):gmatch("(k%d)(v%d)") do for c in a:gmatch("%d") do io.write(c, b, " ") end end print()

--[[expect
one|two|three|
a1 b2 c3 
1 2 3 4 

<a><b><c>
o 
xx
1	2	nil
800
1v1 2v2 
]]
