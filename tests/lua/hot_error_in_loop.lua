-- Errors thrown inside hot code, caught outside and inside; state stays right.
local function work(t, i) return t[i].v + i end
local t = {}
for i = 1, 600 do t[i] = { v = i } end
t[401] = nil t[450] = {} t[500] = 5
local done, s, errs = 0, 0, {}
for i = 1, 600 do
  local ok, v = pcall(work, t, i)
  if ok then s = s + v done = done + 1 else errs[#errs + 1] = v end
end
print(done, s) for _, e in ipairs(errs) do print(e) end
local progress = 0
print(pcall(function() for i = 1, 1000 do progress = i if i == 777 then error("at " .. i) end end end))
print(progress)
local function thrower(n) if n > 500 then error({ n = n }) end return n end
local last
local ok, e = pcall(function() for i = 1, 1000 do last = thrower(i) end end)
print(ok, e.n, last)
local a, b, c = 1, 2, 3
print(pcall(function() for i = 1, 600 do a, b, c = b, c, a if i == 599 then local z = nil + i end end end))
print(a, b, c)
print(pcall(function() local s = 0 for i = 1, 1000 do s = s + (i < 900 and i or nil) end end))
print(pcall(function() local s = "" for i = 1, 1000 do s = s .. (i < 900 and "x" or nil) end end))
print(pcall(function() for i = 1, 1000 do if i < (i < 900 and i or "x") then end end end))

--[[expect
597	357898
hot_error_in_loop.lua:2: attempt to index a nil value (field '?')
hot_error_in_loop.lua:2: attempt to perform arithmetic on a nil value (field 'v')
hot_error_in_loop.lua:2: attempt to index a number value (field '?')
false	hot_error_in_loop.lua:13: at 777
777
false	501	500
false	hot_error_in_loop.lua:20: attempt to perform arithmetic on a nil value
3	1	2
false	hot_error_in_loop.lua:22: attempt to perform arithmetic on a nil value
false	hot_error_in_loop.lua:23: attempt to concatenate a nil value
false	hot_error_in_loop.lua:24: attempt to compare number with string
]]
