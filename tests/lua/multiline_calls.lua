-- Line numbers of errors in statements and calls that span lines.
local function err(f) print(select(2, pcall(f))) end
err(function()
  local x =
    1 +
    nil
end)
err(function()
  local t = {}
  t
    .a
    .b = 1
end)
err(function()
  string.rep(
    "x",
    {}
  )
end)
err(function()
  local f
  f(
    1,
    2
  )
end)
err(function() return 1 +
  2 +
  {} end)
err(function()
  for i = 1,
    "x" do
  end
end)
err(function()
  local s = "a" ..
    "b" ..
    nil
end)
err(function()
  error(
    "here"
  )
end)
err(function()
  return {
    a = 1,
    b = nil + 1,
  }
end)

--[[expect
multiline_calls.lua:5: attempt to perform arithmetic on a nil value
multiline_calls.lua:12: attempt to index a nil value (field 'a')
multiline_calls.lua:15: bad argument #2 to 'rep' (number expected, got table)
multiline_calls.lua:22: attempt to call a nil value (local 'f')
multiline_calls.lua:28: attempt to perform arithmetic on a table value
multiline_calls.lua:32: bad 'for' limit (number expected, got string)
multiline_calls.lua:37: attempt to concatenate a nil value
multiline_calls.lua:41: here
multiline_calls.lua:48: attempt to perform arithmetic on a nil value
]]
