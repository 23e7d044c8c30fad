-- Keys of more than 40 bytes, wherever keys may stand.
local name = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs"
local function copy(s) -- another object with the same bytes
  return (s:gsub("a", "a"))
end
local function keys(t)
  local n, found = 0, {}
  for k in pairs(t) do
    n = n + 1
    found[#found + 1] = #k
    if n > 10 then
      break
    end
  end
  table.sort(found)
  return table.concat(found, " ")
end

local t = {abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs = 1} print(next(t, (next(t))))
print(t[name], t[copy(name)], t.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs, keys(t))

local function made(i)
  return { x = i, abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs = i + 1, y = i + 2,
    abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs_second = i + 3 }
end
local sum = 0
for i = 1, 400 do
  local r = made(i)
  sum = sum + r.x + r.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs + r.y + r[copy(name)]
    + r.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs_second
  r.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs = nil
  if r[name] ~= nil or keys(r) ~= "1 1 52" then
    print("still there", keys(r))
    break
  end
end
print(sum)

-- Assigned, raw, deleted, and again.
local u = {}
for i = 1, 400 do
  rawset(u, copy(name), i)
  u[copy(name) .. i % 5] = i
  u.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs = (rawget(u, copy(name)) or 0) + 1
end
print(u[name], keys(u))
u[copy(name)] = nil
print(u[name], rawget(u, name), keys(u))

-- Globals, methods, metamethods, upvalues.
function abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs_global(x)
  return x + 1
end
local class = {}
class.__index = class
function class:abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs_method(x)
  return self.value + x
end
local object = setmetatable({ value = 3 }, class)
local mt = { abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs = true }
mt.__index = function(_, k)
  return #k
end
mt.__newindex = function(s, k, v)
  rawset(s, k, v * 2)
end
local total = 0
for i = 1, 400 do
  total = abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs_global(total)
    + object:abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs_method(i)
  local p = setmetatable({}, mt)
  total = total + p.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs_missing
  p.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs = i
  total = total + p[copy(name)]
end
print(total, _G[copy(name) .. "_global"] ~= nil)

-- Through a binary chunk, and as a dictionary.
local loaded = load(string.dump(function()
  return { a = 1, abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs = 2 }
end))()
print(loaded[copy(name)], keys(loaded))
local many = { abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs = 0 }
for i = 1, 100 do
  many["k" .. i] = i
  many[copy(name) .. i] = i
end
local n = 0
for k, v in pairs(many) do
  n = n + 1
  if many[copy(k)] ~= v then
    print("lost", k)
  end
end
print(n, many[copy(name)])
print(pcall(function()
  local none
  return none.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs
end))
--[[expect
nil
1	1	1	45
403800
401	45 46 46 46 46 46
nil	nil	46 46 46 46 46
263400	true
2	1 45
201	0
false	long_string_keys.lua:98: attempt to index a nil value (local 'none')
]]
