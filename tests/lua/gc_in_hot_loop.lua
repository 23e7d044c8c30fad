-- Explicit collections inside hot loops leave locals, upvalues, varargs and temporaries alone.
local function f(...)
  local a, b = { 1 }, "s" .. select("#", ...)
  collectgarbage("step")
  local function g() return a[1] + #b end
  return g(), { ... }, (select(-1, ...))
end
local s = 0
for i = 1, 300 do local r, t, last = f(i, { i }, "x" .. i) s = s + r + t[1] + t[2][1] + #last if i % 50 == 0 then collectgarbage() end end
print(s)
local t = {}
for i = 1, 300 do t[i] = setmetatable({ v = i }, { __add = function(a, b) if i % 60 == 0 then collectgarbage() end return { v = a.v + b.v } end }) end
local n = 0
for i = 1, 299 do n = n + (t[i] + t[i + 1]).v end
print(n)
local parts = {}
for i = 1, 200 do parts[#parts + 1] = ("p" .. i):rep(3) if i % 20 == 0 then collectgarbage() end end
print(#table.concat(parts), parts[200])
local co = coroutine.wrap(function() local keep = {} for i = 1, 200 do keep[i] = { i } coroutine.yield() end local c = 0 for i = 1, 200 do c = c + keep[i][1] end return c end)
local last
for i = 1, 201 do last = co() if i % 40 == 0 then collectgarbage() end end
print(last)
local big = 1 << 60
for i = 1, 200 do big = big + i if i % 50 == 0 then collectgarbage() end end
print(big)

--[[expect
92292
89999
2076	p200p200p200
20100
1152921504606867076
]]
