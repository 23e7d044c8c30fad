-- Long brackets, escapes, line continuation.
print([[a
b]], [==[x]]y]=]z]==], [[
first newline skipped]])
print("a\z
       b", "tab\tq\"q\'", '\65\066\x41\u{48}\u{20AC}', "line\
continued", "\\n", "\a\b\f\v" == "\7\8\12\11")
print(#"\0abc\0", ("a\0b"):byte(1, -1))
print("\u{7FFFFFFF}" == "\xFD\xBF\xBF\xBF\xBF\xBF", #"\u{10FFFF}", "\u{0}" == "\0")
--[==[ a long
comment ]] ]=] ]==]
print("after") -- short comment
--[[ inline ]] print("inline")
for _, s in ipairs { '"\\q"', '"abc', "[[abc", '"\\300"', '"\\xg"', '"\\u{110000000}"', "'a\nb'", "[=[x]]", '"\\u{zz}"', "--[[x" } do print(load("return " .. s, "=s")) end

--[==[expect
a
b	x]]y]=]z	first newline skipped
ab	tab	q"q'	ABAH€	line
continued	\n	true
5	97	0	98
true	4	true
after
inline
nil	s:1: invalid escape sequence near '"\q'
nil	s:1: unfinished string near <eof>
nil	s:1: unfinished long string (starting at line 1) near <eof>
nil	s:1: decimal escape too large near '"\300"'
nil	s:1: hexadecimal digit expected near '"\xg'
nil	s:1: UTF-8 value too large near '"\u{110000000'
nil	s:1: unfinished string near ''a'
nil	s:1: unfinished long string (starting at line 1) near <eof>
nil	s:1: hexadecimal digit expected near '"\u{z'
nil	s:1: unfinished long comment (starting at line 1) near <eof>
]==]
