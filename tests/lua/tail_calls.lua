-- Tail calls use no stack: direct, mutual, through methods, __call and pcall results.
local function down(n, acc) if n == 0 then return acc end return down(n - 1, acc + 1) end
print(down(200000, 0))
local even, odd
function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
print(even(100001), odd(100001))
local o = { n = 0 }
function o:step(k) self.n = self.n + 1 if k > 0 then return self:step(k - 1) end return self.n end
print(o:step(100000))
local function varargs(n, ...) if n == 0 then return select("#", ...), ... end return varargs(n - 1, ...) end
print(varargs(50000, 1, 2, 3))
local c = setmetatable({}, { __call = function(self, n) if n > 0 then return self(n - 1) end return "called" end })
print(c(50000))
local function grow(n, ...) if n == 0 then return select("#", ...) end return grow(n - 1, n, ...) end
print(grow(100))
local function ret(...) return ... end
local function viaC(n) if n == 0 then return "end" end return ret(viaC(n - 1)) end
print(viaC(1000))
print(select("#", (function() return ret() end)()))

--[[expect
200000
false	true
100001
3	1	2	3
called
100
end
0
]]
