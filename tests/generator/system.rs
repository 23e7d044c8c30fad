//! Fragments about what reaches into the machine: `debug`, `load` and precompiled code, files, limits. See
//! [`super::idiom`].

/// None of them fails on its own.
pub(super) const SYSTEM: [&str; 9] = [
    // Locals of running functions, read and replaced from below.
    "local function $set($n, $v)
       for $j = 1, 20 do
         local $name = debug.getlocal(2, $j)
         if $name == $n then debug.setlocal(2, $j, $v) end
       end
     end
     local function $f($x, $m)
       local $y, $s = $x * 2, 0
       for $i = 1, $m do
         $s = $s + $y
         if $i == $m // 2 then $set('$y', $x * 0.5) end
         if $i == $m - 2 then $set('$y', @i) end
       end
       return $s, $y
     end
     for $k = 1, 3 do show($f($k, @t)) end",
    // Upvalues, read and replaced; their identities.
    "local function $make($v)
       local $u, $w = $v, 0
       local function $read() return $u + $w end
       local function $write($x) $u = $x $w = $w + 1 end
       return $read, $write
     end
     local $r, $w = $make(@i)
     local $q = $make(7)
     for $i = 1, @t do
       $w($i)
       if $i % @k == 0 then
         local $name, $value = debug.getupvalue($r, 1)
         show($name, $value, debug.setupvalue($r, 1, $i * 1.5), $r(), debug.upvalueid($r, 1) == debug.upvalueid($w, 1))
       end
       if $i == 9 then debug.upvaluejoin($q, 1, $r, 1) end
     end
     show($q(), $r(), debug.upvalueid($q, 1) == debug.upvalueid($r, 1))",
    // What frames say of themselves.
    "local function $where($l)
       local $d = debug.getinfo($l, 'Slut')
       return $d.what, $d.nparams, $d.isvararg, $d.nups, $d.istailcall
     end
     local function $f($a, $b, ...)
       local $r = { $where(2) }
       return $r[1], $r[2], $r[3], select('#', ...)
     end
     for $i = 1, @t do
       if $i % @k == 0 then show($f($i, 2, 3)) show($where(2)) show(debug.getinfo(print, 'S').what, debug.getinfo(300) == nil) end
     end",
    // Hooks at calls and returns, set and removed while loops are hot.
    "local $calls, $s = 0, 0
     local function $f($x) return $x + 1 end
     for $i = 1, @t do
       if $i % @k == 0 then debug.sethook(function($e) $calls = $calls + 1 end, 'c') end
       $s = $s + $f($i)
       if $i % @k == 1 then debug.sethook() end
     end
     debug.sethook()
     show($s, $calls > 0, debug.gethook())",
    // Metatables behind `__metatable`, registry, user values.
    "local $t = setmetatable({}, { __metatable = 'kept', __index = function($t, $k) return $k end })
     show(getmetatable($t), type(debug.getmetatable($t)), $t[@i], pcall(setmetatable, $t, {}))
     debug.setmetatable($t, nil)
     show($t[1], type(debug.getregistry()), debug.getuservalue(1, 1), debug.setmetatable(1, debug.getmetatable(1)))
     for $i = 1, @t do
       debug.setmetatable($t, $i % 2 == 0 and { __add = function($a, $b) return $i end } or nil)
       if $i % @k == 0 then show(pcall(function() return $t + 1 end)) end
     end",
    // Precompiled code, run often; with an environment; with a reader that gives pieces.
    "local function $f($a, $b)
       local $s = $b or 0
       for $i = 1, $a do $s = $s + $i * 0.5 end
       return $s, $a // 3, 'text'
     end
     local $chunk, $copies = string.dump($f, @i % 2 == 0), {}
     for $i = 1, @t do
       local $env = { x = $i }
       local $g = load($chunk, 'copy', 'b', $env)
       local $at, $text = 0, 'x = x + ' .. $i .. ' return x'
       local $h = load(function() $at = $at + 1 return $text:sub($at, $at) end, '=pieces', 't', $env)
       if $i % @k == 0 then show($g($i, @n), $h(), $env.x, pcall(load, $chunk, 'no', 't')) end
       $copies[$i] = $g
     end
     show(#$copies, $copies[1](3), load('\\27broken'), load($chunk:sub(1, 30), 'cut', 'b') == nil)",
    // A temporary file, written and read in all ways.
    "local $f <close> = io.tmpfile()
     for $i = 1, @t do
       $f:write($i, ' ', $i * 0.25, ' line ', ('x'):rep($i % 7), '\\n')
       if $i % @k == 0 then $f:seek('set', $i % 11) show($f:read(3), $f:read('l'), $f:read('n')) $f:seek('end') end
     end
     show($f:seek('cur'), $f:seek('set'))
     local $n, $b = 0, 0
     for $l in $f:lines('L') do $n = $n + 1 $b = $b + #$l end
     $f:seek('set')
     show($n, $b, $f:read('n', 'n', 'l'), $f:read(0), #$f:read('a'), $f:read('a'), $f:read('l'), $f:read(0))
     show(io.type($f), $f:setvbuf('full', 16), $f:flush() == $f, io.type(4))
     $f:close()
     show(io.type($f), pcall($f.read, $f))",
    // What is too large is an error that a program may catch, and everything goes on.
    "local $t = {}
     for $i = 1, @t do
       if $i % @k == 0 then
         show(pcall(string.rep, 'x', 1 << 60), pcall(string.rep, 'ab', 1 << 40, ('c'):rep(1 << 10)) == false)
         show(pcall(table.unpack, {}, 1, 1 << 30), pcall(select, -5), pcall(string.format, '%200d', 1))
         show(pcall(table.concat, setmetatable({}, { __len = function() return 1 << 50 end })))
         show(pcall(string.unpack, 's8', ('\\255'):rep(8)), pcall(utf8.char, 1 << 40), pcall(setmetatable({}, { __index = table }).insert, {}, 1 << 50, 1))
       end
       $t[$i] = ('y'):rep($i)
       collectgarbage($i % 3 == 0 and 'step' or 'count')
     end
     show(#$t, #$t[#$t])",
    // Stacks that run out, in functions, metamethods, coroutines and patterns, and are there again.
    "local function $down($n) return 1 + $down($n + 1) end
     local $m = setmetatable({}, { __index = function($t, $k) return $t[$k + 1] end })
     show((pcall($down, 1)), (pcall(function() return $m[1] end)))
     local $co = coroutine.wrap(function() local $ok = pcall($down, 1) coroutine.yield($ok) return pcall(string.find, ('x'):rep(300000), ('(x)'):rep(40)) end)
     show($co(), ($co()))
     local function $nest($n) if $n == 0 then return 0 end return coroutine.wrap(function() return 1 + $nest($n - 1) end)() end
     show($nest(@k), pcall(load, ('('):rep(1000) .. '1' .. (')'):rep(1000)))",
];
