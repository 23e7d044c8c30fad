-- A small language: compiled to a stack machine's code, which an interpreter with a branch per instruction runs.
-- Style: one large function with an if-chain of seventy branches on strings, as people write emulators.
-- small: 30
local n = tonumber((...)) or 11000

local function machine()
  return { stack = {}, top = 0, calls = {}, depth = 0, memory = {}, out = {}, steps = 0, frame = 0 }
end

local function run(vm, code, at)
  local stack, top = vm.stack, vm.top
  local memory = vm.memory
  local calls, depth = vm.calls, vm.depth
  local frame = vm.frame
  local steps = 0
  while true do
    local op, arg = code[at], code[at + 1]
    at = at + 2
    steps = steps + 1
    if op == "push" then top = top + 1 stack[top] = arg
    elseif op == "pop" then top = top - 1
    elseif op == "dup" then stack[top + 1] = stack[top] top = top + 1
    elseif op == "swap" then stack[top], stack[top - 1] = stack[top - 1], stack[top]
    elseif op == "over" then stack[top + 1] = stack[top - 1] top = top + 1
    elseif op == "rot" then stack[top - 2], stack[top - 1], stack[top] = stack[top - 1], stack[top], stack[top - 2]
    elseif op == "add" then stack[top - 1] = stack[top - 1] + stack[top] top = top - 1
    elseif op == "sub" then stack[top - 1] = stack[top - 1] - stack[top] top = top - 1
    elseif op == "mul" then stack[top - 1] = stack[top - 1] * stack[top] top = top - 1
    elseif op == "div" then stack[top - 1] = math.floor(stack[top - 1] / stack[top]) top = top - 1
    elseif op == "mod" then stack[top - 1] = stack[top - 1] % stack[top] top = top - 1
    elseif op == "neg" then stack[top] = -stack[top]
    elseif op == "inc" then stack[top] = stack[top] + 1
    elseif op == "dec" then stack[top] = stack[top] - 1
    elseif op == "abs" then stack[top] = math.abs(stack[top])
    elseif op == "min" then stack[top - 1] = math.min(stack[top - 1], stack[top]) top = top - 1
    elseif op == "max" then stack[top - 1] = math.max(stack[top - 1], stack[top]) top = top - 1
    elseif op == "addi" then stack[top] = stack[top] + arg
    elseif op == "subi" then stack[top] = stack[top] - arg
    elseif op == "muli" then stack[top] = stack[top] * arg
    elseif op == "modi" then stack[top] = stack[top] % arg
    elseif op == "eq" then stack[top - 1] = stack[top - 1] == stack[top] and 1 or 0 top = top - 1
    elseif op == "ne" then stack[top - 1] = stack[top - 1] ~= stack[top] and 1 or 0 top = top - 1
    elseif op == "lt" then stack[top - 1] = stack[top - 1] < stack[top] and 1 or 0 top = top - 1
    elseif op == "le" then stack[top - 1] = stack[top - 1] <= stack[top] and 1 or 0 top = top - 1
    elseif op == "gt" then stack[top - 1] = stack[top - 1] > stack[top] and 1 or 0 top = top - 1
    elseif op == "ge" then stack[top - 1] = stack[top - 1] >= stack[top] and 1 or 0 top = top - 1
    elseif op == "not" then stack[top] = stack[top] == 0 and 1 or 0
    elseif op == "and" then stack[top - 1] = (stack[top - 1] ~= 0 and stack[top] ~= 0) and 1 or 0 top = top - 1
    elseif op == "or" then stack[top - 1] = (stack[top - 1] ~= 0 or stack[top] ~= 0) and 1 or 0 top = top - 1
    elseif op == "jump" then at = arg
    elseif op == "jz" then if stack[top] == 0 then at = arg end top = top - 1
    elseif op == "jnz" then if stack[top] ~= 0 then at = arg end top = top - 1
    elseif op == "call" then depth = depth + 1 calls[depth] = at depth = depth + 1 calls[depth] = frame at = arg
    elseif op == "enter" then frame = top - arg
    elseif op == "ret" then
      local value = stack[top]
      top = frame + 1
      stack[top] = value
      frame = calls[depth]
      at = calls[depth - 1]
      depth = depth - 2
    elseif op == "arg" then top = top + 1 stack[top] = stack[frame + arg]
    elseif op == "setarg" then stack[frame + arg] = stack[top] top = top - 1
    elseif op == "load" then top = top + 1 stack[top] = memory[arg] or 0
    elseif op == "store" then memory[arg] = stack[top] top = top - 1
    elseif op == "loadi" then stack[top] = memory[stack[top]] or 0
    elseif op == "storei" then memory[stack[top]] = stack[top - 1] top = top - 2
    elseif op == "incm" then memory[arg] = (memory[arg] or 0) + 1
    elseif op == "decm" then memory[arg] = (memory[arg] or 0) - 1
    elseif op == "print" then vm.out[#vm.out + 1] = tostring(stack[top]) top = top - 1
    elseif op == "string" then stack[top] = tostring(stack[top])
    elseif op == "number" then stack[top] = tonumber(stack[top])
    elseif op == "concat" then stack[top - 1] = stack[top - 1] .. stack[top] top = top - 1
    elseif op == "length" then stack[top] = #stack[top]
    elseif op == "upper" then stack[top] = stack[top]:upper()
    elseif op == "new" then top = top + 1 stack[top] = {}
    elseif op == "get" then stack[top - 1] = stack[top - 1][stack[top]] top = top - 1
    elseif op == "put" then stack[top - 2][stack[top - 1]] = stack[top] top = top - 2
    elseif op == "field" then stack[top] = stack[top][arg]
    elseif op == "nop" then
    elseif op == "halt" then break
    else error("unknown instruction " .. tostring(op))
    end
  end
  vm.top, vm.depth, vm.frame = top, depth, frame
  vm.steps = vm.steps + steps
  return stack[top]
end

-- Lines of "label: op arg" become a list; jumps and calls name labels.
local function assemble(text)
  local code, labels, holes = {}, {}, {}
  for line in text:gmatch("[^\n]+") do
    local label, rest = line:match("^%s*([%w_]+):%s*(.*)$")
    if label then
      labels[label] = #code + 1
      line = rest
    end
    local op, arg = line:match("^%s*(%w+)%s*(%S*)")
    if op then
      code[#code + 1] = op
      if op == "jump" or op == "jz" or op == "jnz" or op == "call" then
        holes[#code + 1] = arg
        code[#code + 1] = 0
      else
        code[#code + 1] = tonumber(arg) or (arg ~= "" and arg) or false
      end
    end
  end
  for i, name in pairs(holes) do code[i] = labels[name] or error("no label " .. name) end
  return code, labels
end

local code, labels = assemble([[
main:   push 0
        store sum
        push 1
        store i
loop:   load i
        load limit
        gt
        jnz done
        load i
        modi 12
        call fib
        load sum
        add
        modi 1000003
        store sum
        load i
        load i
        muli 3
        call gcd
        load sum
        add
        store sum
        call sort
        load sum
        add
        store sum
        incm i
        jump loop
done:   load sum
        halt
fib:    enter 1
        arg 1
        push 2
        lt
        jz more
        arg 1
        ret
more:   arg 1
        dec
        call fib
        arg 1
        subi 2
        call fib
        add
        ret
gcd:    enter 2
again:  arg 2
        jz got
        arg 1
        arg 2
        mod
        arg 2
        setarg 1
        setarg 2
        jump again
got:    arg 1
        ret
sort:   push 0
        enter 1
        push 10
        setarg 1
fill:   load i
        arg 1
        mul
        modi 17
        arg 1
        storei
        arg 1
        dec
        setarg 1
        arg 1
        jnz fill
        push 1
        loadi
        push 10
        loadi
        max
        ret
]])
local vm = machine()
vm.memory.limit = n
local result = run(vm, code, labels.main)
if n == 1500 and result ~= 170707 then error("script_vm: " .. result) end
print("script_vm", result, vm.steps)
