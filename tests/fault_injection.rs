//! The door for memory refuses the n-th request, for many n: each program ends in an error or as it would, the
//! heap is whole, and the state still works. Interpreted and compiled.
//!
//! `PERILUNE_FAULT_STEPS` sets how many n for each program; `all` takes every one.

use std::path::Path;

use perilune::{Error, Function, JitOptions, Lua, LuaOptions, StdLib, Table, UserData};

/// Programs of the behaviour tests, by kind.
const PROGRAMS: [&str; 30] = [
    "co_basics",
    "co_close",
    "co_error_traces",
    "co_yield_across",
    "error_in_error",
    "error_values",
    "gc_finalizers",
    "gc_weak",
    "hot_array_growth",
    "hot_closures",
    "hot_constructors",
    "hot_fields",
    "hot_open_results",
    "hot_set_in_traversal",
    "hot_string_keys",
    "load_env",
    "long_strings",
    "meta_concat",
    "meta_index_chain",
    "meta_newindex",
    "pcall_nested",
    "str_format",
    "str_gmatch",
    "str_gsub",
    "str_pack",
    "str_ropes",
    "string_dump",
    "tbc_errors",
    "tbl_library",
    "xpcall_handlers",
];

/// What goes before each program: nothing is printed, but made to be.
const QUIET: &str = r##"
    print = function(...) for i = 1, select("#", ...) do tostring((select(i, ...))) end end
    io.output(io.open("/dev/null", "w"))
    warn = nil
"##;

/// A program that shows that a state works.
const CHECK: &str = r#"
    local t, parts = setmetatable({}, {__index = function(_, k) return k * 2 end}), {}
    for i = 1, 100 do t[i] = {n = i, name = "n" .. i} parts[#parts + 1] = ("%d:%s"):format(i, t[i].name) end
    local s = table.concat(parts, ","):gsub("n", "m")
    local co = coroutine.wrap(function() for i = 1, 10 do coroutine.yield(i) end end)
    local sum = 0
    for i = 1, 10 do sum = sum + co() end
    local ok, e = pcall(error, "x")
    return sum + #s + t[1000] + t[50].n + (ok and 1 or 0)
"#;

/// What [`CHECK`] returns.
const CHECKED: i64 = 55 + 683 + 2000 + 50;

fn state(compiled: bool) -> Lua {
    let mut jit = JitOptions::default();
    if compiled {
        jit.threshold = 1;
    } else {
        jit.enabled = false;
    }
    let options = LuaOptions { jit, seed: Some(1), ..LuaOptions::default() };
    let lua = Lua::new_with(StdLib::ALL, options).expect("a state");
    lua.load(QUIET).exec().expect("runs");
    lua
}

/// How many n for each program.
fn steps() -> u64 {
    match std::env::var("PERILUNE_FAULT_STEPS") {
        Ok(text) if text == "all" => u64::MAX,
        Ok(text) => text.parse().expect("a number"),
        Err(_) => 20,
    }
}

/// The n of [`steps`] out of `total`: the first few, and others spread evenly, not the same for each program.
fn points(total: u64, name: &str) -> Vec<u64> {
    let steps = steps();
    if total <= steps {
        return (1..=total).collect();
    }
    let offset = name.bytes().fold(7u64, |n, byte| n.wrapping_mul(31).wrapping_add(byte.into()));
    let spread = |i: u64| i * total / steps + offset.wrapping_mul(i + 1) % (total / steps) + 1;
    (0..steps).map(spread).collect()
}

/// Checks a state after something that may have failed.
fn check(lua: &Lua, what: &str) {
    lua.fail_allocations(u64::MAX, 0);
    lua.verify_heap().unwrap_or_else(|problem| panic!("{what}: {problem}"));
    let checked = lua.load(CHECK).eval::<i64>();
    let checked = checked.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(checked, CHECKED, "{what}");
    lua.gc_collect().unwrap_or_else(|error| panic!("{what}: {error}"));
    lua.verify_heap().unwrap_or_else(|problem| panic!("{what}, collected: {problem}"));
}

/// Runs `body` with each of the faults, on a new state each time; true if one of them was seen as a memory
/// error.
fn inject(name: &str, compiled: bool, body: impl Fn(&Lua) -> Result<(), Error>) -> bool {
    let lua = state(compiled);
    // Far away, for each cell to be a request.
    lua.fail_allocations(u64::MAX / 2, 1);
    let before = lua.allocation_requests();
    let _ = body(&lua);
    let total = lua.allocation_requests() - before;
    check(&lua, name);
    let mut seen = false;
    for (i, n) in points(total, name).into_iter().enumerate() {
        let count = [1, 1, 3, 1000][i % 4];
        let lua = state(compiled);
        lua.fail_allocations(n, count);
        seen |= matches!(body(&lua), Err(Error::Memory));
        check(&lua, &format!("{name}, {count} refused from {n} of {total}, compiled: {compiled}"));
    }
    seen
}

#[test]
fn programs() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua");
    for compiled in [false, true] {
        let mut seen = 0;
        for name in PROGRAMS {
            let source = std::fs::read(directory.join(name).with_extension("lua")).expect(name);
            seen += u32::from(inject(name, compiled, |lua| lua.load(source.clone()).exec()));
        }
        // Some programs catch all errors, and not each request is one of theirs.
        assert!(seen > 20, "only {seen} programs failed for want of memory");
    }
}

/// A host's type.
struct Point(i64);

impl UserData for Point {
    fn add_methods<M: perilune::UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("get", |_, this, ()| Ok(this.0));
    }
}

#[test]
fn the_api() {
    let body = |lua: &Lua| -> Result<(), Error> {
        let table = lua.create_table()?;
        for i in 0..40 {
            table.set(format!("key{i}"), i)?;
            table.push(i)?;
        }
        let long = lua.create_string("long ".repeat(200))?;
        table.set(long, lua.create_string("x".repeat(5000))?)?;
        let add = lua.create_function(|_, (a, b): (i64, i64)| Ok(a + b))?;
        lua.globals().set("add", &add)?;
        lua.globals().set("point", lua.create_userdata(Point(7))?)?;
        lua.load("assert(add(2, point:get()) == 9)").exec()?;
        let function: Function =
            lua.load("function(t) t.sum = #t return coroutine.yield(t) end").eval()?;
        let thread = lua.create_thread(function)?;
        let returned: Table = thread.resume(&table)?;
        let sum: i64 = returned.get("sum")?;
        thread.resume::<()>(sum)?;
        for pair in table.pairs::<perilune::Value, perilune::Value>() {
            pair?;
        }
        Ok(())
    };
    for compiled in [false, true] {
        assert!(inject("the API", compiled, body));
    }
}
