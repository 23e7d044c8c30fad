-- A hot function with very many live locals, ints and floats and strings, across calls and exits.
local src = { "local f, n = ... " }
for i = 1, 100 do src[#src + 1] = ("local v%d = %s"):format(i, i % 3 == 0 and i .. ".5" or i % 3 == 1 and i or ("'s%d'"):format(i)) end
src[#src + 1] = "local sum = 0 for i = 1, n do"
for i = 1, 100, 3 do src[#src + 1] = ("v%d = v%d + 1 v%d = v%d + 0.5"):format(i, i, math.min(i + 2, 99), math.min(i + 2, 99)) end
src[#src + 1] = "f(i) if i == n - 1 then v1 = tostring(v1) end sum = sum + v1 + v3 + v97 + v99 end local t = {"
for i = 1, 100 do src[#src + 1] = "v" .. i .. "," end
src[#src + 1] = "} return sum, t"
local chunk = load(table.concat(src, "\n"))
local calls = 0
local sum, t = chunk(function(i) calls = calls + i end, 400)
print(sum, calls, #t, t[1], t[2], t[3], t[97], t[98], t[99], t[100])
print(pcall(chunk, function(i) if i == 350 then error("out", 0) end end, 400))
print((chunk(print ~= nil and function() end, 50)))

--[[expect
361100.0	80200	100	401	s2	203.5	497	s98	499.5	500
false	out
14512.5
]]
