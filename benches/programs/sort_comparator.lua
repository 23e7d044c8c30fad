-- table.sort with comparator closures over records, and a user-written quicksort taking one.
-- small: 50
local n = tonumber((...)) or 80000

local seed = 7
local function random(limit)
  seed = (seed * 16807) % 2147483647
  return seed % limit
end

local function people(n)
  local list = {}
  for i = 1, n do
    list[i] = { id = i, age = random(90), name = "p" .. random(n) }
  end
  return list
end

local function isSorted(list, less)
  for i = 2, #list do
    if less(list[i], list[i - 1]) then return false end
  end
  return true
end

local function byAge(a, b)
  if a.age ~= b.age then return a.age < b.age end
  return a.id < b.id
end
local function byName(a, b)
  if a.name ~= b.name then return a.name < b.name end
  return a.id < b.id
end

local function quicksort(list, lo, hi, less)
  while lo < hi do
    local pivot = list[math.floor((lo + hi) / 2)]
    local i, j = lo, hi
    while i <= j do
      while less(list[i], pivot) do i = i + 1 end
      while less(pivot, list[j]) do j = j - 1 end
      if i <= j then
        list[i], list[j] = list[j], list[i]
        i = i + 1
        j = j - 1
      end
    end
    if j - lo < hi - i then
      quicksort(list, lo, j, less)
      lo = i
    else
      quicksort(list, i, hi, less)
      hi = j
    end
  end
end

local list = people(n)
table.sort(list, byAge)
if not isSorted(list, byAge) then error("table.sort by age") end
table.sort(list, byName)
if not isSorted(list, byName) then error("table.sort by name") end
quicksort(list, 1, n, byAge)
if not isSorted(list, byAge) then error("quicksort by age") end
local sign = 1
local mixed = 0
for i = 1, n do
  mixed = (mixed + sign * list[i].id * (i % 7)) % 1000003
  sign = -sign
end
print("sort_comparator", n, mixed)
