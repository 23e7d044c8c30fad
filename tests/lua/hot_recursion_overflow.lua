-- Hot functions recurse to the stack limit; the error is caught and they go on working.
local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end
for i = 1, 300 do f(5) end
local ok, e = pcall(f, -1)
print(ok, e:match("stack overflow"), f(1000))
local a, b
function a(n) if n == 0 then return 0 end return 1 + b(n - 1) end
function b(n) if n == 0 then return 0 end return 1 + a(n - 1) end
for i = 1, 300 do a(6) end
ok, e = pcall(a, -1)
print(ok, e:match("stack overflow"), a(1001))
local co = coroutine.create(function() for i = 1, 300 do f(3) end local r, m = pcall(f, -1) coroutine.yield(r, m:match("stack overflow")) return f(100) end)
print(coroutine.resume(co)) print(coroutine.resume(co))

--[[expect
false	stack overflow	1000
false	stack overflow	1001
true	false	stack overflow
true	100
]]
