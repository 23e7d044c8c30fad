//! What may happen to a function while its compiled code is active, seen from the host: that it behaves
//! as under the interpreter is shown by files of `tests/lua/` in all four ways; here is what these
//! cannot see, namely that the case was really met and that the native stack stays as it was.
//!
//! | case | `tests/lua/` | here |
//! |---|---|---|
//! | throws | `hot_error_in_loop`, `hot_pcall_loop`, `error_messages_hot`, `tbc_errors` | [`throwing`] |
//! | yields | `co_hot_yield`, `co_yield_across` | [`yielding`] |
//! | re-enters | `hot_reentrancy`, `meta_during_hot_loop` | [`re_entering`] |
//! | recurses to the stack limit | `hot_recursion_overflow`, `stack_overflow` | [`recursing_to_the_limit`] |
//! | is recompiled while active | `hot_redefine_while_active`, `hot_type_change_args` | [`recompiled_while_active`] |
//! | is collected while others hold its code | `hot_code_collected` | [`collected_while_active`] |
//! | a million OSR/exit cycles in one frame | `hot_million_cycles`, `hot_osr_enter_exit` | [`a_million_cycles_in_one_frame`] |
//! | endless tail calls across tiers | `hot_tail_mixed_tiers`, `hot_tail_calls` | [`tail_calls_across_tiers`] |

use std::cell::Cell;
use std::rc::Rc;

use perilune::{Function, JitOptions, Lua, LuaOptions, StdLib, Thread};

/// Bytes of native stack that the tests about constant stack may use in all.
const SMALL_STACK: usize = 1 << 20;

fn state(change: impl FnOnce(&mut JitOptions)) -> Lua {
    let mut jit = JitOptions { threshold: 2, verify: false, ..JitOptions::default() };
    change(&mut jit);
    Lua::new_with(StdLib::ALL, LuaOptions { jit, ..LuaOptions::default() }).unwrap()
}

/// Runs `test` on a thread with a small native stack.
fn on_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(SMALL_STACK).spawn(test);
    if let Err(panic) = thread.expect("a thread").join() {
        std::panic::resume_unwind(panic);
    }
}

/// Extent of the native stack between calls of the global `probe`.
struct Depth(Rc<Cell<(usize, usize)>>);

impl Depth {
    fn install(lua: &Lua) -> Depth {
        let seen = Rc::new(Cell::new((usize::MAX, 0)));
        let shared = Rc::clone(&seen);
        let probe = lua.create_function(move |_, ()| {
            let here = 0u8;
            let at = &raw const here as usize;
            let (low, high) = shared.get();
            shared.set((low.min(at), high.max(at)));
            Ok(())
        });
        lua.globals().set("probe", probe.expect("a function")).expect("a global");
        Depth(seen)
    }

    fn extent(&self) -> usize {
        let (low, high) = self.0.get();
        high.saturating_sub(low)
    }
}

#[test]
fn throwing() {
    on_small_stack(|| {
        let lua = state(|_| {});
        let depth = Depth::install(&lua);
        let (caught, sum): (i64, i64) = lua
            .load(
                "local function inner(i, d) if d > 0 then return 1 + inner(i, d - 1) end
                   if i % 3 == 0 then probe() error(i) end return i end
                 local caught, sum = 0, 0
                 for i = 1, 60000 do
                   local ok, e = pcall(inner, i, 5)
                   if ok then sum = sum + e else caught = caught + 1 end
                 end
                 return caught, sum",
            )
            .eval()
            .unwrap();
        let sum_of_rest = (1..=60000).filter(|i| i % 3 != 0).map(|i| i + 5).sum::<i64>();
        assert_eq!((caught, sum), (20000, sum_of_rest));
        assert!(lua.jit_stats().functions > 0);
        assert!(depth.extent() < 16384, "{} bytes", depth.extent());
    });
}

