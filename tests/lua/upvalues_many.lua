-- A function with many upvalues, set and read through several levels.
local src = {}
for i = 1, 190 do src[#src + 1] = ("local v%d = %d"):format(i, i) end
src[#src + 1] = "local function sum() return function() local s = 0"
for i = 1, 190 do src[#src + 1] = ("s = s + v%d v%d = v%d + 1"):format(i, i, i) end
src[#src + 1] = "return s end end return sum()"
src = table.concat(src, "\n")
print(load(src)()())
local src2 = {}
for i = 1, 150 do src2[#src2 + 1] = ("local v%d = %d"):format(i, i) end
src2[#src2 + 1] = "local function make() return function() local s = 0"
for i = 1, 150 do src2[#src2 + 1] = ("s = s + v%d v%d = v%d + 1"):format(i, i, i) end
src2[#src2 + 1] = "return s end end return make()"
local f = assert(load(table.concat(src2, "\n")))()
local last
for _ = 1, 300 do last = f() end
print(last, f())

--[[expect
18145
56175	56325
]]
