-- An array goes from ints to floats to mixed to holes within hot loops.
local function sum(t, n) local s = 0 for i = 1, n do local v = t[i] if type(v) == "number" then s = s + v end end return s end
local t = {}
for i = 1, 300 do t[i] = i end
print(sum(t, 300), math.type(sum(t, 300)))
for i = 1, 300, 3 do t[i] = t[i] + 0.5 end
print(sum(t, 300), math.type(sum(t, 300)))
for i = 1, 300, 10 do t[i] = "s" end
print(sum(t, 300))
for i = 2, 300, 10 do t[i] = nil end
print(sum(t, 300))
for i = 3, 300, 10 do t[i] = { i } end
print(sum(t, 400))
local u = {}
for i = 1, 900 do
  if i <= 300 then u[i] = i elseif i <= 600 then u[i] = i + 0.25 else u[i] = tostring(i) end
  if i % 2 == 0 then u[i - 1] = u[i] end
end
print(u[1], u[300], u[301], u[599], u[600], u[899], u[900], #u)
local function inc(a) for i = 1, #a do a[i] = a[i] + 1 end return a end
local v = {}
for i = 1, 400 do v[i] = i end
inc(v) v[200] = 0.5 inc(v) v[100] = "7" inc(v)
print(v[1], v[100], v[200], v[400], math.type(v[100]))
v[50] = nil print(pcall(inc, v))
local f = {}
for i = 1, 400 do f[i] = i + 0.0 end
for i = 1, 400 do f[i] = i end
print(math.type(f[1]), f[1], f[400])
local big = {}
for i = 1, 400 do big[i] = i end
for i = 1, 400 do big[i] = big[i] << 45 end
print(big[1], big[400], big[400] // (1 << 45))

--[[expect
45150	integer
45200.0	float
40815.0
36400.0
31955.0
2	300	302.25	600.25	600.25	900	900	900
4	8	2.5	403	integer
false	hot_array_kinds.lua:20: attempt to perform arithmetic on a nil value (field '?')
integer	1	400
35184372088832	14073748835532800	400
]]
