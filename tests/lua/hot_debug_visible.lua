-- What debug and tracebacks see of hot frames: names, lines, locals.
local function probe() local i = debug.getinfo(2, "nlS") local n, v = debug.getlocal(2, 2) return i.name, i.currentline, n, v end
local function caller(k)
  local loc = k * 2
  local name, line, n, v = probe()
  return name, line, n, v, loc
end
local last
for i = 1, 400 do local name, line, n, v, loc = caller(i) assert(v == loc and n == "loc" and line == 5) last = name .. " " .. line .. " " .. n .. "=" .. v end
print(last)
local function setter(x) local y = x for i = 1, 3 do if i == 2 then debug.setlocal(1, 2, y + 100) end end return y end
local s = 0
for i = 1, 400 do s = s + setter(i) end
print(s)
local function deep(n) if n == 0 then return debug.traceback("tb", 1) end local r = deep(n - 1) return r end
for i = 1, 300 do deep(2) end
print((deep(2):gsub("\n[^\n]*main chunk.*", "")))
print(select(2, pcall(function() for i = 1, 600 do if i == 555 then error("line") end end end)))
local function lvl(n) error("blame", n) end
for i = 1, 300 do pcall(lvl, 2) end
print(pcall(function() lvl(2) end))

--[[expect
caller 5 loc=800
120200
tb
stack traceback:
	hot_debug_visible.lua:15: in upvalue 'deep'
	hot_debug_visible.lua:15: in upvalue 'deep'
	hot_debug_visible.lua:15: in local 'deep'
hot_debug_visible.lua:18: line
false	hot_debug_visible.lua:21: blame
]]
