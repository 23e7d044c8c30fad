-- Numbers round-trip through strings with enough digits.
local values = { 0.1, 1 / 3, 2 ^ 53 + 1, 1e-320, 1.7976931348623157e308, 123456.789, 5e-324, 2 ^ 0.5, 1e21, 1e22, 9007199254740993 }
for _, v in ipairs(values) do print(tonumber(("%.17g"):format(v)) == v, ("%.14g"):format(v), ("%.17g"):format(v)) end
local ok = true
local x = 0x1234567
for i = 1, 400 do
  x = (x * 1103515245 + 12345) & 0x7fffffff
  local f = x / 65536 * (i % 2 == 0 and 1e10 or 1e-10)
  ok = ok and tonumber(("%.17g"):format(f)) == f and tonumber(("%a"):format(f)) == f and math.tointeger(tonumber(tostring(x))) == x
end
print(ok)
print(0x7fffffffffffffff + 0 == math.maxinteger, tonumber("0x1p-1074"), tonumber("1e-400"), tonumber("0x" .. ("f"):rep(20)), tonumber(("9"):rep(30)), tonumber("." .. ("0"):rep(50) .. "1"))
print(tostring(1e15), tostring(1e16), 1e14, 123456789.123, 1e-4, 1e-5, 100 * 1.1, 3.0 * 2)

--[[expect
true	0.1	0.10000000000000001
true	0.33333333333333	0.33333333333333331
true	9.007199254741e+15	9007199254740992
true	9.9998886718268e-321	9.9998886718268301e-321
true	1.7976931348623e+308	1.7976931348623157e+308
true	123456.789	123456.789
true	4.9406564584125e-324	4.9406564584124654e-324
true	1.4142135623731	1.4142135623730951
true	1e+21	1e+21
true	1e+22	1e+22
false	9.007199254741e+15	9007199254740992
true
true	4.9406564584125e-324	0.0	-1	1e+30	1e-51
1e+15	1e+16	1e+14	123456789.123	0.0001	1e-05	110.0	6.0
]]
