-- Globals read and written in hot loops; a metatable on _G; _ENV swapped.
total = 0
for i = 1, 1000 do total = total + i end
print(total)
for i = 1, 300 do _G["dyn" .. i % 10] = i end
print(dyn0, dyn9)
local function readUndefined() return maybe end
for i = 1, 300 do assert(readUndefined() == nil) end
maybe = 5 print(readUndefined()) maybe = nil
setmetatable(_G, { __index = function(_, k) return "default " .. k end })
print(readUndefined())
setmetatable(_G, { __newindex = function(t, k, v) rawset(t, k, v .. "!") end })
local function write(v) fresh = v fresh = fresh .. "?" end
for i = 1, 300 do rawset(_G, "fresh", nil) write("v") end
print(fresh)
setmetatable(_G, nil)
local function inEnv(n) local _ENV = { x = 0 } for i = 1, n do x = x + i y = x end return x, y end
print(inEnv(600))
local env = {}
local f = load("for i = 1, 500 do n = (n or 0) + 1 end return n", "=f", "t", env)
print(f(), f(), env.n, n)
local print2, tostring2 = print, tostring
print = nil print2(print == nil) print = print2
for i = 1, 300 do math.x = i end
print(math.x, tostring2(_G == _ENV))

--[[expect
500500
300	299
5
default maybe
v!?
180300	180300
500	1000	1000	nil
true
300	true
]]
