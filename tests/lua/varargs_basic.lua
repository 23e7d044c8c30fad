-- Varargs: select, packing, adjusting, nils, negative indices.
local function f(...)
  local a, b = ...
  return select("#", ...), a, b, (...)
end
print(f())
print(f(nil))
print(f(1, 2, 3))
print(f(nil, nil, nil))
print((f(1, 2)))
local function g(...) return ... end
print(g(1, nil, 3))
print(g(), (g()))
print(#{ g(1, 2, 3) }, #{ g(1, 2), g(3, 4) }, #{ g(), g() })
print(select(2, "a", "b", "c"), select(-1, "a", "b", "c"), select("#"))
print(pcall(select, 0, 1))
print(pcall(select, -5, 1))
local p = table.pack(g(nil, 2, nil))
print(p.n, p[1], p[2], p[3])
print(table.unpack({ 1, 2, nil, 4 }, 1, 4))
local function tail(...) return select("#", ...) end
print(tail(table.unpack({}, 1, 200)))
local function passes(...) local function inner(...) return select("#", ...) end return inner(...), inner(...) end
print(passes(1, 2, 3))

--[[expect
0	nil	nil	nil
1	nil	nil	nil
3	1	2	1
3	nil	nil	nil
2
1	nil	3
nil	nil
3	3	0
b	c	0
false	bad argument #1 to 'select' (index out of range)
false	bad argument #1 to 'select' (index out of range)
3	nil	2	nil
1	2	nil	4
200
3	3
]]
