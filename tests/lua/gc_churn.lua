-- Much garbage of all kinds in a hot loop; what is live stays intact.
local live = {}
for i = 1, 1500 do
  local t = { i, x = i, s = "str" .. i }
  local f = function() return t.x end
  if i % 100 == 0 then live[#live + 1] = { t = t, f = f, co = coroutine.wrap(function() local k = i while true do k = k + coroutine.yield(k) end end) } end
end
local s = 0
for _, l in ipairs(live) do
  assert(l.t.s == "str" .. l.f() and l.t[1] == l.t.x)
  s = s + l.f() + l.co() + l.co(1)
end
print(#live, s)
local list
for i = 1, 1000 do list = { next = list, v = i } if i % 250 == 0 then list = list.next end end
local n = 0
while list do n = n + list.v list = list.next end
print(n)
local big = {}
for i = 1, 300 do big[i] = (1 << 50) + i big[i] = big[i] * 2 end
s = 0
for i = 1, 300 do s = s + (big[i] - (1 << 51)) end
print(s)

--[[expect
15	36015
498000
90300
]]
