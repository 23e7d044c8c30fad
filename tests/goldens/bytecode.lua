-- dump: bytecode
local t = { 1, 2, x = 3, [4] = "four" }
local function sum(...)
  local s = 0
  for _, v in ipairs({ ... }) do
    if v > 0 and v ~= 7 then s = s + v else goto continue end
    ::continue::
  end
  return s, #t, -s // 2 << 1
end
function global(self, n)
  local f = function() n = n + 1 return n end
  while n < 10 do f() end
  repeat local c <const> = n n = n - 1 until c == 0 or self:done(c)
  local closed <close> = nil
  return sum(n, t.x, t[1], "a" .. n .. "b")
end
for i = 10, 1, -3 do t[i] = not i end
return global
