-- Matrix product over tables of rows of floats.
-- small: 8
local n = tonumber((...)) or 320

local function matrix(n, f)
  local m = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do row[j] = f(i, j) end
    m[i] = row
  end
  return m
end

local function transpose(a, n)
  return matrix(n, function(i, j) return a[j][i] end)
end

local function multiply(a, b, n)
  local bt = transpose(b, n)
  local c = {}
  for i = 1, n do
    local ai, ci = a[i], {}
    for j = 1, n do
      local bj, sum = bt[j], 0.0
      for k = 1, n do
        sum = sum + ai[k] * bj[k]
      end
      ci[j] = sum
    end
    c[i] = ci
  end
  return c
end

local a = matrix(n, function(i, j) return (i - j) * (i + j - 2) / (n * n) end)
local b = matrix(n, function(i, j) return (i + 2 * j) / n end)
local c = multiply(a, b, n)

-- c * v = a * (b * v) for the vector v of ones.
for i = 1, n do
  local left, right = 0.0, 0.0
  for j = 1, n do left = left + c[i][j] end
  for k = 1, n do
    local bv = 0.0
    for j = 1, n do bv = bv + b[k][j] end
    right = right + a[i][k] * bv
  end
  if math.abs(left - right) > 1e-6 then error("matmul: row " .. i .. " is wrong") end
  if n > 50 and i >= 20 then break end
end
local h = math.floor(n / 2)
print("matmul", n, string.format("%.9f", c[h][h]))
