-- Yield across pcall, xpcall, metamethods, iterators, sort comparators, gsub callbacks, close.
local y = coroutine.yield
local function run(name, f, ...)
  local co = coroutine.create(f)
  local out = { name }
  local r = table.pack(coroutine.resume(co, ...))
  while coroutine.status(co) ~= "dead" do
    out[#out + 1] = tostring(r[2])
    r = table.pack(coroutine.resume(co, r[2]))
  end
  for i = 1, r.n do out[#out + 1] = tostring(r[i]) end
  print(table.concat(out, " "))
end
run("pcall", function() return pcall(function() return y(1) + y(2) end) end)
run("pcall error", function() return pcall(function() y(1) error("e", 0) end) end)
run("xpcall", function() return xpcall(function() y(1) error("e", 0) end, function(m) return "h" .. m end) end)
run("nested", function() return pcall(pcall, function() y("a") return "b" end) end)
local mt = {
  __add = function(a, b) return y("add") .. "!" end, __index = function(_, k) return y("index " .. k) end,
  __newindex = function(_, k, v) y("newindex " .. k) end, __call = function(_, x) return y("call"), x end,
  __eq = function() return y("eq") end, __lt = function() return y("lt") end, __le = function() return y("le") end,
  __concat = function() return y("concat") end, __len = function() return y("len") end, __unm = function() return y("unm") end,
  __close = function() y("close") end,
}
local function new() return setmetatable({}, mt) end
run("add", function() return new() + 1 end)
run("index", function() return new().x end)
run("newindex", function() new().x = 1 return "done" end)
run("call", function() return new()(5) end)
run("eq", function() return new() == new() end)
run("lt", function() return new() < new(), not (new() <= new()) end)
run("concat", function() return "a" .. "b" .. new() end)
run("len", function() return #new() end)
run("unm", function() return -new() end)
run("close", function() local c <close> = new() return "after" end)
run("if lt", function() if new() < 1 then return "then" else return "else" end end)
run("iterator", function() local s = 0 for i in function(_, i) if i < 3 then return y(i) + 1 end end, nil, 0 do s = s + i end return s end)
run("pairs", function() local t = setmetatable({}, { __pairs = function(t) y("pairs") return next, { 7 }, nil end }) for k, v in pairs(t) do return v end end)
run("tail", function() return (function() return y("t") end)() end)

--[[expect
pcall 1 2 true true 3
pcall error 1 true false e
xpcall 1 true false he
nested a true true true b
add add true add!
index index x true index x
newindex newindex x true done
call call true call 5
eq eq true true
lt lt le true true false
concat concat true aconcat
len len true len
unm unm true unm
close close true after
if lt lt true then
iterator 0 1 2 true 6
pairs pairs true 7
tail t true t
]]