#[test]
fn yielding() {
    on_small_stack(|| {
        let lua = state(|_| {});
        let f: Function = lua
            .load(
                "local function leaf(x) coroutine.yield(x) return x + 0.5 end
                 return function(n)
                   local s = 0
                   for i = 1, n do
                     local ok, v = pcall(leaf, i)
                     s = s + v
                   end
                   return s
                 end",
            )
            .eval()
            .unwrap();
        // Hot before the coroutine, so that it runs compiled code from its first instruction.
        let warm = lua.create_thread(f.clone()).unwrap();
        for i in 0..=50 {
            let _: f64 = warm.resume((i == 0).then_some(50)).unwrap();
        }
        let thread: Thread = lua.create_thread(f).unwrap();
        assert_eq!(thread.resume::<f64>(20000).unwrap(), 1.0);
        for i in 2..=20000 {
            assert_eq!(thread.resume::<i64>(()).unwrap(), i);
        }
        let sum = thread.resume::<f64>(()).unwrap();
        assert_eq!(sum, (1..=20000).map(|i| f64::from(i) + 0.5).sum::<f64>());
        assert!(lua.jit_stats().entries > 0);
    });
}

#[test]
fn re_entering() {
    let lua = state(|_| {});
    // Each level: compiled code → sort → compiled comparator → host → the same compiled code.
    let again = lua.create_function(|lua, n: i64| lua.globals().call_function::<i64>("work", n));
    lua.globals().set("again", again.unwrap()).unwrap();
    lua.load(
        "function work(n)
           local s = 0
           for i = 1, 30 do
             s = s + i
             if i == 15 and n > 0 then
               local list = { 3, 1, 2 }
               local asked = false
               table.sort(list, function(a, b)
                 if not asked then asked = true s = s + again(n - 1) end
                 return a < b
               end)
               s = s + list[1]
             end
           end
           return s
         end
         for i = 1, 20 do work(0) end",
    )
    .exec()
    .unwrap();
    let work: Function = lua.globals().get("work").unwrap();
    assert_eq!(work.call::<i64>(40).unwrap(), 41 * 465 + 40);
    let error = work.call::<i64>(100_000).unwrap_err();
    assert!(error.to_string().contains("stack overflow"), "{error}");
    assert_eq!(work.call::<i64>(3).unwrap(), 4 * 465 + 3);
}

#[test]
fn recursing_to_the_limit() {
    on_small_stack(|| {
        let lua = state(|_| {});
        let f: Function = lua
            .load(
                "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f",
            )
            .eval()
            .unwrap();
        (0..50).for_each(|_| assert_eq!(f.call::<i64>(50).unwrap(), 50));
        assert!(lua.jit_stats().functions > 0);
        for _ in 0..5 {
            let error = f.call::<i64>(-1).unwrap_err();
            assert!(error.to_string().contains("stack overflow"), "{error}");
            // Far more Lua frames than native stack: the interpreter takes over, and needs none.
            assert_eq!(f.call::<i64>(100_000).unwrap(), 100_000);
        }
    });
}

#[test]
fn recompiled_while_active() {
    let lua = state(|o| {
        o.exit_limit = 2;
        o.loop_exit_limit = 2;
    });
    // Fifty frames of `f` are active when its guards begin to fail; each goes on where it was.
    let f: Function = lua
        .load(
            "local function f(a, n)
               if n == 0 then return a end
               local x = f(n % 5 == 0 and n < 100 and a + 0.5 or a, n - 1)
               return x + 1
             end
             return f",
        )
        .eval()
        .unwrap();
    (0..20).for_each(|_| assert_eq!(f.call::<i64>((1, 0)).unwrap(), 1));
    let g: Function =
        lua.load("local f = ... return function(n) return f(1, n) end").call(f.clone()).unwrap();
    for _ in 0..60 {
        // 19 times 0.5 below 100, and one per level.
        assert_eq!(g.call::<f64>(150).unwrap(), 1.0 + 9.5 + 150.0);
    }
    let stats = lua.jit_stats();
    assert!(stats.recompiles > 0, "{}", stats.table());
    assert_eq!(stats.retired_units, 0, "retired units outlive their frames\n{}", stats.table());
    let bound = u64::from(lua.load("1").eval::<u32>().unwrap() * 8 * 8);
    assert!(stats.recompiles <= bound, "{}", stats.table());
    // It has come to rest: the same again compiles nothing.
    (0..200).for_each(|_| assert_eq!(g.call::<f64>(150).unwrap(), 160.5));
    let settled = lua.jit_stats().recompiles;
    (0..200).for_each(|_| assert_eq!(g.call::<f64>(150).unwrap(), 160.5));
    assert_eq!(lua.jit_stats().recompiles, settled);
}

