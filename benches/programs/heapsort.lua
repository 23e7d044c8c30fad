-- Heapsort of random floats in one array.
-- small: 100
local n = tonumber((...)) or 450000

local seed = 42
local function random()
  seed = (seed * 3877 + 29573) % 139968
  return seed / 139968
end

local function heapsort(a, n)
  local l = math.floor(n / 2) + 1
  local r = n
  while true do
    local x
    if l > 1 then
      l = l - 1
      x = a[l]
    else
      x = a[r]
      a[r] = a[1]
      r = r - 1
      if r == 1 then
        a[1] = x
        return
      end
    end
    local i, j = l, l * 2
    while j <= r do
      if j < r and a[j] < a[j + 1] then j = j + 1 end
      if x < a[j] then
        a[i] = a[j]
        i = j
        j = j * 2
      else
        break
      end
    end
    a[i] = x
  end
end

local a, sum = {}, 0
for i = 1, n do
  a[i] = random()
  sum = sum + a[i]
end
heapsort(a, n)
local after = a[1]
for i = 2, n do
  if a[i - 1] > a[i] then error("heapsort: out of order at " .. i) end
  after = after + a[i]
end
if math.abs(after - sum) > 1e-6 then error("heapsort lost values") end
print("heapsort", n, string.format("%.6f", after))
