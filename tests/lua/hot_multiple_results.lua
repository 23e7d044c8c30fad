-- Multiple results through hot calls: adjusting, in constructors, as last argument, swaps.
local function two(i) return i, i * 2 end
local function none() end
local s = 0
for i = 1, 600 do
  local a, b, c = two(i)
  local d = none()
  local t = { two(i), two(i) }
  s = s + a + b + (c or 0) + (d or 0) + #t + select("#", two(i), none()) + select("#", none(), two(i)) + math.max(two(i))
  a, b = b, a
  s = s + a - b
end
print(s)
local function many(n) if n == 0 then return end return n, many(n - 1) end
local c = 0
for i = 1, 300 do c = c + select("#", many(i % 12)) end
print(c, many(5))
local x, y, z = 1, 2, 3
for i = 1, 601 do x, y, z = z, x, y end
print(x, y, z)
local function pass(...) return ... end
local function chain(i) return pass(pass(i, nil), pass(i, i)) end
for i = 1, 400 do local a, b, c, d = chain(i) assert(a == i and b == i and c == i and d == nil) end
print((chain(3)), chain(4))
local str = 0
for i = 1, 300 do local a, b = ("key=val"):match("(%w+)=(%w+)") str = str + #a + #b end
print(str)

--[[expect
1086000
1650	5	4	3	2	1
3	1	2
3	4	4	4
1800
]]
