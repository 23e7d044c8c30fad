-- Coroutines that become garbage, or are closed, while suspended below pcall, metamethods and iterators.
local y = coroutine.yield
local function closer(list, name) return setmetatable({}, { __close = function(_, e) list[#list + 1] = name .. ":" .. tostring(e) end }) end
local mt = { __add = function(a, b) return y(b) end, __index = function(_, k) return y(k) end }
local bodies = {
  function() pcall(y, 1) end,
  function() pcall(pcall, function() xpcall(function() y(1) end, print) end) end,
  function() return setmetatable({}, mt) + 1 end,
  function() return setmetatable({}, mt).x end,
  function() for _ in function() return y(1) end do end end,
  function() local w = coroutine.wrap(function() pcall(y, 1) end) w() y(2) end,
}
-- An upvalue of an abandoned coroutine outlives it.
local getters = {}
for round = 1, 60 do
  for i, body in ipairs(bodies) do
    local co = coroutine.create(function() local v = round * i getters[i] = function() v = v + 1 return v end body() error("unreached") end)
    assert(coroutine.resume(co))
  end
  if round % 20 == 0 then collectgarbage() end
end
collectgarbage() collectgarbage()
for i = 1, #getters do io.write(getters[i]() + getters[i](), " ") end print()
-- A suspended coroutine that only a weak table knows goes, and so does what its stack refers to.
local weak = setmetatable({}, { __mode = "v" })
do
  local co = coroutine.create(function() local big = { 1 } weak.big = big pcall(y) return big end)
  coroutine.resume(co)
  weak.co = co
end
collectgarbage() collectgarbage() collectgarbage()
print(weak.co, weak.big)
-- Closing runs to-be-closed variables of all levels, innermost first, and no pcall sees it.
for i, body in ipairs(bodies) do
  local log = {}
  local co = coroutine.create(function()
    local a <close> = closer(log, "a")
    pcall(function() local b <close> = closer(log, "b") body() log[#log + 1] = "unreached" end)
    log[#log + 1] = "unreached"
  end)
  coroutine.resume(co)
  local before = coroutine.status(co)
  print(i, before, coroutine.close(co), coroutine.status(co), table.concat(log, " "))
end
-- Errors while closing replace each other; the coroutine is dead afterwards, closing again is fine.
local function thrower(name) return setmetatable({}, { __close = function(_, e) error(name .. "<" .. tostring(e), 0) end }) end
local co = coroutine.create(function() local a <close> = thrower("a") local b <close> = thrower("b") pcall(y) end)
coroutine.resume(co)
print(coroutine.close(co)) print(coroutine.status(co), coroutine.close(co))
-- A coroutine that died from an error keeps its variables until it is closed.
local log = {}
local co = coroutine.create(function() local a <close> = closer(log, "a") error("died", 0) end)
print(coroutine.resume(co)) print(#log, coroutine.status(co)) collectgarbage()
print(coroutine.close(co)) print(log[1], coroutine.close(co))
-- wrap closes at once.
local log = {}
print(pcall(coroutine.wrap(function() local a <close> = closer(log, "w") error("in wrap", 0) end))) print(log[1])
-- Not started.
local co = coroutine.create(print) print(coroutine.close(co), coroutine.status(co), coroutine.resume(co))
-- What cannot be closed.
print(pcall(coroutine.close, coroutine.running()))
local outer = coroutine.running()
print(coroutine.wrap(function() return pcall(coroutine.close, outer) end)())

--[[expect
123 243 363 483 603 723 
nil	nil
1	suspended	true	dead	b:nil a:nil
2	suspended	true	dead	b:nil a:nil
3	suspended	true	dead	b:nil a:nil
4	suspended	true	dead	b:nil a:nil
5	suspended	true	dead	b:nil a:nil
6	suspended	true	dead	b:nil a:nil
false	a<b<nil
dead	true
false	died
0	dead
false	died
a:died	true
false	in wrap
w:in wrap
true	dead	false	cannot resume dead coroutine
false	cannot close a running coroutine
false	cannot close a normal coroutine
]]
