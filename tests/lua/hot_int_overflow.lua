-- Integers pass 48 and 64 bits inside hot loops.
local x = 1
for i = 1, 200 do x = x * 3 if i % 20 == 0 then print(i, x) end end
local a, b = 0, 1
for i = 1, 300 do a, b = b, a + b end
print(a, b)
local h = 0
for i = 1, 1000 do h = h * 31 + i end
print(h)
local f = 1
for i = 1, 30 do f = f * i end
print(f)
local s = (1 << 47) - 500
for i = 1, 1000 do s = s + 1 end
print(s, s == (1 << 47) + 500)
s = -(1 << 47) + 500
for i = 1, 1000 do s = s - 1 end
print(s)
s = math.maxinteger - 500
for i = 1, 1000 do s = s + 1 end
print(s)
local t = {}
for i = 1, 1000 do t[i] = (i << 40) + i end
s = 0
for i = 1, 1000 do s = s + t[i] end
print(s, t[1], t[200], t[1000])
local sq = 3
for i = 1, 300 do sq = sq * sq + 1 end
print(sq)
local function fact(n) if n <= 1 then return 1 end return n * fact(n - 1) end
for i = 1, 300 do fact(25) end
print(fact(20), fact(21), fact(25), fact(70))

--[[expect
20	3486784401
40	-6289078614652622815
60	-3535985420588157519
80	4389419161382147137
100	-2984622845537545263
120	6985361111267558497
140	6515384588548634097
160	5063422129713559681
180	-5365208890106504175
200	6627890308811632801
-787873603839447536	9010910435053616553
-8939191526838368140
-8764578968847253504
140737488355828	true
-140737488355828
-9223372036854775309
550305569702388500	1099511627777	219902325555400	1099511627777000
-926155691629764699
2432902008176640000	-4249290049419214848	7034535277573963776	0
]]
