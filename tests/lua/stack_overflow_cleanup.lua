-- After a stack overflow, upvalues are closed and to-be-closed variables were closed.
local closed = 0
local captured = {}
local function f(n)
  local v = n
  if n <= 3 then captured[n] = function() v = v + 1 return v end end
  if n <= 3 then
    local x <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
    return (f(n + 1))
  end
  return 1 + f(n + 1)
end
local ok, e = pcall(f, 1)
print(ok, e:match("stack overflow"), closed)
print(captured[1](), captured[1](), captured[3]())
local handled
local ok2, e2 = xpcall(f, function(m) handled = m:match("stack overflow") return "handled" end, 5)
print(ok2, e2, handled)

--[[expect
false	stack overflow	3
2	3	4
false	handled	stack overflow
]]
