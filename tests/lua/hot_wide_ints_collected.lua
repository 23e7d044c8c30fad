-- Wide integers that compiled code has as machine integers, and hands on as values, across
-- collections.
local C = {}
C.__index = C
local function num(v) if type(v) == "table" then return v.n end return v end
C.__add = function(a, b) return num(a) + num(b) end
function C.m1(self, x) return self.n + x end
function C.m2(self, x) self.n = num(x) return self end
local o = setmetatable({ n = 3 }, C)
local k, total = 3, 1e300

local function f(a, b, c)
  o:m2((k - c))
  return o:m1((o + k))
end

for i = 1, 200 do
  local x = f(1, 2, -281474976710656)
  local y = f(-3.5, o, i)
  total = total + x
  if i % 50 == 0 then print(x, y) end
end

for i = 1, 200 do
  for j = (1 << 53) - 1, (1 << 53) + 1 do
    local t = { j }
    if i % 100 == 0 then print(t[1], j // 3, i | j) end
  end
end

--[[expect
562949953421321	-91
562949953421321	-191
562949953421321	-291
562949953421321	-391
9007199254740991	3002399751580330	9007199254740991
9007199254740992	3002399751580330	9007199254741092
9007199254740993	3002399751580331	9007199254741093
9007199254740991	3002399751580330	9007199254740991
9007199254740992	3002399751580330	9007199254741192
9007199254740993	3002399751580331	9007199254741193
]]
