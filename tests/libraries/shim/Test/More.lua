-- The part of lua-TestMore that MessagePack's tests use: each assertion prints a line of TAP.
local count = 0

local function result(passed, name)
  count = count + 1
  local number = (passed and "ok " or "not ok ") .. count
  print(name and number .. " - " .. tostring(name) or number)
  return passed
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b or (a ~= a and b ~= b) end
  for k, v in pairs(a) do
    if not same(v, b[k]) then return false end
  end
  for k in pairs(b) do
    if a[k] == nil then return false end
  end
  return true
end

function plan(tests) print("1.." .. tostring(tests)) end
function done_testing() print("1.." .. count) end
function skip(reason, tests)
  for _ = 1, tests or 1 do result(true, "# skip " .. reason) end
end
function skip_all(reason)
  print("1..0 # skip " .. reason)
  os.exit(0)
end
function diag(text) print("# " .. tostring(text)) end
function pass(name) return result(true, name) end
function fail(name) return result(false, name) end
function ok(value, name) return result(value and true or false, name) end
function nok(value, name) return result(not value, name) end
function is(found, expected, name)
  if not result(found == expected, name) then
    diag("found " .. tostring(found) .. ", expected " .. tostring(expected))
  end
end
function isnt(found, other, name) return result(found ~= other, name) end
function require_ok(name) return result(pcall(require, name), "require " .. name) end
function is_deeply(found, expected, name) return result(same(found, expected), name) end
eq_array = is_deeply
function like(text, pattern, name)
  return result(type(text) == "string" and text:find(pattern) ~= nil, name)
end
function type_ok(value, expected, name) return result(type(value) == expected, name) end
function lives_ok(f, name) return result(pcall(f), name) end

local function call(f, ...)
  if type(f) == "table" then return pcall(table.unpack(f)) end
  return pcall(f, ...)
end
-- (function, pattern, name) or (function, arguments, pattern, name)
function error_like(f, a, b, c)
  local arguments, pattern, name = {}, a, b
  if type(a) == "table" then arguments, pattern, name = a, b, c end
  local passed, message = call(f, table.unpack(arguments))
  if not result(not passed and tostring(message):find(pattern) ~= nil, name) then
    diag(tostring(message))
  end
end

return {}
