-- Sieve of Eratosthenes over an array of booleans.
-- small: 200
local n = tonumber((...)) or 3000000

local function sieve(n)
  local composite = {}
  for i = 1, n do composite[i] = false end
  local count = 0
  for i = 2, n do
    if not composite[i] then
      count = count + 1
      for j = i + i, n, i do
        composite[j] = true
      end
    end
  end
  return count
end

local function isPrime(k)
  if k < 2 then return false end
  local d = 2
  while d * d <= k do
    if k % d == 0 then return false end
    d = d + 1
  end
  return true
end

local result
for _ = 1, 3 do result = sieve(n) end
local known = { [1000000] = 78498, [2000000] = 148933, [3000000] = 216816, [4000000] = 283146 }
local expected = known[n]
if not expected then
  expected = 0
  for k = 2, n do
    if isPrime(k) then expected = expected + 1 end
  end
end
if result ~= expected then error("sieve counted " .. result .. " primes, not " .. expected) end
print("sieve", n, result)
