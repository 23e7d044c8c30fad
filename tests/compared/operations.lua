-- The message of every operation on every kind of value, wherever the value comes from: which operand
-- is named, and how.
local function show(s, ...) 
  local f, m = load(s, "=e")
  if not f then print(s, "SYNTAX", m) return end
  print(s, (select(2, pcall(f, ...))))
end
local vals = { "nil", "true", "5", "1.5", "'str'", "'10'", "{}", "print", "1e300", "math.mininteger" }
local origins = {
  function(v) return "local x = "..v.." ", "x" end,
  function(v) return "X = "..v.." ", "X" end,
  function(v) return "local t = { f = "..v.." } ", "t.f" end,
  function(v) return "local t = { ["..1 .."] = "..v.." } ", "t[1]" end,
  function(v) return "local t, k = { f = "..v.." }, 'f' ", "t[k]" end,
  function(v) return "local t, k = { f = "..v.." }, 1.5 t[k] = "..v.." ", "t[k]" end,
  function(v) return "", "("..v..")" end,
  function(v) return "local x <const> = "..v.." ", "x" end,
  function(v) return "local x = "..v.." local function g() return ", "x", " end g()" end,
  function(v) return "local t = {x = "..v.."} local function g() return ", "t.x", " end g()" end,
  function(v) return "local function h() return "..v.." end ", "h()" end,
  function(v) return "local _ENV = { x = "..v.." } ", "x" end,
  function(v) return "local a = "..v.." local x = a ", "x" end,
  function(v) return "local function h(...) return ", "...", " end h("..v..")" end,
  function(v) return "local t = { ['a b'] = "..v.." } ", "t['a b']" end,
  function(v) return "local t = { f = { g = "..v.." } } ", "t.f.g" end,
}
local ops = {
  "@ + 1", "1 + @", "@ - 2.5", "@ * @", "@ / 2", "2 // @", "@ % 3", "@ ^ 2", "-@", "~@", "@ & 1", "1 | @", "@ ~ 7", "@ << 1", "1 >> @", "2 << @", "@ << 2",
  "@ + x1", "@ .. 'x'", "'x' .. @", "1 .. @ .. 2", "@ .. @", "#@", "@ < 1", "1 < @", "@ <= 'x'", "@ > @", "@ >= 2", "@ < 1.5",
  "@.f", "@.f.g", "@[1]", "@[nil]", "@['a b']", "@.f()", "@:m()", "@()", "@(1).x", "@[1][2]", "(@)(3)", "@ 'x'", "@ & 1.5", "@ | 'a'", "1.5 ~ @", "'3' + @", "'a' + @", "@ * 'a'",
  "@ // 0", "@ % 0", "@ & '1.5'", "@ < {}", 
}
for _, o in ipairs(origins) do
  for _, v in ipairs(vals) do
    local pre, e, post = o(v)
    for _, op in ipairs(ops) do
      local body = op:gsub("@", (e:gsub("%%","%%%%")))
      if post then show(pre .. body .. post) else show(pre .. "return " .. body) show(pre .. " local r = " .. body) end
    end
    if e ~= "..." and not e:find"%(" then
    for _, st in ipairs{ "@.y = 1", "@[1] = 2", "@.y.z = 3", "@:m().x = 1", "@[nil] = 1", "for i = @, 2 do break end", "for i = 1, @ do break end", "for i = 1, 2, @ do break end", "for a in @ do break end", "for a in pairs(@) do end", "local z <close> = @", "@()", "error(@)", "error(@, 2)", "setmetatable({}, @)", "string.rep(@)", "@ = @ + 1","goto x ::x:: @.q = @", "if @ < 1 then end", "if not (@ <= 2) then end", "while @ > 3 do break end", "repeat local u = @ .. 1 until true" } do
      show(pre .. (post and post:gsub("^ end", "1 end ") .. " " or "") .. st:gsub("@", e))
    end
    end
  end
end
