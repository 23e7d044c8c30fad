-- Branchy integer code: Collatz chains, a state machine, a small bytecode interpreter, digits.
-- small: 50
local n = tonumber((...)) or 90000

local function collatz(n)
  local longest, at = 0, 0
  for i = 1, n do
    local k, steps = i, 0
    while k ~= 1 do
      if k % 2 == 0 then k = k / 2 else k = 3 * k + 1 end
      steps = steps + 1
    end
    if steps > longest then longest, at = steps, i end
  end
  return longest, at
end

local function machine(n)
  local state, a, b, c = 1, 0, 0, 0
  for i = 1, n do
    if state == 1 then
      a = a + 1
      if i % 3 == 0 then state = 2 else state = 3 end
    elseif state == 2 then
      b = b + 1
      if a > b then state = 3 elseif a == b then state = 1 else state = 4 end
    elseif state == 3 then
      c = c + 1
      if c % 2 == 0 or i % 5 == 1 then state = 1 else state = 4 end
    else
      if i % 7 < 3 then state = 1 elseif i % 2 == 0 then state = 2 else state = 3 end
      a = a - 1
    end
  end
  return a, b, c
end

local PUSH, ADD, SUB, DUP, JNZ, SWAP, POP, HALT = 1, 2, 3, 4, 5, 6, 7, 8
-- Sums k down from the pushed number: stack (sum, k).
local function program(k)
  return { PUSH, 0, PUSH, k, DUP, 0, JNZ, 11, HALT, 0, SWAP, 0, PUSH, 1, ADD, 0, SWAP, 0, PUSH, 1, SUB, 0, JNZ, 5 }
end
local function run(code)
  local stack, top, pc, executed = {}, 0, 1, 0
  while true do
    local op, arg = code[pc], code[pc + 1]
    pc = pc + 2
    executed = executed + 1
    if op == PUSH then
      top = top + 1
      stack[top] = arg
    elseif op == ADD then
      stack[top - 1] = stack[top - 1] + stack[top]
      top = top - 1
    elseif op == SUB then
      stack[top - 1] = stack[top - 1] - stack[top]
      top = top - 1
    elseif op == DUP then
      stack[top + 1] = stack[top]
      top = top + 1
    elseif op == JNZ then
      if arg == 11 then
        top = top - 1
        if stack[top + 1] ~= 0 then pc = arg end
      elseif stack[top] ~= 0 then
        pc = arg
      end
    elseif op == SWAP then
      stack[top], stack[top - 1] = stack[top - 1], stack[top]
    elseif op == POP then
      top = top - 1
    else
      return stack[top - 1] or stack[1], executed
    end
  end
end

local function digitSums(n)
  local happy = 0
  for i = 1, n do
    local k = i
    repeat
      local s = 0
      while k > 0 do
        local d = k % 10
        s = s + d * d
        k = (k - d) / 10
      end
      k = s
    until k == 1 or k == 4
    if k == 1 then happy = happy + 1 end
  end
  return happy
end

local longest, at = collatz(n)
local a, b, c = machine(10 * n)
local counted, executed = run(program(5 * n))
local happy = digitSums(n)

if n == 50 and (longest ~= 111 or at ~= 27) then error("collatz: " .. longest .. " at " .. at) end
if n == 90000 and (longest ~= 350 or at ~= 77031) then error("collatz: " .. longest .. " at " .. at) end
if n == 50 and happy ~= 11 then error("happy numbers: " .. happy) end
print("branchy", n, longest, at, a, b, c, counted, executed, happy)
