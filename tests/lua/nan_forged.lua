-- A NaN of any bits is a number and stays one: no operation makes a reference of its bits.
local t = {}
local address = tonumber(tostring(t):match("0x(%x+)"), 16)
local patterns = {
  0xFFF4000000000000 | address,
  0xFFF3000000000000 | address,
  0xFFF5000000000000 | address,
  0xFFFC000000000000 | address,
  0x7FFC000000000000 | address,
  0x7FF4000000000000 | address,
  0xFFF4000000000000,
  0xFFF0000000000001,
  0x7FF0000000000001,
  0xFFFFFFFFFFFFFFFF,
  0x7FFFFFFFFFFFFFFF,
}
local operations = {
  function(x) return x end,
  function(x) return x + 0 end,
  function(x) return 0.0 - x end,
  function(x) return x * 1.5 end,
  function(x) return 1.5 / x end,
  function(x) return x // 1 end,
  function(x) return x % 2.0 end,
  function(x) return x ^ 3 end,
  function(x) return -x end,
  function(x) return -(x + 0.0) end,
  function(x) return -x + 1 end,
  function(x) return math.abs(x) end,
  function(x) return -math.sqrt(x) end,
  function(x) return math.max(-x, 1.5) end,
  function(x) return math.min(x, -x) end,
  function(x) return math.sin(x) end,
  function(x) return math.fmod(x, 2) end,
  function(x) local l = { x, 1.5 } l[2] = -l[1] return l[2] + l[1] end,
}
local good, all = 0, 0
for turn = 1, 5 do
  for _, bits in ipairs(patterns) do
    for _, f in ipairs(operations) do
      f(1.5)
      local v = f((string.unpack("<d", string.pack("<I8", bits))))
      all = all + 1
      if math.type(v) == "float" and v ~= v then good = good + 1 end
    end
  end
end
print(good, all)

-- Loops with a NaN run once where the border is not known to be passed.
local nan = 0 / 0
local function count(from, to, by)
  local n = 0
  for i = from, to, by do n = n + 1 if n > 3 then break end end
  return n
end
local function counts(x)
  local n = 0
  for i = x, 3.0 do n = n + 1 if n > 3 then break end end
  for i = 1.0, x do n = n + 10 if n > 30 then break end end
  for i = x, 1.0, -1.0 do n = n + 100 if n > 300 then break end end
  return n
end
for i = 1, 3 do
  print(count(nan, 3.0, 1.0), count(1.0, nan, 1.0), count(1.0, 2.0, nan), count(1.0, nan, -1.0), counts(2.0), counts(nan))
end

--[[expect
990	990
1	1	0	1	222	111
1	1	0	1	222	111
1	1	0	1	222	111
]]
