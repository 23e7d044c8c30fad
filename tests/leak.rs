//! Thousands of distinct chunks are loaded, run hot, compiled and dropped: heap, code memory and the
//! process stay as large as they were after the first few hundred.
//!
//! `PERILUNE_LEAK_CHUNKS` sets how many (for long runs by hand).

use perilune::{Function, JitOptions, Lua, LuaOptions, StdLib};

/// Resident memory of this process in bytes, where the system tells.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// What must not grow.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// As `collectgarbage("count")` tells, in bytes.
    heap: f64,
    live_code: u64,
    code_memory: u64,
    units: u64,
    resident: Option<usize>,
}

impl Size {
    fn of(lua: &Lua) -> Size {
        let kilobytes: f64 = lua
            .load("collectgarbage() collectgarbage() return collectgarbage('count')")
            .eval()
            .expect("collects");
        let stats = lua.jit_stats();
        Size {
            heap: kilobytes * 1024.0,
            live_code: stats.live_code_bytes,
            code_memory: stats.code_memory,
            units: stats.live_units + stats.retired_units,
            resident: resident(),
        }
    }
}

/// Chunk number `i`: loops, a closure, a table with its own field names, a function that calls itself,
/// and values of two types at one place, so that units are retired and made again.
fn chunk(i: usize) -> String {
    format!(
        "local function fact(n) if n < 2 then return {i} end return n + fact(n - 1) end
         local t = {{ field{i} = {i}, list = {{}} }}
         function t:method{i}(x) self.field{i} = self.field{i} + x return self.field{i} end
         local s = 0
         for round = 1, 3 do
           for k = 1, 12 do t.list[k] = k s = s + t.list[k] + fact(3) end
           for k = 1, 12 do s = s + t:method{i}(k % 2 == 0 and k or k + 0.5) end
         end
         return s, function(x) return x + {i} end"
    )
}

/// Compiles early, and gives guards up early.
fn jit() -> JitOptions {
    JitOptions {
        threshold: 2,
        exit_limit: 1,
        loop_exit_limit: 1,
        verify: false,
        ..JitOptions::default()
    }
}

fn run(lua: &Lua, numbers: std::ops::Range<usize>) {
    for i in numbers {
        let name = format!("=chunk{i}");
        let (s, f): (f64, Function) = lua.load(chunk(i)).set_name(name).eval().expect("runs");
        // 36 times k and fact(3); the method's sums by the closed form of its 36 steps.
        let mut expected = 0.0;
        let mut field = i as f64;
        for _ in 0..3 {
            for k in 1..=12 {
                expected += f64::from(k) + 5.0 + i as f64;
            }
            for k in 1..=12 {
                field += if k % 2 == 0 { f64::from(k) } else { f64::from(k) + 0.5 };
                expected += field;
            }
        }
        assert_eq!(s, expected, "chunk {i}");
        for x in 0..5 {
            assert_eq!(f.call::<usize>(x).expect("adds"), x + i);
        }
    }
}

#[test]
fn chunks_leave_nothing_behind() {
    let count = std::env::var("PERILUNE_LEAK_CHUNKS").ok().and_then(|n| n.parse().ok());
    let count: usize = count.unwrap_or(2000);
    let first = 400.min(count / 3);
    let lua =
        Lua::new_with(StdLib::ALL, LuaOptions { jit: jit(), ..LuaOptions::default() }).unwrap();
    run(&lua, 0..first);
    let before = Size::of(&lua);
    run(&lua, first..count);
    let after = Size::of(&lua);
    println!("after {first}: {before:?}\nafter {count}: {after:?}\n{}", lua.jit_stats().table());
    let stats = lua.jit_stats();
    assert!(stats.functions + stats.loops >= 2 * count as u64, "little was compiled");
    assert!(stats.recompiles > 0, "nothing was compiled anew");
    assert!(after.heap < before.heap * 1.05 + 65536.0, "heap: {before:?} → {after:?}");
    assert!(after.live_code <= before.live_code + 16384, "code: {before:?} → {after:?}");
    assert!(after.units <= before.units + 8, "units: {before:?} → {after:?}");
    // The arena keeps what one collection's worth of dead code took.
    assert!(after.code_memory <= before.code_memory + (1 << 20), "arena: {before:?} → {after:?}");
    if let (Some(before), Some(after)) = (before.resident, after.resident) {
        assert!(after < before + (12 << 20), "process: {before} → {after} bytes");
    }
}

/// The same for whole states: nothing is kept by the process.
#[test]
fn states_leave_nothing_behind() {
    let one = || {
        let lua =
            Lua::new_with(StdLib::ALL, LuaOptions { jit: jit(), ..LuaOptions::default() }).unwrap();
        run(&lua, 0..2);
        lua.load("co = coroutine.wrap(function() for i = 1, 9 do coroutine.yield(i) end end) co()")
            .exec()
            .expect("yields");
    };
    (0..60).for_each(|_| one());
    let before = resident();
    (0..240).for_each(|_| one());
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(after < before + (24 << 20), "process: {before} → {after} bytes");
    }
}
