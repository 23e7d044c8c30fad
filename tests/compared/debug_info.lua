-- Locals, hooks and fields of debug.getinfo, of hot functions and of others.
local function show(...) print(...) end
-- getlocal of all levels
local function inner(n)
  local acc = {}
  for level = 1, 4 do
    local i = 1
    while true do
      local name, v = debug.getlocal(level, i) if name == "(for state)" then v = 0 end
      if not name or name:find"temporary" then break end
      if type(v) == "number" or type(v) == "string" or v == nil then acc[#acc+1] = level .. ":" .. name .. "=" .. tostring(v) else acc[#acc+1] = level .. ":" .. name .. ":" .. type(v) end
      i = i + 1
    end
  end
  return table.concat(acc, " ")
end
local function mid(a, b, ...)
  local x, y = a + b, a * b
  local s = ""
  for i = 1, 3 do
    local z = i * 2.5
    if a >= 299 then s = inner(z) end
  end
  return s, x, y
end
for i = 1, 300 do
  local r = mid(i, i + 1, "va", i)
  if r ~= "" then print(r) end
end
-- setlocal in running hot loop
local function set(n) debug.setlocal(2, n, 1000) end
local function loop()
  local total = 0
  for i = 1, 200 do
    local v = i
    if i == 150 then set(1) end
    if i == 160 then set(6) end
    total = total + v
  end
  return total
end
for i = 1, 5 do print(loop()) end
-- varargs
local function va(...) 
  local r = {}
  for i = 1, 200 do if i == 199 then for k = -1, -4, -1 do r[#r+1] = tostring((select(2, debug.getlocal(1, k)))) end end end
  return table.concat(r, ",")
end
print(va(1, 2, 3)) print(va(1, 2, 3))
-- hooks
local lines = {}
local function hooked(n)
  local s = 0
  for i = 1, n do
    s = s + i
  end
  return s
end
for i = 1, 200 do hooked(10) end
debug.sethook(function(ev, l) lines[#lines+1] = l end, "l")
hooked(3)
debug.sethook()
print(table.concat(lines, " "))
local evs = {}
debug.sethook(function(ev, l) local i = debug.getinfo(2, "nS") evs[#evs+1] = ev .. ":" .. tostring(i.name) .. ":" .. i.what end, "cr")
hooked(3) math.abs(-1) local t = (function(...) return select('#', ...) end)(1, 2)
pcall(error) 
local function tail(n) return hooked(n) end
tail(2)
for k in pairs{1} do end
local mt = setmetatable({}, {__add = function() return 1 end, __index = function() return 2 end})
local _ = mt + 1, mt.x
debug.sethook()
print(table.concat(evs, "\n"))
local count = 0
debug.sethook(function() count = count + 1 end, "", 100)
hooked(10000)
debug.sethook()
print(count > 100, debug.gethook())
-- hook set in a hot loop, from inside
local c2 = 0
local function run()
  for i = 1, 1000 do
    if i == 500 then debug.sethook(function() c2 = c2 + 1 end, "l") end
    if i == 510 then debug.sethook() end
  end
end
run() print(c2) c2 = 0 run() print(c2)
-- error in hook
print(pcall(function() debug.sethook(function() debug.sethook() error("hook!") end, "l")
 local x = 1
end)) debug.sethook()
-- yield in hook not possible; hook per coroutine
local co = coroutine.create(function() local x = 1
 x = 2
 coroutine.yield()
 x = 3
end)
local cl = {}
debug.sethook(co, function(_, l) cl[#cl+1] = l end, "l")
coroutine.resume(co) coroutine.resume(co)
print(table.concat(cl, " "), debug.gethook(co) ~= nil, debug.gethook())
-- getinfo fields
local function fields(i) local ks = {} for k, v in pairs(i) do ks[#ks+1] = k .. "=" .. (type(v) == "table" and "table" or type(v) == "function" and "f" or tostring(v)) end table.sort(ks) return table.concat(ks, " ") end
local function gi() print(fields(debug.getinfo(1))) print(fields(debug.getinfo(2))) return 1 end
local r = gi() 
print((function() local x = gi() return x end)())
print(fields(debug.getinfo(print)))
print(fields(debug.getinfo(1, "Slutnr")))
print(fields(debug.getinfo(gi, "L").activelines))
local function tc() return gi() end
tc()
local obj = {m = function(self) gi() end}
obj:m() obj.m(obj)
setmetatable(obj, {__index = function(t, k) gi() return 5 end, __call = function() gi() end, __concat = function() gi() return "" end, __eq = function() gi() return true end, __lt = function() gi() return true end, __len = function() gi() return 1 end, __unm = function() gi() return 1 end, __close = function() gi() end, __newindex = function() gi() end, __gc = function() end})
local _ = obj.zz, obj(), obj .. "x", obj == setmetatable({}, getmetatable(obj)), obj < obj, #obj, -obj obj.q = 1
do local c <close> = obj end
for k in gi do break end
table.sort({1, 2}, function() gi() return false end)
string.gsub("a", "a", function() gi() end)
pcall(gi)
xpcall(error, function() gi() end)
coroutine.wrap(function() gi() end)()
globalf = gi globalf()
local up = gi;
(function() up() end)()
local tt = {gi} tt[1]()
