-- pack, unpack, packsize: integers, floats, strings, alignment, errors.
local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
print(hex(string.pack("<i4", 100)), hex(string.pack(">i4", 100)), hex(string.pack("<i2i8", -2, 1)), hex(string.pack("b", -1)), hex(string.pack("<I3", 0x123456)))
print(hex(string.pack("<d", 1.5)), hex(string.pack(">f", -2)), hex(string.pack("<n", 0.1)), hex(string.pack("z", "hi")), hex(string.pack("<s2", "abc")), hex(string.pack("c5", "ab")))
print(string.unpack("<i4", "\100\0\0\0"), string.unpack("<I2 >I2", "\1\2\1\2"), string.unpack("z s1", "ab\0\3xyz"), string.unpack("<i16", string.pack("<i16", -5)))
print(string.packsize("<i4i8"), string.packsize("!8i4i8"), string.packsize("bhilj"), string.packsize("<!4 b i8"), string.packsize("c10"))
print(hex(string.pack("<!4 b i4", 1, 2)), hex(string.pack("<b Xi4 i4", 1, 2)), hex(string.pack("bxb", 1, 2)), hex(string.pack(">!4 i1 !2 i2", 1, 2)))
for _, c in ipairs { { "i1", 128 }, { "I1", 256 }, { "i17", 1 }, { "i0", 1 }, { "c2", "abc" }, { "z", "a\0b" }, { "s1", ("x"):rep(300) }, { "y", 1 }, { "!3 i4", 1 }, { "d", "x" }, { "X", 1 } } do print(c[1], pcall(string.pack, c[1], c[2])) end
print(pcall(string.unpack, "<i4", "abc"), pcall(string.unpack, "z", "abc"), pcall(string.unpack, "i4", "abcd", 10))
print(string.unpack("<i8", string.pack("<i8", math.mininteger)), string.unpack("<j", string.pack("<j", 1 << 47)), string.unpack("<I4", "\255\255\255\255"), string.unpack("<i3", "\255\255\255"))
print(string.unpack("i1", "abc", -1), select("#", string.unpack("<i1i1i1", "abc")))
local s = 0
for i = 1, 400 do local a, b = string.unpack("<i4d", string.pack("<i4d", i, i / 2)) s = s + a + b end
print(s)

--[[expect
64000000	00000064	feff0100000000000000	ff	563412
000000000000f83f	c0000000	9a9999999999b93f	686900	0300616263	6162000000
100	513	ab	-5	17
12	16	23	12	10
0100000002000000	0102000000	010002	01000002
i1	false	bad argument #2 to 'string.pack' (integer overflow)
I1	false	bad argument #2 to 'string.pack' (unsigned overflow)
i17	false	integral size (17) out of limits [1,16]
i0	false	integral size (0) out of limits [1,16]
c2	false	bad argument #2 to 'string.pack' (string longer than given size)
z	false	bad argument #2 to 'string.pack' (string contains zeros)
s1	false	bad argument #2 to 'string.pack' (string length does not fit in given size)
y	false	invalid format option 'y'
!3 i4	false	bad argument #1 to 'string.pack' (format asks for alignment not power of 2)
d	false	bad argument #2 to 'string.pack' (number expected, got string)
X	false	bad argument #1 to 'string.pack' (invalid next option for option 'X')
false	false	false	bad argument #3 to 'string.unpack' (initial position out of string)
-9223372036854775808	140737488355328	4294967295	-1	4
99	4
120300.0
]]
