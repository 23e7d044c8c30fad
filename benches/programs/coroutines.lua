-- Coroutines: generators, a pipeline, a scheduler, recursive traversal.
-- small: 20
local n = tonumber((...)) or 1200000

local function generate(limit)
  return coroutine.wrap(function()
    for i = 1, limit do coroutine.yield(i) end
  end)
end
local function filter(source, keep)
  return coroutine.wrap(function()
    for v in source do
      if keep(v) then coroutine.yield(v) end
    end
  end)
end
local function map(source, f)
  return coroutine.wrap(function()
    for v in source do coroutine.yield(f(v)) end
  end)
end

local sum = 0
for v in map(filter(generate(n), function(v) return v % 2 == 0 end), function(v) return v * 3 end) do
  sum = sum + v
end
local half = math.floor(n / 2)
if sum ~= 3 * half * (half + 1) then error("pipeline gave " .. sum) end

local tasks, log = {}, 0
for id = 1, 10 do
  tasks[id] = coroutine.create(function(step)
    local total = 0
    for _ = 1, math.floor(n / 10) do
      total = total + step
      step = coroutine.yield(total)
    end
    return "done"
  end)
end
local alive = #tasks
while alive > 0 do
  for id = 1, #tasks do
    local co = tasks[id]
    if coroutine.status(co) ~= "dead" then
      local ok, value = coroutine.resume(co, id)
      if not ok then error(value) end
      if value == "done" then alive = alive - 1 else log = log + 1 end
    end
  end
end
if log ~= 10 * math.floor(n / 10) then error("scheduler logged " .. log) end

local function tree(depth)
  if depth == 0 then return nil end
  return { left = tree(depth - 1), value = depth, right = tree(depth - 1) }
end
local function walk(node)
  if node then
    walk(node.left)
    coroutine.yield(node.value)
    walk(node.right)
  end
end
local visited, root = 0, tree(8)
for _ = 1, math.ceil(n / 5000) do
  for _ in coroutine.wrap(function() walk(root) end) do visited = visited + 1 end
end
if visited ~= 255 * math.ceil(n / 5000) then error("tree walk visited " .. visited) end
print("coroutines", n, string.format("%d", sum), log, visited)
