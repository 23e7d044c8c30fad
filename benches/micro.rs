//! What single operations cost, in this process, through the embedding API.
//!
//! `cargo bench --bench micro [-- filter]`. Each Lua benchmark runs a loop of [`TURNS`] turns per
//! iteration; criterion divides by them, so figures are per operation (the loop itself included: see
//! `loop/*`). `interpreted` has the JIT off; `native` is measured after it has settled.

#![allow(missing_docs, reason = "criterion's macro makes a public function without any")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use perilune::{Function, JitOptions, Lua, LuaOptions, StdLib};

/// Turns of the measured loop per iteration.
const TURNS: u64 = 1000;

fn state(enabled: bool) -> Lua {
    let jit = JitOptions { enabled, ..JitOptions::default() };
    Lua::new_with(StdLib::ALL, LuaOptions { jit, ..LuaOptions::default() }).unwrap()
}

/// Runs `function(n) setup; for i = 1, n do body end end` in both tiers. `setup` runs once.
fn both(c: &mut Criterion, group: &str, cases: &[(&str, &str, &str)]) {
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(TURNS));
    for (name, setup, body) in cases {
        for (tier, enabled) in [("interpreted", false), ("native", true)] {
            let lua = state(enabled);
            let text = format!("{setup} return function(n) for i = 1, n do {body} end end");
            let run: Function = lua.load(text).set_name(*name).eval().expect("loads");
            for _ in 0..500 {
                run.call::<()>(TURNS).expect("runs");
            }
            group.bench_function(BenchmarkId::new(*name, tier), |b| {
                b.iter(|| run.call::<()>(TURNS).expect("runs"));
            });
        }
    }
    group.finish();
}

fn calls(c: &mut Criterion) {
    both(
        c,
        "call",
        &[
            ("loop", "", ""),
            // Too large to be inlined, or of unknown callee: a call is a call.
            (
                "lua",
                "local function f(x) if x < 0 then local t = { x } for k, v in pairs(t) do x = x + v end end return x end
                 local fs = { f, function(x) return f(x) end }",
                "fs[1](i)",
            ),
            ("inlined", "local function f(x) return x + 1 end local s = 0", "s = f(s)"),
            ("method", "local C = {} C.__index = C function C:m(x) self.v = x end local o = setmetatable({ v = 1 }, C)", "o:m(i)"),
            ("library", "local select = select", "select('#', i, i)"),
            ("closure", "local s = 0", "local f = function() return i end s = f()"),
            ("vararg", "local function f(...) return (select('#', ...)) end", "f(i, i, i)"),
        ],
    );
    let mut group = c.benchmark_group("call");
    let lua = state(true);
    let f: Function = lua.load("return function(x) return x end").eval().expect("loads");
    (0..1000).for_each(|i| drop(f.call::<i64>(i)));
    group
        .bench_function("from the host", |b| b.iter(|| f.call::<i64>(black_box(1)).expect("runs")));
    let host = lua.create_function(|_, x: i64| Ok(x)).expect("a function");
    lua.globals().set("host", host).expect("a global");
    let run: Function =
        lua.load("return function(n) for i = 1, n do host(i) end end").eval().expect("loads");
    (0..500).for_each(|_| run.call::<()>(TURNS).expect("runs"));
    group.throughput(Throughput::Elements(TURNS));
    group.bench_function("to the host", |b| b.iter(|| run.call::<()>(TURNS).expect("runs")));
    let add = lua.create_function(|_, (x, y): (f64, f64)| Ok(x + y)).expect("a function");
    lua.globals().set("add", add).expect("a global");
    let run: Function =
        lua.load("return function(n) for i = 1, n do add(i, 0.5) end end").eval().expect("loads");
    (0..500).for_each(|_| run.call::<()>(TURNS).expect("runs"));
    group
        .bench_function("to the host, floats", |b| b.iter(|| run.call::<()>(TURNS).expect("runs")));
    group.finish();
}

fn errors(c: &mut Criterion) {
    both(
        c,
        "pcall",
        &[
            ("without error", "local function f(x) return x end", "pcall(f, i)"),
            ("with error", "local function f(x) error(x) end", "pcall(f, i)"),
            (
                "deep error",
                "local function f(x, d) if d > 0 then return 1 + f(x, d - 1) end error(x) end",
                "pcall(f, i, 20)",
            ),
        ],
    );
}

