//! Whole fragments in which features meet: written as templates, filled with random expressions.
//!
//! In a template `@i`, `@n`, `@s` and `@c` stand for an integer, a number, a string and a condition,
//! `@e` for an integer at an edge, `@t` for a number of turns, `@k` for a small positive constant,
//! `@o` for an arithmetic operator, and `$name` for a name that is fresh in the program.

use super::library;
use super::program::Node;
use super::statement::line;
use super::{Generator, Kind, system};
use std::collections::HashMap;

const EDGES: [&str; 14] = [
    "math.maxinteger",
    "math.mininteger",
    "-1",
    "1",
    "2",
    "-2",
    "(1 << 47)",
    "-(1 << 47)",
    "((1 << 47) - 1)",
    "(1 << 53)",
    "((1 << 53) + 1)",
    "(1 << 62)",
    "-(1 << 62)",
    "0x7fffffff",
];

/// Fragments about calls, closures, loops, errors and metatables; what must not fail on its own is
/// in the first list, what may is run protected.
const SAFE: [&str; 23] = [
    // Integers and floats in one list, rounded, divided, stored again.
    "local $vals, $out, $s = {}, {}, 0
     local function $half($x) return $x / 2 end
     for $i = 1, @t do $vals[$i] = $i % @k == 0 and $i / 2 or $i + @i end
     for $r = 1, 3 do
       for $i = 1, #$vals do
         local $v = $vals[$i]
         local $f = $half($v)
         $out[$i] = $r == 2 and $i % @k == 1 and $f or $v
         $s = $s + $f // 1 + math.floor($v) - math.ceil($f) + $v % @k
         if $s > 1e6 then $s = math.floor($s) % 1000 end
         if $i % @k == 0 then
           show($v, math.type($v), math.floor($v), $v // 2, $v % 2, $f, math.type($out[$i]), $out[$i] * 2, $s)
         end
       end
       if $r == 2 then $vals[#$vals] = @i $vals[1] = 0.25 end
     end
     show(math.type($s), $s, #$out, math.tointeger($out[1]))",
    // Fields that hold both, through small functions.
    "local function $mk($x, $y) return { x = $x, y = $y } end
     local function $dot($a, $b) return $a.x * $b.x + $a.y * $b.y end
     local $acc, $q = 0, $mk(@i, 1)
     for $i = 1, @t do
       local $p = $mk($i % @k == 0 and 0 or $i * 0.5, $i)
       if $i % 7 == 0 then $q = $mk($i, $i % 2 == 0 and 1.5 or -$i) end
       local $d = $dot($p, $q)
       $acc = $acc + $d + $dot($q, $q)
       if $acc > 1e9 or $acc < -1e9 then $acc = $i end
       $p.x = $acc > 0 and math.floor($d) or $p.x // 3
       if $i % @k == 0 then
         show($p.x, $acc, math.floor($acc), $acc // 1, math.type($d), -$q.x, math.max($p.x, $q.y), $dot($p, $p) / 3)
       end
     end",
    // Closures of loop variables, two sharing one upvalue, its type changing.
    "local $fs = {}
     for $i = 1, @t do
       local $up = $i + @i
       $fs[$i] = { function($v) $up = $v end, function() return $up end }
     end
     for $i = 1, #$fs do
       $fs[$i][1]($i % @k == 0 and 0.5 or $i)
       if $i % @k == 1 then show($fs[$i][2](), $fs[#$fs][2]()) end
     end",
    // Extra arguments, lists of results adjusted.
    "local function $va(...)
       local $a, $b = ...
       tick()
       if select('#', ...) > 3 then return select(2, ...) end
       return $b, $a, ...
     end
     for $i = 1, @t do
       local $t = { $va($i, $va(@n, $i)), ($va($i)) }
       local $p = table.pack($va(table.unpack($t, 1, $i % 4)))
       local $x, $y, $z = $va($va($i, nil, @n))
       if $i % @k == 0 then show(#$t, $p.n, $p[1], $x, $y, $z, select(-1, $i, @n)) end
     end",
    // Generators in a generic loop, left early at times, closed.
    "local $sum = 0
     for $i = 1, @t do
       local $co = coroutine.create(function($n)
         for $j = 1, $n do
           $n = coroutine.yield($j * $i + @i) or $n
         end
         return 'end'
       end)
       while true do
         local $ok, $v = coroutine.resume($co, $i % 5)
         if not $ok or $v == 'end' or $v == nil then break end
         if math.type($v) == 'integer' then $sum = $sum ~ $v end
         if $sum % 7 == 3 then break end
       end
       if $i % @k == 0 then show($sum, coroutine.status($co), coroutine.close($co)) end
     end
     for $x in coroutine.wrap(function() for $j = 1, 30 do coroutine.yield($j) end end) do
       $sum = $sum * 3 + $x
     end
     show($sum)",
    // Generic loops left in the middle, by all ways, with captured variables and closing values.
    "local $list, $map, $shut = {}, {}, 0
     for $i = 1, @t do $list[$i] = $i % @k == 0 and $i / 2 or $i $map['k' .. $i % 9] = $i end
     local function $find($t, $x) for $j, $v in ipairs($t) do if $v == $x then return $j, $v end end end
     local function $key($t, $x) for $j, $v in pairs($t) do if $v == $x then return $v * 2 end end return -1 end
     local function $caught($t, $x)
       local $fs = {}
       for $j, $v in ipairs($t) do
         local $w = $v
         $fs[#$fs + 1] = function() $w = $w + $x return $w end
         if #$fs > 2 then return $fs[1], $fs[3] end
       end
       return $fs[1], $fs[1]
     end
     local function $steps($n, $close) return function($m, $j) if $j < $m then return $j + 1 end end, $n, 0, $close end
     local function $left($n, $x, $close)
       for $j in $steps($n, $close) do
         for $m in $steps(3) do
           if $j * $m == $x then return $j end
           if $j - $m == $x then goto out end
         end
       end
       ::out::
       return 0
     end
     for $i = 1, @t do
       local $j, $v = $find($list, $i % @k == 0 and $i / 2 or $i)
       local $f, $g = $caught($list, $i % @k)
       local $close = $i % @k == 0 and setmetatable({}, { __close = function() $shut = $shut + $i end }) or nil
       local $got = $left($i % 6, @k, $close)
       if $i % @k == 1 then show($j, $v, $key($map, @i % 50), $f(), $g(), $f(), $got, $shut) end
     end",
    // Functions for absent keys and for calls of tables; keys of their own come and go.
    "local $store, $asked = {}, 0
     local $proxy = setmetatable({}, {
       __index = function($t, $k) $asked = $asked + 1 return $store[$k] or 0 end,
       __newindex = function($t, $k, $v) $store[$k] = $v end,
       __call = function($t, $x, ...) return $x, select('#', ...) end,
     })
     local $acc = 0
     for $i = 1, @t do
       $proxy.x = $i
       $proxy[$i % 5] = $i % @k == 0 and 0.5 or $i
       $proxy['s' .. $i % 3] = $i
       $acc = $acc + $proxy.x + $proxy[$i % 7] + $proxy['s' .. $i % 4]
       local $a, $n = $proxy($i, nil, @k)
       $proxy($i)
       $acc = $acc + $a + $n + $proxy($i)
       if $i % 40 == 0 then rawset($proxy, $i % 3 == 0 and 'x' or $i % 5, $i) end
       if $i % 60 == 0 then rawset($proxy, 'x', nil) end
       if $i % @k == 0 then show($acc, $asked, rawget($proxy, 'x'), rawlen($proxy)) end
     end",
    // Arguments forwarded, from none to many.
    "local function $last(...) return (select(-1, 0, ...)) end
     local function $pass(...) return $last(...) end
     local function $mid($a, ...) local $b = $a return $pass(...), $b, select('#', ...) end
     local function $pack($a, $b, ...) local $t = { $b, ... } return #$t, $a, ... end
     for $i = 1, @t do
       local $t = {}
       for $j = 1, $i % 11 do $t[$j] = $i * $j end
       local $x, $y, $z = $mid(table.unpack($t))
       local $n, $a, $c = $pack(table.unpack($t))
       if $i % @k == 0 then show($x, $y, $z, $n, $a, $c, $pass(), $pass(@i, $mid(@n)), ($pack())) end
     end",
    // Loops that only count, across the borders of their safepoints.
    "local function $count($first, $last)
       local $s, $turns = 0, 0
       for $j = $first, $last do $s = $s ~ $j * 3 $turns = $turns + 1 end
       for $j = $last, $first, -2 do $s = $s + ($j & 15) end
       for $j = 1, 1024 do $s = $s + 1 end
       return $s, $turns
     end
     for $i = 1, @t do
       local $s, $turns = $count(@i % 100, @i % 100 + $i * 37)
       if $i % @k == 0 then show($s, $turns, $count($i, $i - 1), $count(math.maxinteger - $i, math.maxinteger)) end
     end",
    // Integers at their edges.
    "local $E = { @e, @e, @e, @e, @e, @e, 0, @i, @i }
     local $h = @e
     for $r = 1, 4 do
       for $i = 1, #$E do
         for $j = 1, #$E do
           local $a, $b = $E[$i], $E[$j]
           $h = ($h * 31 + ($a @o $b)) ~ ($a - $b) ~ ($a << ($b & 63)) ~ ($a >> ($b & 127))
           if $b ~= 0 then $h = $h ~ ($a // $b) ~ ($a % $b) end
           if $a < $b or $a <= $b + 0.0 then $h = $h + 1 end
           if $a + 0.0 == $b then $h = ~$h end
           $h = $h + (math.ult($a, $b) and 5 or 3) + (tonumber(tostring($a)) ~ $b)
         end
       end
       $E[$r] = $h
     end
     show($h, math.tointeger($h + 0.0) or 0)",
    // Metamethods of every sort.
    "local $log, $M = 0, {}
     local function $wrap($v) return setmetatable({ v = $v }, $M) end
     local function $val($x) return type($x) == 'table' and $x.v or $x end
     for _, $e in ipairs { 'add', 'sub', 'mul', 'div', 'mod', 'idiv', 'unm', 'band', 'bor', 'bxor', 'shl', 'shr', 'bnot', 'pow' } do
       $M['__' .. $e] = function($a, $b) $log = $log + #$e return $wrap(($val($a) or 1) + (tonumber($val($b)) or 2)) end
     end
     $M.__index = function($t, $k) $log = $log + 1 return $k == 'v' and 3 or type($k) == 'number' and $k * 2 or nil end
     $M.__newindex = function($t, $k, $v) $log = $log + 2 rawset($t, $k, $v) end
     $M.__len = function($t) return $val($t) end
     $M.__call = function($t, ...) return $val($t), select('#', ...), ... end
     $M.__concat = function($a, $b) return str($val($a)) .. '+' .. str($val($b)) end
     $M.__lt = function($a, $b) return num2($val($a)) < num2($val($b)) end
     $M.__le = function($a, $b) return num2($val($a)) <= num2($val($b)) end
     $M.__eq = function($a, $b) $log = $log + 1 return num2($val($a)) == num2($val($b)) end
     $M.__unm = function($a) return $wrap(-num2($val($a))) end
     local $acc = $wrap(@i)
     for $i = 1, @t do
       local $x = $i % 3 == 0 and $wrap($i) or $i
       local $y = $i % 4 == 0 and $i + 0.5 or $wrap($i + 1)
       $acc = $wrap(num2($val($x + $y)) + num2($val($y - $x)) + num2($val($x * $y)))
       if ($x < $y) == ($y >= $x) and $x ~= $y then $log = $log + 1 end
       if $i % @k == 0 then
         show(str($val($acc)), $x .. $y, #$wrap($i), ($wrap($i)($i, nil)), $wrap(1)[$i], (-$wrap($i)).v)
         show(($wrap($i) & 3).v, ($wrap($i) | 3).v, (3 ~ $wrap($i)).v, (~$wrap($i)).v, (1 << $wrap(2)).v, $log)
       end
       if $i == 40 then $M.__add = function($a, $b) return $wrap(100) end end
       $acc.extra = $i
     end
     show($log, $acc.extra)",
    // A chain of classes; a method redefined, a field deleted, `super` calls.
    "local $A, $B, $C = {}, {}, {}
     $A.__index, $B.__index, $C.__index = $A, $B, $C
     setmetatable($B, $A) setmetatable($C, $B)
     function $A:get($x) tick() return (self.v or 0) + $x end
     function $A:set($x) self.v = $x return self end
     function $B:get($x) return $A.get(self, $x) * 2 end
     local $list = { setmetatable({}, $A), setmetatable({ v = @i }, $B), setmetatable({ w = 1, v = 2.5 }, $C) }
     local $s = 0
     for $i = 1, @t * 3 do
       local $o = $list[$i % 3 + 1]
       $s = $s + $o:set($i):get($i % 5)
       if $i % @k == 0 then $o.v = nil end
       if $i == 50 then function $C:get($x) return $B.get(self, $x) + 0.5 end end
       if $i == 90 then $B.get = nil end
       if $i % 40 == 7 then show($s, $o:get(@i)) end
     end
     show($s)",
    // Globals that are functions, redefined and retyped while hot.
    "G1 = function($x) return $x + 1 end
     G2 = 0
     for $i = 1, @t * 4 do
       G2 = G2 + G1($i)
       if $i == @t then G1 = function($x) return $x * 0.5 end end
       if $i == @t + 30 then G1 = math.abs end
       if $i == @t + 60 then G2 = G2 // 1 | 0 G1 = setmetatable({}, { __call = function(_, $x) return $x end }) end
       if $i % 50 == 0 then show(G2, type(G1)) end
     end
     G1 = nil",
    // One call site, many functions.
    "local $fs = { function($x) return $x end, function($x, $y) return $y, $x end, math.abs, tostring,
       function(...) return select('#', ...) end, setmetatable({}, { __call = function(_, $x) return -$x end }), math.max }
     local $h = ''
     for $i = 1, @t * 3 do
       local $f = $fs[$i * 5 % #$fs + 1]
       local $r, $q = $f($i, $i + @i)
       if $i % @k == 0 then $h = cut($h .. str($r) .. str($q)) end
     end
     show($h)",
    // Steps of loops, of every sort.
    "local $n, $s = 0, 0
     for $i = 1, 3, 0.25 do $n = $n + 1 $s = $s + $i end
     for $i = math.maxinteger - 2, math.maxinteger do $n = $n + 1 end
     for $i = math.mininteger, math.mininteger + 4, @k do $n = $n + 1 end
     for $i = 1, 0 do $n = 1000 end
     for $i = @i & 7, -@k, -1 do $n = $n + $i end
     for $i = 1, math.huge do if $i > @t then break end $s = $s + $i end
     for $i = 1, 2.9 do $n = $n + $i end
     for $i = 3, 1.5, -1 do local $j = $i $j = $j * 2 $n = $n + $j end
     for $r = 1, @t do
       for $i = $r % 3, $r % 7, $r % 2 == 0 and 1 or 2 do $n = $n ~ ($i * $r) end
       for $x = $r * 0.5, $r, 1.5 do $s = $s + $x end
     end
     show($n, $s)",
    // Arrays with holes, and keys of every sort.
    "local $t = {}
     for $i = 1, @t do $t[$i] = $i * 2 end
     for $i = 1, @t, @k do $t[$i] = nil end
     for $i = -5, 5 do $t[$i] = $i end
     $t[1.0], $t[2^53], $t[-1.5], $t['1'], $t[true] = 'one', 'big', 'half', 'str', 'yes'
     for $i = @t, 1, -1 do $t[$i] = $t[$i] or $i / 2 end
     local $n, $s = 0, 0
     for $k, $v in pairs($t) do $n = $n + 1 if math.type($v) == 'integer' then $s = $s + $v end end
     show($n, $s, $t[1], $t[2^53|0], $t[-1.5], $t['1'], $t[true], $t[@t // 1])
     for $k in pairs($t) do $t[$k] = nil end
     show(next($t), #$t)
     for $i = 1, 5 do $t[#$t + 1] = $i end
     show(#$t, table.unpack($t))",
    // Strings as numbers, numbers as strings.
    "local $s = 0
     for $i = 1, @t do
       local $d = ($i % 3 == 0) and '0x' .. string.format('%x', $i) or tostring($i)
       $s = $s + $d * 2 + ('10' // 3) - ('1.5' + $i % 2)
       if $i % 5 == 0 then $s = $s // 1 end
       if $i % @k == 0 then show($s, $d .. $i, '7' % 4, -'2', '3' ^ 2, 10 .. '', math.max('2' + 0, $i)) end
     end",
    // Multiple assignment: all is evaluated first.
    "local $t, $i = { 1, 2, 3, 4, 5 }, 1
     for $r = 1, @t do
       $i, $t[$i] = $i % 5 + 1, $r
       $t[$i], $t[$i % 5 + 1] = $t[$i % 5 + 1], $t[$i]
       local $a, $b, $c = (function() return $r, $i end)()
       $a, $b, $c = $c, $a, $b
       if $r % @k == 0 then show($a, $b, $c, table.unpack($t)) end
     end",
    // continue, nested break, a local in `until`, a loop out of `goto`.
    "local $n = 0
     for $i = 1, @t do
       local $j = 0
       repeat
         local $odd = ($i + $j) % 2 == 1
         $j = $j + 1
         if $odd then goto $next end
         for $k = 1, 5 do
           if $k * $j > $i then break end
           if $k == 3 then goto $next end
           $n = $n + $k
         end
         ::$next::
         $n = $n ~ $j
       until $odd and $j > $i % 6
       do
         local $m = 0
         ::$again::
         $m = $m + 1
         local $f = function() return $m end
         if $m < $i % 4 then goto $again end
         $n = $n + $f()
       end
     end
     show($n)",
    // Recursion, mutual and deep.
    "local $even, $odd
     function $even($n, $a) tick() if $n == 0 then return $a, 'even' end return $odd($n - 1, $a + 1) end
     function $odd($n, $a) if $n == 0 then return $a, 'odd' end return $even($n - 1, $a * 1.0) end
     local function $deep($n, ...) if $n == 0 then return ... end local $r = $deep($n - 1, $n, ...) return $r end
     local function $tree($d) tick() if $d == 0 then return { @n } end return { $tree($d - 1), $tree($d - 1), $d } end
     local function $sum($t) if #$t == 1 then return 1 end return $sum($t[1]) + $sum($t[2]) + $t[3] end
     for $i = 1, 12 do show($even($i * 7, @i), $deep($i * 3, @n), $sum($tree($i % 5))) end",
    // A shared upvalue that several functions change, one of them in a coroutine.
    "local $x, $log = @i, 0
     local function $inc() $x = $x + 1 return $x end
     local function $twice() return $inc() + $inc() end
     local $co = coroutine.wrap(function() while true do $x = $x + 100 coroutine.yield($twice()) end end)
     for $i = 1, @t do
       $log = $log + $twice() % 1000
       if $i % 5 == 0 then $log = $log + $co() % 100 end
       if $i == 30 then $x = 0.5 end
       if $i == 60 then $x = $x // 1 | 0 end
     end
     show($x, $log)",
    // To-be-closed variables on every way out.
    "local $order = 0
     local function $c($v) return setmetatable({}, { __close = function(_, $e) $order = ($order * 10 + $v) % 1000003 end }) end
     local function $f($i)
       for $j = 1, 4 do
         local $a <close> = $c(1)
         local $b <close> = $c($j)
         if $i % 7 == $j then return $i, $order end
         if $i % 11 == $j then break end
         if $i % 5 == $j then goto $on end
         local $d <close> = nil
         ::$on::
       end
       local $z <const> = $i
       return $z
     end
     for $i = 1, @t do
       local $r, $o = $f($i)
       local $ok = pcall(function() local $q <close> = $c(7) if $i % 3 == 0 then error('x') end return $i end)
       if $i % @k == 0 then show($r, $o, $ok, $order) end
     end",
    // Constructors and records that change shape.
    "local $list = {}
     for $i = 1, @t do
       local $r = { x = $i, y = $i % 2 == 0 and 0.5 or nil, [1] = $i, $i * 2, [$i % 3] = 'k' }
       if $i % 3 == 0 then $r.z = @n end
       if $i % 4 == 0 then $r.x = nil end
       if $i % 5 == 0 then $r['w' .. $i % 6] = $i end
       $list[#$list + 1] = $r
     end
     local $s = 0
     for $i, $r in ipairs($list) do
       $s = $s + ($r.x or 3) + ($r.y or 2) + num2($r.z) + ($r.w0 or 1) + ($r.w3 or 1) + num2($r[1])
       if $i % @k == 0 then show($s, $r.x, $r.y, $r[2], #$r >= 1) end
     end",
];

const FALLIBLE: [&str; 6] = [
    // Errors through frames, of every kind of value, with levels.
    "local function $f($n, $e)
       if $n == 0 then error($e, $e and 2) end
       local $r = $f($n - 1, $e)
       return $r + 1
     end
     for $i = 1, @t do
       local $e = ({ 'text', 5, false, { n = 1 } })[$i % 5 + 1]
       local $ok, $m = pcall($f, $i % 6, $e)
       local $ok2, $m2 = xpcall($f, function($m) return 'H' .. str($m) end, $i % 3, $e)
       if $i % @k == 0 then show($ok, $m, $ok2, $m2, pcall(error), pcall(pcall, error, $i)) end
     end",
    // Errors in metamethods, comparators and callbacks, in a coroutine.
    "local $bad = setmetatable({}, { __add = function($a, $b) return $a.x.y end, __index = function($t, $k) if $k == 'x' then return nil end error('idx' .. tostring($k), 0) end })
     for $i = 1, @t do
       local $ok, $m = pcall(function() return $bad + $i end)
       local $ok2, $m2 = pcall(function() return $bad[$i % 3] end)
       local $ok3, $m3 = pcall(table.sort, { 3, 1, 2 }, function($a, $b) if $i % 2 == 0 then error('cmp', 0) end return $a < $b end)
       local $ok4, $m4 = pcall(string.gsub, 'abc', '.', function($c) if $c == 'b' then error({ n = $i }) end end)
       local $co = coroutine.create(function() local $x <close> = closer($i) coroutine.yield($i) error('co' .. $i) end)
       coroutine.resume($co)
       local $ok5, $m5 = coroutine.resume($co)
       if $i % @k == 0 then show($ok, $m, $ok2, $m2, $ok3, $m3, $ok4, $m4, $ok5, $m5, coroutine.status($co)) end
     end",
    // A type that is wrong in one turn only.
    "for $i = 1, @t * 2 do
       local $v = $i
       if $i == @t + 20 then $v = ({ 'x', {}, true, print })[$i % 4 + 1] end
       show2($i, pcall(function() return $v + $i * 2 - @i end))
       show2($i, pcall(function() return $v < $i + 1, $v .. 'k' end))
       show2($i, pcall(function() local $t = { [1] = $v } return $t[1].f, #$t[1] end))
       show2($i, pcall(function() return $v & 7, $v // 0 end))
       show2($i, pcall(function() for $j = $v, $i do return $j end end))
     end",
    // Yields through protected calls and iterators.
    "local $co = coroutine.wrap(function($a)
       for $i = 1, 1000 do
         local $ok, $v = pcall(function()
           local $x <close> = closer(0)
           local $r = coroutine.yield($i + $a)
           if $i % 7 == 0 then error('y' .. $i, 0) end
           return $r
         end)
         $a = $ok and $v or $i
         for $k in (function(_, $c) if ($c or 0) < 3 then return coroutine.yield(($c or 0) + 1) end end) do
           $a = $a + $k
           if $k >= 2 then break end
         end
       end
     end)
     for $i = 1, @t do
       local $r = $co($i % 3 + 1)
       if $i % @k == 0 then show($r) end
     end",
    // Uses of what is not there, with the names of what was used.
    "local $t, $u = { a = { b = {} } }, nil
     for $i = 1, @t do
       local $k = ({ 'a', 'zz', 'a', 'a' })[$i % 4 + 1]
       show2($i, pcall(function() return $t[$k].b.c.d end))
       show2($i, pcall(function() return $t.a.b:m($i) end))
       show2($i, pcall(function() $u.x = $i end))
       show2($i, pcall(function() $t[nil] = 1 end))
       show2($i, pcall(function() $t[0/0] = 1 end))
       show2($i, pcall(function() return #$u + 1 end))
       show2($i, pcall(function() return -$t.a end))
       show2($i, pcall(function() return $t.a < $t.a.b end))
       show2($i, pcall(function() return math.floor($k) end))
       show2($i, pcall(function() return ('x'):rep($i, $t) end))
       show2($i, pcall(function() return setmetatable($i, {}) end))
     end",
    // Too deep, and back.
    "local function $r($n) return 1 + $r($n + 1) end
     local $ok, $m = pcall($r, 1)
     show($ok, str($m):match('stack overflow') or str($m))
     local function $w($n) if $n > 300 then return 0 end return $n + select(2, pcall($w, $n + 1)) end
     show(pcall($w, 200))",
];

impl Generator {
    /// A fragment of the lists here or in [`library`], now and then of [`system`]: a program that looks at its own
    /// locals is compiled in another way.
    pub(super) fn idiom(&mut self) -> Node {
        let at = self.random.below(SAFE.len() + FALLIBLE.len() + library::LIBRARY.len());
        let (template, safe) = if self.random.chance(15) {
            (*self.random.pick(&system::SYSTEM), true)
        } else if let Some(&template) = SAFE.get(at) {
            (template, true)
        } else if let Some(&template) = FALLIBLE.get(at - SAFE.len()) {
            (template, false)
        } else {
            (library::LIBRARY[at - SAFE.len() - FALLIBLE.len()], true)
        };
        let body = self.function_scope(|g| {
            g.in_coroutine = false;
            g.protected = false;
            let text = g.fill(template);
            let mut body = tree(&mut text.lines());
            if g.random.chance(30)
                && let Some(at) = body.iter().position(|node| matches!(node, Node::Block(..)))
            {
                let more = g.statement();
                body.insert(at, more);
            }
            body
        });
        if safe && self.random.chance(60) {
            Node::block("do", body, "end")
        } else {
            Node::block("show(pcall(function()", body, "end))")
        }
    }

    fn fill(&mut self, template: &str) -> String {
        let mut names: HashMap<String, String> = HashMap::new();
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['@', '$']) {
            out.push_str(&rest[..at]);
            let name = rest[at..].starts_with('$');
            rest = &rest[at + 1..];
            if name {
                let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
                let fresh = match names.get(&rest[..end]) {
                    Some(known) => known.clone(),
                    None => self.fresh(&rest[..end]),
                };
                out.push_str(&fresh);
                names.insert(rest[..end].to_owned(), fresh);
                rest = &rest[end..];
                continue;
            }
            out.push_str(&match rest.as_bytes()[0] {
                b'i' => self.int(1),
                // Objects among them would make the fragments fail too often.
                b'n' => format!("num({})", self.number(1)),
                b's' => self.string(1),
                b'c' => self.condition(1),
                b'e' => (*self.random.pick(&EDGES)).to_owned(),
                b't' => self.random.between(20, 120).to_string(),
                b'k' => self.random.between(2, 9).to_string(),
                _ => (*self.random.pick(&["+", "-", "*", "|", "&", "~"])).to_owned(),
            });
            rest = &rest[1..];
        }
        out.push_str(rest);
        out
    }

    /// A string variable built in a loop, for what comes later.
    pub(super) fn text_variable(&mut self) -> Node {
        let name = self.fresh("s");
        let (turns, item) = (self.random.between(2, 40), self.int(1));
        let (start, step) =
            (*self.random.pick(&["''", "'ab'", "'1'"]), line("s = s .. k % 7 .. x % 10"));
        self.declare(&name, Kind::String, true);
        let body = vec![
            line(format!("local s, x = {start}, {item}")),
            Node::block(format!("for k = 1, {turns} do"), vec![step], "end"),
            line("return s"),
        ];
        Node::block(format!("local {name} = (function()"), body, "end)()")
    }
}

/// The statements of a text in which blocks begin and end at the ends and starts of lines.
fn tree<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<Node> {
    block(lines).0
}

fn block<'a>(lines: &mut impl Iterator<Item = &'a str>) -> (Vec<Node>, String) {
    let mut nodes = Vec::new();
    while let Some(text) = lines.next() {
        let text = text.trim();
        if ["end", "until"].iter().any(|word| text.starts_with(word)) {
            return (nodes, text.to_owned());
        }
        let function = text.contains("function") && text.ends_with(')') && !text.contains("end");
        if function || [" do", "then", "repeat"].iter().any(|w| text.ends_with(w)) || text == "do" {
            let (body, end) = block(lines);
            nodes.push(Node::block(text, body, end));
        } else {
            nodes.push(line(text));
        }
    }
    (nodes, String::new())
}
