//! Native stacks: whatever stack the host stands on, and however deep, Lua runs, or throws.

mod harness;

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult};
use perilune::{Error, Function, JitOptions, Lua, LuaOptions, StdLib, Table, Thread, Value};

/// Recursion through every door that leads from Lua through Rust into Lua, without end; and programs that
/// need native stack otherwise. Each yields an error's message, or the text that follows.
const DOORS: &[(&str, &str, &str)] = &[
    ("plain", "local function f() return 1 + f() end f()", "stack overflow"),
    (
        "index",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. 'x'] end return t.a",
        "overflow",
    ),
    (
        "add",
        "local t = setmetatable({}, {}) getmetatable(t).__add = function(a, b) return a + b end return t + t",
        "overflow",
    ),
    (
        "concat",
        "local t = setmetatable({}, {}) getmetatable(t).__concat = function(a, b) return a .. b end return t .. t",
        "overflow",
    ),
    (
        "eq",
        "local m = {} local a, b = setmetatable({}, m), setmetatable({}, m) m.__eq = function(a, b) return a == b end return a == b",
        "overflow",
    ),
    (
        "call",
        "local t = setmetatable({}, {}) getmetatable(t).__call = function(self) return 1 + self() end return t()",
        "overflow",
    ),
    (
        "close",
        "local function f() local c <close> = setmetatable({}, { __close = function() f() end }) end f()",
        "overflow",
    ),
    ("pcall", "local function f() local ok, e = pcall(f) error(e, 0) end f()", "overflow"),
    (
        "xpcall",
        "local function f() local ok, e = xpcall(f, function(e) return e end) error(e, 0) end f()",
        "overflow",
    ),
    (
        "handler",
        "local function f() error('x') end local _, e = xpcall(f, function() f() end) error(e, 0)",
        "error",
    ),
    (
        "sort",
        "local function f() table.sort({ 3, 2, 1 }, function(a, b) f() return a < b end) end f()",
        "overflow",
    ),
    ("gsub", "local function f() return (('x'):gsub('.', f)) end f()", "overflow"),
    (
        "tostring",
        "local t = setmetatable({}, { __tostring = function(t) return tostring(t) end }) tostring(t)",
        "overflow",
    ),
    (
        "load",
        "local function f() return load('return ...', 'x', 't', {})(load(function() f() end)) end f()",
        "",
    ),
    (
        "require",
        "package.preload.m = function() package.loaded.m = nil return require('m') end require('m')",
        "overflow",
    ),
    (
        "coroutine",
        "local function f() local ok, e = coroutine.resume(coroutine.create(f)) error(e, 0) end f()",
        "overflow",
    ),
    ("wrap", "local function f() return coroutine.wrap(f)() end f()", "overflow"),
    ("iterator", "local function f() for x in coroutine.wrap(f) do end end f()", "overflow"),
    ("pattern", "return ('a'):rep(300000):find(('a?'):rep(250000) .. 'b')", "too complex"),
    ("captures", "return ('a'):rep(100):match(('('):rep(31) .. 'a' .. (')'):rep(31))", ""),
    ("brackets", "return load('return ' .. ('('):rep(100000))", ""),
    ("tables", "return load('return ' .. ('{'):rep(100000))", ""),
    ("functions", "return load(('function f() '):rep(100000))", ""),
    ("chain", "return load('return a' .. ('.b'):rep(100000))", ""),
    ("powers", "return load('return 1' .. ('^1'):rep(100000))", ""),
    ("nested tables", "local t = {} for i = 1, 1e5 do t = { t } end t = nil collectgarbage()", ""),
    (
        "rope",
        "local s = '' for i = 1, 1e5 do s = s .. 'some text that is long enough' end return #s",
        "",
    ),
];

/// Runs all doors on a state of its own, alone and compiled, in a coroutine or not.
fn all_doors(jit: JitOptions) {
    let lua = with_jit(jit);
    run_doors(&lua);
}

fn with_jit(jit: JitOptions) -> Lua {
    Lua::new_with(StdLib::ALL, LuaOptions { jit, ..LuaOptions::default() }).unwrap()
}

fn run_doors(lua: &Lua) {
    for (name, code, expected) in DOORS {
        for coroutine in [false, true] {
            let f: Function = lua.load(*code).into_function().unwrap();
            let result = if coroutine {
                lua.create_thread(f).unwrap().resume::<Value>(())
            } else {
                f.call::<Value>(())
            };
            match result {
                Ok(_) => assert_eq!(*expected, "", "{name}: no error"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(!expected.is_empty() && text.contains(expected), "{name}: {text:.200}");
                }
            }
        }
    }
    assert_eq!(lua.load("1 + 1").eval::<i64>().unwrap(), 2);
}

