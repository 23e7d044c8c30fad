-- Recursive functions with a result of one type, which are left in their middle and answer with another.
local function int(n) if n < 2 then return n - 3 end return int(n - 1) + int(n - 2) * 3 end
local function float(x) if x < 2.0 then return x / 4 end return float(x - 1) - float(x - 2) * 1.5 end
local function text(n) if n < 1 then return "x" end return text(n - 1) .. n % 10 end
local function wide(n) if n < 1 then return 1 end return wide(n - 1) * 3 end
local function nan(x) if x < 1 then return 0 / 0 * x end return nan(x - 1) + 1.0 end
local function mixed(n) if n == 7 then return "seven" end if n < 1 then return 5 end local r = mixed(n - 1) return r end
local function halves(x) if x == 3 then return nil end if x < 1 then return x / 2 end local r = halves(x - 1) return r end
for i = 1, 12 do
  local x = nan(i + 0.0)
  print(int(i), float(i + 0.5), text(i), wide(i * 4), x ~= x, mixed(i), halves(i + 0.5), halves(i))
  print(pcall(wide, i > 6 and {} or i))
end

--[[expect
-2	0.375	x1	81	true	5	0.25	0.0
true	3
-11	0.1875	x12	6561	true	5	0.25	0.0
true	9
-17	-0.375	x123	531441	true	5	0.25	nil
true	27
-50	-0.65625	x1234	43046721	true	5	0.25	nil
true	81
-101	-0.09375	x12345	3486784401	true	5	0.25	nil
true	243
-251	0.890625	x123456	282429536481	true	5	0.25	nil
true	729
-554	1.03125	x1234567	22876792454961	true	seven	0.25	nil
false	hot_recursion_results.lua:5: attempt to compare table with number
-1307	-0.3046875	x12345678	1853020188851841	true	seven	0.25	nil
false	hot_recursion_results.lua:5: attempt to compare table with number
-2969	-1.8515625	x123456789	150094635296999121	true	seven	0.25	nil
false	hot_recursion_results.lua:5: attempt to compare table with number
-6890	-1.39453125	x1234567890	-6289078614652622815	true	seven	0.25	nil
false	hot_recursion_results.lua:5: attempt to compare table with number
-15797	1.3828125	x12345678901	7093466277004997233	true	seven	0.25	nil
false	hot_recursion_results.lua:5: attempt to compare table with number
-36467	3.474609375	x123456789012	2721702152408675777	true	seven	0.25	nil
false	hot_recursion_results.lua:5: attempt to compare table with number
]]
