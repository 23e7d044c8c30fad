-- All results of a call, passed on: where compiled code knows their number and leaves in between, and
-- where they are more than the registers of the function that passes them on.
local big = function(a, b) return a, b, a, b, a, b end
local two = function(a, b) return a, b end
local take = function(a, b, c, d, e, f, g) return tostring(a), tostring(b), c, d, e, f, g end
local function f1(h, x) return h(big(x, 'b')) end
local function f2(h, x) local a, b, c, d, e, f, g = h(big(x, 'b')) return a, b, c, d, e, f, g end
local function f3(h, x) return { h(0, big(x, x)) } end
local function f4(h, x) return h(two(big(x, 1))) end
local function f5(t, x) t[1] = { big(x, t) } return #t[1] end
for i = 1, 500 do
  local h = i % 97 == 0 and math.max or i % 89 == 0 and setmetatable({}, { __call = function(self, ...) return select('#', ...) end }) or take
  local x = i % 50 == 0 and i + 0.5 or i
  local r1 = table.pack(pcall(f1, h, x)) local r2 = table.pack(pcall(f2, h, x)) local ok, r3 = pcall(f3, h, x) local r4 = table.pack(pcall(f4, h, x))
  local n = f5({}, x)
  if i % 97 == 0 or i % 89 == 0 or i % 50 == 0 then
    for k = 1, r1.n do io.write(tostring(r1[k]), ' ') end for k = 1, r2.n do io.write(tostring(r2[k]), ' ') end
    if ok then for k = 1, #r3 do io.write(tostring(r3[k]), ' ') end else io.write(r3) end for k = 1, r4.n do io.write(tostring(r4[k]), ' ') end
    print(n)
  end
end

--[[expect
true 50.5 b 50.5 b 50.5 b nil true 50.5 b 50.5 b 50.5 b nil 0 50.5 50.5 50.5 50.5 50.5 50.5 true 50.5 1 nil nil nil nil nil 6
true 6 true 6 nil nil nil nil nil nil 7 true 2 6
false attempt to compare number with string false attempt to compare number with string 97 true 97 6
true 100.5 b 100.5 b 100.5 b nil true 100.5 b 100.5 b 100.5 b nil 0 100.5 100.5 100.5 100.5 100.5 100.5 true 100.5 1 nil nil nil nil nil 6
true 150.5 b 150.5 b 150.5 b nil true 150.5 b 150.5 b 150.5 b nil 0 150.5 150.5 150.5 150.5 150.5 150.5 true 150.5 1 nil nil nil nil nil 6
true 6 true 6 nil nil nil nil nil nil 7 true 2 6
false attempt to compare number with string false attempt to compare number with string 194 true 194 6
true 200.5 b 200.5 b 200.5 b nil true 200.5 b 200.5 b 200.5 b nil 0 200.5 200.5 200.5 200.5 200.5 200.5 true 200.5 1 nil nil nil nil nil 6
true 250.5 b 250.5 b 250.5 b nil true 250.5 b 250.5 b 250.5 b nil 0 250.5 250.5 250.5 250.5 250.5 250.5 true 250.5 1 nil nil nil nil nil 6
true 6 true 6 nil nil nil nil nil nil 7 true 2 6
false attempt to compare number with string false attempt to compare number with string 291 true 291 6
true 300.5 b 300.5 b 300.5 b nil true 300.5 b 300.5 b 300.5 b nil 0 300.5 300.5 300.5 300.5 300.5 300.5 true 300.5 1 nil nil nil nil nil 6
true 350.5 b 350.5 b 350.5 b nil true 350.5 b 350.5 b 350.5 b nil 0 350.5 350.5 350.5 350.5 350.5 350.5 true 350.5 1 nil nil nil nil nil 6
true 6 true 6 nil nil nil nil nil nil 7 true 2 6
false attempt to compare number with string false attempt to compare number with string 388 true 388 6
true 400.5 b 400.5 b 400.5 b nil true 400.5 b 400.5 b 400.5 b nil 0 400.5 400.5 400.5 400.5 400.5 400.5 true 400.5 1 nil nil nil nil nil 6
true 6 true 6 nil nil nil nil nil nil 7 true 2 6
true 450.5 b 450.5 b 450.5 b nil true 450.5 b 450.5 b 450.5 b nil 0 450.5 450.5 450.5 450.5 450.5 450.5 true 450.5 1 nil nil nil nil nil 6
false attempt to compare number with string false attempt to compare number with string 485 true 485 6
true 500.5 b 500.5 b 500.5 b nil true 500.5 b 500.5 b 500.5 b nil 0 500.5 500.5 500.5 500.5 500.5 500.5 true 500.5 1 nil nil nil nil nil 6
]]
