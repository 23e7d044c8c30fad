-- Largest singular value of an infinite matrix, by the power method.
-- small: 10
local n = tonumber((...)) or 480

local function A(i, j)
  local ij = i + j
  return 1.0 / (ij * (ij + 1) * 0.5 + i + 1)
end

local function Av(n, x, y)
  for i = 0, n - 1 do
    local sum = 0
    for j = 0, n - 1 do sum = sum + A(i, j) * x[j] end
    y[i] = sum
  end
end

local function Atv(n, x, y)
  for i = 0, n - 1 do
    local sum = 0
    for j = 0, n - 1 do sum = sum + A(j, i) * x[j] end
    y[i] = sum
  end
end

local function AtAv(n, x, y, t)
  Av(n, x, t)
  Atv(n, t, y)
end

local u, v, t = {}, {}, {}
for i = 0, n - 1 do u[i] = 1 end
for _ = 1, 10 do
  AtAv(n, u, v, t)
  AtAv(n, v, u, t)
end
local vBv, vv = 0, 0
for i = 0, n - 1 do
  vBv = vBv + u[i] * v[i]
  vv = vv + v[i] * v[i]
end
local result = math.sqrt(vBv / vv)
if math.abs(result - 1.2742) > (n >= 100 and 1e-4 or 1e-2) then error("spectral norm " .. result) end
print("spectral_norm", n, string.format("%.9f", result))
