-- To-be-closed variables on errors; errors in __close; order.
local function closer(name, fail)
  return setmetatable({}, { __close = function(_, e)
    print("close", name, e)
    if fail then error(fail, 0) end
  end })
end
print(pcall(function()
  local a <close> = closer("a")
  local b <close> = closer("b")
  error("boom", 0)
end))
print(pcall(function()
  local a <close> = closer("a")
  local b <close> = closer("b", "from b")
  local c <close> = closer("c", "from c")
  error("first", 0)
end))
print(pcall(function()
  local a <close> = closer("a", "from a")
  return "lost"
end))
print(pcall(function() local x <close> = 42 end))
print(pcall(function() local x <close> = {} end))
print(pcall(function() local name <close> = setmetatable({}, {}) end))
print(pcall(function()
  local a <close> = closer("outer")
  print(pcall(function() local b <close> = closer("inner") error("in", 0) end))
  return "fine"
end))
print(select("#", pcall(function() local a <close> = closer("nil error") error(nil) end)))

--[[expect
close	b	boom
close	a	boom
false	boom
close	c	first
close	b	from c
close	a	from b
false	from b
close	a	nil
false	from a
false	tbc_errors.lua:23: variable 'x' got a non-closable value
false	tbc_errors.lua:24: variable 'x' got a non-closable value
false	tbc_errors.lua:25: variable 'name' got a non-closable value
close	inner	in
false	in
close	outer	nil
true	fine
close	nil error	nil
2
]]
