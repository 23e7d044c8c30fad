-- dump: ssa-opt, layout
-- of: apply
-- Calls of an unknown function, of a library function that the compiler knows, and of one it does not.
local apply
function apply(f, x)
  local y = f(x)
  return math.floor(y) + #tostring(y)
end
local list = { math.sqrt, string.len, tonumber, function(x) return x * 2 end }
for i = 1, 200 do apply(list[i % 4 + 1], 16) end
