-- An operand that is sometimes an integer, sometimes a float, and one that was always a float until now:
-- two integers give an integer.
local function add(x, s) return x + tonumber(s) end
local function mul(x, s) return tonumber(s) * x end
local function try(f, n, s)
  local ints = 0
  for i = 1, n do if math.type(f(1, s)) == "integer" then ints = ints + 1 end end
  return ints
end
local xs = { 1, 1.5 }
for _, f in ipairs({ add, mul }) do
  for i = 1, 3000 do f(xs[i % 2 + 1], "2.5") end
  for round = 1, 12 do
    print(try(f, 500, "2"), try(f, 3, "0.5"), math.type(f(1.5, "2")))
  end
end
--[[expect
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
500	0	float
]]
