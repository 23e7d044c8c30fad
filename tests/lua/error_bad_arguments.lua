-- Messages for bad arguments of library functions, plain and as methods.
local function err(f, ...) print((select(2, pcall(f, ...)))) end
local function run(s) print((select(2, pcall(assert(load(s, "=e")))))) end
run "string.rep()"
run "string.rep('x', {})"
run "('x'):rep({})"
run "('x'):rep('y')"
run "('x'):rep(1.5)"
run "('x'):bad()"
run "string.char(256)"
run "string.char(-1)"
run "math.floor({})"
run "math.floor('x')"
run "local f = math.floor f({})"
run "setmetatable(1, 2)"
run "table.concat({1, {}, 3})"
run "table.concat({}, 1, 2, 3)"
run "table.insert({}, 5, 1)"
run "table.insert({}, 1, 2, 3)"
run "table.insert(nil, 1)"
run "ipairs()"
run "tonumber('1', 1)"
run "tonumber({}, 10)"
run "select(0)"
run "string.format('%d', 'x')"
run "string.format('%d', 1.5)"
run "string.format('%y', 1)"
run "string.format('%', 1)"
run "string.format('%d')"
run "string.format('%10.123f', 1)"
run "math.random(0, -1)"
run "math.random(1, 2, 3)"
run "utf8.char(-1)"
run "utf8.codepoint('abc', 10)"
run "coroutine.resume(1)"
run "coroutine.create(1)"
run "rawset(1, 2, 3)"
run "rawlen(5)"
run "next({}, 'nokey')"
run "string.gsub('x', 'x', 1, 'y')"
run "string.gsub('x', 'x', true)"
run "local t = setmetatable({}, {__index = string}) t.rep(t, 2)"
err(string.rep, nil, 1)
err(table.unpack, {}, 1, 1e8)
err(load, nil)

--[[expect
e:1: bad argument #1 to 'rep' (string expected, got no value)
e:1: bad argument #2 to 'rep' (number expected, got table)
e:1: bad argument #1 to 'rep' (number expected, got table)
e:1: bad argument #1 to 'rep' (number expected, got string)
e:1: bad argument #1 to 'rep' (number has no integer representation)
e:1: attempt to call a nil value (method 'bad')
e:1: bad argument #1 to 'char' (value out of range)
e:1: bad argument #1 to 'char' (value out of range)
e:1: bad argument #1 to 'floor' (number expected, got table)
e:1: bad argument #1 to 'floor' (number expected, got string)
e:1: bad argument #1 to 'f' (number expected, got table)
e:1: bad argument #1 to 'setmetatable' (table expected, got number)
e:1: invalid value (table) at index 2 in table for 'concat'
e:1: invalid value (nil) at index 2 in table for 'concat'
e:1: bad argument #2 to 'insert' (position out of bounds)
e:1: wrong number of arguments to 'insert'
e:1: bad argument #1 to 'insert' (table expected, got nil)
e:1: bad argument #1 to 'ipairs' (value expected)
e:1: bad argument #2 to 'tonumber' (base out of range)
e:1: bad argument #1 to 'tonumber' (string expected, got table)
e:1: bad argument #1 to 'select' (index out of range)
e:1: bad argument #2 to 'format' (number expected, got string)
e:1: bad argument #2 to 'format' (number has no integer representation)
e:1: invalid conversion '%y' to 'format'
e:1: invalid conversion '%' to 'format'
e:1: bad argument #2 to 'format' (no value)
e:1: invalid conversion specification: '%10.123f'
e:1: bad argument #1 to 'random' (interval is empty)
e:1: wrong number of arguments
e:1: bad argument #1 to 'char' (value out of range)
e:1: bad argument #3 to 'codepoint' (out of bounds)
e:1: bad argument #1 to 'resume' (thread expected, got number)
e:1: bad argument #1 to 'create' (function expected, got number)
e:1: bad argument #1 to 'rawset' (table expected, got number)
e:1: bad argument #1 to 'rawlen' (table or string expected, got number)
invalid key to 'next'
e:1: bad argument #4 to 'gsub' (number expected, got string)
e:1: bad argument #3 to 'gsub' (string/function/table expected, got boolean)
e:1: bad argument #1 to 'rep' (string expected, got table)
bad argument #1 to 'string.rep' (string expected, got nil)
too many results to unpack
bad argument #1 to 'load' (function expected, got nil)
]]
