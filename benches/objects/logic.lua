-- A logic language: terms, unification with a trail, depth-first search with backtracking, a small database.
-- Style: tagged records, recursion through closures in continuation-passing style, varargs constructors.
-- small: 4
local n = tonumber((...)) or 7

local function var(name) return { tag = "var", name = name } end
local function struct(functor, ...) return { tag = "struct", functor = functor, arity = select("#", ...), ... } end
local function atom(name) return { tag = "struct", functor = name, arity = 0 } end
local function number(value) return { tag = "number", value = value } end

local function deref(t)
  while t.tag == "var" and t.ref do t = t.ref end
  return t
end

local trail, trailed = {}, 0
local function bind(v, t)
  v.ref = t
  trailed = trailed + 1
  trail[trailed] = v
end
local function undo(mark)
  for i = trailed, mark + 1, -1 do
    trail[i].ref = nil
    trail[i] = nil
  end
  trailed = mark
end
local unifications = 0
local function unify(a, b)
  a, b = deref(a), deref(b)
  unifications = unifications + 1
  if a == b then return true end
  if a.tag == "var" then bind(a, b) return true end
  if b.tag == "var" then bind(b, a) return true end
  if a.tag == "number" or b.tag == "number" then return a.tag == b.tag and a.value == b.value end
  if a.functor ~= b.functor or a.arity ~= b.arity then return false end
  for i = 1, a.arity do
    if not unify(a[i], b[i]) then return false end
  end
  return true
end

