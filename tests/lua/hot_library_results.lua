-- Library functions that compiled code replaces give as many results as ever: where one is wanted, where
-- some are, where all are passed on.
local function count(...) return select('#', ...) end

local function asserted(a, b, c)
  local x, y, z = assert(a, b, c)
  return x, y, z, assert(a, b, c)
end
local function asserted_all(a, b) return count(assert(a, b)), assert(a, b) end
local function asserted_list(a, b, c) return #{ assert(a, b, c) } end
local function passed_on(...) return assert(...) end
local function inserted(t, v) return count(table.insert(t, v)), (pcall(tostring, table.insert(t, v))) end
local function inserted_last(t, v) return table.insert(t, v) end
local function stepped(t, k) return count(next(t, k)), next(t, k) end
local function removed(t) return count(table.remove(t)), table.remove(t) end
local function kinds(v) return count(type(v)), count(tostring(v)), type(v), tostring(v) end
local function bytes(s, i) return count(string.byte(s, i)), string.byte(s, i) end
local function bytes_all(s) return count(string.byte(s, 1, -1)), string.byte(s, 1, -1) end
local function chosen(n, ...) return count(select(n, ...)), select(n, ...) end
local function unpacked(t) return count(table.unpack(t)), table.unpack(t) end

for i = 1, 400 do
  local t = { 1, 2, 3 }
  local results = table.pack(asserted(i, nil, 'c'))
  local all = table.pack(asserted_all(i, false))
  local passed = table.pack(passed_on(i, 2, nil, nil))
  local insert, fine = inserted(t, i)
  local key = i % 4 > 0 and i % 4 or nil
  local step = table.pack(stepped({ 10, 20, 30 }, key))
  local remove = table.pack(removed(i % 100 == 7 and {} or t))
  if i % 100 == 7 then
    print(results.n, table.unpack(results, 1, results.n))
    print(all.n, table.unpack(all, 1, all.n))
    print(passed.n, asserted_list(i, 2, 3), asserted_list(i, 2))
    print(insert, fine, count(inserted_last(t, i)), #t)
    print(step.n, table.unpack(step, 1, step.n))
    print(remove.n, table.unpack(remove, 1, remove.n))
    print(kinds(i), kinds('s'))
    print(bytes('abc', i % 3 + 1), bytes('', 1), bytes_all('abc'))
    print(chosen(2, i, nil, i), chosen('#', i), chosen(-1, 'a', 'b'), unpacked(t))
    print(pcall(asserted, false, 'message'), pcall(asserted_all, nil, i), (pcall(passed_on)))
  end
end

--[[expect
6	7	nil	c	7	nil	c
3	2	7	false
4	3	2
0	false	0	6
2	1	nil
2	1	nil
1	1	1	string	s
1	0	3	97	98	99
2	1	1	6	1	2	3	7	7	7
false	false	false
6	107	nil	c	107	nil	c
3	2	107	false
4	3	2
0	false	0	6
2	1	nil
2	1	nil
1	1	1	string	s
1	0	3	97	98	99
2	1	1	6	1	2	3	107	107	107
false	false	false
6	207	nil	c	207	nil	c
3	2	207	false
4	3	2
0	false	0	6
2	1	nil
2	1	nil
1	1	1	string	s
1	0	3	97	98	99
2	1	1	6	1	2	3	207	207	207
false	false	false
6	307	nil	c	307	nil	c
3	2	307	false
4	3	2
0	false	0	6
2	1	nil
2	1	nil
1	1	1	string	s
1	0	3	97	98	99
2	1	1	6	1	2	3	307	307	307
false	false	false
]]
