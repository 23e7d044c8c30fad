//! Lua programs under the tier with the test builder: entries, calls, polls, exits, errors.

use perilune_runtime::call::{native_pcall, native_xpcall};
use perilune_runtime::state;
use perilune_runtime::stop::STOP;
use perilune_runtime::value::Value;
use perilune_runtime::vm::{Args, POLL_INTERRUPT, Poll, Throw, Vm};

use crate::options::Options;
use crate::stats::Stats;
use crate::tier::Jit;

fn error(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    Err(vm.throw(args.get(1)))
}

fn select(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    if args.get(1).is_string() {
        return args.ret1(Value::small_int(args.count() as i64 - 1));
    }
    let n = args.check_int(vm, 1)? as usize;
    args.ret_args_from(vm, n + 1)
}

fn native_depth(_: &mut Vm, args: Args) -> Result<u32, Throw> {
    args.ret1(Value::small_int(perilune_runtime::call::native_position() as i64))
}

fn collect(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    perilune_runtime::heap::control::collect(vm);
    args.ret0()
}

/// Runs a program that returns integers.
fn run(options: Options, stress: u32, source: &str) -> (Vec<i64>, Stats) {
    crate::build::FAKE.set(Some(crate::baseline::build));
    let mut vm = Vm::new(state::Options::default());
    let vm = &mut *vm;
    Jit::install(vm, options);
    if stress > 0 {
        vm.heap.set_stress(stress, true);
    }
    let globals = vm.globals;
    vm.register(
        globals,
        &[
            ("pcall", native_pcall, 0),
            ("xpcall", native_xpcall, 0),
            ("error", error, 0),
            ("select", select, 0),
            ("native_depth", native_depth, 0),
            ("collect", collect, 0),
        ],
    );
    let f = vm.load(source.as_bytes(), b"=test", Value::table(globals)).expect("loads");
    let results = match vm.pcall(f, &[]) {
        Ok(results) => results.slice().iter().map(|v| v.as_int().expect("integer")).collect(),
        Err(e) => {
            let text = vm.to_display(e).expect("text");
            // SAFETY: just made.
            let text = unsafe { vm.string_bytes(text) }.unwrap();
            panic!("{}", String::from_utf8_lossy(text));
        }
    };
    assert_eq!(vm.entry_sp, 0);
    let jit = Jit::of(vm);
    assert_eq!(jit.depth.get(), 0);
    (results, jit.stats())
}

fn at_once() -> Options {
    Options { threshold: 1, ..Options::default() }
}

/// Runs in several ways; the results must be these.
fn check(source: &str, expected: &[i64]) -> Stats {
    let off = Options { enabled: false, ..Options::default() };
    assert_eq!(run(off, 0, source).0, expected, "interpreted");
    let later = Options { threshold: 5, ..Options::default() };
    assert_eq!(run(later, 0, source).0, expected, "threshold 5");
    let (results, stats) = run(at_once(), 0, source);
    assert_eq!(results, expected, "threshold 1");
    stats
}

#[test]
fn recursion_and_calls() {
    let stats = check(
        "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
         local function ack(m, n)
           if m == 0 then return n + 1 end
           if n == 0 then return ack(m - 1, 1) end
           return ack(m - 1, ack(m, n - 1))
         end
         return fib(18), ack(2, 9)",
        &[2584, 21],
    );
    assert!(stats.functions >= 3, "{stats:?}");
}

#[test]
fn loops_enter_in_the_middle() {
    let stats = check(
        "local s = 0
         for i = 1, 1000 do s = s + i end
         local i = 0
         while i < 1000 do i = i + 1; if i % 3 == 0 then goto on end; s = s + 1; ::on:: end
         repeat i = i - 1 until i == 0
         for i = 1.0, 3.0 do s = s + i // 1 | 0 end
         return s, i",
        &[501_173, 0],
    );
    assert!(stats.functions + stats.loops >= 1, "{stats:?}");
}

