-- dump: ssa-opt, exits, layout
-- of: dot
-- A numeric loop over two arrays: kinds of elements, bounds, hoisted guards; by call and by OSR.
local function dot(a, b, n)
  local s = 0.0
  for i = 1, n do s = s + a[i] * b[i] end
  return s
end
local a, b = {}, {}
for i = 1, 20 do a[i], b[i] = i + 0.5, i * 0.25 end
for _ = 1, 200 do dot(a, b, 20) end
