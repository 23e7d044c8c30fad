-- Deep, not endless, recursion; results come back through all levels.
local function depth(n) if n == 0 then return 0 end return 1 + depth(n - 1) end
print(depth(15000))
local function sum(t, i) i = i or 1 if i > #t then return 0 end return t[i] + sum(t, i + 1) end
local t = {} for i = 1, 5000 do t[i] = i end
print(sum(t))
local function build(n) if n == 0 then return nil end return { next = build(n - 1), v = n } end
local function total(l) if not l then return 0 end return l.v + total(l.next) end
print(total(build(3000)))
local a, b
function a(n, s) if n == 0 then return s end local r = b(n - 1, s + 1) return r + 1 end
function b(n, s) if n == 0 then return s end local r = a(n - 1, s + 2) return r - 1 end
print(a(10000, 0), b(9999, 0))
local function many(n) if n == 0 then return 1, 2, 3 end local x, y, z = many(n - 1) return z, x, y end
print(many(3000))

--[[expect
15000
12502500
4501500
15000	14998
1	2	3
]]
