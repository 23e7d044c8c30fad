-- The C module `term` where there is no terminal.
return { isatty = function() return false end }
