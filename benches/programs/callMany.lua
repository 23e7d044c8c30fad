-- Many calls of small functions: locals, globals, upvalues, fields, and arities from 0 to 5.
-- small: 1000
local n = tonumber((...)) or 2000000

local function zero() return 1 end
local function one(a) return a end
local function two(a, b) return a + b end
local function three(a, b, c) return a + b - c end
local function five(a, b, c, d, e) return a - b + c - d + e end
local function pair(a, b) return b, a end
local function nothing() end

function globalAdd(a, b) return a + b end
function globalStep(a) return globalAdd(a, 1) end

local count = 0
local function bump() count = count + 1 end

local lib = {}
function lib.inc(x) return x + 1 end
function lib.pick(a, b, c) return c or b or a end

local function apply(f, x) return f(x) end

local function run(n)
  local s = 0
  for i = 1, n do
    s = s + zero()
    s = two(s, one(1))
    s = three(s, i, i)
    s = five(s, 1, 2, 3, 4) - 2
    local a, b = pair(i, s)
    s = a
    nothing(b)
    nothing()
    bump()
    s = globalStep(s)
    s = lib.inc(s)
    s = s + lib.pick(5) - lib.pick(1, 5)
    s = apply(one, s)
    s = apply(lib.inc, s)
  end
  return s
end

local result = run(n)
if result ~= 5 * n then error("callMany gave " .. result) end
if count ~= n then error("the upvalue counted " .. count) end
print("callMany", n, result)
