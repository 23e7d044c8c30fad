-- gsub: string, table and function replacements, limits, anchors, empty matches.
print(("hello world"):gsub("o", "0"), ("hello"):gsub("", "-"), ("abc"):gsub(".", "%0%0"), ("abc"):gsub("(a)(b)", "%2%1"))
print(("hello"):gsub("l", "L", 1), ("hello"):gsub("l", "L", 0), ("hello"):gsub("x", "y"), ("aaa"):gsub("^a", "b"), ("a b c"):gsub("%s", "%%"))
print(("$name is $age"):gsub("%$(%w+)", { name = "Bob", age = 42 }), ("$x $y"):gsub("%$(%w)", { x = false }))
print(("abc"):gsub("%w", function(c) if c == "b" then return nil elseif c == "c" then return false end return c:upper() end))
print(("abc"):gsub("(.)(.)", function(...) return select("#", ...) .. table.concat({ ... }) end))
print(("1 2 3"):gsub("%d", function(d) return d * 2 end), ("x"):gsub("x", { x = 5.5 }))
print(("abc def"):gsub("%f[%w]%w+", "<%0>"), ("a,b,,c"):gsub(",", ";"), ("a,b,,c"):gsub("[^,]*", "x"))
print(pcall(string.gsub, "x", "x", "%2"), pcall(string.gsub, "x", "x", "%"))
print(pcall(string.gsub, "x", "x", function() return {} end))
print(pcall(string.gsub, "x", "x", "%a"))
print(("abc"):gsub("b*", "-"), ("  a  b "):gsub("%s+", " "), ("é"):gsub("[\x80-\xff]", function(c) return ("%%%02X"):format(c:byte()) end))
local n = 0
for i = 1, 300 do local _, k = ("a1b2c3"):gsub("%d", function(d) n = n + d return "" end) n = n + k end
print(n)

--[[expect
hell0 w0rld	-h-e-l-l-o-	aabbcc	bac	1
heLlo	hello	hello	baa	a%b%c	2
Bob is 42	$x $y	2
Abc	3
2abc	1
2 4 6	5.5	1
<abc> <def>	a;b;;c	x,x,x,x	4
false	false	invalid use of '%' in replacement string
false	invalid replacement value (a table)
false	invalid use of '%' in replacement string
-a-c-	 a b 	%C3%A9	2
2700
]]