#[test]
fn collected_while_active() {
    let lua = state(|_| {});
    lua.gc_stress(1, true);
    let sum: i64 = lua
        .load(
            "local sum, t = 0, {}
             for r = 1, 20 do
               -- The chunk's function is inlined into, or called by, code that outlives it, and is
               -- garbage as soon as it runs.
               t.f = load('local t, n = ... t.f = nil collectgarbage() local s = 0 for i = 1, n do s = s + i end return s')
               local function call(t) return t.f(t, 20) end
               sum = sum + call(t)
             end
             return sum",
        )
        .eval()
        .unwrap();
    assert_eq!(sum, 20 * 210);
    lua.gc_stress(0, false);
    lua.gc_collect().unwrap();
    let before = lua.jit_stats().live_units;
    lua.load(
        "for r = 1, 50 do local f = load('local s = 0 for i = 1, 40 do s = s + i end return s') f() f() f() end",
    )
    .exec()
    .unwrap();
    assert!(lua.jit_stats().loops + lua.jit_stats().functions > 50);
    lua.gc_collect().unwrap();
    let after = lua.jit_stats().live_units;
    assert!(after <= before + 3, "{before} → {after} units");
}

#[test]
fn a_million_cycles_in_one_frame() {
    on_small_stack(|| {
        // Every guard fails whenever it has held once, and exits never lead to anything else.
        let lua = state(|o| o.force_exits = Some(1));
        let depth = Depth::install(&lua);
        let turns = 17_200_000_i64;
        let sum: i64 = lua
            .load(
                "local n = ...
                 local s, t, i = 0, { 1, 2, 3 }, 0
                 while i < n do
                   i = i + 1
                   s = s + t[i % 3 + 1]
                   if i % 100000 == 0 then probe() end
                 end
                 return s",
            )
            .call(turns)
            .unwrap();
        assert_eq!(sum, turns * 2);
        let stats = lua.jit_stats();
        assert!(stats.loop_entries >= 1_000_000, "{}", stats.table());
        assert!(stats.total_exits() >= 1_000_000, "{}", stats.table());
        assert!(depth.extent() < 16384, "{} bytes", depth.extent());
    });
}

#[test]
fn tail_calls_across_tiers() {
    on_small_stack(|| {
        // Only functions of the chunk `hot` are compiled; `cold` ones are interpreted for ever.
        let lua = state(|o| o.only = Some("hot".to_owned()));
        let depth = Depth::install(&lua);
        let cold: Function = lua
            .load(
                "return function(n, next, me)
                   if n % 4096 == 0 then probe() end
                   if n <= 0 then return 'end' end
                   return next(n - 1, me, next)
                 end",
            )
            .set_name("=cold")
            .eval()
            .unwrap();
        let hot: Function = lua
            .load(
                "return function(n, next, me)
                   if n % 4096 == 0 then probe() end
                   if n <= 0 then return 'end' end
                   return next(n - 1, me, next)
                 end",
            )
            .set_name("=hot")
            .eval()
            .unwrap();
        for (first, second) in [(&cold, &hot), (&hot, &cold), (&hot, &hot), (&cold, &cold)] {
            for n in [1_000_000, 999_999] {
                let end: String = first.call((n, second.clone(), first.clone())).unwrap();
                assert_eq!(end, "end");
            }
        }
        assert!(lua.jit_stats().functions > 0 && depth.extent() > 0);
        assert!(depth.extent() < 16384, "{} bytes", depth.extent());
        // An error at the far end comes out of the first call.
        let thrown = lua
            .load("local hot, cold = ... return hot(1e6, cold, hot) .. nil")
            .call::<String>((hot, cold))
            .unwrap_err();
        assert!(thrown.to_string().contains("attempt to concatenate a nil value"), "{thrown}");
    });
}

/// Recursion is a loop, too: it can be interrupted, and what it allocates is collected.
#[test]
fn recursion_polls() {
    let lua = state(|_| {});
    let (sum, kilobytes): (i64, f64) = lua
        .load(
            "local function f(d)
               local t = { d, x = d }
               if d == 0 then return 0 end
               return f(d - 1) + f(d - 1) + t.x - d
             end
             return f(17), collectgarbage('count')",
        )
        .eval()
        .unwrap();
    assert_eq!(sum, 0);
    assert!(kilobytes < 8192.0, "{kilobytes} KiB");
    assert!(lua.jit_stats().functions > 0);
    let handle = lua.interrupt_handle();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        handle.interrupt();
    });
    let error = lua
        .load("local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end return fib(80)")
        .exec()
        .unwrap_err();
    thread.join().unwrap();
    assert!(error.to_string().contains("interrupted!"), "{error}");
}
