-- Files in a temporary place: modes, lines, read formats, seek; os.time and date basics.
local name = os.tmpname()
local f = assert(io.open(name, "w"))
print(io.type(f), io.type(io.stdout), io.type(5), f:write("line 1\n", 2, " ", 3.5, "\nlast") == f)
print(f:seek("cur"), f:seek("set", 2), f:seek("end"))
f:close()
print(io.type(f), pcall(f.write, f, "x"))
for l in io.lines(name) do io.write("[", l, "]") end print()
for l in io.lines(name, "L") do io.write("[", l, "]") end print()
for a, b in io.lines(name, 1, 3) do io.write(a, "|", b or "nil", " ") end print()
f = io.open(name)
print(f:read("l", "n", "n", "l", "l", "l"))
f:seek("set") print(f:read("a"), f:read("a"), f:read("l"), f:read(0))
f:close()
f = io.open(name, "a+") f:write("!appended") f:seek("set") print(#f:read("a")) f:close()
f = io.open(name, "r+") f:write("LINE") f:seek("set") print(f:read()) f:close()
print(io.open("/nonexistent/file", "r"))
print(pcall(io.open, name, "bad"))
print(pcall(io.lines, "/nonexistent/file"))
print(os.remove(name), os.remove(name) == nil)
print(os.time { year = 2000, month = 1, day = 1, hour = 12 } - os.time { year = 2000, month = 1, day = 1, hour = 0 })
print(os.date("!%Y-%m-%d %H:%M:%S", 0), os.date("!*t", 86400).day, os.date("!*t", 0).yday, pcall(os.date, "%Ez", 0))
print(type(os.clock()), type(os.time()), os.getenv("NO_SUCH_VARIABLE_HERE"), math.type(os.time()))
print(os.time { year = 2024, month = 14, day = -3, hour = 0 } == os.time { year = 2025, month = 1, day = 28, hour = 0 }, pcall(os.time, { year = 2000 }))
do local g <close> = io.tmpfile() g:write("1 2.5 0x10 -7 1e2 nan") g:seek("set") print(g:read("n", "n", "n", "n", "n", "n")) end
print(tostring(io.stdout):match("^file %("), tostring(f))

--[[expect
file	file	nil	true
17	2	17
closed file	false	attempt to use a closed file
[line 1][2 3.5][last]
[line 1
][2 3.5
][last]
l|ine  |1
2  |3.5 
|las t|nil 
line 1	2	3.5		last	nil
line 1
2 3.5
last		nil	nil
26
LINE 1
nil	/nonexistent/file: No such file or directory	2
false	bad argument #2 to 'io.open' (invalid mode)
false	cannot open file '/nonexistent/file' (No such file or directory)
true	true
43200
1970-01-01 00:00:00	2	1	false	bad argument #1 to 'os.date' (invalid conversion specifier '%Ez')
number	number	nil	integer
true	false	field 'month' missing in date table
1	2.5	16	-7	100.0	nil
file (	file (closed)
]]
