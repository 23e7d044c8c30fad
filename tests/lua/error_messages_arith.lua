-- Variable information in messages of arithmetic, bitwise and concatenation errors.
local function err(s, ...) local f = assert(load(s, "=e")) print((select(2, pcall(f, ...)))) end
err "local x; return x + 1"
err "return y + 1"
err "local t = {}; return t.field + 1"
err "local t = {}; return 1 + t.field.x"
err "local t = {}; return -t"
err "local t = {}; return t.a.b.c"
err "local a; local function f() return a + 1 end return f()"
err "local a = {}; local function f() return a.b.c end return f()"
err "local a; local function f() a.x = 1 end f()"
err "return 1 + {}"
err "return 'a' + {}"
err "return {} .. 'x'"
err "local s = 'x' return s .. nil"
err "local a, b = 1, {} return a .. b"
err "return 2^53 & 1.5"
err "local f = 1.5 return f | 1"
err "local x = {} return ~x"
err "local x = 'a' return x & 1"
err "return #nil"
err "local v = true return #v"
err "return -nil"
err "return nil + nil"
err "local a = {} ; a.b = a.b + 1"
err "x.y.z = 1"
err "local t = { } t[nil] = 1"
err "local t = { } t[0/0] = 1"
err "return math.maxinteger // 0"
err "local a <const> = nil return a.x"
err "return ('x').y.z"
err "local i = 1 local t = {} return t[i].x"
err "local t = {} return t[1].x"
err "local t = {} return t['a b'].x"
err "return (1)()"
err "return ('x')()"

--[[expect
e:1: attempt to perform arithmetic on a nil value (local 'x')
e:1: attempt to perform arithmetic on a nil value (global 'y')
e:1: attempt to perform arithmetic on a nil value (field 'field')
e:1: attempt to index a nil value (field 'field')
e:1: attempt to perform arithmetic on a table value (local 't')
e:1: attempt to index a nil value (field 'a')
e:1: attempt to perform arithmetic on a nil value (upvalue 'a')
e:1: attempt to index a nil value (field 'b')
e:1: attempt to index a nil value (upvalue 'a')
e:1: attempt to perform arithmetic on a table value
e:1: attempt to add a 'string' with a 'table'
e:1: attempt to concatenate a table value
e:1: attempt to concatenate a nil value
e:1: attempt to concatenate a table value (local 'b')
e:1: number has no integer representation
e:1: number (local 'f') has no integer representation
e:1: attempt to perform bitwise operation on a table value (local 'x')
e:1: attempt to perform bitwise operation on a string value (local 'x')
e:1: attempt to get length of a nil value
e:1: attempt to get length of a boolean value (local 'v')
e:1: attempt to perform arithmetic on a nil value
e:1: attempt to perform arithmetic on a nil value
e:1: attempt to perform arithmetic on a nil value (field 'b')
e:1: attempt to index a nil value (global 'x')
e:1: table index is nil
e:1: table index is NaN
e:1: attempt to divide by zero
e:1: attempt to index a nil value
e:1: attempt to index a nil value (field 'y')
e:1: attempt to index a nil value (field '?')
e:1: attempt to index a nil value (field 'integer index')
e:1: attempt to index a nil value (field 'a b')
e:1: attempt to call a number value
e:1: attempt to call a string value (constant 'x')
]]
