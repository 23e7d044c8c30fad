-- Results and errors of library functions that once were others.
collectgarbage("incremental")
print(collectgarbage("generational"), collectgarbage("generational"), collectgarbage("incremental"))
print(collectgarbage("setpause", 150), collectgarbage("setpause", 2000), collectgarbage("setpause", 200))
print(collectgarbage("setstepmul", 150), collectgarbage("setstepmul", 100), collectgarbage("setstepmul", 100))
collectgarbage("generational")
print(collectgarbage("step"), collectgarbage("step", 100))
collectgarbage("incremental")
print(collectgarbage("step", 1 << 20))

print(math.atan2(1, -1) == math.atan(1, -1), math.atan2(1), math.atan2(-0.0, -1))
print(math.ldexp(1 / 0, 2147483648), math.ldexp(-1 / 0, 5), math.ldexp(0.0, -2147483648), math.ldexp(1, -1074))
math.randomseed(7)
pcall(math.random, 2, 1)
pcall(math.random, 1, 2, 3)
print(math.random(0), math.random(100))

for _, f in ipairs { "%+x", "% o", "%+u", "%#d", "%010c", "%+s", "%#5.3x", "%5.123d" } do
  print(f, pcall(string.format, f, 3.5))
  print(f, pcall(string.format, f, 3))
  print(f, pcall(string.format, f))
end
print(pcall(string.pack, "i4"))
print(pcall(string.pack, "zz", "a"))
print(pcall(string.pack, "xd"))
local function hook() end
debug.sethook(hook, "l", -1)
print(select(2, debug.gethook()))
debug.sethook()
--[[expect
incremental	generational	generational
200	148	976
100	148	100
false	false
true
true	0.78539816339745	-3.1415926535898
inf	-inf	0.0	4.9406564584125e-324
-4642864493851272806	58
%+x	false	bad argument #2 to 'string.format' (number has no integer representation)
%+x	false	invalid conversion specification: '%+x'
%+x	false	bad argument #2 to 'string.format' (no value)
% o	false	bad argument #2 to 'string.format' (number has no integer representation)
% o	false	invalid conversion specification: '% o'
% o	false	bad argument #2 to 'string.format' (no value)
%+u	false	bad argument #2 to 'string.format' (number has no integer representation)
%+u	false	invalid conversion specification: '%+u'
%+u	false	bad argument #2 to 'string.format' (no value)
%#d	false	bad argument #2 to 'string.format' (number has no integer representation)
%#d	false	invalid conversion specification: '%#d'
%#d	false	bad argument #2 to 'string.format' (no value)
%010c	false	invalid conversion specification: '%010c'
%010c	false	invalid conversion specification: '%010c'
%010c	false	bad argument #2 to 'string.format' (no value)
%+s	false	invalid conversion specification: '%+s'
%+s	false	invalid conversion specification: '%+s'
%+s	false	bad argument #2 to 'string.format' (no value)
%#5.3x	false	bad argument #2 to 'string.format' (number has no integer representation)
%#5.3x	true	0x003
%#5.3x	false	bad argument #2 to 'string.format' (no value)
%5.123d	false	bad argument #2 to 'string.format' (number has no integer representation)
%5.123d	false	invalid conversion specification: '%5.123d'
%5.123d	false	bad argument #2 to 'string.format' (no value)
false	bad argument #2 to 'string.pack' (number expected, got nil)
false	bad argument #3 to 'string.pack' (string expected, got nil)
false	bad argument #2 to 'string.pack' (number expected, got nil)
l	-1
]]
