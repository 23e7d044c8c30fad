-- Endless-looking tail calls among hot functions, closures, methods and library functions.
local function loop(n, acc) if n == 0 then return acc end return loop(n - 1, acc + n) end
print(loop(100000, 0), loop(1000, 0.5))
local states = {}
function states.a(n, k) if n == 0 then return "a" .. k end return states.b(n - 1, k + 1) end
function states.b(n, k) if n == 0 then return "b" .. k end return states.c(n - 1, k + 2) end
function states.c(n, k) if n == 0 then return "c" .. k end return states.a(n - 1, k + 3) end
print(states.a(100000, 0))
local function va(n, ...) if n == 0 then return ... end return va(n - 1, select("#", ...), ...) end
print(select("#", va(100)), (va(5)))
local function cps(n, k) if n == 0 then return k(0) end return cps(n - 1, function(v) return k(v + 1) end) end
print(cps(2000, function(v) return v end))
local function viaPcall(n) if n == 0 then return "done" end return select(2, pcall(viaPcall, n - 1)) end
print(viaPcall(100))
local o = {} o.__index = o
function o:run(n) if n <= 0 then return self.name end return self:run(n - 1) end
print(setmetatable({ name = "obj" }, o):run(100000))
local c = 0
local function toC(i) return math.max(i, 5) end
for i = 1, 600 do c = c + toC(i) end
print(c)
local function err(n) if n == 0 then error("tail") end return err(n - 1) end
print(pcall(err, 10000))
local odd
local function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
for i = 1, 3 do print(even(30001)) end

--[[expect
5000050000	500500.5
b199999
100	4
2000
done
obj
180310
false	hot_tail_calls.lua:22: tail
false
false
false
]]
