-- utf8: char, codepoint, len, offset, codes, charpattern, errors.
print(utf8.char(72, 228, 8364, 0x10FFFF):byte(1, -1))
print(utf8.char(), utf8.char(65), #utf8.char(0x7FFFFFFF))
local s = "hä€𝄞"
print(utf8.len(s), #s, utf8.codepoint(s, 1, -1))
for p, c in utf8.codes(s) do io.write(p, ":", c, " ") end print()
print(utf8.offset(s, 3), utf8.offset(s, -1), utf8.offset(s, 0, 5), utf8.offset(s, 5), utf8.offset(s, 6))
print(utf8.len("\xff"), utf8.len("abc\xe4"), utf8.len("\u{7FFFFFFF}", 1, -1, true), utf8.len("\u{D7FF}"), utf8.len("\xed\xa0\x80"))
print(utf8.len("abc", 4), utf8.len("abc", 2, 1), pcall(utf8.len, "abc", 5))
print(pcall(utf8.codepoint, "\xff"))
print(pcall(function() for _ in utf8.codes("a\xffb") do end end))
print(pcall(utf8.offset, "ä", 1, 2))
print(utf8.charpattern == "[\0-\x7F\xC2-\xFD][\x80-\xBF]*")
for c in s:gmatch(utf8.charpattern) do io.write("<", c, ">") end print()
local n = 0
for i = 1, 400 do n = n + utf8.codepoint(utf8.char(i * 7)) end
print(n)

--[[expect
72	195	164	226	130	172	244	143	191	191
	A	6
4	10	104	228	8364	119070
1:104 2:228 4:8364 7:119070 
4	7	4	11	nil
nil	nil	1	1	nil	1
0	0	false	bad argument #2 to 'utf8.len' (initial position out of bounds)
false	invalid UTF-8 code
false	utf8_lib.lua:11: invalid UTF-8 code
false	initial position is a continuation byte
true
<h><ä><€><𝄞>
561400
]]
