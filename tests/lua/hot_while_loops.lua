-- while loops entered when hot from the middle; conditions of all kinds; break.
local i, s = 0, 0
while i < 2000 do i = i + 1 s = s + i end
print(i, s)
while true do i = i - 1 if i < 500 then break end s = s - 1 end
print(i, s)
local list
for k = 1, 500 do list = { v = k, next = list } end
local p, sum = list, 0
while p do sum = sum + p.v p = p.next end
print(sum)
local a, b = 0, 3000
while a < b and not (a * a > 1000000) do a = a + 1 b = b - 1 end
print(a, b)
local x, n = 27, 0
while x ~= 1 do if x % 2 == 0 then x = x // 2 else x = 3 * x + 1 end n = n + 1 end
print(n)
local f, k = 1.0, 0
while f < 1e100 do f = f * 1.5 k = k + 1 end
print(k)
local outer = 0
while outer < 40 do local inner = 0 while inner < 40 do inner = inner + 1 if inner == outer then break end end outer = outer + 1 s = s + inner end
print(s)
local nothing = 0
while false do nothing = 1 end
while nil do nothing = 1 end
print(nothing)

--[[expect
2000	2001000
499	1999500
125250
1001	1999
111
568
2000320
0
]]
