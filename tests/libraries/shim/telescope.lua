-- Telescope's names of the assertions that ansicolors' tests use.
local assert = require "luassert"
assert_equal = assert.equal
assert_error = assert.has_error
assert_not_equal = assert.not_equal
return {}
