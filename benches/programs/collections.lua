-- A list, a map and a set class: fill and sum.
-- small: 20
local n = tonumber((...)) or 100000

local List = {}
List.__index = List
function List.new() return setmetatable({ items = {}, size = 0 }, List) end
function List:push(v)
  self.size = self.size + 1
  self.items[self.size] = v
end
function List:get(i) return self.items[i] end
function List:sum()
  local s = 0
  for i = 1, self.size do s = s + self.items[i] end
  return s
end

local Map = {}
Map.__index = Map
function Map.new() return setmetatable({ entries = {}, size = 0 }, Map) end
function Map:put(k, v)
  if self.entries[k] == nil then self.size = self.size + 1 end
  self.entries[k] = v
end
function Map:get(k) return self.entries[k] end
function Map:sum()
  local s = 0
  for _, v in pairs(self.entries) do s = s + v end
  return s
end

local Set = {}
Set.__index = Set
function Set.new() return setmetatable({ has = {}, size = 0 }, Set) end
function Set:add(v)
  if not self.has[v] then
    self.has[v] = true
    self.size = self.size + 1
  end
end
function Set:contains(v) return self.has[v] == true end
function Set:sum()
  local s = 0
  for v in pairs(self.has) do s = s + v end
  return s
end

local function round(n)
  local list, plain = List.new(), {}
  for i = 1, n do
    list:push(i)
    plain[#plain + 1] = i
    table.insert(plain, i)
  end
  local map, set = Map.new(), Set.new()
  for i = 1, n do
    map:put(i * 3, list:get(i))
    set:add(i % 1000)
  end
  local hits = 0
  for i = 1, n do
    if set:contains(i) then hits = hits + 1 end
    if map:get(i) then hits = hits + 1 end
  end
  local popped = 0
  while #plain > n do popped = popped + table.remove(plain) end
  return list:sum(), map:sum(), set:sum(), set.size, map.size, hits, popped
end

local triangle = n * (n + 1) / 2
local sets = math.min(n, 1000)
local last
for _ = 1, 10 do
  local a, b, c, sets_, maps, hits, popped = round(n)
  if a ~= triangle or b ~= triangle then error("list or map sum") end
  if sets_ ~= sets or maps ~= n then error("sizes " .. sets_ .. ", " .. maps) end
  local expected = n >= 1000 and 999 * 1000 / 2 or triangle
  if c ~= expected then error("set sum " .. c) end
  if popped <= triangle / 2 then error("popped " .. popped) end
  last = hits
end
if last ~= math.min(n, 999) + math.floor(n / 3) then error("hits " .. last) end
print("collections", n, string.format("%d", triangle), last)
