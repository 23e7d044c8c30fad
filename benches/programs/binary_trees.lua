-- Allocation and traversal of many short-lived binary trees.
-- small: 6
local n = tonumber((...)) or 14

local function bottomUp(depth)
  if depth == 0 then return {} end
  return { bottomUp(depth - 1), bottomUp(depth - 1) }
end

local function count(tree)
  if tree[1] then
    return 1 + count(tree[1]) + count(tree[2])
  end
  return 1
end

local minDepth = 4
local maxDepth = math.max(minDepth + 2, n)

local function nodes(depth) return 2 ^ (depth + 1) - 1 end
local function check(got, expected)
  if got ~= expected then error("binary trees counted " .. got .. ", not " .. expected) end
end

check(count(bottomUp(maxDepth + 1)), nodes(maxDepth + 1))
local long = bottomUp(maxDepth)
local total = 0
for depth = minDepth, maxDepth, 2 do
  local rounds = 2 ^ (maxDepth - depth + minDepth)
  local sum = 0
  for _ = 1, rounds do
    sum = sum + count(bottomUp(depth))
  end
  check(sum, rounds * nodes(depth))
  total = total + sum
end
check(count(long), nodes(maxDepth))
print("binary_trees", n, string.format("%d", total))
