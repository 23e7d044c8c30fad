-- `__tostring` and `__name` in metatables of numbers, strings, booleans, nil and functions.
local function text(v)
  return (string.gsub(tostring(v), "0x%x+", "ADDRESS"))
end
for _, v in ipairs { 1, 1.5, 1 << 60, "s", true, false, print } do
  debug.setmetatable(v, { __tostring = function(x) return "<" .. type(x) .. ">" end })
  print(v)
  print(tostring(v), string.format("%s|%12s|%.2s", v, v, v))
  print(pcall(error, v))
  local n = 0
  for _ = 1, 300 do
    n = n + #tostring(v)
  end
  local shown = n
  debug.setmetatable(v, { __tostring = function() return 1 end })
  local number = pcall(tostring, v)
  debug.setmetatable(v, { __tostring = 5 })
  local not_callable = pcall(tostring, v)
  debug.setmetatable(v, { __name = "NAME" })
  print(shown, number, not_callable, text(v), (select(2, pcall(ipairs))))
  print(pcall(setmetatable, v))
  debug.setmetatable(v, type(v) == "string" and { __index = string } or nil)
  print(text(v))
end
debug.setmetatable(nil, { __tostring = function() return "NIL!" end })
print(nil, tostring(nil), ("%s"):format(nil))
debug.setmetatable(nil, { __name = "NN" })
print(tostring(nil), pcall(math.floor, nil))
debug.setmetatable(nil, nil)

-- Added to and taken from the metatable of strings while code is hot.
local meta = debug.getmetatable("")
local seen = {}
for i = 1, 600 do
  if i == 300 then
    meta.__tostring = function() return "other" end
  elseif i == 450 then
    meta.__tostring = nil
  end
  local s = tostring("x") .. string.format("%s", "y")
  seen[s] = (seen[s] or 0) + 1
end
print(seen.xy, seen.otherother)
--[[expect
<number>
<number>	<number>|    <number>|<n
false	<number>
2400	true	false	1	bad argument #1 to 'ipairs' (value expected)
false	bad argument #1 to 'setmetatable' (table expected, got NAME)
1
<number>
<number>	<number>|    <number>|<n
false	<number>
2400	true	false	1.5	bad argument #1 to 'ipairs' (value expected)
false	bad argument #1 to 'setmetatable' (table expected, got NAME)
1.5
<number>
<number>	<number>|    <number>|<n
false	<number>
2400	true	false	1152921504606846976	bad argument #1 to 'ipairs' (value expected)
false	bad argument #1 to 'setmetatable' (table expected, got NAME)
1152921504606846976
<string>
<string>	<string>
false	<string>
2400	true	false	s	bad argument #1 to 'ipairs' (value expected)
false	bad argument #1 to 'setmetatable' (table expected, got NAME)
s
<boolean>
<boolean>	<boolean>|   <boolean>|<b
<boolean>	<boolean>
2700	true	false	true	bad argument #1 to 'ipairs' (value expected)
false	bad argument #1 to 'setmetatable' (table expected, got NAME)
true
<boolean>
<boolean>	<boolean>|   <boolean>|<b
<boolean>	<boolean>
2700	true	false	false	bad argument #1 to 'ipairs' (value expected)
false	bad argument #1 to 'setmetatable' (table expected, got NAME)
false
<function>
<function>	<function>|  <function>|<f
false	<function>
3000	true	false	NAME: ADDRESS	bad argument #1 to 'ipairs' (value expected)
false	bad argument #1 to 'setmetatable' (table expected, got NAME)
function: ADDRESS
NIL!	NIL!	NIL!
nil	false	bad argument #1 to 'math.floor' (number expected, got NN)
450	150
]]
