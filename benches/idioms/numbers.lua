--# integers_and_floats 9000000 50
local c = 0
for i = 1, n do
  c = c + i
  if i % 4 == 0 then c = c + 0.5 end
end
return c
--# float_steps 20000000 50
local c = 0
for x = 0, n / 4, 0.25 do c = c + x end
return c
--# divide_by_variable 2000000 50
local c = 0
for i = 1, n do
  local d = i % 13 + 1
  c = c + math.floor(i / d) + i % d
end
return c
--# powers_of_two_modulo 7000000 50
local c = 0
for i = 1, n do c = (c * 5 + i % 16) % 1024 end
return c
--# three_n_plus_one 60000 20
local longest = 0
for i = 1, n do
  local k, steps = i, 0
  while k ~= 1 do
    if k % 2 == 0 then k = k / 2 else k = 3 * k + 1 end
    steps = steps + 1
  end
  if steps > longest then longest = steps end
end
return longest
--# greatest_common_divisor 1000000 50
local c = 0
for i = 1, n do
  local a, b = i, i * 7 % 1000 + 1
  while b ~= 0 do a, b = b, a % b end
  c = c + a
end
return c
--# primes_by_trial 100000 50
local c = 0
for i = 2, n do
  local prime, d = true, 2
  while d * d <= i do
    if i % d == 0 then prime = false break end
    d = d + 1
  end
  if prime then c = c + 1 end
end
return c
--# math_functions 600000 50
local c = 0
for i = 1, n do c = c + math.sin(i) + math.sqrt(i) + math.floor(i / 3) + math.max(i, 10) end
return string.format("%.6f", c)
--# minimum_and_maximum 1000000 50
local low, high, seed = math.huge, -math.huge, 1
for _ = 1, n do
  seed = seed * 16807 % 2147483647
  low, high = math.min(low, seed), math.max(high, seed)
end
return low + high
--# linear_congruences 10000000 50
local seed = 42
for _ = 1, n do seed = (seed * 1103515 + 12345) % 2147483648 end
return seed
--# rounding 3000000 50
local c = 0
for i = 1, n do c = c + math.floor(i * 0.37 + 0.5) end
return c
--# polynomial 4000000 50
local c = 0
for i = 1, n do
  local x = i / n
  c = c + ((2 * x + 3) * x - 5) * x + 1
end
return string.format("%.6f", c)
--# mean_and_deviation 60000 5
local t, c = {}, 0
for i = 1, 100 do t[i] = i * 17 % 101 end
for _ = 1, n do
  local sum, squares = 0, 0
  for i = 1, #t do
    sum = sum + t[i]
    squares = squares + t[i] ^ 2
  end
  c = c + math.sqrt(squares / #t - (sum / #t) ^ 2)
end
return string.format("%.6f", c)
--# digits_of_numbers 700000 50
local c = 0
for i = 1, n do
  local k = i
  while k > 0 do
    c = c + k % 10
    k = (k - k % 10) / 10
  end
end
return c