#[test]
fn varargs_results_and_closures() {
    check(
        "local function sum(...)
           local s = 0
           for i = 1, select('#', ...) do s = s + (select(i, ...)) end
           return s, ...
         end
         local function counter() local n = 0; return function() n = n + 1; return n end end
         local a, b, c
         for i = 1, 20 do a, b, c = sum(i, 2, 3) end
         local up = counter()
         for i = 1, 20 do up() end
         local t = {}
         for i = 1, 20 do t[#t + 1] = function() return i end end
         local function none() end
         local x, y = none()
         local function many() return 1, 2, 3 end
         local p, q, r, s = many()
         return a, b, c, up(), t[7](), #{sum(1, 2)}, x == nil and y == nil and 1 or 0, p, q, r, s == nil and 1 or 0",
        &[25, 20, 2, 21, 7, 3, 1, 1, 2, 3, 1],
    );
}

#[test]
fn errors_cross_all_tiers() {
    check(
        "local depth = 0
         local function thrower(n) depth = depth + 1; if n == 0 then error(42) end; return (thrower(n - 1)) end
         local caught = 0
         for i = 1, 50 do
           local ok, e = pcall(thrower, i % 7)
           if not ok then caught = caught + e end
         end
         local function index(t) return t.x.y end
         local bad = 0
         for i = 1, 20 do if not pcall(index, {}) then bad = bad + 1 end end
         local function nested() local ok, e = pcall(error, 7); error(e + 1) end
         local total = 0
         for i = 1, 20 do local ok, e = pcall(nested); total = total + e end
         return caught, bad, total, depth",
        &[2100, 20, 160, 198],
    );
}

#[test]
fn close_variables_on_the_way_out() {
    check(
        "local log = 0
         local mt = {}
         setmt = function(t) return t end
         local function f(fail)
           local up
           do local v = 5; up = function() return v end end
           if fail then error(1) end
           return up()
         end
         local s = 0
         for i = 1, 30 do local ok, v = pcall(f, i % 2 == 0); if ok then s = s + v end end
         return s",
        &[75],
    );
}

#[test]
fn tail_calls_in_constant_stack() {
    check(
        "local lowest
         local function note() local d = native_depth(); if not lowest or d < lowest then lowest = d end end
         local odd
         local function even(n, ...) if n == 0 then note() return 1 end; return odd(n - 1) end
         function odd(n) if n == 0 then note() return 0 end; return even(n - 1) end
         local first = even(100)
         local before = lowest
         local second = even(200001)
         return first, second, before - lowest < 4096 and 1 or 0",
        &[1, 0, 1],
    );
}

#[test]
fn deep_recursion_and_overflow() {
    // Deeper than the native stack can hold: the rest is interpreted.
    std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(|| {
            check(
                "local function down(n) if n == 0 then return 0 end return 1 + down(n - 1) end
                 local function forever(n) return 1 + forever(n + 1) end
                 local a = down(150000)
                 local ok1 = pcall(forever, 1)
                 local ok2 = pcall(forever, 1)
                 return a, ok1 and 1 or 0, ok2 and 1 or 0, down(1000)",
                &[150_000, 0, 0, 1000],
            );
        })
        .expect("thread")
        .join()
        .expect("no crash");
}

#[test]
fn collector_under_stress() {
    let source =
        "local function make(n) local t = {n}; t.name = 'x' .. n; t.next = {n + 1}; return t end
         local function sum(n)
           local s = 0
           for i = 1, n do local t = make(i); s = s + t[1] + t.next[1] + #t.name end
           return s
         end
         local s = 0
         for i = 1, 5 do s = s + sum(30) end
         return s";
    let expected = check(source, &[5205]).functions;
    assert!(expected > 0);
    assert_eq!(run(at_once(), 1, source).0, [5205]);
}

#[test]
fn dropped_chunks_leave_no_code() {
    // (`load` is not in this test's library: functions are made by a factory's distinct chunks.)
    crate::build::FAKE.set(Some(crate::baseline::build));
    let mut vm = Vm::new(state::Options::default());
    let vm = &mut *vm;
    Jit::install(vm, at_once());
    let globals = vm.globals;
    let mut committed = 0;
    for i in 0..600 {
        let source = format!(
            "local function f(a) for i = 1, 3 do a = a + {i} end return a end return f(f(1))"
        );
        let f = vm.load(source.as_bytes(), b"=chunk", Value::table(globals)).expect("loads");
        let v = vm.call1(f, &[]).expect("runs");
        assert_eq!(v.as_int(), Some(1 + 6 * i));
        if i % 50 == 49 {
            perilune_runtime::heap::control::collect(vm);
            perilune_runtime::heap::control::collect(vm);
            let stats = Jit::of(vm).stats();
            assert!(stats.live_units <= 6, "{stats:?}");
            if committed == 0 {
                committed = stats.code_memory;
            }
            assert!(stats.code_memory <= committed, "{stats:?}");
        }
    }
}

#[test]
fn interrupts_stop_compiled_loops() {
    crate::build::FAKE.set(Some(crate::baseline::build));
    let mut vm = Vm::new(state::Options::default());
    let vm = &mut *vm;
    Jit::install(vm, at_once());
    let globals = vm.globals;
    for source in ["while true do end", "local function f() return f() end f()"] {
        let f = vm.load(source.as_bytes(), b"=loop", Value::table(globals)).expect("loads");
        let poll = &raw const vm.poll;
        // SAFETY: the state outlives the thread, which is joined below; the word is atomic.
        let poll: &'static Poll = unsafe { &*poll };
        let timer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            poll.raise(POLL_INTERRUPT);
        });
        assert_eq!(vm.pcall(f, &[]).expect_err("stopped"), STOP);
        let stop = vm.end_stop().expect("a stop");
        assert_eq!(stop.position, b"loop:1: ");
        timer.join().expect("no panic");
    }
    assert_eq!(vm.entry_sp, 0);
    assert_eq!(Jit::of(vm).depth.get(), 0);
}

