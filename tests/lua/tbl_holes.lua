-- Reads in and around holes; filling them; nothing depends on which border # takes.
local t = { 1, nil, 3, nil, 5 }
print(t[1], t[2], t[3], t[4], t[5], t[6], t[0])
local s = 0
for i = 1, 600 do s = s + (t[i % 7] or 100) end
print(s)
t[2] = 2 t[4] = 4
print(#t)
local h = {}
for i = 1, 400, 2 do h[i] = i end
local n = 0
for i = 1, 400 do if h[i] == nil then n = n + 1 h[i] = -i end end
print(n, #h)
s = 0
for i = 1, 400 do s = s + h[i] end
print(s)
for i = 1, 400 do if i % 3 == 0 then h[i] = nil end end
n = 0
for k, v in pairs(h) do n = n + 1 s = s + k end
print(n, s, h[3], h[4], h[399], h[400])
for i = 3, 400, 3 do h[i] = "s" .. i end
print(#h, h[3], h[399])
local b = {}
b[1 << 40] = 1 b[-5] = 2 b[0] = 3 b[1] = 4
print(#b, b[1 << 40], b[-5], b[0])

--[[expect
1	nil	3	nil	5	nil	nil
34974
5
200	400
-200
267	53267	nil	-4	nil	-400
400	s3	s399
1	1	2	3
]]
