-- type() of values of several types, then of ones that were never seen, wide integers among them.
local function name(x) return type(x) end
local function describe(x)
  if type(x) == "number" then return "n" elseif type(x) == "table" then return "t" end
  return type(x) == "nil" and "0" or "?"
end
local kinds = { 1, 2.5, {}, "s", true, false, print, name, 1 << 60 }
local function count(list, n)
  local t = {}
  for i = 1, n do
    local k = name(list[i % #list + 1])
    t[k] = (t[k] or 0) + 1
  end
  return t
end
local function show(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys)
  for i, k in ipairs(keys) do keys[i] = k .. "=" .. t[k] end
  return table.concat(keys, " ")
end
print(show(count({ 1, 2.5 }, 300)))
print(show(count({ 1, {} }, 300)))
print(show(count({ 1, {}, "s" }, 300)))
print(show(count(kinds, 900)))
print(name(nil), name(1 << 62), name(coroutine.create(print)), name(io.stdout), name(print))
local out = {}
for i = 1, 600 do out[i] = describe(i % 3 == 0 and i or i % 3 == 1 and {} or nil) end
print(table.concat(out, "", 1, 12), table.concat(out, "", 589, 600))
print(describe(1 << 62), describe(io.stdout), describe("x"), describe(0.5), describe(coroutine.create(print)))
print(pcall(type), select("#", type(nil)))
local old = type
type = function(x) return "my " .. old(x) end
print(name(1), name({}))
type = old
print(name(1), name({}))
--[[expect
number=300
number=150 table=150
number=100 string=100 table=100
boolean=200 function=200 number=300 string=100 table=100
nil	number	thread	userdata	function
t0nt0nt0nt0n	t0nt0nt0nt0n
n	?	?	n	?
false	1
my number	my table
number	table
]]
