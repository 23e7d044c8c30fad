-- Runs idioms of the files beside it, each in a context of its choice.
--
--   lua driver.lua [-s] [-t] CONTEXT NAME…|all
--   lua driver.lua -l
--
-- An idiom is a section of a file: a line `--# name size small-size`, then statements that use `n`, its size, and end
-- with a `return` at the left margin. -s takes the small size; -t prints CPU milliseconds with each result; -l lists the names.
local groups = { "strings", "tables", "objects", "control", "numbers" }
local directory = arg[0]:match("^(.*[/\\])") or ""
local load = loadstring or load

local idioms, order = {}, {}
for _, group in ipairs(groups) do
  local file = assert(io.open(directory .. group .. ".lua"))
  local current
  for line in file:lines() do
    local name, size, small = line:match("^%-%-# (%S+) (%d+) (%d+)")
    if name then
      assert(not idioms[name], name .. " stands twice")
      current = { name = name, size = tonumber(size), small = tonumber(small), lines = {} }
      idioms[name] = current
      order[#order + 1] = name
    else
      current.lines[#current.lines + 1] = line
    end
  end
  file:close()
end

local small, times = false, false
local words = {}
for _, word in ipairs(arg) do
  if word == "-s" then
    small = true
  elseif word == "-t" then
    times = true
  elseif word == "-l" then
    print(table.concat(order, "\n"))
    os.exit(0)
  else
    words[#words + 1] = word
  end
end
local context = table.remove(words, 1)
if words[1] == "all" then words = order end

local function size(idiom) return small and idiom.small or idiom.size end
local function compile(idiom)
  local text = "local n = ...\n" .. table.concat(idiom.lines, "\n")
  return assert(load(text, "=" .. idiom.name))
end
local function show(name, result, started)
  -- Integers and floats print alike in all versions.
  if type(result) == "number" then result = string.format("%.14g", result) end
  if times then
    print(name, result, string.format("%.3f", (os.clock() - started) * 1000))
  else
    print(name, result)
  end
end

-- What a program may have done before: each leaves something behind.
local before = {}
function before.alone() end
function before.crowd()
  local sum = 0
  for i = 1, 200 do
    local f = assert(load("local a, b = ... local s = 0 for i = 1, a do s = s + (i * b + " .. i .. ") % 7 end return s"))
    for k = 1, 30 do sum = sum + f(20, k) end
  end
  return sum
end
function before.globals()
  for i = 1, 5000 do _G["global_number_" .. i] = i end
end
function before.debug()
  -- Loaded here, so that the other contexts are those of a program without it.
  assert(load([[
    local lines = 0
    local function f(a) local b = a + 1 return debug.getlocal(1, 2), b end
    debug.sethook(function() lines = lines + 1 end, "l")
    f(1)
    debug.sethook()
    assert(lines > 0 and debug.getinfo(f, "S").what == "Lua")
  ]]))()
end
function before.methods()
  local K = {}
  K.__index = K
  for i = 1, 300 do K["method_" .. i] = function(self) return self.v + i end end
  local o, sum = setmetatable({ v = 1 }, K), 0
  for i = 1, 300 do sum = sum + o["method_" .. i](o) end
  return sum
end

-- How an idiom's function is called.
local around = {}
function around.coroutine(f, n) return coroutine.wrap(f)(n) end
function around.protected(f, n) return select(2, assert(pcall(f, n))) end

if context == "together" then
  -- All in one function: a block each.
  local text = {}
  for i, name in ipairs(words) do
    local idiom = idioms[name]
    local body, result = table.concat(idiom.lines, "\n"):match("^(.*)\nreturn (.-)%s*$")
    text[i] = string.format("do\nlocal started, n = os.clock(), %d\n%s\nshow(%q, %s, started)\nend\n",
      size(idiom), body, name, result)
  end
  assert(load("local os, show = os, ...\n" .. table.concat(text), "=together"))(show)
else
  local prepare, call = before[context], around[context]
  if not (prepare or call) then error("no context '" .. tostring(context) .. "'", 0) end
  if prepare then prepare() end
  for _, name in ipairs(words) do
    local idiom = idioms[name] or error("no idiom '" .. name .. "'", 0)
    local f = compile(idiom)
    local started = os.clock()
    local result
    if call then result = call(f, size(idiom)) else result = f(size(idiom)) end
    show(name, result, started)
  end
end
