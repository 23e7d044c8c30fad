-- Functions that were left by tail calls are not in tracebacks, `(...tail calls...)` is: also where
-- compiled code has inlined the function that made the call.
local function trace(x) if x then return debug.traceback('at', 1) end return x end
local function leaf(x) return trace(x) end
local function mid(x) return leaf(x) end
local function top(x) local r = mid(x) return r end
local function viavar(f, x) return f(x) end
local function top2(f, x) local r = viavar(f, x) return r end
local function top3(x) local r = pcall(leaf, x) return r end
for i = 1, 400 do
  top(i % 200 == 0) top2(i % 3 == 0 and leaf or i % 3 == 1 and mid or trace, i % 200 == 0)
  local a, b = top(i % 200 == 0), top2(i % 2 == 0 and leaf or mid, i % 200 == 0)
  if i % 200 == 0 then print(i) print(a) print(b) end
end

-- What is called last is not inlined: it has variable arguments, calls back and forth, or is too much.
do
  local function open(x, ...) if x then return debug.traceback('at', 1) end return x end
  local function middle(x) return open(x) end
  local function outer(x) local r = middle(x) return r end
  local odd
  local function even(n, x) if n == 0 then if x then return debug.traceback('at', 1) end return x end return odd(n - 1, x) end
  function odd(n, x) if n == 0 then return false end return even(n - 1, x) end
  local function parity(n, x) local r = even(n, x) return r end
  for i = 1, 400 do
    local a, b = outer(i % 200 == 0), parity(10, i % 200 == 0)
    if a then print(a) print(b) end
  end
end

local body = {}
for i = 1, 12 do body[i] = 'y = y * 3 + x - ' .. i end
local function work(n)
  return load('local n = ... return function(x) local y = n ' .. table.concat(body, ' ') .. ' return y end', '=work')(n)
end
local w1, w2, w3, w4 = work(1), work(2), work(3), work(4)
local last
local function leaf(x, y)
  if x == 1 then return debug.traceback('at', 1) end
  if x == 2 then error('wrong') end
  if x == 3 then local info = debug.getinfo(1, 't') return tostring(info.istailcall) .. debug.getinfo(2, 'l').currentline end
  y = y + 1 y = y * 2 y = y - 3 y = y + 5 y = y * 2 y = y + 1 y = y - 5
  return y, last, {}
end
local function mid(x) local y = w1(1.5) + w2(2) + w3(3) + w4(4.5) return leaf(x, y) end
local function outermost(x, keep)
  local r = mid(x)
  return r, keep
end
local function dropped(x) mid(x) return 'dropped' end
for i = 1, 600 do
  last = { i }
  local x = i % 100 == 0 and i // 100 or nil
  local ok, m, keep = xpcall(outermost, debug.traceback, x, last)
  if x then print(i, ok, m, keep == last) elseif i % 99 == 0 then print(m, keep == last) end
  ok, m = xpcall(dropped, debug.traceback, x)
  if x == 2 then print(ok, m) end
end

-- errors
local function fail(x) if x then error('e', 1) end return 1 end
local function l2(x) return fail(x) end
local function l3(x) local r = l2(x) return r end
for i = 1, 400 do
  local ok, m = xpcall(l3, debug.traceback, i % 200 == 0)
  if not ok then print(m) end
end
local obj = { m = function(self, x) return self:n(x) end, n = function(self, x) if x then return nil .. 'a' end return 1 end }
local function l4(o, x) local r = o:m(x) return r end
for i = 1, 400 do
  local ok, m = xpcall(l4, debug.traceback, obj, i % 200 == 0)
  if not ok then print(m) end
end
-- levels
local function level(x) if x then local t = {} for l = 1, 6 do local info = debug.getinfo(l, 'nSlt') if not info then break end t[l] = (info.name or '?') .. ':' .. info.currentline .. ':' .. tostring(info.istailcall) end return table.concat(t, ' ') end return 0 end
local function ll2(x) return level(x) end
local function ll3(x) local r = ll2(x) return r end
for i = 1, 400 do local r = ll3(i % 200 == 0) if r ~= 0 then print(r) end end

