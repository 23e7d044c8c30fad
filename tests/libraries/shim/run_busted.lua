-- The command `busted`.
require 'busted.runner' { standalone = false }
