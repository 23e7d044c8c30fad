-- Expressions with many operands, deep nesting, long chains of calls and concatenations.
local parts = {}
for i = 1, 500 do parts[i] = i end
print(load("return " .. table.concat(parts, " + "))())
print(load("return " .. table.concat(parts, " .. ", 1, 150))():len())
print(load("return " .. ("("):rep(100) .. "1" .. (" + 1)"):rep(100))())
print(load("local t = {} t.a = t " .. "return t" .. (".a"):rep(200) .. " == t")())
print(load("local f f = function() return f end return f" .. ("()"):rep(150) .. " == f")())
print(load("return " .. ("not "):rep(101) .. "nil")())
print(load("return " .. ("-"):gsub(".", "- "):rep(100) .. "1")())
local cond = {}
for i = 1, 200 do cond[i] = "x == " .. i end
print(load("local x = ... return " .. table.concat(cond, " or "))(150), load("local x = ... return " .. table.concat(cond, " or "))(500))
local elseifs = { "local x = ... if x == 0 then return 0" }
for i = 1, 300 do elseifs[#elseifs + 1] = ("elseif x == %d then return %d"):format(i, i * i) end
elseifs[#elseifs + 1] = "else return -1 end"
local f = load(table.concat(elseifs, "\n"))
print(f(0), f(17), f(300), f(301))
local s = 0
for i = 0, 320 do s = s + f(i) end
print(s)
local consts = {}
for i = 1, 400 do consts[i] = ("t[%d] = %d.25 t['k%d'] = 'v%d'"):format(i, i, i, i) end
local t = load("local t = {} " .. table.concat(consts, " ") .. " return t")()
print(t[400], t.k400, t[1], t.k257)

--[[expect
125250
342
101
true
true
true
1
true	false
0	289	90000	-1
9045030
400.25	v400	1.25	v257
]]
