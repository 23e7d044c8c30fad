//! The library through scripts: each row is an expression list and what `print` shows of it.
//! The expectations are what PUC Lua 5.4 answers.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use perilune_runtime::state::Options;
use perilune_runtime::stdlib::{self, LibraryState};
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

/// A writer into shared memory.
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs a chunk; answers what it printed, with the error if it failed.
fn run(source: &str, stress: u32) -> String {
    let mut vm = Vm::new(Options::default());
    stdlib::open_all(&mut vm);
    vm.heap.set_stress(stress, stress != 0);
    let out = Rc::new(RefCell::new(Vec::new()));
    vm.library_state::<LibraryState>().streams.redirect_stdout(Box::new(Sink(Rc::clone(&out))));
    let env = Value::table(vm.globals);
    let loaded = vm.load(source.as_bytes(), b"=t", env);
    let error = match loaded {
        Ok(f) => vm.pcall(f, &[]).err(),
        Err(e) => Some(e),
    };
    let error = error.map(|e| {
        let s = vm.to_display(e).expect("a message");
        // SAFETY: nothing collects before the bytes are copied.
        String::from_utf8_lossy(unsafe { vm.string_bytes(s) }.unwrap()).into_owned()
    });
    stdlib::flush_all(&mut vm);
    let mut text = String::from_utf8_lossy(&out.borrow()).into_owned();
    if let Some(error) = error {
        text.push_str(&error);
    }
    text
}

/// Checks rows of (expressions, printed line), also with a collection at every safepoint.
fn check(rows: &[(&str, &str)]) {
    for (expressions, expected) in rows {
        for stress in [0, 1] {
            assert_eq!(
                run(&format!("print({expressions})"), stress).trim_end_matches('\n'),
                *expected,
                "{expressions}"
            );
        }
    }
}

#[test]
fn base() {
    check(&[
        (
            "type(nil), type(print), pcall(type)",
            "nil\tfunction\tfalse\tbad argument #1 to 'type' (value expected)",
        ),
        (
            "tonumber('  0x10  '), tonumber('10', 2), tonumber('zz', 36), tonumber('8', 8)",
            "16\t2\t1295\tnil",
        ),
        (
            "tonumber('1e1'), tonumber(''), tonumber('1e'), tonumber('  +1Z ', 36)",
            "10.0\tnil\tnil\t71",
        ),
        ("select('#'), select('#', nil, nil), select(2, 'a', 'b', 'c')", "0\t2\tb\tc"),
        ("select(-1, 1, 2, 3)", "3"),
        ("pcall(select, 0)", "false\tbad argument #1 to 'select' (index out of range)"),
        ("rawlen({1, 2}), rawlen('abc'), rawequal('a', 'a'), rawget({5}, 1)", "2\t3\ttrue\t5"),
        ("pcall(rawset, {}, nil, 1)", "false\ttable index is nil"),
        (
            "pcall(setmetatable, {}, 1)",
            "false\tbad argument #2 to 'setmetatable' (nil or table expected, got number)",
        ),
        ("getmetatable(setmetatable({}, {__metatable = 'locked'}))", "locked"),
        (
            "pcall(setmetatable, setmetatable({}, {__metatable = 1}), {})",
            "false\tcannot change a protected metatable",
        ),
        ("pcall(assert, false)", "false\tassertion failed!"),
        ("pcall(assert, nil, {} and 7)", "false\t7"),
        ("next({}), next({10}), pcall(next, {}, 1)", "nil\t1\tfalse\tinvalid key to 'next'"),
        ("load('return 1, ...')(2)", "1\t2"),
        ("load('x', 'n', 'b')", "nil\tattempt to load a text chunk (mode is 'b')"),
        ("load('return x', 'n', 't', {x = 5})()", "5"),
        ("pcall(load(string.dump(function() return 1 + 1 end)))", "true\t2"),
        (
            "load(coroutine.wrap(function() coroutine.yield('return ') coroutine.yield('9') end))()",
            "9",
        ),
        (
            "collectgarbage('isrunning'), collectgarbage('stop'), collectgarbage('isrunning')",
            "true\t0\tfalse",
        ),
        ("tostring(setmetatable({}, {__tostring = function() return 'T' end}))", "T"),
        ("(tostring(setmetatable({}, {__name = 'N'})):gsub('0x%x+', 'P'))", "N: P"),
    ]);
}

