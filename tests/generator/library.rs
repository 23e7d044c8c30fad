//! Fragments about the library: strings, patterns, tables. See [`super::idiom`].

/// None of them fails on its own.
pub(super) const LIBRARY: [&str; 9] = [
    // Bytes and parts of strings.
    "local $s = @s .. 'abcdefghij'
     local $h = 7
     for $i = 1, @t do
       local $c = $s:byte($i % #$s + 1)
       $h = ($h * 33 + $c) & 0xffffffff
       if $s:sub($i % 5 + 1, -$i % 4) == 'b' then $h = $h + 1 end
       $s = cut($s .. string.char(97 + $h % 26))
       if $i % @k == 0 then show($s, #$s, $s:sub(-3), $s:upper():lower() == $s, $s:reverse():sub(1, 4), ('x'):rep($i % 4, ',')) end
     end
     show($h, $s:len(), $s:byte(1, 3))",
    // Patterns with all sorts of items.
    "local $s = 'key=' .. @i .. ', two = [x(y)z], 12.5e3 \\'q\\' %d' .. @s
     for $i = 1, @t do
       local $n = 0
       for $k, $v in $s:gmatch('(%w+)%s*=%s*([^,]*)') do $n = $n + #$k * #$v end
       local $a, $b, $c = $s:find('(%d+)', $i % 9 + 1)
       local $r, $m = $s:gsub('%a', { k = 'K', e = false, t = 1 }, $i % 5)
       local $q = $s:gsub('(%w)(%w*)', function($x, $y) if #$y > 1 then return $y .. $x end end)
       if $i % @k == 0 then
         show($n, $a, $b, $c, $r, $m, $q)
         show($s:match('%b[]'), $s:match('%f[%d]%d+'), $s:find('%', 1, true), $s:gsub('%s+', '%%'), $s:match('^(.-),'))
       end
     end",
    // Formats.
    "for $i = 1, @t do
       local $x = $i * 0.37
       local $f = string.format('%d|%5.2f|%x|%s|%q|%-5d|%+d|%g|%i|%c|%%|%5s', $i, $x, $i * 255, $i, 'a\\n' .. $i, $i, -$i, $x * 1e10, 3.0, 65 + $i % 26, @k)
       if $i % @k == 0 then show($f, tostring($x), tostring($i / 2), $i // 0.5, 2^$i % 1e15) end
     end",
    // Sorting, by several orders.
    "local $t = {}
     for $i = 1, @t do $t[$i] = ($i * 7919 + @i) % 101 end
     table.sort($t)
     local $ok = true
     for $i = 2, #$t do $ok = $ok and $t[$i - 1] <= $t[$i] end
     table.sort($t, function($a, $b) if $a % 10 ~= $b % 10 then return $a % 10 < $b % 10 end return $a > $b end)
     show($ok, $t[1], $t[2], $t[#$t], #$t)
     local $w = {}
     for $i = 1, #$t do $w[$i] = 's' .. $t[$i] % 30 end
     table.sort($w)
     show($w[1], $w[#$w // 2 + 1], $w[#$w])
     local $m = {}
     for $i = 1, #$t do $m[$i] = $i % 2 == 0 and $t[$i] or $t[$i] + 0.5 end
     table.sort($m, function($a, $b) return $a > $b end)
     show($m[1], $m[#$m])",
    // insert, remove, concat, unpack, move.
    "local $t = {}
     for $i = 1, @t do
       table.insert($t, $i % (#$t + 1) + 1, $i)
       if $i % 3 == 0 then table.insert($t, $i * 0.5) end
       if $i % 4 == 0 then local $x = table.remove($t, 1) if $i % @k == 0 then show($x, #$t) end end
       if $i % 7 == 0 then table.remove($t) end
       if $i % @k == 0 then
         show(table.concat($t, ',', 1, math.min(#$t, 6)), select('#', table.unpack($t, 1, 4)), table.unpack($t, #$t))
         local $m = table.move($t, 1, math.min(3, #$t), 2, {})
         show($m[1], $m[2], $m[3], #table.pack(table.unpack($m, 2, 4)))
       end
     end
     show(#$t, table.concat($t, ' ', math.max(#$t, 1)))",
    // Words counted: strings as keys.
    "local $count, $n = {}, 0
     for $i = 1, @t * 2 do
       local $w = 'w' .. ($i * $i + @k) % 11
       $count[$w] = ($count[$w] or 0) + 1
       if $i % 17 == 0 then $count[$w] = nil end
     end
     for $k, $v in pairs($count) do $n = $n + $v * #$k end
     show($n, $count.w1, $count['w' .. 5])",
    // Numbers as text and back, of every sort.
    "for $i = 1, @t do
       local $a, $b = tostring($i * 1.5e10), string.format('%a', $i / 3)
       local $c = tonumber($a) == $i * 1.5e10 and tonumber($b) == $i / 3
       if $i % @k == 0 then
         show($a, $c, tonumber('z' .. $i, 36), tonumber(' 0x1p4 '), tonumber('1e'), tonumber('0x'), math.tointeger('8'), tonumber($i .. 'e1'))
         show(math.floor(-$i / 3), math.ceil($i / 7), math.fmod(-$i, 3), math.abs(-$i), $i % -4, -$i // 4.0, math.max($i, 2.5), math.type($i / 1))
       end
     end",
    // string.pack, utf8.
    "local $s = ''
     for $i = 1, @t do
       local $p = string.pack('<i4>d s1z', $i, $i / 2, 'ab', 'c' .. $i)
       local $a, $b, $c, $d, $e = string.unpack('<i4>d s1z', $p)
       if $a ~= $i or $b ~= $i / 2 or $e ~= #$p + 1 then show('unpack', $a, $b, $c, $d, $e) end
       $s = utf8.char($i * 37, 65, $i + 1000)
       local $n = 0
       for $at, $code in utf8.codes($s) do $n = $n + $at * $code end
       if $i % @k == 0 then show($n, utf8.len($s), utf8.codepoint($s, 1), utf8.offset($s, 2), #$p) end
     end",
    // load, with code that gets hot and is dropped.
    "for $i = 1, @t do
       local $f = load('local a, b = ... local s = 0 for i = 1, ' .. $i % 9 .. ' do s = s + a * i ' .. ($i % 2 == 0 and '+ b' or '- b') .. ' end return s, G3')
       G3 = $i
       if $i % @k == 0 then show($f($i, 0.5), $f(@i, 1)) end
     end
     show(load('return +'), load(function() return nil end)())",
];
