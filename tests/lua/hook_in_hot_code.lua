-- Hooks set while code is hot: count, line, call and return.
local function work(n) local s = 0 for i = 1, n do s = s + i end return s end
for i = 1, 50 do work(50) end
local counts = 0
debug.sethook(function() counts = counts + 1 end, "", 100)
work(1000)
debug.sethook()
print(counts > 10, debug.gethook())
local lines = {}
debug.sethook(function(ev, l) lines[#lines + 1] = l end, "l")
local x = 1
x = x + 1
debug.sethook()
print(table.concat(lines, " "))
local calls, returns = 0, 0
debug.sethook(function(ev) if ev == "call" or ev == "tail call" then calls = calls + 1 else returns = returns + 1 end end, "cr")
for i = 1, 20 do work(1) end
debug.sethook()
print(calls, returns)
local stopped, where
debug.sethook(function() error("interrupted", 0) end, "", 5000)
print(pcall(function() local i = 0 while true do i = i + 1 end end))
debug.sethook()
print(work(10))

--[[expect
true	nil
11 12 13
21	21
false	interrupted
55
]]
