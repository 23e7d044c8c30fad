-- Tracebacks, levels, messages of the compiler, errors in message handlers.
local function tb(l) print((debug.traceback("tb", l):gsub("%[C%]: in %?", "[C]: in ?"))) end
local function a(n) if n >= 300 then tb() end return n end
local function b(n) local x = a(n) return x end
function globalfn(n) local x = b(n) return x end
local obj = { method = function(self, n) local x = globalfn(n) return x end }
for i = 1, 300 do obj:method(i) end
local function rec(n) if n == 0 then tb() return 0 end return 1 + rec(n - 1) end
for i = 1, 200 do local function f(n) if n == 0 then return 0 end return 1 + f(n-1) end f(10) end
rec(5) rec(30)
local function t1(n) if n >= 200 then tb() end return n end
local function t2(n) return t1(n) end
for i = 1, 200 do t2(i) end
local mt = setmetatable({}, { __add = function(a, b) if b >= 200 then tb() end return 1 end, __index = function(t, k) if k >= 200 then tb() end return k end, __call = function(self, n) if n >= 200 then tb() end end, __eq = function() tb() return true end, __lt = function(a, b) tb() return false end, __close = function() tb() end, __concat = function() tb() return "" end })
for i = 1, 200 do local _ = mt + i; local __ = mt[i]; mt(i) end
local _ = mt < mt, mt .. "x"
do local c <close> = mt end
local co = coroutine.create(function(x) local y = coroutine.yield(x) error("oops") end)
coroutine.resume(co, 1)
print(debug.traceback(co)) print(debug.traceback(co, "msg")) print(debug.traceback(co, "msg", 1)) print(debug.traceback(co, nil, 0))
coroutine.resume(co) print(debug.traceback(co))
for i = 1, 200 do pcall(function() if i == 200 then tb() end end) end
for i = 1, 200 do local s = ("x"):gsub("x", function() if i == 200 then tb() end end) end
for i = 1, 200 do table.sort({3, 1, 2}, function(x, y) if i == 200 and x == 1 and y == 3 then tb() end return x < y end) end
for w in (function() tb() return nil end) do end
for i = 1, 200 do xpcall(function() local x = nil; if i == 200 then x() end end, function(m) print(debug.traceback(m)) end) end
local function deep(n) if n == 0 then error("deep") end deep(n - 1) return 1 end
for i = 1, 120 do local ok, t = xpcall(deep, debug.traceback, 3) if i == 120 then print(t) end end
print(select(2, xpcall(deep, debug.traceback, 50)))
-- level arg of error
local function lv(l) error("lv", l) end
local function lv2(l) lv(l) return 1 end
for i = 0, 4 do print(pcall(lv2, i)) end
for i = 1, 200 do local ok, m = pcall(lv2, 2) if i == 200 then print(m) end end
print(pcall(error, "x", 1), pcall(error, "x", 2), pcall(error))
load("local function f() error('in chunk') end f()", "@file.lua")
print(pcall(load("error('in chunk')", "@file.lua"))) print(pcall(load("error('in chunk')", "=name"))) print(pcall(load("error('in chunk')", "line1\nline2"))) print(pcall(load("\n\nerror('in chunk')", ("x"):rep(100)))) print(pcall(load("error('in chunk')", "@" .. ("y"):rep(100))))
print(pcall(load("error('in chunk')")))  print(pcall(load("x ="))) print(load("x =", "@f")) print(load("x = 'abc", "=c")) print(load("for")) print(load("goto l")) print(load("break")) print(load("::a:: ::a::")) print(load("local x <foo> = 1")) print(load("local x <const> = 1; x = 2")) print(load("return ...", "=x")) print(load("function f() return ... end")) print(load("x = }")) print(load("x = 0x")) print(load("x = 1e")) print(load("x = '\\q'")) print(load("x = '\\300'")) print(load("x = '\\u{110000000}'")) print(load("x = [[abc")) print(load("--[[abc")) print(load("x = 'a\nb'")) print(load("a.b:c = 1")) print(load("f() = 1")) print(load("local a <close>, b <close> = 1, 2")) print(load(("x = "):rep(3))) print(load("if x then else elseif")) print(load("x = ~")) print(load("@")) print(load("x = 1 1")) print(load("local function a.b() end")) print(load("for i = 1 do end")) print(load("for a.b in c do end")) print(load("return return")) print(load("x, y")) print(load("goto continue; local x; ::continue:: print(x)")) print(load("do goto l1 end; local a; ::l1:: a = 1")) print(load("\\")) print(load("x = '\\xZZ'")) print(load("x = '\\u{zz}'")) print(load("a = 3 = 4")) print(load("x = function(a, ..., b) end")) print(load("x = {a = }")) print(load(("("):rep(300) .. "1" .. (")"):rep(300))) print(load("local " .. ("a,"):rep(250) .. "a")) print(load("x = " .. ("a .. "):rep(250) .. "a") ~= nil) print(load(("a = {"):rep(1) .. ("{"):rep(250)))
-- error in error
print(xpcall(error, function(m) error("again") end, "x")) print(xpcall(error, function(m) local x = m.y.z end, "x")) print(xpcall(function() local function f() return f() + 1 end f() end, function(m) return "H:" .. m end))
local function so() return so() + 1 end
local ok, m = pcall(so) print(ok, m)
print(pcall(string.rep, "x", -1)) print((select(2, pcall(function() local t = setmetatable({}, {__index = function(t, k) return t[k] end}) return t.x end)):gsub("C stack", "stack")))
local t = {} for i = 1, 5 do t = setmetatable({}, {__index = t}) end print(t.x)
local loopt = {} setmetatable(loopt, {__index = loopt}) print(pcall(function() return loopt.x end)) setmetatable(loopt, {__newindex = loopt}) print(pcall(function() loopt.x = 1 end))
print(pcall(string.gsub, "x", "x", function() error({}) end)) print(pcall(setmetatable({}, {__call = 5})))
print(pcall(next, {}, "x")) print(pcall(coroutine.wrap(function() error("w") end))) print(pcall(coroutine.wrap(function() error({}) end)))
local cw = coroutine.wrap(function() return 1 end) cw() print(pcall(cw)) print(coroutine.resume(coroutine.create(function() error(setmetatable({}, {__tostring = function() return "T" end})) end)))
print(coroutine.close(coroutine.create(function() end))) local cc = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() error("cl") end}) coroutine.yield() end) coroutine.resume(cc) print(coroutine.close(cc)) print(coroutine.status(cc))
