-- Methods: self, chaining, string methods, calls without parentheses.
local Account = {} Account.__index = Account
function Account.new(b) return setmetatable({ balance = b }, Account) end
function Account:deposit(n) self.balance = self.balance + n return self end
function Account:get() return self.balance end
local a = Account.new(10)
print(a:deposit(5):deposit(1):get())
print(("x"):rep(3), ("%d"):format(7), #("abc"):upper())
local s = "hello"
print(s:len(), s:sub(2, 3), s:byte(-1))
local function f(x) return type(x) == "table" and #x or x end
print(f "str", f [[long]], f { 1, 2, 3 }, (f { 1 }))
local t = { a = { b = { c = function(self, x) return x end } } }
function t.a.b:m(x) return self == t.a.b, x end
function t.a.f(x) return x * 2 end
print(t.a.b:m(3), t.a.f(4), t.a.b.c(nil, 5))
local d = 0
for i = 1, 400 do a:deposit(i) d = d + a:get() end
print(a:get(), d)

--[[expect
16
xxx	7	3
5	el	111
str	long	3	1
true	8	5
80216	10753200
]]