fn interpreted() -> JitOptions {
    JitOptions { enabled: false, ..JitOptions::default() }
}

fn eager() -> JitOptions {
    JitOptions { threshold: 1, ..JitOptions::default() }
}

/// On a new thread with a stack of this size.
fn on_thread<R: Send + 'static>(size: usize, body: impl FnOnce() -> R + Send + 'static) -> R {
    std::thread::Builder::new().stack_size(size).spawn(body).unwrap().join().unwrap()
}

/// On somebody else's stack of this size.
fn on_foreign<R: 'static>(size: usize, body: impl FnOnce() -> R + 'static) -> R {
    let stack = DefaultStack::new(size).unwrap();
    let mut coroutine = Coroutine::<(), (), R, _>::with_stack(stack, |_, ()| body());
    match coroutine.resume(()) {
        CoroutineResult::Return(result) => result,
        CoroutineResult::Yield(()) => unreachable!(),
    }
}

/// Recurses until so many bytes of stack are used.
fn deep<R>(bytes: usize, body: impl FnOnce() -> R) -> R {
    #[inline(never)]
    fn down(end: usize, body: &mut dyn FnMut()) {
        let frame = black_box([0u8; 1024]);
        if (frame.as_ptr() as usize) < end {
            body()
        } else {
            down(end, body)
        }
        black_box(frame);
    }
    let (here, mut body, mut result) = (0u8, Some(body), None);
    let end = black_box(&raw const here) as usize - bytes;
    down(end, &mut || result = body.take().map(|body| body()));
    result.unwrap()
}

#[test]
fn every_door_on_a_thread() {
    for size in [2 << 20, 16 << 20] {
        on_thread(size, || all_doors(interpreted()));
        on_thread(size, || all_doors(eager()));
    }
}

#[test]
fn every_door_on_a_small_thread() {
    for size in [64 << 10, 256 << 10, 700 << 10] {
        on_thread(size, || all_doors(interpreted()));
        on_thread(size, || all_doors(eager()));
    }
}

#[test]
fn every_door_deep_in_the_host() {
    on_thread(2 << 20, || {
        let lua = Lua::new();
        for bytes in [500 << 10, 1 << 20, 1600 << 10] {
            deep(bytes, || run_doors(&lua));
        }
    });
}

#[test]
fn every_door_on_a_foreign_stack() {
    for jit in [interpreted(), eager()] {
        let lua = with_jit(jit);
        let same = lua.clone();
        on_foreign(64 << 10, move || run_doors(&same));
        run_doors(&lua);
    }
    on_foreign(64 << 10, || all_doors(eager()));
}

#[test]
fn a_state_made_deep_is_used_above_and_below() {
    on_thread(8 << 20, || {
        let lua = deep(7 << 20, Lua::new);
        run_doors(&lua);
        deep(6 << 20, || run_doors(&lua));
        deep(7 << 20, || run_doors(&lua));
        on_foreign(32 << 10, move || assert_eq!(lua.load("1").eval::<i64>().unwrap(), 1));
    });
}

/// The host recurses through Lua, with large frames.
#[test]
fn recursion_through_the_host() {
    let run = || {
        let lua = Lua::new();
        let f = lua
            .create_function(|lua, f: Function| {
                deep(32 << 10, || {
                    lua.globals().set("depth", lua.globals().get::<i64>("depth")? + 1)
                })?;
                deep(32 << 10, || f.call::<Value>(&f))
            })
            .unwrap();
        for in_coroutine in [false, true] {
            lua.globals().set("depth", 0).unwrap();
            let error = if in_coroutine {
                let f = f.clone();
                let body: Function = lua.load("function(f) return f(f) end").eval().unwrap();
                lua.create_thread(body).unwrap().resume::<Value>(f).unwrap_err()
            } else {
                f.call::<Value>(&f).unwrap_err()
            };
            assert!(error.to_string().contains("stack overflow"), "{error}");
            assert!(lua.globals().get::<i64>("depth").unwrap() > 50);
        }
    };
    run();
    on_thread(64 << 10, run);
    on_thread(1 << 20, run);
    on_foreign(1 << 20, run);
}