-- Reading clauses: head :- goal, goal. with lists [a, b | T] and numbers.
local function parser(text)
  local at, vars = 1, {}
  local self = {}
  local function skip() at = text:find("%S", at) or #text + 1 end
  local function take(s)
    skip()
    if text:sub(at, at + #s - 1) == s then
      at = at + #s
      return true
    end
  end
  local term
  local function list()
    if take("]") then return atom("[]") end
    local items = { term() }
    while take(",") do items[#items + 1] = term() end
    local tail = take("|") and term() or atom("[]")
    take("]")
    for i = #items, 1, -1 do tail = struct(".", items[i], tail) end
    return tail
  end
  local function primary()
    skip()
    if take("[") then return list() end
    local digits = text:match("^%d+", at)
    if digits then
      at = at + #digits
      return number(tonumber(digits))
    end
    local name = text:match("^[%a_][%w_]*", at)
    if not name then error("cannot read at " .. text:sub(at, at + 10)) end
    at = at + #name
    if name:find("^[%u_]") then
      if name == "_" then return var("_") end
      vars[name] = vars[name] or var(name)
      return vars[name]
    end
    if take("(") then
      local args = { term() }
      while take(",") do args[#args + 1] = term() end
      take(")")
      return struct(name, (table.unpack or unpack)(args))
    end
    return atom(name)
  end
  local function sum()
    local left = primary()
    while true do
      skip()
      if text:sub(at, at + 1) == ":-" then return left end
      if take("+") then
        left = struct("+", left, primary())
      elseif take("-") then
        left = struct("-", left, primary())
      else
        return left
      end
    end
  end
  term = function()
    local left = sum()
    if take("=\\=") then return struct("=\\=", left, sum()) end
    if take("<") then return struct("<", left, sum()) end
    if text:find("^%s*is%s", at) then
      take("is")
      return struct("is", left, sum())
    end
    return left
  end
  function self.clause()
    skip()
    if at > #text then return nil end
    vars = {}
    local head, body = term(), {}
    if take(":-") then
      repeat body[#body + 1] = term() until not take(",")
    end
    take(".")
    return { head = head, body = body }
  end
  function self.query()
    local goals = {}
    repeat goals[#goals + 1] = term() until not take(",")
    return goals, vars
  end
  return self
end

local database = {}
local function consult(text)
  local p = parser(text)
  for clause in p.clause do
    local key = clause.head.functor .. "/" .. clause.head.arity
    database[key] = database[key] or {}
    table.insert(database[key], clause)
  end
end

local function rename(t, map)
  t = deref(t)
  if t.tag == "var" then
    local fresh = map[t]
    if not fresh then
      fresh = var(t.name)
      map[t] = fresh
    end
    return fresh
  end
  if t.tag == "number" or t.arity == 0 then return t end
  local copy = { tag = "struct", functor = t.functor, arity = t.arity }
  for i = 1, t.arity do copy[i] = rename(t[i], map) end
  return copy
end

local function compute(t)
  t = deref(t)
  if t.tag == "number" then return t.value end
  local a, b = compute(t[1]), compute(t[2])
  if t.functor == "+" then return a + b end
  return a - b
end
local builtins = {
  ["is/2"] = function(g) return unify(g[1], number(compute(g[2]))) end,
  ["=\\=/2"] = function(g) return compute(g[1]) ~= compute(g[2]) end,
  ["</2"] = function(g) return compute(g[1]) < compute(g[2]) end,
}

-- Calls `found` for each solution, until that returns true.
local function solve(goals, found)
  if goals == nil then return found() end
  local goal = deref(goals.goal)
  local key = goal.functor .. "/" .. goal.arity
  local mark = trailed
  local builtin = builtins[key]
  if builtin then
    local stop = builtin(goal) and solve(goals.next, found)
    if not stop then undo(mark) end
    return stop
  end
  for _, clause in ipairs(database[key] or error("unknown predicate " .. key)) do
    local map = {}
    if unify(goal, rename(clause.head, map)) then
      local rest = goals.next
      for i = #clause.body, 1, -1 do rest = { goal = rename(clause.body[i], map), next = rest } end
      if solve(rest, found) then return true end
    end
    undo(mark)
  end
  return false
end

local function query(text, found)
  local goals, vars = parser(text).query()
  local list
  for i = #goals, 1, -1 do list = { goal = goals[i], next = list } end
  local count = 0
  solve(list, function()
    count = count + 1
    return found and found(vars)
  end)
  undo(0)
  return count
end

local function show(t)
  t = deref(t)
  if t.tag == "number" then return tostring(t.value) end
  if t.tag == "var" then return "_" end
  if t.functor == "." then
    local parts = {}
    while t.functor == "." do
      parts[#parts + 1] = show(t[1])
      t = deref(t[2])
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  return t.functor
end

consult([[
append([], L, L).
append([H|T], L, [H|R]) :- append(T, L, R).
reverse([], []).
reverse([H|T], R) :- reverse(T, S), append(S, [H], R).
select(X, [X|T], T).
select(X, [H|T], [H|R]) :- select(X, T, R).
range(N, N, [N]).
range(A, B, [A|T]) :- A < B, C is A + 1, range(C, B, T).
safe(_, _, []).
safe(Q, D, [H|T]) :- Q =\= H + D, Q =\= H - D, E is D + 1, safe(Q, E, T).
place([], Qs, Qs).
place(Free, Done, Qs) :- select(Q, Free, Rest), safe(Q, 1, Done), place(Rest, [Q|Done], Qs).
queens(N, Qs) :- range(1, N, L), place(L, [], Qs).
parent(ann, bob). parent(bob, carl). parent(carl, dora). parent(ann, eve). parent(eve, fred).
ancestor(X, Y) :- parent(X, Y).
ancestor(X, Y) :- parent(X, Z), ancestor(Z, Y).
]])

local solutions = { 1, 0, 0, 2, 10, 4, 40, 92 }
local first
local count = query("queens(" .. n .. ", Qs)", function(vars) first = first or show(vars.Qs) end)
if count ~= solutions[n] then error("logic: " .. count .. " solutions") end
if query("ancestor(ann, X)") ~= 5 then error("logic: ancestors") end
if query("append(X, Y, [1, 2, 3, 4])") ~= 5 then error("logic: append") end
local list = {}
for i = 1, 15 + 5 * n do list[i] = tostring(i) end
query("reverse([" .. table.concat(list, ", ") .. "], R)", function(vars)
  if not show(vars.R):find("^%[" .. #list .. ",") then error("logic: " .. show(vars.R)) end
end)
print("logic", count, first, unifications)
