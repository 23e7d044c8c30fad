-- tonumber, with and without a base.
for _, s in ipairs { "10", " 10 ", "0x10", "1e1", "1e", "", " ", "0x", "10a", "1 0", "- 1", "-0x10", "+5", ".5", "5.", ".", "0x.8", "0x1p4", "inf", "nan", "1_000", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "0x7fffffffffffffff", "0xffffffffffffffff", "1e309", "\t7\n", "7\0" } do
  print(("%q"):format(s), tonumber(s), math.type(tonumber(s)))
end
print(tonumber("10", 2), tonumber("ff", 16), tonumber("zz", 36), tonumber("-ff", 16), tonumber("8", 8), tonumber(" 11 ", 2), tonumber("1.0", 10), tonumber("7fffffffffffffff", 16), tonumber("ffffffffffffffff", 16))
print(tonumber(nil == nil and 5), tonumber(true), tonumber({}), pcall(tonumber))
print(pcall(tonumber, "10", 99))
print(pcall(tonumber, 10, 10))

--[[expect
"10"	10	integer
" 10 "	10	integer
"0x10"	16	integer
"1e1"	10.0	float
"1e"	nil	nil
""	nil	nil
" "	nil	nil
"0x"	nil	nil
"10a"	nil	nil
"1 0"	nil	nil
"- 1"	nil	nil
"-0x10"	-16	integer
"+5"	5	integer
".5"	0.5	float
"5."	5.0	float
"."	nil	nil
"0x.8"	0.5	float
"0x1p4"	16.0	float
"inf"	nil	nil
"nan"	nil	nil
"1_000"	nil	nil
"9223372036854775807"	9223372036854775807	integer
"9223372036854775808"	9.2233720368548e+18	float
"-9223372036854775808"	-9223372036854775808	integer
"-9223372036854775809"	-9.2233720368548e+18	float
"0x7fffffffffffffff"	9223372036854775807	integer
"0xffffffffffffffff"	-1	integer
"1e309"	inf	float
"\0097\
"	7	integer
"7\0"	nil	nil
2	255	1295	-255	nil	3	nil	9223372036854775807	-1
5	nil	nil	false	bad argument #1 to 'tonumber' (value expected)
false	bad argument #2 to 'tonumber' (base out of range)
false	bad argument #1 to 'tonumber' (string expected, got number)
]]
