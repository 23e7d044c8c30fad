-- Conway's game of life on a torus of rows of 0 and 1.
-- small: 8
local n = tonumber((...)) or 800

local width, height = 64, 48

local function empty()
  local g = {}
  for y = 1, height do
    local row = {}
    for x = 1, width do row[x] = 0 end
    g[y] = row
  end
  return g
end

local function stamp(g, x0, y0, rows)
  for dy, row in ipairs(rows) do
    for dx = 1, #row do
      if row:sub(dx, dx) == "#" then g[y0 + dy - 1][x0 + dx - 1] = 1 end
    end
  end
end

local function generation(g)
  local next = {}
  for y = 1, height do
    local up = g[y == 1 and height or y - 1]
    local here = g[y]
    local down = g[y == height and 1 or y + 1]
    local row = {}
    for x = 1, width do
      local l = x == 1 and width or x - 1
      local r = x == width and 1 or x + 1
      local around = up[l] + up[x] + up[r] + here[l] + here[r] + down[l] + down[x] + down[r]
      if around == 3 or (around == 2 and here[x] == 1) then row[x] = 1 else row[x] = 0 end
    end
    next[y] = row
  end
  return next
end

local function alive(g)
  local count = 0
  for _, row in ipairs(g) do
    for _, cell in ipairs(row) do count = count + cell end
  end
  return count
end

local function show(g)
  local lines = {}
  for y = 1, height do lines[y] = table.concat(g[y]) end
  return table.concat(lines, "\n")
end

-- A glider moves by one cell diagonally every four generations; a blinker has period two.
local glider = { ".#.", "..#", "###" }
local g = empty()
stamp(g, 2, 2, glider)
stamp(g, 40, 30, { "###" })
local steps = math.floor(n / 8) * 8
for _ = 1, steps do g = generation(g) end
local expected = empty()
local shift = steps / 4
for dy, row in ipairs(glider) do
  for dx = 1, #row do
    if row:sub(dx, dx) == "#" then
      expected[(dy + shift) % height + 1][(dx + shift) % width + 1] = 1
    end
  end
end
stamp(expected, 40, 30, { "###" })
-- Beyond this many steps the glider comes near the blinker.
local checked = math.min(steps, 80)
if steps == checked and show(g) ~= show(expected) then error("the glider went astray") end

local pentomino = empty()
stamp(pentomino, 30, 20, { ".##", "##.", ".#." })
for _ = 1, steps do pentomino = generation(pentomino) end
local known = { [8] = 18, [800] = 128 }
local count = alive(pentomino)
if known[steps] and count ~= known[steps] then error("life: " .. count .. " alive") end
print("life", n, alive(g), count)
