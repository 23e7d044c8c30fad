-- The command `luacheck`.
require 'luacheck.main'