/// Twenty thousand coroutines are alive, each in a host function with a large frame.
#[test]
fn many_coroutines_in_host_functions() {
    let lua = Lua::new();
    let f = lua
        .create_function(|_, f: Function| {
            let mut frame = black_box([1u8; 64 << 10]);
            let got = f.call::<i64>(())?;
            frame[got as usize % 16 * (4 << 10)] += 1;
            Ok(black_box(frame).iter().step_by(4 << 10).map(|&b| i64::from(b)).sum::<i64>())
        })
        .unwrap();
    lua.globals().set("f", f).unwrap();
    let threads: Vec<Thread> = (0..20_000)
        .map(|_| {
            let body: Function = lua.load("return f(coroutine.yield)").into_function().unwrap();
            lua.create_thread(body).unwrap()
        })
        .collect();
    for thread in &threads {
        thread.resume::<()>(()).unwrap();
    }
    for (i, thread) in threads.iter().enumerate() {
        assert_eq!(thread.resume::<i64>(i as i64).unwrap(), 17);
    }
}

/// What a host function finds on a coroutine's stack when Lua has used all that it may.
#[test]
fn a_host_function_has_room_at_the_end_of_a_coroutine() {
    for jit in [interpreted(), eager()] {
        let lua = with_jit(jit);
        let f = lua.create_function(|_, ()| Ok(deep(380 << 10, || 1))).unwrap();
        lua.globals().set("f", f).unwrap();
        lua.load(
            "local function down(n) f() if n == 0 then return 0 end return 1 + down(n - 1) end
             print = nil
             assert(coroutine.wrap(function() return down(20000) end)() == 20000)
             local function through(n) f() local ok, e = pcall(through, n + 1) if not ok then error(e, 0) end end
             local ok, e = coroutine.resume(coroutine.create(through), 1)
             assert(not ok and e:find('overflow'), e)",
        )
        .exec()
        .unwrap();
    }
}

#[test]
fn host_functions_on_the_threads_own_stack() {
    let run = || {
        let lua = Lua::new();
        let f = lua
            .create_function(|lua, f: Option<Function>| {
                lua.on_thread_stack(|| {
                    deep(4 << 20, || match f {
                        Some(f) => f.call::<i64>(()),
                        None => Ok(1),
                    })
                })
            })
            .unwrap();
        lua.globals().set("f", f).unwrap();
        lua.load(
            "local function inside(body) return coroutine.wrap(function() return coroutine.wrap(body)() end)() end
             assert(f() == 1 and inside(f) == 1)
             assert(f(function() return 5 end) == 5)
             -- Lua on the thread's stack, a coroutine from there, and back to the thread's stack.
             assert(inside(function() return f(function() return inside(f) + 1 end) end) == 2)
             -- Nothing may yield across it; coroutines within it may.
             inside(function()
                 local ok, e = pcall(f, coroutine.yield)
                 assert(not ok and e:find('attempt to yield across a C%-call boundary', 1), e)
                 assert(f(function()
                     local co = coroutine.wrap(function() coroutine.yield(1) coroutine.yield(2) end)
                     return co() + co()
                 end) == 3)
             end)
             -- Errors pass.
             local ok, e = pcall(inside, function() f(function() error('oops', 0) end) end)
             assert(not ok and tostring(e):find('oops'), e)
             local co = coroutine.wrap(function() f() coroutine.yield(7) return f() end)
             assert(co() == 7 and co() == 1)",
        )
        .exec()
        .unwrap();
    };
    on_thread(64 << 20, run);
    // Lua runs on stacks of its own there; the thread's is the host's that called.
    on_thread(64 << 20, move || on_foreign(32 << 20, run));
}

#[test]
fn panics_pass_switches_of_stacks() {
    on_thread(64 << 10, || {
        let lua = Lua::new();
        let f = lua
            .create_function(|lua, ()| {
                lua.on_thread_stack(|| -> perilune::Result<()> { panic!("mine") })
            })
            .unwrap();
        lua.globals().set("f", f).unwrap();
        for code in ["f()", "coroutine.wrap(f)()", "pcall(coroutine.wrap(function() pcall(f) end))"]
        {
            let panic = catch_unwind(AssertUnwindSafe(|| lua.load(code).exec())).unwrap_err();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"mine"));
            assert_eq!(lua.load("1 + 1").eval::<i64>().unwrap(), 2);
        }
    });
}

/// A generator of the host's stands in the middle of a call into Lua while Lua goes on elsewhere.
#[test]
fn a_foreign_generator_within_a_call() {
    let lua = Lua::new();
    let same = lua.clone();
    let mut generator = Coroutine::<(), i64, (), _>::with_stack(
        DefaultStack::new(64 << 10).unwrap(),
        move |yielder, ()| {
            for i in 1..=3 {
                yielder.suspend(same.load("return ... * 2").call::<i64>(i).unwrap());
            }
        },
    );
    let mut sum = 0;
    while let CoroutineResult::Yield(i) = generator.resume(()) {
        sum += lua.load("return ... + 1").call::<i64>(i).unwrap();
    }
    assert_eq!(sum, 15);
}

