-- Messages of the parser.
for _, s in ipairs { "x =", "x = }", "for", "for i", "for i = 1 do end", "for i, j = 1, 2 do end", "if x", "if x then", "while true do", "function", "function f(", "function f(a,) end", "local", "local function", "return return", "x.1", "x..y", "a.b:c = 1", "f() = 1", "1 = 2", "(a) = 1", "a, f() = 1, 2", "local x <const> x", "x = 1 1", "x = [", "x = {1, 2", "x = {a=}", "x = 'a", "goto", "::x", "break", "return 1,", "...", "function f() return ... end", "x = 0x", "x = 1e", "x = 3x", "@", "x = a b", "else", "end", "until x", "repeat until", "x = not", "a.b", "a:b", "f(", "x = function", "local a.b = 1", "x = ~", "local function a.b() end", "local x = 1 local x <const> = 2 x = 3", "x = '\\400'", "for i = 1, 2, 3, 4 do end", "x = }" } do
  print(select(2, load(s, "=s")))
end
print(select(2, load("x = \n\n\n }", "@file.lua")))
print(select(2, load("x = }", "x = }\nsecond line")))
print(select(2, load("x = }", "a quite long chunk source text that goes on and on and on beyond the limit of an id")))

--[[expect
s:1: unexpected symbol near <eof>
s:1: unexpected symbol near '}'
s:1: <name> expected near <eof>
s:1: '=' or 'in' expected near <eof>
s:1: ',' expected near 'do'
s:1: 'in' expected near '='
s:1: 'then' expected near <eof>
s:1: 'end' expected near <eof>
s:1: 'end' expected near <eof>
s:1: <name> expected near <eof>
s:1: <name> or '...' expected near <eof>
s:1: <name> or '...' expected near ')'
s:1: <name> expected near <eof>
s:1: <name> expected near <eof>
s:1: unexpected symbol near 'return'
s:1: syntax error near '.1'
s:1: syntax error near '..'
s:1: function arguments expected near '='
s:1: syntax error near '='
s:1: unexpected symbol near '1'
s:1: syntax error near '='
s:1: syntax error near '='
s:1: syntax error near <eof>
s:1: unexpected symbol near '1'
s:1: unexpected symbol near '['
s:1: '}' expected near <eof>
s:1: unexpected symbol near '}'
s:1: unfinished string near <eof>
s:1: <name> expected near <eof>
s:1: '::' expected near <eof>
s:1: break outside loop at line 1
s:1: unexpected symbol near <eof>
s:1: unexpected symbol near '...'
s:1: cannot use '...' outside a vararg function near '...'
s:1: malformed number near '0x'
s:1: malformed number near '1e'
s:1: malformed number near '3x'
s:1: unexpected symbol near '@'
s:1: syntax error near <eof>
s:1: <eof> expected near 'else'
s:1: <eof> expected near 'end'
s:1: <eof> expected near 'until'
s:1: unexpected symbol near <eof>
s:1: unexpected symbol near <eof>
s:1: syntax error near <eof>
s:1: function arguments expected near <eof>
s:1: unexpected symbol near <eof>
s:1: '(' expected near <eof>
s:1: unexpected symbol near '.'
s:1: unexpected symbol near <eof>
s:1: '(' expected near '.'
s:1: attempt to assign to const variable 'x'
s:1: decimal escape too large near ''\400''
s:1: 'do' expected near ','
s:1: unexpected symbol near '}'
file.lua:4: unexpected symbol near '}'
[string "x = }..."]:1: unexpected symbol near '}'
[string "a quite long chunk source text that goes on a..."]:1: unexpected symbol near '}'
]]
