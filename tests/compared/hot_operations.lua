-- The same of functions that run compiled: each is warmed with values that suit it, then fails.
local ops = {
  {"@ + 1", 3}, {"1 + @", 3}, {"@ - 2.5", 1.5}, {"@ * @", 3}, {"@ / 2", 3.5}, {"2 // @", 3}, {"@ % 3", 7}, {"@ ^ 2", 3}, {"-@", 3}, {"~@", 3}, {"@ & 1", 3}, {"1 | @", 3}, {"@ ~ 7", 3}, {"@ << 1", 3}, {"1 >> @", 3}, {"@ .. 'x'", "'a'"}, {"'x' .. @", "'a'"}, {"1 .. @ .. 2", 3}, {"@ .. @", "'q'"}, {"#@", "'q'"}, {"#@", "{1}"}, {"@ < 1", 3}, {"1 < @", 3}, {"@ <= 'x'", "'a'"}, {"@ > @", 3}, {"@ < 1.5", 2.5}, {"@ >= other", 3},
  {"@.f", "{f=1}"}, {"@.f.g", "{f={g=1}}"}, {"@[1]", "{1}"}, {"@[1].x", "{{x=1}}"}, {"@.f()", "{f=print0}"}, {"@:m()", "{m=print0}"}, {"@()", "print0"}, {"@(1).x", "id0"}, {"@()", "luaf"}, {"@(1, 2)", "luaf"}, {"@:m(1)", "{m=luaf}"}, {"#@.f", "{f='x'}"}, {"@ + other", 3}, {"other + @", 3}, {"other .. @", "'x'"}, {"@ .. other", "'x'"},  {"@ < other", 3}, {"@ == 1 and @ + 1 or @ - 1", 1}, {"other & @", 3}, {"other // @", 3}, {"@[other]", "{1,2,3,4}"},{"@.f + 1", "{f=1}"},{"@[1] + 1", "{1.5}"}, {"@.f.g.h", "{f={g={h=1}}}"}, {"@.f .. 'x'", "{f=1}"}, {"@.f < 2", "{f=1}"}, {"math.floor(@)", 2.5}, {"math.sqrt(@)", 2.5}, {"string.byte(@)", "'a'"}, {"string.sub(@, 1)", "'a'"}, {"@:sub(1,1)", "'a'"}, {"select('#', @) + @", 1}, {"math.max(@, 1)", 3}, {"math.min(1, @)", 3}, {"math.abs(@)", 3}, {"string.char(@)", 65}, {"string.len(@)", "'aa'"}, {"#string.rep(@, 2)", "'aa'"}, {"tostring(@) .. @", "'aa'"}, {"table.unpack(@)", "{1}"}, {"ipairs(@)", "{1}"}, {"next(@)", "{1}"}, {"rawlen(@)", "{1}"}, {"rawget(@, 1)", "{1}"}, {"table.insert(@, 1)", "{}"}, {"setmetatable(@, nil)", "{}"}, {"tonumber(@)", "'1'"}, {"tonumber(@, 10)", "'1'"}, {"math.tointeger(@)", "3"}, {"utf8.char(@)", "3"},  {"math.ult(@, 2)", "3"}, {"math.fmod(@, 2)", "3"}, {"string.format('%d', @)", "3"}, {"@ // 0", 2.5}, {"@ % 0", 2.5}, {"select(@, 1, 2)", 1},
}
local sts = { {"@.y = 1", "{}"}, {"@[1] = 2", "{}"}, {"@[other] = 2", "{}"}, {"@.y.z = 1", "{y={}}"}, {"for i = @, 4 do if i < 0 then break end end", 1}, {"for i = 1, @ do if i > 9 then break end end", 3}, {"for i = 1, 4, @ do if i < 0 then break end end", 2}, {"for k in @ do end", "id0"}, {"for k, v in pairs(@) do end", "{1}"}, {"for k, v in ipairs(@) do end", "{1}"}, {"for k, v in next, @ do end", "{1}"}, {"local x <close> = @", "nil"}, {"if @ < 1 then end", 3}, {"local i = 0 while i < @ do i = i + 1 if i > 9 then break end end", 3}, {"@ = @ + 1", 3}, {"assert(@)", "true"}, {"error(@)", nil}, {"other[@] = 1", nil}}
local bads = { "nil", "true", "5", "1.5", "'str'", "{}", "print", "math.mininteger", "2^53" }
local how
function print0() end function id0(x) return nil end function luaf() return {x=1} end
local origins = {
  { "local function f(x, other) ", "x", " end", "f(%s, 2)", name="param" },
  { "local function f(x, other) local y = x ", "y", " end", "f(%s, 2)", name="local" },
  { "local up local function g(other) ", "up", " end local function f(x, o) up = x return g(o) end", "f(%s, 2)", name="upvalue" },
  { "local function f(x, other) G = x ", "G", " end", "f(%s, 2)", name="global" },
  { "local function f(x, other) ", "x.fld", " end", "f({fld = %s}, 2)", name="field" },
  { "local function f(x, other) ", "x[1]", " end", "f({%s}, 2)", name="index" },
  { "local function f(x, other, k) ", "x[k]", " end", "f({[3]=%s}, 2, 3)", name="index k" },
  { "local function id(x) return x end local function f(x, other) ", "id(x)", " end", "f(%s, 2)", name="call" },
  { "local function f(other, ...) ", "(...)", " end", "f(2, %s)", name="vararg" },
  { "local function inner(x, other) ", "x", " end local function f(a, b) inner(a, b) end", "f(%s, 2)", name="inlined" },
}
for oi, o in ipairs(origins) do
  local function test(body, good, isst)
    local e = o[2]:gsub("%%", "%%%%")
    if isst and (body:find"^@ =" ) and (o.name == "call" or o.name == "vararg") then return end
    if isst and (body:find"^@" ) and (o.name == "vararg") then return end
    local src = o[1] .. (isst and "" or how) .. body:gsub("@", e) .. (isst and o.name ~= "inlined" and "" or "") .. o[3]
    local good_call, calls = o[4]:format(tostring(good)), {}
    for _, bad in ipairs(bads) do calls[#calls + 1] = o[4]:format(bad):sub(3, -2) end
    local code = src .. " for i = 1, 110 do if not pcall(function() " .. good_call .. " end) then break end end local r = {} "
    for i, call in ipairs(calls) do code = code .. "r[" .. i .. "] = tostring((select(2, pcall(f, " .. call .. ")))) " end
    local f, m = load(code .. "return r", "=e")
    if not f then print(o.name, body, m) return end
    for i, r in ipairs(f()) do print(o.name, body, bads[i], (r:gsub("^%l+: 0x%x+", "object"):gsub("^function: builtin.*", "object"))) end
  end
  how = "local r = "
  for _, op in ipairs(ops) do test(op[1], op[2]) end
  how = "return "
  for _, op in ipairs(ops) do if op[1]:find"%)$" then test(op[1], op[2]) end end
  for _, st in ipairs(sts) do test(st[1], st[2], true) end
end