/// The first thread's stack, of which the shell decides.
#[cfg(target_os = "linux")]
#[test]
fn the_first_threads_stack_may_be_small_or_endless() {
    let doors: Vec<String> = DOORS
        .iter()
        .map(|(name, code, expected)| {
            format!("{{ '{name}', function() {code} end, '{expected}' }}")
        })
        .collect();
    let text = format!(
        "local function thread(f) return coroutine.resume(coroutine.create(f)) end
         for _, door in ipairs {{ {} }} do
             local name, body, expected = table.unpack(door)
             io.stderr:write(name, ' ')
             for _, run in ipairs {{ pcall, thread }} do
                 local ok, e = run(body)
                 assert(ok == (expected == '') and (ok or tostring(e):find(expected, 1, true)), e)
             end
         end",
        doors.join(",\n")
    );
    let file = std::env::temp_dir().join(format!("perilune-doors-{}.lua", std::process::id()));
    std::fs::write(&file, text).unwrap();
    for options in ["--no-jit", "--jit-threshold=1"] {
        for size in ["256", "2048", "unlimited"] {
            let output = std::process::Command::new("sh")
                .arg("-c")
                .arg(format!("ulimit -S -s {size} && exec \"$0\" \"$@\""))
                .arg(env!("CARGO_BIN_EXE_perilune"))
                .arg(options)
                .arg(&file)
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "{size} {options}: {:?} {stderr:.2000}",
                output.status
            );
        }
    }
    std::fs::remove_file(&file).unwrap();
}

/// Errors of the host and its values cross between stacks.
#[test]
fn results_and_errors_cross() {
    on_thread(64 << 10, || {
        let lua = Lua::new();
        let t: Table = lua.load("{ 1, 2, 3 }").eval().unwrap();
        assert_eq!(t.len().unwrap(), 3);
        let error = lua.load("error('mine', 0)").exec().unwrap_err();
        assert!(error.to_string().contains("mine"));
        let f =
            lua.create_function(|_, ()| -> perilune::Result<()> { Err(Error::runtime("host")) });
        assert!(f.unwrap().call::<()>(()).unwrap_err().to_string().contains("host"));
        let co: Function = lua
            .load("coroutine.wrap(function(a) while true do a = coroutine.yield(a + 1) end end)")
            .eval()
            .unwrap();
        for i in 0..1000 {
            assert_eq!(co.call::<i64>(i).unwrap(), i + 1);
        }
    });
}

/// Every allocation collects, and the heap is checked each time: also while a stack overflows.
#[test]
fn an_overflow_under_stress_with_verification() {
    for jit in [interpreted(), eager()] {
        let lua = with_jit(jit);
        lua.gc_stress(1, true);
        let f: Function = lua
            .load("local function f(n) local t = { n } return 1 + f(n + 1) + #t end return f")
            .eval()
            .unwrap();
        for in_coroutine in [false, true] {
            let result = if in_coroutine {
                lua.create_thread(f.clone()).unwrap().resume::<Value>(1)
            } else {
                f.call::<Value>(1)
            };
            assert!(result.unwrap_err().to_string().contains("stack overflow"));
        }
    }
}

/// How deep coroutines can be nested. PUC Lua counts the call of an iterator, too; here a generic loop calls
/// it without recursion, so that only coroutines count.
#[test]
fn nesting_of_coroutines() {
    let source = "local function levels(body)
            local n = 0
            local function f() n = n + 1 return body(f) end
            pcall(f)
            return n
        end
        print(levels(function(f) coroutine.wrap(f)() end),
            levels(function(f) for _ in coroutine.wrap(f) do end end))";
    let file = std::env::temp_dir().join(format!("perilune-nesting-{}.lua", std::process::id()));
    std::fs::write(&file, source).unwrap();
    let run = |program: &std::path::Path, options: &[&str]| {
        let args = [file.to_str().unwrap()];
        harness::run(program, harness::root(), options, &args).stdout
    };
    for options in [["--no-jit"], ["--jit-threshold=1"]] {
        assert_eq!(run(harness::perilune(), &options), "197\t197\n");
    }
    if let Some(reference) = harness::reference() {
        // The exact figures are those of a release.
        let text = run(reference, &[]);
        let counts: Vec<i64> = text.split_whitespace().map(|n| n.parse().unwrap()).collect();
        assert!(counts[0] > 190 && (95..105).contains(&counts[1]), "{text}");
    }
    std::fs::remove_file(&file).unwrap();
}
