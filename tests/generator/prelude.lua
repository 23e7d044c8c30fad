local tointeger, format, type, tostring, select = math.tointeger, string.format, type, tostring, select
local function str(v)
  local t = type(v)
  if t == "number" then
    if v ~= v then return "nan" end
    return tostring(v)
  elseif t == "string" then
    if #v > 200 then return format("<%d bytes>", #v) end
    return v
  elseif t == "boolean" or t == "nil" then
    return tostring(v)
  end
  return t
end
local FIELDS = { "f1", "f2", "f3", "f4", "f5", "f6", "n" }
local function repr(v, depth)
  if type(v) ~= "table" then return type(v) == "string" and "'" .. str(v) .. "'" or str(v) end
  if depth > 1 then return "{...}" end
  local out = {}
  for i = 1, 6 do
    local x = rawget(v, i)
    if x ~= nil then out[#out + 1] = i .. "=" .. repr(x, depth + 1) end
  end
  for _, k in ipairs(FIELDS) do
    local x = rawget(v, k)
    if x ~= nil then out[#out + 1] = k .. "=" .. repr(x, depth + 1) end
  end
  return "{" .. table.concat(out, ",") .. "}"
end
local shown = 0
local function show(...)
  shown = shown + 1
  if shown > 400 then return end
  local out = {}
  for i = 1, select("#", ...) do out[i] = repr((select(i, ...)), 0) end
  print(table.concat(out, " "))
end
local function toint(v)
  local t = type(v)
  if t == "number" then return tointeger(v) or 7 end
  return 3
end
local function cut(s) if #s > 80 then return s:sub(1, 20) .. s:sub(-20) end return s end
local calls = 0
local function tick() calls = calls + 1 if calls > 6000 then error("too many calls", 0) end end
local closed = 0
local function closer(v) return setmetatable({}, { __close = function(_, e) closed = closed + 1 + (e and 10 or 0) end }) end
local function num(v)
  if type(v) == "table" then return v.n end
  return v
end
local Obj, Sub = {}, {}
Obj.__index, Sub.__index = Obj, Sub
for _, C in ipairs { Obj, Sub } do
  C.__add = function(a, b) return num(a) + num(b) end
  C.__sub = function(a, b) return num(a) - num(b) end
  C.__mul = function(a, b) return num(a) * num(b) end
  C.__div = function(a, b) return num(a) / num(b) end
  C.__mod = function(a, b) return num(a) % num(b) end
  C.__idiv = function(a, b) return num(a) // num(b) end
  C.__unm = function(a) return -num(a) end
  C.__lt = function(a, b) return num(a) < num(b) end
  C.__le = function(a, b) return num(a) <= num(b) end
  C.__eq = function(a, b) return num(a) == num(b) end
  C.__concat = function(a, b) return str(num(a)) .. "&" .. str(num(b)) end
  C.__call = function(self, x) return num(x) + 1 end
  C.__len = function(a) return 5 end
end
function Obj.m1(self, x) return self.n + x end
function Obj.m2(self, x) self.n = num(x) return self end
function Sub.m1(self, x) return self.n - x end
function Sub.m2(self, x) self.n = self.n + 1 return self end
local function obj(n) return setmetatable({ n = num(n) }, Obj) end
local function sub(n) return setmetatable({ f1 = 1, n = num(n) }, Sub) end
local function num2(v) return type(v) == "number" and v or 2 end
local function show2(i, ...) if i % 23 < 2 or i == 77 then show(i, ...) end end
