-- Escape-time Mandelbrot set: float arithmetic in a triple loop.
-- small: 16
local n = tonumber((...)) or 650

local function iterate(cr, ci, limit)
  local zr, zi = 0.0, 0.0
  for i = 1, limit do
    local r2, i2 = zr * zr, zi * zi
    if r2 + i2 > 4.0 then return i end
    zi = 2.0 * zr * zi + ci
    zr = r2 - i2 + cr
  end
  return 0
end

local function mandelbrot(n, limit)
  local inside, total = 0, 0
  for y = 0, n - 1 do
    local ci = 2.0 * (y + 0.5) / n - 1.0
    for x = 0, n - 1 do
      local cr = 2.0 * (x + 0.5) / n - 1.5
      local k = iterate(cr, ci, limit)
      if k == 0 then inside = inside + 1 else total = total + k end
    end
  end
  return inside, total
end

local inside, total = mandelbrot(n, 100)
-- The set is symmetric about the real axis, and covers 1.5066 of this 4.0 window.
if n % 2 == 0 and (inside % 2 ~= 0 or total % 2 ~= 0) then error("mandelbrot is not symmetric") end
local area = inside / (n * n) * 4
if math.abs(area - 1.52) > (n >= 100 and 0.03 or 0.3) then error("mandelbrot area " .. area) end
print("mandelbrot", n, inside, total)
