-- `table.sort` works in place: what comparisons, __index and __newindex see, and what is left after an error.
local function proxy(t)
  return setmetatable({}, { __index = t, __len = function() return #t end, __newindex = function() end })
end
print(pcall(table.sort, proxy { 3, 2, 1 }))
print(pcall(table.sort, proxy { 5, 4, 3, 2, 1, 9, 8, 7 }))
print(pcall(table.sort, proxy { 1, 2, 3 }))
local function scattered(n)
  local t = {}
  for i = 1, n do
    t[i] = i * 7919 % 31
  end
  return t
end
for n = 1, 24 do
  local t, calls = scattered(n), 0
  local ok, why = pcall(table.sort, proxy(t))
  io.write(n, " ", tostring(ok), " ", tostring(why), " ")
  print(pcall(table.sort, t, function(a, b)
    calls = calls + 1
    if calls == 20 then
      error("stop", 0)
    end
    return a < b
  end))
  print(table.concat(t, " "))
end
for _, order in ipairs { function() return true end, function(a, b) return a <= b end, function(a, b) return b end } do
  for n = 2, 12 do
    local t, calls = scattered(n), 0
    print(n, pcall(table.sort, t, function(a, b) calls = calls + 1 return order(a, b) end))
    print(calls, table.concat(t, " "))
  end
end
local t, log = { 5, 3, 1, 4, 2 }, {}
table.sort(t, function(a, b)
  log[#log + 1] = a .. "<" .. b .. " in " .. table.concat(t, "")
  return a < b
end)
print(table.concat(log, ", "))
log = {}
local values = scattered(12)
local watched = setmetatable({}, {
  __index = function(_, k) log[#log + 1] = "r" .. k return values[k] end,
  __newindex = function(_, k, v) log[#log + 1] = "w" .. k values[k] = v end,
  __len = function() return #values end,
})
table.sort(watched)
table.sort(watched, function(a, b) return a > b end)
print(table.concat(log, " "), table.concat(values, " "))
local large = {}
for i = 1, 300 do
  large[i] = { key = i * 7919 % 307 }
end
table.sort(large, function(a, b) return a.key < b.key end)
for i = 2, 300 do
  assert(large[i - 1].key <= large[i].key)
end
print(pcall(table.sort, { 1, 2, {}, 4 }))
print(pcall(table.sort, { 1, "x", 2 }))
print(pcall(table.sort, setmetatable({}, { __len = function() return math.maxinteger end })))
--[[expect
true
false	invalid order function for sorting
true
1 true nil true
14
2 true nil true
14 28
3 true nil true
11 14 28
4 false invalid order function for sorting true
11 14 25 28
5 false invalid order function for sorting true
8 11 14 25 28
6 false invalid order function for sorting true
8 11 14 22 25 28
7 false invalid order function for sorting true
5 8 11 14 22 25 28
8 false invalid order function for sorting false	stop
5 8 11 14 19 22 25 28
9 false invalid order function for sorting false	stop
2 5 8 14 19 11 28 22 25
10 false invalid order function for sorting false	stop
2 5 8 11 14 16 28 19 25 22
11 false invalid order function for sorting false	stop
5 2 11 16 8 14 19 22 25 28 30
12 false invalid order function for sorting false	stop
8 2 5 11 13 14 25 19 28 16 30 22
13 false invalid order function for sorting false	stop
5 2 13 8 11 14 25 19 28 16 30 22 27
14 false invalid order function for sorting false	stop
2 5 8 10 11 22 27 19 28 16 30 13 25 14
15 false invalid order function for sorting false	stop
14 13 11 16 8 2 5 10 19 24 30 28 27 22 25
16 false invalid order function for sorting false	stop
5 10 11 13 8 2 7 14 22 16 30 25 27 28 24 19
17 false invalid order function for sorting false	stop
2 10 11 13 8 7 5 14 22 16 30 25 27 28 24 19 21
18 false invalid order function for sorting false	stop
2 4 11 25 8 22 5 19 21 16 30 13 27 10 24 7 28 14
19 false invalid order function for sorting false	stop
14 7 11 10 8 13 5 4 2 19 30 22 27 25 24 28 21 16 18
20 false invalid order function for sorting false	stop
1 4 11 7 8 10 5 13 2 18 30 19 27 22 24 25 21 28 14 16
21 false invalid order function for sorting false	stop
14 4 11 7 8 10 5 13 2 16 1 19 27 22 24 25 21 28 18 15 30
22 false invalid order function for sorting false	stop
14 28 11 25 8 22 5 19 2 16 15 13 27 10 24 7 21 4 18 1 29 30
23 false invalid order function for sorting false	stop
12 1 11 4 8 7 5 10 2 16 30 29 27 19 24 22 21 25 18 28 15 13 14
24 false invalid order function for sorting false	stop
13 1 11 4 8 7 5 10 2 16 30 12 27 19 24 22 21 25 18 28 15 29 14 26
2	true
1	28 14
3	true
2	28 11 14
4	false	invalid order function for sorting
4	28 11 25 14
5	false	invalid order function for sorting
5	11 28 25 8 14
6	false	invalid order function for sorting
6	11 28 8 25 22 14
7	false	invalid order function for sorting
7	25 28 11 22 8 5 14
8	false	invalid order function for sorting
8	25 28 11 5 8 22 19 14
9	false	invalid order function for sorting
9	8 28 11 25 19 22 5 2 14
10	false	invalid order function for sorting
10	8 28 11 25 2 22 5 19 16 14
11	false	invalid order function for sorting
11	22 28 11 25 8 16 5 19 2 30 14
12	false	invalid order function for sorting
12	22 28 11 25 8 30 5 19 2 16 13 14
2	true
1	14 28
3	true
3	11 14 28
4	false	invalid order function for sorting
5	14 11 25 28
5	true
10	8 11 14 25 28
6	true
11	8 11 14 22 25 28
7	true
14	5 8 11 14 22 25 28
8	true
20	5 8 11 14 19 22 25 28
9	true
24	2 5 8 11 14 19 22 25 28
10	true
28	2 5 8 11 14 16 19 22 25 28
11	true
31	2 5 8 11 14 16 19 22 25 28 30
12	false	invalid order function for sorting
20	8 2 5 11 13 14 25 19 28 16 30 22
2	true
1	28 14
3	true
2	28 11 14
4	false	invalid order function for sorting
4	28 11 25 14
5	false	invalid order function for sorting
5	11 28 25 8 14
6	false	invalid order function for sorting
6	11 28 8 25 22 14
7	false	invalid order function for sorting
7	25 28 11 22 8 5 14
8	false	invalid order function for sorting
8	25 28 11 5 8 22 19 14
9	false	invalid order function for sorting
9	8 28 11 25 19 22 5 2 14
10	false	invalid order function for sorting
10	8 28 11 25 2 22 5 19 16 14
11	false	invalid order function for sorting
11	22 28 11 25 8 16 5 19 2 30 14
12	false	invalid order function for sorting
12	22 28 11 25 8 30 5 19 2 16 13 14
2<5 in 53142, 1<2 in 23145, 3<2 in 13425, 2<4 in 13425, 2<3 in 13425, 2<1 in 13425, 5<4 in 12435, 3<4 in 12435
r1 r12 w1 w12 r6 r1 r12 w6 w12 r6 r11 w6 w11 r2 r10 r9 w2 w9 r3 r4 r8 r7 w4 w7 r5 r6 r6 r5 w11 w6 r1 r5 w1 w5 r3 r1 r5 r3 r4 w3 w4 r2 r3 r4 r3 w4 w4 r1 r3 w1 w3 r2 r1 w2 w1 r7 r12 w7 w12 r9 r7 r12 w9 w12 r9 r11 w9 w11 r8 r9 r10 w9 w10 r10 r9 w11 w10 r11 r12 w11 w12 r7 r9 w7 w9 r8 r7 r9 r1 r12 w1 w12 r6 r1 r12 r6 r11 w6 w11 r2 r10 w2 w10 r3 r9 w3 w9 r4 r8 w4 w8 r5 r7 w5 w7 r6 r7 r6 w11 w7 r8 r12 r10 r8 r12 r10 r11 w10 w11 r9 r10 r11 r10 w11 w11 r8 r10 w8 w10 r9 r8 r10 w9 w10 r1 r6 r3 r1 r6 w3 w6 r3 r5 w3 w5 r2 r4 r3 r2 r1 w5 w2 r3 r6 w3 w6 r4 r3 r6 r4 r5 w4 w5 r4 r5 r4 w5 w5 r3 r4 w3 w4	30 28 25 22 19 16 14 13 11 8 5 2
false	attempt to compare table with number
false	attempt to compare string with number
false	bad argument #1 to 'table.sort' (array too big)
]]
