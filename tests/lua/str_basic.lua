-- len, sub, byte, char, rep, reverse, lower, upper at their edges.
local s = "hello"
for _, r in ipairs { { 1, 3 }, { -3, -1 }, { 2 }, { -100, 100 }, { 3, 2 }, { 0, 2 }, { 0, 0 }, { 6, 10 }, { math.mininteger, math.maxinteger }, { -1 } } do io.write("[", s:sub(r[1], r[2]), "] ") end print()
print(s:byte(), s:byte(-1), s:byte(10), s:byte(1, -1))
print(string.char(), string.char(72, 105), ("x"):rep(0), ("x"):rep(-1), ("ab"):rep(3), ("ab"):rep(3, ","), ("x"):rep(1, ","))
print(("abc"):reverse(), (""):reverse(), ("MiXed 1é"):lower(), ("MiXed 1"):upper(), #("\0a\0"), ("\0a\0"):byte(1, 3))
print(("x"):rep(10, ""), #(("ab"):rep(1000)), pcall(string.rep, "x", 1 << 60))
print(s < "help", "a" < "B", "" < "a", "a\0b" < "a\0c", "Z" < "a", "abc" < "abcd", "10" < "9")
local n = 0
for i = 1, 600 do n = n + s:byte(i % 5 + 1) + #s:sub(1, i % 6) + #string.char(i % 256) end
print(n)
print(("x").len == string.len, #s == s:len(), ("%s"):rep(2, "-"):format(1, 2))
print(tostring(12):rep(2), math.type(5), pcall(function() return (5):type() end))

--[[expect
[hel] [llo] [ello] [hello] [] [he] [] [] [hello] [o] 
104	111	nil	104	101	108	108	111
	Hi			ababab	ab,ab,ab	x
cba		mixed 1é	MIXED 1	3	0	97	0
xxxxxxxxxx	2000	false	resulting string too large
true	false	true	true	true	true	true
65940
true	true	1-2
1212	integer	false	str_basic.lua:13: attempt to index a number value
]]