#[test]
fn strings() {
    check(&[
        ("('hello'):sub(2, -2), ('abc'):sub(-100, 100), #('x'):rep(0)", "ell\tabc\t0"),
        ("('abc'):byte(1, -1)", "97\t98\t99"),
        (
            "('x'):rep(3, ', '), ('ab'):reverse(), ('Ab'):upper(), ('Ab'):lower()",
            "x, x, x\tba\tAB\tab",
        ),
        ("('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "key\tvalue"),
        (
            "('abc'):find('b', 1, true), ('a.b'):find('.', 2, true), ('abc'):find('c()')",
            "2\t2\t3\t3\t4",
        ),
        ("('one two'):gsub('%w+', '<%0>'), ('abc'):gsub('', '-')", "<one> <two>\t-a-b-c-\t4"),
        (
            "('abc'):gsub('%w', {a = 1, b = true and 'B'}), ('abc'):gsub('b', function() end)",
            "1Bc\tabc\t1",
        ),
        ("('x'):gsub('x', function(c) collectgarbage() return c .. c end)", "xx\t1"),
        ("pcall(string.gsub, 'x', 'x', '%2')", "false\tinvalid capture index %2"),
        ("('%d %5.2f %s %q %x'):format(3, 2.5, {} and 'a', 'q\\n', 255)", "3  2.50 a \"q\\\n\" ff"),
        (
            "pcall(string.format, '%d', 1.5)",
            "false\tbad argument #2 to 'string.format' (number has no integer representation)",
        ),
        ("string.unpack('<i2 z s1', string.pack('<i2 z s1', -2, 'zz', 'abc'))", "-2\tzz\tabc\t10"),
        ("'10' + 1, '3' * '4', -'2', 10 .. 20", "11\t12\t-2\t1020"),
        (
            "pcall(function() return 'a' + 1 end)",
            "false\tt:1: attempt to add a 'string' with a 'number'",
        ),
        ("pcall(string.rep, 'x', 1 << 40)", "false\tresulting string too large"),
        (
            "(function() local t = {} for k, v in ('a=1,b=2'):gmatch('(%w)=(%w)') do t[#t + 1] = v .. k end return table.concat(t) end)()",
            "1a2b",
        ),
        (
            "(function() local t = {} for w in ('a b c'):gmatch('%a') do collectgarbage() t[#t + 1] = w end return #t end)()",
            "3",
        ),
        (
            "utf8.char(228, 8364), utf8.len('ä€'), utf8.codepoint('€'), utf8.offset('ä€', 2)",
            "ä€\t2\t8364\t3",
        ),
        ("utf8.len('\\xff')", "nil\t1"),
    ]);
}

#[test]
fn tables() {
    check(&[
        (
            "table.concat({1, 'b', 2.5}, '-'), table.concat({}, 'x'), table.concat({1, 2, 3}, ',', 2, 3)",
            "1-b-2.5\t\t2,3",
        ),
        ("table.unpack({1, 2, 3}, 2), table.unpack({}, 1, 2)", "2\tnil\tnil"),
        ("table.remove({1, 2, 3}, 1), table.remove({}), #table.pack(1, nil, 3)", "1\tnil\t3"),
        ("table.concat(table.move({1, 2, 3}, 1, 3, 2))", "1123"),
        ("table.concat(table.move({1, 2, 3}, 2, 3, 1))", "233"),
        (
            "pcall(table.insert, {1}, 5, 2)",
            "false\tbad argument #2 to 'table.insert' (position out of bounds)",
        ),
        (
            "(function() local t = {5, 2, 9} table.sort(t) return table.concat(t, ' ') end)()",
            "2 5 9",
        ),
        (
            "(function() local t = {} for i = 1, 300 do t[i] = i * 7 % 307 end table.sort(t, function(a, b) collectgarbage('step') return a > b end) for i = 2, 300 do assert(t[i] < t[i - 1]) end return #t end)()",
            "300",
        ),
        (
            "pcall(table.sort, {1, 2, 3, 4, 5}, function() return true end)",
            "false\tinvalid order function for sorting",
        ),
        ("pcall(table.sort, {1, 'x'})", "false\tattempt to compare string with number"),
        (
            "(function() local p = setmetatable({}, {__index = function(_, i) return i <= 3 and i * 10 or nil end, __len = function() return 3 end}) return table.concat(p, ' ') .. ' ' .. select('#', table.unpack(p)) end)()",
            "10 20 30 3",
        ),
    ]);
}

#[test]
fn mathematics() {
    check(&[
        (
            "math.floor(-3.5), math.ceil(-3.5), math.floor(1e300) == 1e300, math.abs(math.mininteger)",
            "-4\t-3\ttrue\t-9223372036854775808",
        ),
        (
            "math.fmod(-6, 4), math.fmod(5.5, 2), pcall(math.fmod, 1, 0)",
            "-2\t1.5\tfalse\tbad argument #2 to 'math.fmod' (zero)",
        ),
        (
            "math.max(1, 2.5), math.min(2, 1), math.max(3, 3.0), pcall(math.max)",
            "2.5\t1\t3\tfalse\tbad argument #1 to 'math.max' (value expected)",
        ),
        (
            "math.tointeger(3.0), math.tointeger('8'), math.tointeger(3.5), math.type(1), math.type(1.0)",
            "3\t8\tnil\tinteger\tfloat",
        ),
        (
            "math.ult(1, -1), math.log(8, 2), math.log(100, 10), math.sqrt(16), math.pi",
            "true\t3.0\t2.0\t4.0\t3.1415926535898",
        ),
        ("math.frexp(10), math.ldexp(0.625, 4), math.pow(2, 10)", "0.625\t10.0\t1024.0"),
        ("math.ldexp(1, -1074) > 0, math.ldexp(1, -1080), math.ldexp(1, 2000)", "true\t0.0\tinf"),
        (
            "(function() math.randomseed(42) return math.random(1, 100), math.random(0) end)()",
            "50\t-8358531260401861301",
        ),
        ("pcall(math.random, 2, 1)", "false\tbad argument #1 to 'math.random' (interval is empty)"),
    ]);
}

#[test]
fn files_and_system() {
    check(&[
        (
            "io.type(io.stdout), io.type(3), io.open('/nonexistent/x')",
            "file\tnil\tnil\t/nonexistent/x: No such file or directory\t2",
        ),
        (
            "(function() local f = io.tmpfile() f:write('12 0x1p4\\nline\\nrest') f:seek('set') local a, b = f:read('n', 'n') return a, b, f:read('l', 'L', 'a') end)()",
            "12\t16.0\t\tline\n\trest",
        ),
        (
            "(function() local f = io.tmpfile() f:write('a\\nb\\n') f:seek('set') local t = {} for l in f:lines() do t[#t + 1] = l end return #t, t[2], f:close(), io.type(f), tostring(f) end)()",
            "2\tb\ttrue\tclosed file\tfile (closed)",
        ),
        (
            "pcall(io.lines, '/nonexistent')",
            "false\tcannot open file '/nonexistent' (No such file or directory)",
        ),
        (
            "os.time({year = 2000, month = 1, day = 1, hour = 12}) - os.time({year = 2000, month = 1, day = 0, hour = 12})",
            "86400",
        ),
        ("pcall(os.time, {year = 2000})", "false\tfield 'month' missing in date table"),
        ("os.date('!%Y-%m-%d %H:%M:%S', 0), os.date('!*t', 86400).day", "1970-01-01 00:00:00\t2"),
        ("os.getenv('NO_SUCH_VARIABLE_HERE'), os.setlocale(), os.setlocale('xx')", "nil\tC\tnil"),
        ("type(os.clock()), os.difftime(5, 3)", "number\t2.0"),
        (
            "package.searchpath('x.y', './?.none;./?/none')",
            "nil\tno file './x/y.none'\n\tno file './x/y/none'",
        ),
        (
            "(function() package.preload.m = function(n, x) return n .. x end return require('m') end)()",
            "m:preload:\t:preload:",
        ),
        (
            "package.loadlib('x', 'y')",
            "nil\tdynamic libraries not enabled; check your Lua installation\tabsent",
        ),
    ]);
}

#[test]
fn debugging() {
    check(&[
        (
            "debug.getinfo(1, 'l').currentline, debug.getinfo(print).what, debug.getinfo(99)",
            "1\tC\tnil",
        ),
        ("(function(a, b) local c = 3 return debug.getlocal(1, 2) end)(1, 2)", "b\t2"),
        ("debug.getlocal(function(x, y) end, 2), debug.getlocal(print, 1)", "y\tnil"),
        ("(function(...) return debug.getlocal(1, -2) end)(7, 8)", "(vararg)\t8"),
        (
            "(function() local u = 1 local f = function() return u end debug.setupvalue(f, 1, 9) return debug.getupvalue(f, 1), f(), u end)()",
            "u\t9\t9",
        ),
        (
            "pcall(debug.upvaluejoin, print, 1, print, 1)",
            "false\tbad argument #2 to 'debug.upvaluejoin' (invalid upvalue index)",
        ),
        (
            "(function() local n = 0 debug.sethook(function() n = n + 1 end, 'l') local x = 1\nx = 2\nx = 3 debug.sethook() return n, debug.gethook() end)()",
            "2\tnil",
        ),
        ("#debug.traceback('m', 1):match('^m\\nstack traceback:\\n\\t')", "20"),
        (
            "debug.traceback({} and nil, 99), debug.traceback(12)",
            "stack traceback:\t12\nstack traceback:\n\tt:1: in main chunk",
        ),
        (
            "debug.getuservalue(io.stdout, 1), pcall(debug.setuservalue, 1, 2)",
            "nil\tfalse\tbad argument #1 to 'debug.setuservalue' (userdata expected, got number)",
        ),
    ]);
}
