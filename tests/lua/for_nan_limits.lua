-- Limits and steps that are NaN or infinite: where a loop runs at all, and how far.
local nan, inf = 0 / 0, 1 / 0
local function count(first, limit, step)
  local n = 0
  for _ = first, limit, step do
    n = n + 1
    if n > 3 then
      break
    end
  end
  return n
end

for i = 1, 0/0, -1 do n = (n or 0) + 1 if n > 3 then break end end print(n)

local function name(x)
  return x ~= x and "nan" or tostring(x)
end
for _, first in ipairs { 1, 1.0, nan, inf, -inf, math.maxinteger, math.mininteger } do
  for _, limit in ipairs { 1, 2.5, nan, -nan, inf, -inf, math.maxinteger, math.mininteger, 2 ^ 63, -2 ^ 63 } do
    local line = {}
    for _, step in ipairs { 1, -1, 1.0, -1.0, nan, inf, -inf, math.mininteger } do
      line[#line + 1] = count(first, limit, step)
    end
    print(name(first), name(limit), table.concat(line, " "))
  end
end

-- In compiled code.
local function total(limit, step)
  local sum = 0
  for _ = 1, 400 do
    for _ = 1, limit, step do
      sum = sum + 1
      if sum % 2 == 0 then
        break
      end
    end
  end
  return sum
end
print(total(nan, -1), total(nan, 1), total(-inf, -1), total(inf, 1), total(inf, -1))
--[[expect
4
1	1	1 1 1 1 1 1 1 1
1	2.5	2 0 2 0 0 1 0 0
1	nan	0 4 1 1 1 1 1 2
1	nan	0 4 1 1 1 1 1 2
1	inf	4 0 4 0 0 4 0 0
1	-inf	0 4 0 4 1 0 4 2
1	9223372036854775807	4 0 4 0 0 1 0 0
1	-9223372036854775808	0 4 0 4 1 0 1 2
1	9.2233720368548e+18	4 0 4 0 0 1 0 0
1	-9.2233720368548e+18	0 4 0 4 1 0 1 2
1.0	1	1 1 1 1 1 1 1 1
1.0	2.5	2 0 2 0 0 1 0 0
1.0	nan	1 1 1 1 1 1 1 1
1.0	nan	1 1 1 1 1 1 1 1
1.0	inf	4 0 4 0 0 4 0 0
1.0	-inf	0 4 0 4 1 0 4 4
1.0	9223372036854775807	4 0 4 0 0 1 0 0
1.0	-9223372036854775808	0 4 0 4 1 0 1 2
1.0	9.2233720368548e+18	4 0 4 0 0 1 0 0
1.0	-9.2233720368548e+18	0 4 0 4 1 0 1 2
nan	1	1 1 1 1 1 1 1 1
nan	2.5	1 1 1 1 1 1 1 1
nan	nan	1 1 1 1 1 1 1 1
nan	nan	1 1 1 1 1 1 1 1
nan	inf	1 1 1 1 1 1 1 1
nan	-inf	1 1 1 1 1 1 1 1
nan	9223372036854775807	1 1 1 1 1 1 1 1
nan	-9223372036854775808	1 1 1 1 1 1 1 1
nan	9.2233720368548e+18	1 1 1 1 1 1 1 1
nan	-9.2233720368548e+18	1 1 1 1 1 1 1 1
inf	1	0 4 0 4 1 0 1 4
inf	2.5	0 4 0 4 1 0 1 4
inf	nan	1 1 1 1 1 1 1 1
inf	nan	1 1 1 1 1 1 1 1
inf	inf	4 4 4 4 1 4 1 4
inf	-inf	0 4 0 4 1 0 1 4
inf	9223372036854775807	0 4 0 4 1 0 1 4
inf	-9223372036854775808	0 4 0 4 1 0 1 4
inf	9.2233720368548e+18	0 4 0 4 1 0 1 4
inf	-9.2233720368548e+18	0 4 0 4 1 0 1 4
-inf	1	4 0 4 0 0 1 0 0
-inf	2.5	4 0 4 0 0 1 0 0
-inf	nan	1 1 1 1 1 1 1 1
-inf	nan	1 1 1 1 1 1 1 1
-inf	inf	4 0 4 0 0 1 0 0
-inf	-inf	4 4 4 4 1 1 4 4
-inf	9223372036854775807	4 0 4 0 0 1 0 0
-inf	-9223372036854775808	4 0 4 0 0 1 0 0
-inf	9.2233720368548e+18	4 0 4 0 0 1 0 0
-inf	-9.2233720368548e+18	4 0 4 0 0 1 0 0
9223372036854775807	1	0 4 0 4 1 0 1 1
9223372036854775807	2.5	0 4 0 4 1 0 1 1
9223372036854775807	nan	0 4 1 1 1 1 1 2
9223372036854775807	nan	0 4 1 1 1 1 1 2
9223372036854775807	inf	1 0 4 0 0 4 0 0
9223372036854775807	-inf	0 4 0 4 1 0 4 2
9223372036854775807	9223372036854775807	1 1 4 4 1 1 1 1
9223372036854775807	-9223372036854775808	0 4 0 4 1 0 1 2
9223372036854775807	9.2233720368548e+18	1 0 4 4 1 1 1 0
9223372036854775807	-9.2233720368548e+18	0 4 0 4 1 0 1 2
-9223372036854775808	1	4 0 4 0 0 1 0 0
-9223372036854775808	2.5	4 0 4 0 0 1 0 0
-9223372036854775808	nan	0 1 1 1 1 1 1 1
-9223372036854775808	nan	0 1 1 1 1 1 1 1
-9223372036854775808	inf	4 0 4 0 0 4 0 0
-9223372036854775808	-inf	0 1 0 4 1 0 4 1
-9223372036854775808	9223372036854775807	4 0 4 0 0 1 0 0
-9223372036854775808	-9223372036854775808	1 1 4 4 1 1 1 1
-9223372036854775808	9.2233720368548e+18	4 0 4 0 0 1 0 0
-9223372036854775808	-9.2233720368548e+18	1 1 4 4 1 1 1 1
800	0	800	800	0
]]
