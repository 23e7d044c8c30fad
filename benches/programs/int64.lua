-- peers: lua5.4
-- small: 50
-- 64-bit integer arithmetic: xorshift, FNV-1a, splitmix, multiply-and-rotate, modular powers.
local n = tonumber((...)) or 3500000

local function rotl(x, k) return (x << k) | (x >> (64 - k)) end

local function xorshift(n)
  local x, sum = 0x2545F4914F6CDD1D, 0
  for _ = 1, n do
    x = x ~ (x << 13)
    x = x ~ (x >> 7)
    x = x ~ (x << 17)
    sum = sum + x
  end
  return x, sum
end

local function splitmix(n)
  local state, acc = 1234567, 0
  for _ = 1, n do
    state = state + 0x9E3779B97F4A7C15
    local z = state
    z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ~ (z >> 27)) * 0x94D049BB133111EB
    acc = acc ~ (z ~ (z >> 31))
  end
  return acc
end

local function fnv(text)
  local h = 0xCBF29CE484222325
  for i = 1, #text do
    h = (h ~ text:byte(i)) * 0x100000001B3
  end
  return h
end

local function mixRounds(n)
  local a, b = 0x0123456789ABCDEF, 0xFEDCBA9876543210
  for i = 1, n do
    a = rotl(a, 5) + b
    b = rotl(b, 11) ~ (a * 0x5851F42D4C957F2D)
    a = a // 3 - b % 1000 + i
  end
  return a, b
end

local function powmod(base, exponent, modulus)
  local result = 1
  base = base % modulus
  while exponent > 0 do
    if exponent & 1 == 1 then result = result * base % modulus end
    base = base * base % modulus
    exponent = exponent >> 1
  end
  return result
end

local x, sum = xorshift(n)
local acc = splitmix(n)
local a, b = mixRounds(n)
local hash = 0
for i = 1, n // 100 do hash = hash ~ fnv("the quick brown fox " .. i) end
local powers = 0
local prime = 2147483647
for i = 1, n // 100 do
  if powmod(i, prime - 1, prime) == 1 then powers = powers + 1 end
end

if powers ~= n // 100 then error("Fermat failed: " .. powers) end
if fnv("") ~= 0xCBF29CE484222325 or fnv("a") ~= 0xAF63DC4C8601EC8C then error("FNV-1a") end
if splitmix(1) ~= 6457827717110365317 then error("splitmix gave " .. splitmix(1)) end
local digest = x ~ rotl(sum, 7) ~ rotl(acc, 13) ~ rotl(a, 19) ~ rotl(b, 29) ~ rotl(hash, 37)
local known = { [50] = 0xbf96acaa73cec30b, [3500000] = 0x57e76efe3ecb8f9f }
if known[n] and digest ~= known[n] then error(string.format("int64 gave 0x%x", digest)) end
print("int64", n, string.format("%016x", digest))
