-- Comparisons of every kind in hot code, with changing types.
local function lt(a, b) return a < b end
local function le(a, b) return a <= b end
local function eq(a, b) return a == b end
local n = 0
for i = 1, 400 do if lt(i, 200) then n = n + 1 end if le(i, 200) then n = n + 1 end if eq(i, 200) then n = n + 1 end end
for i = 1, 400 do if lt(i + 0.5, 200) then n = n + 1 end if le(i, 200.0) then n = n + 1 end if eq(i + 0.0, 200) then n = n + 1 end end
for i = 1, 400 do if lt("a" .. i % 10, "a5") then n = n + 1 end if eq("k" .. i, "k7") then n = n + 1 end end
print(n)
print(lt(math.maxinteger, 2 ^ 63), le(2 ^ 63, math.maxinteger), eq(2 ^ 53, (1 << 53) + 1), lt(-1 << 63, -2 ^ 63), lt(0 / 0, 1), le(0 / 0, 0 / 0))
print(pcall(lt, 1, "1")) print(pcall(le, {}, {})) print(pcall(lt, nil, 1))
print(eq(nil, false), eq("1", 1), eq({}, {}), eq(print, print), eq(0, -0.0), eq("a", "a"))
local c = 0
for i = 1, 600 do
  local v = i % 5 == 0 and nil or i % 5 == 1 and false or i % 5 == 2 and 0 or i % 5 == 3 and "" or {}
  if v then c = c + 1 end if not v then c = c + 1000 end if v == nil then c = c + 1000000 end
end
print(c)
local x = 0
for i = 1, 600 do x = x + (i > 300 and 1 or 2) + ((i % 2 == 0 or i % 3 == 0) and 10 or 0) + ((not (i < 100) and i ~= 150) and 100 or 0) end
print(x)
for i = 1, 300 do assert((i < 5) == not (i >= 5) and (i == 7) == not (i ~= 7)) end

--[[expect
1001
true	false	false	false	false	false
false	hot_comparisons.lua:2: attempt to compare number with string
false	hot_comparisons.lua:3: attempt to compare two table values
false	hot_comparisons.lua:2: attempt to compare nil with number
false	false	false	true	true	true
600
54900
]]
