-- Library functions in hot loops, then replaced or given odd arguments.
local function f(x) return math.floor(x) + math.abs(x) end
local s = 0
for i = 1, 600 do s = s + f(i + 0.5) end
print(s)
for i = -300, 300 do s = s + f(i) end
print(s, f(-0.0), f(2 ^ 60), f(1e300), f("7"))
print(pcall(f, nil), pcall(f, {}))
local old = math.floor
for i = 1, 600 do
  if i == 300 then math.floor = function(x) return 1000 end end
  s = s + f(i)
end
print(s)
math.floor = old
local function g(a, b) return math.max(a, b) - math.min(a, b) end
s = 0
for i = 1, 600 do s = s + g(i, 300) end
for i = 1, 600 do s = s + g(i + 0.5, 300) end
print(s, g(1, 1.0), g(-0.0, 0.0), g("a" == "a" and 5, 2))
local function h(v) return type(v) end
local names = {}
local vals = { 1, 1.5, "s", true, {}, print, coroutine.create(print) }
for i = 1, 700 do local n = h(vals[i % 8]) names[n] = (names[n] or 0) + 1 end
print(names.number, names.string, names.boolean, names.table, names["function"], names.thread, names["nil"])
print(pcall(type))

--[[expect
360900.0
451200.0	0.0	2.3058430092137e+18	2e+300	14.0
false	false	math_hot_intrinsics.lua:2: bad argument #1 to 'floor' (number expected, got table)
977350.0
180001.0	0	0.0	3
176	88	88	87	87	87	87
false	bad argument #1 to 'type' (value expected)
]]
