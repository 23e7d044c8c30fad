-- A syntax error in the main file.
print("never" 
x = = 1

--[[expect-error
uncaught_syntax.lua:3: ')' expected (to close '(' at line 2) near 'x'
]]
