-- Strings as keys: short and long, built in different ways, with embedded zeros.
local t = {}
t["a\0b"] = 1 t["a"] = 2 t["a\0c"] = 3
print(t["a" .. "\0" .. "b"], t.a, t["a\0" .. "c"], t["a\0"])
for i = 1, 300 do t["key" .. i] = i end
local s = 0
for i = 1, 300 do s = s + t[("key%d"):format(i)] end
print(s)
local long = ("z"):rep(100)
t[long] = "long"
print(t[("z"):rep(50) .. ("z"):rep(50)], t[("z"):rep(99)])
for i = 1, 300 do t["key" .. i] = nil end
local n = 0
for k in pairs(t) do n = n + 1 end
print(n)
local words = {}
for w in (("the cat and the dog and the bird "):rep(20)):gmatch("%a+") do words[w] = (words[w] or 0) + 1 end
print(words.the, words["and"], words.cat, words.fish)

--[[expect
1	2	3	nil
45150
long	nil
4
60	40	20	nil
]]
