-- Nested protected calls, rethrow, results of any number, errors through several levels.
local function thrower(n) error("e" .. n, 0) end
local function nest(n) if n == 0 then thrower(n) end local ok, e = pcall(nest, n - 1) error(e .. n, 0) end
print(pcall(nest, 5))
print(pcall(function() return 1, nil, 3, nil end))
print(select("#", pcall(function() return 1, nil, 3, nil end)))
print(pcall(pcall, pcall, error, "x"))
local function rethrow() local ok, e = pcall(error, { code = 1 }) error(e) end
local ok, e = pcall(rethrow)
print(ok, e.code)
local sum = 0
for i = 1, 600 do
  local ok, v = pcall(function() if i % 2 == 0 then error(i, 0) end return i end)
  sum = sum + (ok and v or -v)
end
print(sum)
local t = {}
for i = 1, 300 do
  local ok, err = pcall(function() local x = t[i] return x.field end)
  t[i] = ok
end
print(#t, t[300])
print(pcall(string.rep, "x", -1), pcall(function(...) return ... end, 1, 2))

--[[expect
false	e012345
true	1	nil	3	nil
5
true	true	false	x
false	1
-300
300	false
true	true	1	2
]]
