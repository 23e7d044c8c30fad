--# append_by_length 3000000 50
local t = {}
for i = 1, n do t[#t + 1] = i end
return #t
--# append_by_insert 2000000 50
local t = {}
for i = 1, n do table.insert(t, i) end
return #t
--# append_by_counter 4000000 50
local t, size = {}, 0
for i = 1, n do
  size = size + 1
  t[size] = i
end
return t[size]
--# insert_at_front 5000 20
local t = {}
for i = 1, n do table.insert(t, 1, i) end
return t[1] + t[n]
--# remove_at_end 800000 50
local t = {}
for i = 1, n do t[i] = i end
local c = 0
while #t > 0 do c = c + table.remove(t) end
return c
--# remove_at_front 5000 20
local t = {}
for i = 1, n do t[i] = i end
local c = 0
while #t > 0 do c = c * 3 % 1009 + table.remove(t, 1) end
return c
--# queue 1000000 50
local q, first, last, c = {}, 1, 0, 0
for i = 1, n do
  last = last + 1
  q[last] = i
  if i % 3 ~= 0 then
    c = c + q[first]
    q[first] = nil
    first = first + 1
  end
end
return c
--# ring_buffer 5000000 50
local size, ring, at, c = 64, {}, 1, 0
for i = 1, size do ring[i] = 0 end
for i = 1, n do
  c = c + ring[at]
  ring[at] = i % 17
  at = at % size + 1
end
return c
--# sum_by_ipairs 40000 5
local t, c = {}, 0
for i = 1, 100 do t[i] = i end
for _ = 1, n do
  for _, v in ipairs(t) do c = c + v end
end
return c
--# sum_by_pairs 50000 5
local t, c = {}, 0
for i = 1, 50 do t["k" .. i] = i end
for _ = 1, n do
  for _, v in pairs(t) do c = c + v end
end
return c
--# sum_by_next 40000 5
local t, c = {}, 0
for i = 1, 50 do t["k" .. i] = i end
for _ = 1, n do
  local k, v = next(t)
  while k do
    c = c + v
    k, v = next(t, k)
  end
end
return c
--# count_words 3000000 50
local words, counts = { "the", "of", "and", "a", "to", "in", "is" }, {}
for i = 1, n do
  local w = words[i * i % 7 + 1]
  counts[w] = (counts[w] or 0) + 1
end
return counts.the
--# matrix_of_rows 150 4
local function make(size, f)
  local m = {}
  for i = 1, size do
    m[i] = {}
    for j = 1, size do m[i][j] = f(i, j) end
  end
  return m
end
local a, b = make(n, function(i, j) return i + j end), make(n, function(i, j) return i - j end)
local c = 0
for i = 1, n do
  for j = 1, n do
    local s = 0
    for k = 1, n do s = s + a[i][k] * b[k][j] end
    c = c + s
  end
end
return c
--# float_keys 3000000 50
local t, c = {}, 0
for i = 1, n do t[i % 50 + 0.5] = i end
for i = 1, 50 do c = c + (t[i % 50 + 0.5] or 0) end
return c
--# boolean_keys 4000000 50
local t = { [true] = 0, [false] = 0 }
for i = 1, n do
  local k = i % 3 == 0
  t[k] = t[k] + 1
end
return t[true] * 1000003 + t[false]
--# table_keys 3000000 50
local keys, t, c = {}, {}, 0
for i = 1, 20 do keys[i] = { i } end
for i = 1, n do
  local k = keys[i % 20 + 1]
  t[k] = (t[k] or 0) + 1
end
for i = 1, 20 do c = c + t[keys[i]] * i end
return c
--# negative_and_zero_keys 5000000 50
local t = {}
for i = -10, 10 do t[i] = 0 end
for i = 1, n do
  local k = i % 21 - 10
  t[k] = t[k] + i
end
return t[-10] + t[0] + t[10]
--# sparse_integers 8000000 50
local t, c = {}, 0
for i = 1, n do t[i % 300 * 1000] = i end
for i = 0, 299 do c = c + (t[i * 1000] or 0) end
return c
--# accumulate_or_zero 6000000 50
local t, c = {}, 0
for i = 1, n do
  local k = i % 97
  t[k] = (t[k] or 0) + 1
end
for k, v in pairs(t) do c = c + k * v end
return c
--# set_of_strings 4000000 50
local set, c = {}, 0
for i = 1, 64 do set["s" .. i] = true end
local names = {}
for i = 1, 128 do names[i] = "s" .. i end
for i = 1, n do
  if set[names[i % 128 + 1]] then c = c + 1 end
end
return c
--# absent_fields 5000000 50
local o, c = { a = 1 }, 0
for i = 1, n do
  if o.missing == nil then c = c + 1 end
  if o.a then c = c + 1 end
end
return c
--# fields_set_to_nil 4000000 50
local o, c = { a = 1, b = 2 }, 0
for i = 1, n do
  o.b = nil
  if not o.b then c = c + 1 end
  o.b = i
end
return c + o.b
--# computed_field_names 3000000 50
local fields, o, c = { "x", "y", "z" }, { x = 1, y = 2, z = 3 }, 0
for i = 1, n do
  local f = fields[i % 3 + 1]
  o[f] = o[f] + 1
  c = c + o[f] % 7
end
return c
--# records_of_many_shapes 3000000 50
local makers = {
  function(i) return { a = i, b = 1, c = 2 } end, function(i) return { b = 1, a = i, c = 2 } end,
  function(i) return { c = 2, b = 1, a = i } end, function(i) return { a = i, c = 2, b = 1 } end,
  function(i) return { c = 2, a = i, b = 1 } end, function(i) return { b = 1, c = 2, a = i } end,
  function(i) return { d = 0, a = i, b = 1, c = 2 } end, function(i) return { a = i, d = 0, b = 1, c = 2 } end,
  function(i) return { a = i, b = 1, d = 0, c = 2 } end, function(i) return { a = i, b = 1, c = 2, d = 0 } end,
  function(i) return { e = 0, a = i, b = 1, c = 2 } end, function(i) return { a = i, e = 0, b = 1, c = 2 } end,
  function(i) return { a = i, b = 1, e = 0, c = 2 } end,
}
local list, s = {}, 0
for i = 1, 130 do list[i] = makers[i % 13 + 1](i) end
for i = 1, n do
  local o = list[i % 130 + 1]
  s = s + o.a + o.b + o.c
end
return s
--# copy_table 100000 20
local source, c = { a = 1, b = 2, c = 3, d = 4, e = 5 }, 0
for _ = 1, n do
  local copy = {}
  for k, v in pairs(source) do copy[k] = v end
  c = c + copy.a + copy.e
end
return c
--# sort_numbers 1000 3
local c = 0
for r = 1, n do
  local t, seed = {}, r
  for i = 1, 300 do
    seed = seed * 16807 % 2147483647
    t[i] = seed % 1000
  end
  table.sort(t)
  c = c + t[1] + t[150]
end
return c
--# sort_records 600 3
local c = 0
for r = 1, n do
  local t, seed = {}, r
  for i = 1, 200 do
    seed = seed * 16807 % 2147483647
    t[i] = { name = "n" .. seed % 50, age = seed % 90, id = i }
  end
  table.sort(t, function(a, b)
    if a.age ~= b.age then return a.age < b.age end
    return a.id < b.id
  end)
  c = c + t[1].id + t[200].id
end
return c
--# unpack_small 2000000 50
local unpack, c = table.unpack or unpack, 0
local t = { 1, 2, 3 }
for i = 1, n do
  local a, b, d = unpack(t)
  c = c + a + b + d
end
return c
--# concat_numbers 60000 20
local t, c = {}, 0
for i = 1, 20 do t[i] = i end
for _ = 1, n do c = c + #table.concat(t, " ") end
return c
--# lru_cache 3000000 50
local capacity, map, count, clock, hits = 32, {}, 0, 0, 0
for i = 1, n do
  local k = i * i % 61
  clock = clock + 1
  local e = map[k]
  if e then
    e.used = clock
    hits = hits + 1
  else
    if count >= capacity then
      local oldest, at = math.huge, nil
      for key, entry in pairs(map) do
        if entry.used < oldest then oldest, at = entry.used, key end
      end
      map[at] = nil
      count = count - 1
    end
    map[k] = { used = clock }
    count = count + 1
  end
end
return hits
--# pool_of_objects 2000000 50
local pool, top, c = {}, 0, 0
for i = 1, n do
  local o
  if top > 0 then
    o = pool[top]
    top = top - 1
  else
    o = { value = 0 }
  end
  o.value = i
  c = c + o.value % 3
  if i % 4 ~= 0 then
    top = top + 1
    pool[top] = o
  end
end
return c
--# weak_table 600000 50
local cache, c = setmetatable({}, { __mode = "k" }), 0
local keep = {}
for i = 1, n do
  local k = { i }
  cache[k] = i
  if i % 100 == 0 then keep[#keep + 1] = k end
end
for _, k in ipairs(keep) do c = c + cache[k] end
return c
--# memoised_fibonacci 40000 10
local c = 0
for _ = 1, n do
  local memo = {}
  local function fib(k)
    if k < 2 then return k end
    local v = memo[k]
    if not v then
      v = fib(k - 1) + fib(k - 2)
      memo[k] = v
    end
    return v
  end
  c = c + fib(20)
end
return c
--# linked_list 800000 50
local list, c = nil, 0
for i = 1, n do list = { value = i, next = list } end
while list do
  c = c + list.value
  list = list.next
end
return c
--# stack_operations 3000000 50
local stack, top, c = {}, 0, 0
for i = 1, n do
  top = top + 1
  stack[top] = i
  if i % 2 == 0 then
    c = c + stack[top] - stack[top - 1]
    stack[top] = nil
    top = top - 1
  end
end
return c + top
