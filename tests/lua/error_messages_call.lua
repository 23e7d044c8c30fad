-- Variable information in messages of calls, indexing and comparisons.
local function err(s, ...) local f = assert(load(s, "=e")) print((select(2, pcall(f, ...)))) end
err "local f; f()"
err "undefinedf()"
err "local t = {} t.f()"
err "local t = {} t:m()"
err "local t = {} t.a.b()"
err "local t = { a = {} } t.a.b()"
err "local t = { a = {} } t.a:b()"
err "local u; local function g() u() end g()"
err "local u = {}; local function g() u.x() end g()"
err "(nil)()"
err "({})()"
err "local t = {} t[1]()"
err "local t, k = {}, 'k' t[k]()"
err "string.nofunc()"
err "('x'):nomethod()"
err "local a = 5 a.b = 1"
err "local a = 5 a.b.c = 1"
err "local a = true return a.b"
err "return print.x.y"
err "return undefinedv.x"
err "undefinedv.x = 1"
err "local t = {} t.x.y = 1"
err "local t = {} return t.x < 1"
err "return {} < {}"
err "return 1 < 'x'"
err "return nil <= 1"
err "local a, b = {}, 1 return a >= b"
err "for i = 1, 'x' do end"
err "for i = 'a', 2 do end"
err "for i = 1, 2, {} do end"
err "for x in 5 do end"
err "for x in nil do end"
err "local t = {} for x in t do end"
err "for k in pairs(nil) do end"
err "return (...)[1].x"
err "local a = ... ; a.b()"
err "return setmetatable({}, { __index = function(t, k) return k + {} end }).x"
err "return function() end + 1"
err "return function() end .. 'x'"
err "goto_ = goto_ + 1"

--[[expect
e:1: attempt to call a nil value (local 'f')
e:1: attempt to call a nil value (global 'undefinedf')
e:1: attempt to call a nil value (field 'f')
e:1: attempt to call a nil value (method 'm')
e:1: attempt to index a nil value (field 'a')
e:1: attempt to call a nil value (field 'b')
e:1: attempt to call a nil value (method 'b')
e:1: attempt to call a nil value (upvalue 'u')
e:1: attempt to call a nil value (field 'x')
e:1: attempt to call a nil value
e:1: attempt to call a table value
e:1: attempt to call a nil value (field 'integer index')
e:1: attempt to call a nil value (field '?')
e:1: attempt to call a nil value (field 'nofunc')
e:1: attempt to call a nil value (method 'nomethod')
e:1: attempt to index a number value (local 'a')
e:1: attempt to index a number value (local 'a')
e:1: attempt to index a boolean value (local 'a')
e:1: attempt to index a function value (global 'print')
e:1: attempt to index a nil value (global 'undefinedv')
e:1: attempt to index a nil value (global 'undefinedv')
e:1: attempt to index a nil value (field 'x')
e:1: attempt to compare nil with number
e:1: attempt to compare two table values
e:1: attempt to compare number with string
e:1: attempt to compare nil with number
e:1: attempt to compare number with table
e:1: bad 'for' limit (number expected, got string)
e:1: bad 'for' initial value (number expected, got string)
e:1: bad 'for' step (number expected, got table)
e:1: attempt to call a number value (for iterator 'for iterator')
e:1: attempt to call a nil value (for iterator 'for iterator')
e:1: attempt to call a table value (for iterator 'for iterator')
e:1: bad argument #1 to 'for iterator' (table expected, got nil)
e:1: attempt to index a nil value
e:1: attempt to index a nil value (local 'a')
e:1: attempt to add a 'string' with a 'table'
e:1: attempt to perform arithmetic on a function value
e:1: attempt to concatenate a function value
e:1: attempt to perform arithmetic on a nil value (global 'goto_')
]]
