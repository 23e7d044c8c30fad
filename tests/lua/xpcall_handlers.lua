-- xpcall: handlers run at the point of the error, receive arguments, may fail themselves.
local function h(m) return "handled: " .. tostring(m) end
print(xpcall(error, h, "e"))
print(xpcall(function(a, b) return a + b end, h, 3, 4))
print(xpcall(function() return {} + 1 end, h))
print(xpcall(function() error({ 1 }) end, function(e) return type(e), "dropped" end))
print(xpcall(function() error(nil) end, h))
print(xpcall(function() local x = nil; x() end, function(m) return m:upper() end))
print(xpcall(function() error("a") end, function(m) return select(2, pcall(error, "inside")) end))
local ok, e = xpcall(function() error("first") end, function() error("second") end)
print(ok, type(e))
print(pcall(xpcall))
print(pcall(xpcall, print))
local depth
local function deep(n) if n == 0 then error("deep") end return (deep(n - 1)) end
print(xpcall(deep, function(m) depth = select(2, debug.traceback("", 1):gsub("\n", "\n")) return m end, 5), depth > 5)
print(xpcall(xpcall, h, error, h, "nested"))
local log = {}
for i = 1, 300 do
  local ok, v = xpcall(function(k) if k % 3 == 0 then error(k) end return k end, function(m) return -m end, i)
  log[#log + 1] = v
end
local s = 0
for _, v in ipairs(log) do s = s + v end
print(s, log[3], log[4])

--[[expect
false	handled: e
true	7
false	handled: xpcall_handlers.lua:5: attempt to perform arithmetic on a table value
false	table
false	handled: nil
false	XPCALL_HANDLERS.LUA:8: ATTEMPT TO CALL A NIL VALUE (LOCAL 'X')
false	inside
false	string
false	bad argument #2 to 'xpcall' (function expected, got no value)
false	bad argument #2 to 'xpcall' (function expected, got no value)
false	true
true	false	handled: nested
14850	-3	4
]]
