-- Results and arguments of chunks and dofile-like loading; nested functions' defaults.
local f = load("local a, b = ... if a then return b, a end return 'none'")
print(f(1, 2), f(), (f(3)))
local function opt(a, b) b = b or "default" return a, b end
print(opt(1), opt(1, false), opt(nil, 2))
print((function(...) return select("#", ...) end)(nil, nil))
local name = os.tmpname()
local h = io.open(name, "w") h:write("#!shebang line\nlocal x = 10\nreturn x, 'from file'\n") h:close()
print(dofile(name)) print(loadfile(name)())
h = io.open(name, "w") h:write("return = 1") h:close()
print(select("#", loadfile(name)), (select(2, loadfile(name)):gsub("^.-:", "FILE:")))
print((select(2, pcall(dofile, "/nonexistent.lua"))))
h = io.open(name, "w") h:write("return y") h:close()
print(loadfile(name, "t", { y = 77 })())
os.remove(name)
for i = 1, 300 do assert(load("return " .. i)() == i) end

--[[expect
2	none	nil
1	1	nil	2
2
10	from file
10	from file
2	FILE:1: unexpected symbol near '='
cannot open /nonexistent.lua: No such file or directory
77
]]
