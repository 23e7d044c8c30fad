-- A native function that is called last keeps its caller's frame: its messages say where it was
-- called, however often it failed.
local function f(i) return setmetatable(i, {}) end
local function g(x) return math.floor(x) end
local function h() return ipairs() end
local function any(callee, x) return callee(x) end
local function many(...) return select('#', ...), table.unpack({ ... }) end
local function all(...) return string.byte(...) end

for i = 1, 300 do
  local _, a = pcall(f, i)
  local _, b = pcall(g, 'x')
  local _, c = pcall(h)
  local _, d = pcall(any, i % 3 == 0 and math.abs or g, 'x')
  local _, e = pcall(all, 'abc', 1, {})
  if i % 75 == 1 then
    print(a, b, c, d, e)
    print(g(i + 0.5), any(g, i), any(math.abs, -i), any(tostring, i), many(i, nil, 3))
    print(all('abc', 1, -1))
  end
end

-- Proper tail calls of Lua functions still take no room.
local function down(n) if n == 0 then return tostring('done') end return down(n - 1) end
local function step(callee, n) if n == 0 then return tostring('end') end return callee(callee, n - 1) end
print(down(300000), step(step, 300000))

--[[expect
hot_tail_native.lua:3: bad argument #1 to 'setmetatable' (table expected, got number)	hot_tail_native.lua:4: bad argument #1 to 'floor' (number expected, got string)	hot_tail_native.lua:5: bad argument #1 to 'ipairs' (value expected)	hot_tail_native.lua:4: bad argument #1 to 'floor' (number expected, got string)	hot_tail_native.lua:8: bad argument #3 to 'byte' (number expected, got table)
1	1	1	1	3	1	nil	3
97	98	99
hot_tail_native.lua:3: bad argument #1 to 'setmetatable' (table expected, got number)	hot_tail_native.lua:4: bad argument #1 to 'floor' (number expected, got string)	hot_tail_native.lua:5: bad argument #1 to 'ipairs' (value expected)	hot_tail_native.lua:4: bad argument #1 to 'floor' (number expected, got string)	hot_tail_native.lua:8: bad argument #3 to 'byte' (number expected, got table)
76	76	76	76	3	76	nil	3
97	98	99
hot_tail_native.lua:3: bad argument #1 to 'setmetatable' (table expected, got number)	hot_tail_native.lua:4: bad argument #1 to 'floor' (number expected, got string)	hot_tail_native.lua:5: bad argument #1 to 'ipairs' (value expected)	hot_tail_native.lua:4: bad argument #1 to 'floor' (number expected, got string)	hot_tail_native.lua:8: bad argument #3 to 'byte' (number expected, got table)
151	151	151	151	3	151	nil	3
97	98	99
hot_tail_native.lua:3: bad argument #1 to 'setmetatable' (table expected, got number)	hot_tail_native.lua:4: bad argument #1 to 'floor' (number expected, got string)	hot_tail_native.lua:5: bad argument #1 to 'ipairs' (value expected)	hot_tail_native.lua:4: bad argument #1 to 'floor' (number expected, got string)	hot_tail_native.lua:8: bad argument #3 to 'byte' (number expected, got table)
226	226	226	226	3	226	nil	3
97	98	99
done	end
]]
