-- `next` takes the keys that it gave, and no others: a float with an integer's value is none.
print(pcall(next, { 1 }, 1.0))
print(pcall(next, { 1, 2, 3 }, 2.0))
print(pcall(next, { [2 ^ 53] = "x" }, 2 ^ 53))
print(pcall(next, { [2 ^ 53] = "x" }, 2 ^ 53 | 0))
print(pcall(next, { [0] = "x" }, -0.0))
print(pcall(next, { [0] = "x" }, 0))
print(pcall(next, { [1.5] = "x" }, 1.5))
print(pcall(next, { 1 }, 1.5))
print(pcall(next, { 1 }, 0 / 0))
print(pcall(next, { 1 }, 2 ^ 63))
print(pcall(next, { 1 }, math.maxinteger))
print(pcall(next, {}, {}))
local failures = 0
for i = 1, 400 do
  local t = { 1, 2, 3 }
  local k = next(t, i % 3 + 1)
  if not pcall(next, t, (i % 3 + 1) * 1.0) then
    failures = failures + 1
  end
end
print(failures)
--[[expect
false	invalid key to 'next'
false	invalid key to 'next'
false	invalid key to 'next'
true	nil
false	invalid key to 'next'
true	nil
true	nil
false	invalid key to 'next'
false	invalid key to 'next'
false	invalid key to 'next'
false	invalid key to 'next'
false	invalid key to 'next'
400
]]
