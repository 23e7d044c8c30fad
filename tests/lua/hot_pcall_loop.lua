-- pcall inside hot loops, with and without error, with to-be-closed variables.
local s, e = 0, 0
for i = 1, 1500 do
  local ok, v = pcall(function(x) if x % 5 == 0 then error(x, 0) end return x end, i)
  if ok then s = s + v else e = e + v end
end
print(s, e)
local function safe(f, ...) local ok, r = pcall(f, ...) if ok then return r end return "E:" .. tostring(r) end
local out = {}
for i = 1, 900 do local r = safe(i % 300 == 0 and error or math.abs, -i) if i % 300 == 0 then out[#out + 1] = r end end
print(table.concat(out, " "))
local closed = 0
for i = 1, 600 do
  pcall(function() local c <close> = setmetatable({}, { __close = function(_, err) closed = closed + (err and 2 or 1) end }) if i % 2 == 0 then error("x") end end)
end
print(closed)
local n = 0
local function f(k) if k == 0 then error("bottom", 0) end return f(k - 1) + 1 end
for i = 1, 300 do local ok, m = pcall(f, i % 20) if m == "bottom" then n = n + 1 end end
print(n)
for i = 1, 400 do local ok, m = pcall(error) assert(not ok and m == nil) end
print(select("#", pcall(function() for i = 1, 600 do if i == 600 then return 1, 2, 3 end end end)))

--[[expect
900000	225750
E:-300 E:-600 E:-900
900
300
4
]]
