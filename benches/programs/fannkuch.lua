-- Pancake flips over all permutations: small integer arrays.
-- small: 6
local n = tonumber((...)) or 9

local function fannkuch(n)
  local p, q, s = {}, {}, {}
  local sign, maxflips, sum = 1, 0, 0
  for i = 1, n do p[i], q[i], s[i] = i, i, i end
  while true do
    local q0 = p[1]
    if q0 ~= 1 then
      for i = 2, n do q[i] = p[i] end
      local flips = 1
      while true do
        local qq = q[q0]
        if qq == 1 then
          sum = sum + sign * flips
          if flips > maxflips then maxflips = flips end
          break
        end
        q[q0] = q0
        if q0 >= 4 then
          local i, j = 2, q0 - 1
          repeat
            q[i], q[j] = q[j], q[i]
            i = i + 1
            j = j - 1
          until i >= j
        end
        q0 = qq
        flips = flips + 1
      end
    end
    if sign == 1 then
      p[1], p[2] = p[2], p[1]
      sign = -1
    else
      p[2], p[3] = p[3], p[2]
      sign = 1
      for i = 3, n do
        local sx = s[i]
        if sx ~= 1 then
          s[i] = sx - 1
          break
        end
        if i == n then return sum, maxflips end
        s[i] = i
        local t = p[1]
        for j = 1, i do p[j] = p[j + 1] end
        p[i + 1] = t
      end
    end
  end
end

local known = { [6] = { 49, 10 }, [7] = { 228, 16 }, [8] = { 1616, 22 }, [9] = { 8629, 30 }, [10] = { 73196, 38 } }
local k = known[n]
local sum, flips
for _ = 1, 4 do
  sum, flips = fannkuch(n)
  if k and (sum ~= k[1] or flips ~= k[2]) then error("fannkuch gave " .. sum .. ", " .. flips) end
end
print("fannkuch", n, sum, flips)
