-- t[k] by strings that are not in the program: dictionaries, records, long strings and ropes, keys that
-- go and come, metatables that appear, and tables that are metatables themselves.
local function get(t, k) return t[k] end
local function set(t, k, v) t[k] = v end
local function bump(t, k) t[k] = (t[k] or 0) + 1 return t[k] end
local names = {}
for i = 1, 40 do names[i] = "name" .. i % 25 end
local counts = {}
for i = 1, 800 do bump(counts, names[i % 40 + 1]) end
print(counts.name0, counts.name1, counts.name24, counts.name25)
-- Objects.
local point = { x = 1, y = 2.5 }
local sum = 0
for i = 1, 600 do sum = sum + get(point, i % 2 == 0 and "x" or "y") end
print(sum, get(point, "z"))
for i = 1, 300 do set(point, "x", i) end
print(point.x)
-- Long keys and ropes.
local long = ("k"):rep(100)
local t = {}
for i = 1, 400 do
  local k = ("k"):rep(98) .. (i % 2 == 0 and "kk" or "ab")
  t[k] = (t[k] or 0) + i
end
print(t[long], get(t, long), get(t, ("k"):rep(98) .. "ab"))
-- Removed and added again; values of all kinds.
local d = {}
for i = 1, 900 do
  local k = names[i % 40 + 1]
  if i % 3 == 0 then set(d, k, nil) elseif i % 3 == 1 then set(d, k, i) else set(d, k, { i }) end
end
local left = 0
for k, v in pairs(d) do left = left + (type(v) == "table" and v[1] or v) end
print(left)
set(d, "wide", 1 << 60)
print(get(d, "wide"), get(d, "none"))
-- Metatables appear.
local m = setmetatable({}, { __index = function(_, k) return "no " .. k end, __newindex = function(o, k, v) rawset(o, k, v * 2) end })
print(get(m, "a"), set(m, "a", 21), get(m, "a"))
for i = 1, 200 do local k = names[i % 40 + 1] set(m, k, i) if i > 190 then sum = sum + #tostring(get(m, k .. "!")) end end
print(sum, m.name1)
-- Tables that are metatables: what was cached of them changes.
local class = {}
class.__index = class
local object = setmetatable({}, class)
local seen = {}
for i = 1, 400 do
  if i == 100 then set(class, "hello", 1) end
  if i == 200 then set(class, "hello", 2) end
  if i == 300 then set(class, "__index", { hello = 3 }) end
  if i == 350 then set(class, "__index", nil) end
  seen[#seen + 1] = tostring(object.hello)
end
print(seen[99], seen[100], seen[200], seen[300], seen[350])
local V = {}
local function eq(a, b) return a == b end
local a, b = setmetatable({}, V), setmetatable({}, V)
for i = 1, 300 do eq(a, b) end
print(eq(a, b))
set(V, "__eq", function() return true end)
print(eq(a, b))
-- Other keys and other receivers.
print(pcall(get, nil, "x"))
print(pcall(set, 1, "x", 1))
print(get("text", "len") == string.len, get({ 5 }, 1), get({ [2.5] = 6 }, 2.5), get(t, nil))
print(pcall(set, {}, nil, 1))
-- Globals by name, and weak tables.
for i = 1, 300 do set(_ENV, "global" .. i % 3, i) end
print(global0, global1, global2)
local weak = setmetatable({}, { __mode = "v" })
for i = 1, 300 do set(weak, names[i % 40 + 1], {}) end
collectgarbage()
print(next(weak))
-- Assigned during a traversal.
for k in pairs(counts) do set(counts, k, k) end
print(get(counts, "name7"))
--[[expect
20	40	20	nil
1050.0	nil
300
40200	40200	40000
14178
1152921504606846976	nil
no a	nil	42
1146.0	200
nil	1	2	3	nil
false
true
false	hot_string_keys.lua:3: attempt to index a nil value (local 't')
false	hot_string_keys.lua:4: attempt to index a number value (local 't')
true	5	6	nil
false	hot_string_keys.lua:4: table index is nil
300	298	299
nil
name7
]]
