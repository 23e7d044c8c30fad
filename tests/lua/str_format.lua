-- format: every specifier, flags, width, precision, %q.
print(("%d %5d %-5d| %05d %+d % d"):format(42, 42, 42, 42, 42, 42))
print(("%x %X %#x %o %c %u"):format(255, 255, 255, 8, 65, 7) == "ff FF 0xff 10 A 7", pcall(string.format, "%u", 1))
print(("%i %d %x"):format(3.0, -0.0, -1))
print(("%f %.2f %10.3f %-10.1f| %e %.3E %g %g %g %G"):format(1.5, 1 / 3, 2.5, 2.5, 12345.678, 0.00012, 1e20, 0.1, 100000, 1e-10))
print(("%s %10s %-10s| %.2s %s %s"):format("a", "b", "c", "defg", nil, true))
print(("%q"):format('a "quoted"\n\\ \0 \1\0019 \r end'))
print(("%q %q %q %q %q"):format(1, math.mininteger, 0.1, 1 / 0, -1 / 0), ("%q"):format(255), ("%q %q"):format(true, nil))
print(pcall(string.format, "%q", {}))
print(("%a %A %.2a"):format(1, 0.5, 3.14159))
print(("%%|%5.1s|%c%c"):format("xyz", 0x4c, 0x75), #("%c"):format(0))
print(("%s"):format(setmetatable({}, { __tostring = function() return "meta" end })), ("%-5s|"):format(12), ("%5s"):format(1.0))
print(("%.14g %.17g %.0f %5.0f"):format(0.1, 0.1, 0.5, 1.5), ("%.3d %+.2d"):format(5, 3), ("%#.3x"):format(10))
print(("%d"):format("10"), ("%f"):format("1.5"), ("%s"):format("a\0b") == "a\0b", ("%x"):format(math.maxinteger), ("%d"):format(math.mininteger))
print(("%.20s|%.0s|%20.10s|"):format("hello", "hello", "hello world again"), ("%g %g"):format(1e15, 1e16), ("%.99f"):format(1):len())
local n = 0
for i = 1, 400 do n = n + #("%d:%s:%5.2f"):format(i, "x", i / 3) end
print(n)

--[[expect
42    42 42   | 00042 +42  42
true	true	1
3 0 ffffffffffffffff
1.500000 0.33      2.500 2.5       | 1.234568e+04 1.200E-04 1e+20 0.1 100000 1E-10
a          b c         | de nil true
"a \"quoted\"\
\\ \0 \1\0019 \13 end"
1 0x8000000000000000 0x1.999999999999ap-4 1e9999 -1e9999	255	true nil
false	bad argument #2 to 'string.format' (value has no literal form)
0x1p+0 0X1P-1 0x1.92p+1
%|    x|Lu	1
meta	12   |	  1.0
0.1 0.10000000000000001 0     2	005 +03	0x00a
10	1.500000	true	7fffffffffffffff	-9223372036854775808
hello||          hello worl|	1e+15 1e+16	101
4393
]]