--[[expect
200
at
stack traceback:
	traceback_tail_calls.lua:3: in function <traceback_tail_calls.lua:3>
	(...tail calls...)
	traceback_tail_calls.lua:6: in local 'top'
	traceback_tail_calls.lua:12: in main chunk
	[C]: in ?
at
stack traceback:
	traceback_tail_calls.lua:3: in function <traceback_tail_calls.lua:3>
	(...tail calls...)
	traceback_tail_calls.lua:8: in local 'top2'
	traceback_tail_calls.lua:12: in main chunk
	[C]: in ?
400
at
stack traceback:
	traceback_tail_calls.lua:3: in function <traceback_tail_calls.lua:3>
	(...tail calls...)
	traceback_tail_calls.lua:6: in local 'top'
	traceback_tail_calls.lua:12: in main chunk
	[C]: in ?
at
stack traceback:
	traceback_tail_calls.lua:3: in function <traceback_tail_calls.lua:3>
	(...tail calls...)
	traceback_tail_calls.lua:8: in local 'top2'
	traceback_tail_calls.lua:12: in main chunk
	[C]: in ?
at
stack traceback:
	traceback_tail_calls.lua:18: in function <traceback_tail_calls.lua:18>
	(...tail calls...)
	traceback_tail_calls.lua:20: in local 'outer'
	traceback_tail_calls.lua:26: in main chunk
	[C]: in ?
at
stack traceback:
	traceback_tail_calls.lua:22: in function <traceback_tail_calls.lua:22>
	(...tail calls...)
	traceback_tail_calls.lua:24: in local 'parity'
	traceback_tail_calls.lua:26: in main chunk
	[C]: in ?
at
stack traceback:
	traceback_tail_calls.lua:18: in function <traceback_tail_calls.lua:18>
	(...tail calls...)
	traceback_tail_calls.lua:20: in local 'outer'
	traceback_tail_calls.lua:26: in main chunk
	[C]: in ?
at
stack traceback:
	traceback_tail_calls.lua:22: in function <traceback_tail_calls.lua:22>
	(...tail calls...)
	traceback_tail_calls.lua:24: in local 'parity'
	traceback_tail_calls.lua:26: in main chunk
	[C]: in ?
26572140.0	true
100	true	at
stack traceback:
	traceback_tail_calls.lua:39: in function <traceback_tail_calls.lua:38>
	(...tail calls...)
	traceback_tail_calls.lua:47: in function <traceback_tail_calls.lua:46>
	[C]: in function 'xpcall'
	traceback_tail_calls.lua:54: in main chunk
	[C]: in ?	true
26572140.0	true
200	false	traceback_tail_calls.lua:40: wrong
stack traceback:
	[C]: in function 'error'
	traceback_tail_calls.lua:40: in function <traceback_tail_calls.lua:38>
	(...tail calls...)
	traceback_tail_calls.lua:47: in function <traceback_tail_calls.lua:46>
	[C]: in function 'xpcall'
	traceback_tail_calls.lua:54: in main chunk
	[C]: in ?	false
false	traceback_tail_calls.lua:40: wrong
stack traceback:
	[C]: in function 'error'
	traceback_tail_calls.lua:40: in function <traceback_tail_calls.lua:38>
	(...tail calls...)
	traceback_tail_calls.lua:50: in function <traceback_tail_calls.lua:50>
	[C]: in function 'xpcall'
	traceback_tail_calls.lua:56: in main chunk
	[C]: in ?
26572140.0	true
300	true	true47	true
26572140.0	true
400	true	26572140.0	true
26572140.0	true
500	true	26572140.0	true
26572140.0	true
600	true	26572140.0	true
traceback_tail_calls.lua:61: e
stack traceback:
	[C]: in function 'error'
	traceback_tail_calls.lua:61: in function <traceback_tail_calls.lua:61>
	(...tail calls...)
	traceback_tail_calls.lua:63: in function <traceback_tail_calls.lua:63>
	[C]: in function 'xpcall'
	traceback_tail_calls.lua:65: in main chunk
	[C]: in ?
traceback_tail_calls.lua:61: e
stack traceback:
	[C]: in function 'error'
	traceback_tail_calls.lua:61: in function <traceback_tail_calls.lua:61>
	(...tail calls...)
	traceback_tail_calls.lua:63: in function <traceback_tail_calls.lua:63>
	[C]: in function 'xpcall'
	traceback_tail_calls.lua:65: in main chunk
	[C]: in ?
traceback_tail_calls.lua:68: attempt to concatenate a nil value
stack traceback:
	traceback_tail_calls.lua:68: in function <traceback_tail_calls.lua:68>
	(...tail calls...)
	traceback_tail_calls.lua:69: in function <traceback_tail_calls.lua:69>
	[C]: in function 'xpcall'
	traceback_tail_calls.lua:71: in main chunk
	[C]: in ?
traceback_tail_calls.lua:68: attempt to concatenate a nil value
stack traceback:
	traceback_tail_calls.lua:68: in function <traceback_tail_calls.lua:68>
	(...tail calls...)
	traceback_tail_calls.lua:69: in function <traceback_tail_calls.lua:69>
	[C]: in function 'xpcall'
	traceback_tail_calls.lua:71: in main chunk
	[C]: in ?
?:75:true ll3:77:false ?:78:false ?:-1:false
?:75:true ll3:77:false ?:78:false ?:-1:false
]]
