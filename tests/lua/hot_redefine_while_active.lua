-- A function replaces itself, or is recompiled with other types, while its frame is active.
local f
local calls = 0
f = function(n) calls = calls + 1 if calls == 200 then f = function(n) return -n end end if n == 0 then return 0 end return 1 + f(n - 1) end
print(f(300), f(5), calls)
function selfReplacing(i) if i == 400 then selfReplacing = function(i) return i * 2 end end return i end
local s = 0
for i = 1, 800 do s = s + selfReplacing(i) end
print(s)
local function poly(a, n) if n == 0 then return a end if n % 50 == 0 then return poly(a + 0.5, n - 1) end local r = poly(a, n - 1) return r + a end
print(poly(1, 40), poly(1, 120), poly(1.5, 40), poly(1, 40))
local obj = { v = 1 }
function obj.m(self, n) if n == 250 then self.m = function(o, n) if n == 0 then return "new" end return o:m(n - 1) end end if n == 0 then return "old" end return (self:m(n - 1)) end
print(obj:m(300))
collectgarbage()
local code = "local x = 0 for i = 1, 500 do x = x + i end return x"
local last
for i = 1, 50 do local fn = load(code .. " + " .. i) last = fn() if i % 10 == 0 then collectgarbage() end end
print(last)

--[[expect
100	-5	200
560600
41	193.5	61.5	41
new
125300
]]