fn tables(c: &mut Criterion) {
    both(
        c,
        "table",
        &[
            (
                "array get",
                "local t = {} for i = 1, 1000 do t[i] = i end local s = 0",
                "s = s + t[i]",
            ),
            ("array set", "local t = {} for i = 1, 1000 do t[i] = i end", "t[i] = i"),
            ("field get", "local t, s = { x = 1, y = 2 }, 0", "s = s + t.y"),
            ("field set", "local t = { x = 1, y = 2 }", "t.y = i"),
            ("global get", "g = 1 local s = 0", "s = s + g"),
            (
                "string key",
                "local t, k, s = {}, {}, 0 for i = 1, 64 do k[i] = 'key' .. i t[k[i]] = i end",
                "s = s + t[k[i % 64 + 1]]",
            ),
            (
                "integer hash",
                "local t, s = {}, 0 for i = 1, 1000 do t[i * 1000003] = i end",
                "s = s + t[i * 1000003]",
            ),
            ("append", "", "local t = {} for k = 1, 10 do t[k] = k end"),
        ],
    );
}

fn allocation(c: &mut Criterion) {
    both(
        c,
        "allocation",
        &[
            ("empty table", "", "local t = {}"),
            ("record", "", "local t = { x = i, y = i }"),
            ("array", "", "local t = { i, i, i }"),
            ("closure", "", "local f = function() return i end"),
            ("concatenation", "", "local s = 'x' .. i"),
            ("coroutine", "local function f() end", "coroutine.wrap(f)()"),
        ],
    );
}

/// A call of a function with one guard, which by force fails every second time. An exit costs the
/// difference of the two figures, divided by the exits per turn that are printed.
fn exits(c: &mut Criterion) {
    let mut group = c.benchmark_group("exit");
    group.throughput(Throughput::Elements(TURNS));
    for (name, force_exits) in [("guards hold", None), ("guards fail", Some(1))] {
        let jit = JitOptions { force_exits, ..JitOptions::default() };
        let lua = Lua::new_with(StdLib::ALL, LuaOptions { jit, ..LuaOptions::default() }).unwrap();
        // The closure keeps `f` from being inlined.
        let text = "local function f(x) if x == 0 then return function() end end return x + 1 end
             for i = 1, 1000 do f(i) end
             return function(n) for i = 1, n do f(i) end end";
        let run: Function = lua.load(text).eval().expect("loads");
        (0..300).for_each(|_| run.call::<()>(TURNS).expect("runs"));
        let before = lua.jit_stats().total_exits();
        run.call::<()>(TURNS).expect("runs");
        let taken = lua.jit_stats().total_exits() - before;
        println!("exit/{name}: {taken} exits in {TURNS} turns");
        group.bench_function(name, |b| b.iter(|| run.call::<()>(TURNS).expect("runs")));
    }
    group.finish();
}

/// Time to compile a function, per word of bytecode.
fn compilation(c: &mut Criterion) {
    let mut group = c.benchmark_group("compile");
    let straight = |n: usize| {
        let body: String = (0..n).map(|i| format!("a = a * b + {i}.5 ")).collect();
        format!("return function(a, b) {body} return a end")
    };
    let looping = |n: usize| {
        let body: String =
            (0..n).map(|i| format!("for i = 1, 2 do t[i] = t[i] + a + {i} end ")).collect();
        format!("local t = {{ 1, 2 }} return function(a, b) {body} return a end")
    };
    for (name, text) in [
        ("trivial", "return function(a, b) return a end".to_owned()),
        ("straight, 50 statements", straight(50)),
        ("straight, 200 statements", straight(200)),
        ("10 loops", looping(10)),
        ("40 loops", looping(40)),
    ] {
        // A fresh prototype each time: its third call compiles it.
        let jit = JitOptions { threshold: 3, verify: false, ..JitOptions::default() };
        let lua = Lua::new_with(StdLib::ALL, LuaOptions { jit, ..LuaOptions::default() }).unwrap();
        let words = {
            let f: Function = lua.load(text.as_str()).eval().expect("loads");
            let listing = f.bytecode(None).unwrap_or_default();
            listing.lines().filter(|l| l.starts_with("  0")).count() as u64
        };
        group.throughput(Throughput::Elements(words));
        group.bench_function(name, |b| {
            b.iter_custom(|iterations| {
                let mut total = Duration::ZERO;
                for _ in 0..iterations {
                    let f: Function = lua.load(text.as_str()).eval().expect("loads");
                    let before = lua.jit_stats().compile_time;
                    for _ in 0..4 {
                        f.call::<f64>((1.5, 2.5)).expect("runs");
                    }
                    total += lua.jit_stats().compile_time - before;
                }
                total
            });
        });
    }
    // The front end and the bytecode compiler, for comparison.
    let text = straight(200);
    let lua = state(false);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("source to bytecode", |b| {
        b.iter_custom(|iterations| {
            let start = Instant::now();
            for _ in 0..iterations {
                black_box(lua.load(text.as_str()).into_function().expect("loads"));
            }
            start.elapsed()
        });
    });
    group.finish();
}

fn configuration() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(20)
}

criterion_group! {
    name = benches;
    config = configuration();
    targets = calls, errors, tables, allocation, exits, compilation
}
criterion_main!(benches);
