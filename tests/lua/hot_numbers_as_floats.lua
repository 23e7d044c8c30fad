-- Integers that are only wanted as floats, and floats that come in their place: through fields, lists,
-- upvalues, results of calls, and where the other operand turns into an integer as well.
local function scale(t, n) local s = 0.5 for i = 1, n do s = s + t[i] * 0.25 end return s end
local t = {}
for i = 1, 400 do t[i] = i end
print(scale(t, 400))
for i = 1, 400, 7 do t[i] = t[i] + 0.125 end
print(scale(t, 400))
t[200] = 1 << 60
print(scale(t, 400))
t[200] = "0x10"
print(scale(t, 400))
t[200] = {}
print(pcall(scale, t, 400))
t[200] = 7

-- The value that was guarded is seen again.
local function keep(p, k)
  local x = p.x
  local y = x * 0.5
  if k then return x, math.type(x), y end
  return y
end
local p = { x = 3 }
for i = 1, 600 do keep(p) end
print(keep(p, true))
p.x = 4.0
print(keep(p, true))
p.x = -0.0
print(keep(p, true))
p.x = 1 << 53 | 1
print(keep(p, true))

-- Sometimes integer, sometimes float, and an operand that was always a float.
local function add(x, y) return x + y end
for i = 1, 600 do add(i % 2 == 0 and i or i + 0.5, 2.5) end
print(add(1, 2), add(1.5, 2), add(1, 2.5), math.type(add(3, 4)))

-- Comparisons, which are exact.
local function less(x, k) return x < k + 0.5 end
for i = 1, 600 do less(i, 300) end
print(less(3, 3), less(3.25, 3), less(4, 3), less(2^53, 2^53), less(1 << 53 | 1, 2^53))

-- Results of calls: one type for long, then another.
local function pick(i, n) if i < n then return i + 0.5 end return i end
local function total(n, limit)
  local s, whole = 0, 0
  for i = 1, n do
    local v = pick(i, limit)
    if v > 1 then s = s + v end
    if math.type(v) == "integer" then whole = whole + 1 end
  end
  return s, whole
end
print(total(900, 10000))
print(total(900, 450))
print(total(900, 0))
local function largest(x) return math.max(0, x) end
local function shade(x) local lit = largest(x) if lit > 0 then return 0.25 + lit * 0.5 end return lit end
local sum = 0
for i = 1, 900 do sum = sum + shade(i / 8) end
for i = 1, 900 do sum = sum + shade(-i / 8) end
print(sum, shade(-1), shade(0.5))
local V = setmetatable({}, { __add = function(a, b) return b end })
local function plus(b) local r = V + b return r * 2 end
local acc = 0
for i = 1, 900 do acc = acc + plus(i < 450 and 0.5 or 3) end
print(acc, plus(4), plus(4.0))

--[[expect
20050.5
20052.3125
2.8823037615173e+17
20006.3125
false	hot_numbers_as_floats.lua:3: attempt to perform arithmetic on a table value (field '?')
3	integer	1.5
4.0	float	2.0
-0.0	float	-0.0
9007199254740993	integer	4.5035996273705e+15
3	3.5	3.5	integer
true	true	false	false	false
405900.0	0
405674.5	451
405449	900
25565.625	0	0.5
3155.0	8	8.0
]]
