-- The main chunk is a vararg function; arg holds the script's arguments.
print(select("#", ...), ..., #arg, type(arg[0]))
local f = load("return select('#', ...), ...")
print(f(1, nil, 3))

--[[expect
0	nil	0	string
3	1	nil	3
]]
