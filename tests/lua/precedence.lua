-- Operator precedence and associativity (manual §3.4.8).
print(2 + 3 * 4 ^ 2 / 2, -2 ^ 2, 2 ^ 3 ^ 2, 2 ^ -1, not nil == true, not (nil == true))
print(1 .. 2 .. 3, "a" .. 1 + 2 .. "b", 1 + 2 < 4, 5 - 3 - 1, 2 * 3 % 4, -3 % 5, (-3) % 5, - -3)
print(1 | 2 & 3, 1 | 6 ~ 3, 1 << 2 + 1, 5 & 3 == 1 and "x" or "y" )
print(1 or error("no"), nil and error("no"), false or nil, nil and false, false and nil, 1 and 2, nil or false)
print(#"abc" + 1, -#"abc", not 1 == 2, ~0 & 0xF, "a" < "b" == true, 3 > 2 == true)
print(2 ^ 2 * 3, 7 // 2 * 2, 1 .. 2 == "12", "x" .. "y" == "xy" and "ok")

--[[expect
26.0	-4.0	512.0	0.5	true	true
123	a3b	true	1	2	2	2	3
3	5	8	x
1	nil	nil	nil	false	2	false
4	-3	false	15	true	true
12.0	6	true	ok
]]
