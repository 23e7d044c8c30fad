-- All character classes over all ASCII characters.
for _, class in ipairs { "%a", "%c", "%d", "%g", "%l", "%p", "%s", "%u", "%w", "%x", "%A", "%D", "%S", "%W", ".", "[a-f]", "[^a-z]", "[%d%s]", "[%w_]", "[+-]", "[a-]", "[%a-z]" } do
  local n, sum = 0, 0
  for b = 0, 127 do if string.char(b):find("^" .. class .. "$") then n = n + 1 sum = sum + b end end
  print(class, n, sum)
end

--[[expect
%a	52	4862
%c	33	623
%d	10	525
%g	94	7473
%l	26	2847
%p	32	2086
%s	6	87
%u	26	2015
%w	62	5387
%x	22	1527
%A	76	3266
%D	118	7603
%S	122	8041
%W	66	2741
.	128	8128
[a-f]	6	597
[^a-z]	102	5281
[%d%s]	16	612
[%w_]	63	5482
[+-]	2	88
[a-]	2	142
[%a-z]	53	4907
]]
