-- Variables that closures share with the function around them, when the closures are inlined.
local function reads(n)
  local x = 0
  local function get() return x end
  local s = 0
  for i = 1, n do x = i; s = s + get() end
  return s
end
local function writes(n)
  local x = 0
  local function set(v) x = v end
  local s = 0
  for i = 1, n do set(i); s = s + x end
  return s
end
local function both(n)
  local x, s = 0, 0
  local function get() return x end
  local function set(v) x = v end
  for i = 1, n do
    x = i
    s = s + get()
    set(i * 2)
    s = s + x + get()
  end
  return s
end
for _ = 1, 300 do reads(10); writes(10); both(10) end
print(reads(10), writes(10), both(10))
print(reads(1000), writes(1000), both(1000))

--[[expect
55	55	275
500500	500500	2502500
]]
