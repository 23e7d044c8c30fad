-- NaN compares with nothing and cannot be a key.
local nan = 0 / 0
local t = {}
print(pcall(function() t[nan] = 1 end))
print(t[nan], rawget(t, nan), next(t))
print(pcall(rawset, t, nan, 1))
print(nan ~= nan, nan == nan, nan > 1, nan < 1, nan >= nan, math.max(1, 2) == 2)
local count = 0
for i = 1, 300 do
  local v = (i % 3 == 0) and nan or i
  if v == v then count = count + 1 end
end
print(count, math.tointeger(nan), math.type(nan))
print(pcall(string.format, "%d", nan))
for i = nan, 3 do print("never") end
for i = 1, nan do print("never") end

--[[expect
false	nan_handling.lua:4: table index is NaN
nil	nil	nil
false	table index is NaN
true	false	false	false	false	true
200	nil	float
false	bad argument #2 to 'string.format' (number has no integer representation)
never
]]
