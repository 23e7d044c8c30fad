-- Every kind of value as a key.
local f, co, t0 = function() end, coroutine.create(print), {}
local t = { [true] = 1, [false] = 2, [f] = 3, [co] = 4, [t0] = 5, [io.stdout] = 6, [1] = 7, [1.5] = 8, [-1] = 9, [""] = 10, [math.huge] = 11, [-math.huge] = 12, [print] = 13 }
print(t[true], t[false], t[f], t[co], t[t0], t[io.stdout], t[1], t[1.5], t[-1], t[""], t[math.huge], t[-math.huge], t[print])
print(t[{}], t[function() end], t["1"], t[nil])
print(pcall(function() t[nil] = 1 end))
print(rawget(t, true), rawset(t, true, nil) == t, t[true])
local n = 0
for k in pairs(t) do n = n + 1 end
print(n)
local s = 0
local keys = { true, f, t0, 1, 1.5, "", print }
for i = 1, 700 do s = s + (t[keys[i % 7 + 1]] or 0) end
print(s)

--[[expect
1	2	3	4	5	6	7	8	9	10	11	12	13
nil	nil	nil	nil
false	tbl_any_keys.lua:6: table index is nil
1	true	nil
12
4600
]]
