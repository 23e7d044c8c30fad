-- __gc: order, resurrection, errors do not stop others, objects in cycles.
local log = {}
local function scrub() local a, b, c, d, e, f, g, h, i, j, k, l = {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {} return select("#", a, b, c, d, e, f, g, h, i, j, k, l) end
local function collect() scrub() collectgarbage() collectgarbage() end
local mt = { __gc = function(o) log[#log + 1] = o.name end }
-- Stopped meanwhile, so that all die in the same cycle.
local function make() collectgarbage("stop") for i = 1, 5 do setmetatable({ name = "o" .. i }, mt) end collectgarbage("restart") end
make() collect()
print(table.concat(log, " "))
log = {}
local saved
local function resurrect() setmetatable({ name = "phoenix" }, { __gc = function(o) saved = o log[#log + 1] = "gc" end }) end
resurrect() collect()
print(saved and saved.name, #log)
saved = nil collect()
print(#log)
local function cycle() local a, b = setmetatable({ name = "A" }, mt), setmetatable({ name = "B" }, mt) a.b = b b.a = a end
log = {} cycle() collect() table.sort(log)
print(table.concat(log, " "))
log = {}
local function late() local o = { name = "late" } local m = {} setmetatable(o, m) m.__gc = mt.__gc end
late() collect()
print(#log)
local function early() local m = { __gc = true } local o = setmetatable({ name = "early" }, m) m.__gc = mt.__gc end
early() collect()
print(table.concat(log, " "))

--[[expect
o5 o4 o3 o2 o1
phoenix	1
1
A B
0
early
]]
