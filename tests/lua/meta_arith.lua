-- Arithmetic and bitwise metamethods: both sides, order, results adjusted to one.
local log = {}
local mt = {}
for _, e in ipairs { "add", "sub", "mul", "div", "mod", "pow", "idiv", "band", "bor", "bxor", "shl", "shr", "concat" } do
  mt["__" .. e] = function(a, b)
    local function n(x) return type(x) == "table" and x.n or tostring(x) end
    return e .. "(" .. n(a) .. "," .. n(b) .. ")", "dropped"
  end
end
mt.__unm = function(a, b) return "unm " .. a.n .. tostring(rawequal(a, b)) end
mt.__bnot = function(a, b) return "bnot " .. a.n .. tostring(rawequal(a, b)) end
mt.__len = function(a) return "len " .. a.n end
local a, b = setmetatable({ n = "a" }, mt), setmetatable({ n = "b" }, mt)
print(a + b, a + 1, 1 + a, a + 1.5, "s" + a, a + nil)
print(a - b, a - 1, 1 - a, a * 2, 2 * a, a / 2, 2 / a, a % 3, 3 % a, a ^ 2, 2 ^ a, a // 2, 2 // a)
print(a & 1, 1 & a, a | 1, 1 | a, a ~ 1, 1 ~ a, a << 1, 1 << a, a >> 1, 1 >> a, a & 1.5, "x" | a)
print(a .. b, a .. "s", "s" .. a, a .. 1, 1 .. a, "x" .. "y" .. a, a .. "x" .. "y")
print(-a, ~a, #a, (a + b))
local n = 0
local c = setmetatable({}, { __add = function(_, k) n = n + k return n end })
local s = 0
for i = 1, 400 do s = s + (c + i) end
print(s, n)

--[[expect
add(a,b)	add(a,1)	add(1,a)	add(a,1.5)	add(s,a)	add(a,nil)
sub(a,b)	sub(a,1)	sub(1,a)	mul(a,2)	mul(2,a)	div(a,2)	div(2,a)	mod(a,3)	mod(3,a)	pow(a,2)	pow(2,a)	idiv(a,2)	idiv(2,a)
band(a,1)	band(1,a)	bor(a,1)	bor(1,a)	bxor(a,1)	bxor(1,a)	shl(a,1)	shl(1,a)	shr(a,1)	shr(1,a)	band(a,1.5)	bor(x,a)
concat(a,b)	concat(a,s)	concat(s,a)	concat(a,1)	concat(1,a)	xconcat(y,a)	concat(a,xy)
unm atrue	bnot atrue	len a	add(a,b)
10746800	80200
]]