thread_local! {
    /// Changes of protection that are still granted.
    static GRANTED: std::cell::Cell<usize> = const { std::cell::Cell::new(usize::MAX) };
}

/// `mprotect` until the system has had enough.
fn grudging(start: *mut u8, len: usize, protection: i32) -> bool {
    let granted = GRANTED.get();
    GRANTED.set(granted.saturating_sub(1));
    // SAFETY: pages of an arena.
    granted > 0 && unsafe { libc::mprotect(start.cast(), len, protection) == 0 }
}

/// Runs functions that are compiled one after the other, from the interpreter or from compiled code, while the
/// system grants so many changes of protection.
fn run_grudgingly(granted: usize, nested: bool) -> i64 {
    crate::build::FAKE.set(Some(crate::baseline::build));
    let mut vm = Vm::new(state::Options::default());
    let vm = &mut *vm;
    Jit::install(vm, Options { threshold: 2, ..Options::default() });
    let jit = Jit::of(vm);
    jit.prepare().expect("an arena");
    jit.arena.borrow_mut().as_mut().expect("an arena").set_change(grudging);
    GRANTED.set(granted);
    let source = if nested {
        "local function c(n) return n + 1 end
         local function b(n) if n % 10 == 0 then return c(n) end return n end
         local function a(n) return b(n) + 1 end
         local s = 0
         local function run() for i = 1, 5 do s = s + a(i) end s = s + a(10) + a(20) + a(30) end
         for i = 1, 5 do run() end
         return s"
    } else {
        "local function a(n) return n + 1 end
         local function b(n) return n + 2 end
         local function c(n) return n + 3 end
         local s = a(1) + a(2) + a(3)
         s = s + b(1) + b(2) + b(3) + a(4)
         s = s + c(1) + c(2) + c(3) + b(4) + a(5)
         return s"
    };
    let globals = vm.globals;
    let f = vm.load(source.as_bytes(), b"=test", Value::table(globals)).expect("loads");
    let results = vm.pcall(f, &[]).expect("no error");
    results.get(0).as_int().expect("an integer")
}

#[test]
fn code_memory_that_is_lost_is_not_entered() {
    let expected = run_grudgingly(usize::MAX, false);
    for granted in 0..12 {
        assert_eq!(run_grudgingly(granted, false), expected, "{granted}");
    }
}

/// With a frame of compiled code that cannot go on, the process ends, and says why.
#[test]
fn code_memory_lost_under_running_code_ends_the_process() {
    const NAME: &str = "PERILUNE_TEST_LOSE_CODE";
    if let Some(granted) = std::env::var(NAME).ok().and_then(|text| text.parse().ok()) {
        println!("sum {}", run_grudgingly(granted, true));
        return;
    }
    let expected = format!("sum {}\n", run_grudgingly(usize::MAX, true));
    let mut aborted = 0;
    for granted in 0..14usize {
        let output = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "--nocapture",
                "tests_lua::code_memory_lost_under_running_code_ends_the_process",
            ])
            .env(NAME, granted.to_string())
            .output()
            .expect("a child");
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if stdout.contains(&expected) {
            assert!(output.status.success(), "{granted}: {stderr}");
        } else {
            aborted += 1;
            assert!(
                stderr.contains("does not let code memory be executable"),
                "{granted}: {stderr} {stdout}"
            );
        }
    }
    assert!(aborted > 0);
}
