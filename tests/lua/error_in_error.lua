-- Errors in message handlers, in __tostring, in __gc, in __close, in __index of error values.
local function deepHandler(m) error(m) end
local ok, e = xpcall(error, deepHandler, "x")
print(ok, type(e))
print(pcall(function() local t <close> = setmetatable({}, { __close = function() error("close", 0) end }) error("body", 0) end))
print(pcall(tostring, setmetatable({}, { __tostring = function() error("in tostring", 0) end })))
print(pcall(print, setmetatable({}, { __tostring = function() error("in print", 0) end })))
print(pcall(function() return setmetatable({}, { __index = function() error("in index", 0) end }).x end))
print(pcall(function() for _ in function() error("in iterator", 0) end do end end))
print(pcall(table.sort, { 2, 1, 3 }, function() error("in sort", 0) end))
print(pcall(string.gsub, "abc", "b", function() error("in gsub", 0) end))
print(pcall(load, function() error("in reader", 0) end))
print(pcall(coroutine.wrap(function() pcall(error, "swallowed") error("in wrap", 0) end)))
print(pcall(pcall)) print(pcall(error, nil)) print(select("#", pcall(error, nil)))
print(pcall(setmetatable({}, { __call = function(_, ...) error(select("#", ...), 0) end }), 1, 2))

--[[expect
false	string
false	close
false	in tostring
false	in print
false	in index
false	in iterator
false	in sort
false	in gsub
true	nil	in reader
false	in wrap
false	bad argument #1 to 'pcall' (value expected)
false	nil
2
false	2
]]
