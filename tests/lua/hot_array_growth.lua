-- Arrays growing and shrinking in hot loops by #t+1, by index, by insert; reading past the end.
local t = {}
for i = 1, 2000 do t[#t + 1] = i end
local s, misses = 0, 0
for i = 1, 2500 do local v = t[i] if v then s = s + v else misses = misses + 1 end end
print(s, misses, #t)
for i = 1, 1500 do t[#t] = nil end
print(#t)
local q, head, tail = {}, 1, 0
for i = 1, 2000 do
  tail = tail + 1 q[tail] = i
  if i % 3 == 0 then s = s + q[head] q[head] = nil head = head + 1 end
end
print(s, head, tail, q[head], q[1])
local st = {}
for i = 1, 1000 do st[#st + 1] = i if i % 4 == 0 then st[#st] = nil st[#st] = nil end end
print(#st, st[#st])
local z = {}
for i = 0, 500 do z[i] = i end
for i = 0, 500 do s = s + z[i] end
print(s, #z, z[0], z[-1])
local neg = {}
for i = -300, 300 do neg[i] = i * i end
s = 0
for i = -300, 300 do s = s + neg[i] end
print(s, #neg)
local m = {}
for r = 1, 30 do m[r] = {} for c = 1, 30 do m[r][c] = r * c end end
s = 0
for r = 1, 30 do local row = m[r] for c = 1, 30 do s = s + row[c] * m[c][r] end end
print(s)

--[[expect
2001000	500	2000
500
2223111	667	2000	667	nil
500	998
2348361	500	0	nil
18090100	300
89397025
]]
