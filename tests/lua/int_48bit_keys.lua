-- Integers beyond 48 bits as table keys are equal by value.
local t = {}
for e = 40, 62 do
  t[1 << e] = e
  t[-(1 << e)] = -e
  t[(1 << e) - 1] = e + 1000
end
for e = 40, 62 do
  local p = 1
  for _ = 1, e do p = p * 2 end
  assert(t[p] == e and t[-p] == -e and t[p - 1] == e + 1000)
  assert(t[p + 0.0] == e)
end
local n = 0
for _ in pairs(t) do n = n + 1 end
print(n)
t[math.maxinteger] = "max"
t[math.mininteger] = "min"
print(t[math.maxinteger], t[math.mininteger], t[-9223372036854775808], t[9223372036854775807], t[2 ^ 63], t[-2 ^ 63])
for e = 40, 62 do t[1 << e] = nil end
n = 0
for _ in pairs(t) do n = n + 1 end
print(n, t[1 << 47], t[-(1 << 47)])

--[[expect
69
max	min	min	max	nil	min
48	nil	-47
]]
