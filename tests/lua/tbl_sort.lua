-- sort: numbers, strings, comparators, stability is not promised but order is, errors.
local function sorted(t, f) table.sort(t, f) return table.concat(t, " ") end
print(sorted { 3, 1, 2 }, sorted { "b", "a", "C" }, sorted({ 3, 1, 2 }, function(a, b) return a > b end), sorted { 1.5, -1, 2 ^ 53, math.mininteger, 0 })
print(sorted {}, sorted { 1 }, sorted { 2, 1 }, sorted { 1, 1, 1 })
local t, seed = {}, 42
for i = 1, 500 do seed = (seed * 16807) % 2147483647 t[i] = seed % 1000 end
table.sort(t)
local ok = true
for i = 2, #t do ok = ok and t[i - 1] <= t[i] end
print(ok, t[1], t[250], t[500])
for i = 1, 500 do t[i] = { k = (i * 7919) % 503, s = "n" .. i } end
table.sort(t, function(a, b) return a.k < b.k end)
ok = true
for i = 2, #t do ok = ok and t[i - 1].k < t[i].k end
print(ok, t[1].s, t[500].s)
print(pcall(table.sort, { 1, "x" }))
print(pcall(table.sort, { 1, 2, 3 }, function() error("cmp", 0) end))
print(pcall(table.sort, { 3, 2, 1 }, 5))
print(pcall(table.sort, { {}, {} }))
print(select(2, pcall(table.sort, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, function() return true end)))
local co = coroutine.wrap(function() local u = { 3, 1, 2 } print(pcall(table.sort, u, function(a, b) return a < b end)) return table.concat(u) end)
print(co())

--[[expect
1 2 3	C a b	3 2 1	-9223372036854775808 -1 0 1.5 9.007199254741e+15
	1	1 2	1 1 1
true	0	506	993
true	n464	n39
false	attempt to compare string with number
false	cmp
false	bad argument #2 to 'table.sort' (function expected, got number)
false	attempt to compare two table values
invalid order function for sorting
true
123
]]
