//! Stops: no Lua code sees one, the host's outermost call does, and the state is as usable as before.
//!
//! Requests are deterministic where they can be: the host function `stop` makes one. Code that never
//! calls the host is stopped by a time limit.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use perilune::{
    Error, Function, JitOptions, Lua, LuaOptions, MultiValue, Result, StdLib, StopReason, Stopped,
    Thread, ThreadStatus, Value,
};

/// Names of the ways to run a script.
const WAYS: [&str; 4] = ["interpreter", "threshold 1", "forced exits", "gc stress"];

/// A state with the host function `stop`, which requests a stop.
fn state(way: &str) -> Lua {
    let jit = match way {
        "interpreter" => JitOptions { enabled: false, ..JitOptions::default() },
        "forced exits" => {
            JitOptions { threshold: 1, force_exits: Some(3), ..JitOptions::default() }
        }
        _ => JitOptions { threshold: 1, ..JitOptions::default() },
    };
    let options = LuaOptions { jit, ..LuaOptions::default() };
    let lua = Lua::new_with(StdLib::ALL, options).unwrap();
    if way == "gc stress" {
        lua.gc_stress(1, false);
    }
    let stop = |lua: &Lua, ()| {
        lua.interrupt_handle().interrupt();
        Ok(())
    };
    lua.globals().set("stop", lua.create_function(stop).unwrap()).unwrap();
    lua
}

/// The stop that ended a call.
#[track_caller]
fn stopped<T: std::fmt::Debug>(result: Result<T>) -> Stopped {
    match result {
        Err(Error::Stopped(stop)) => stop,
        other => panic!("not stopped: {other:?}"),
    }
}

/// The state runs code as if nothing had happened, and its heap is in order.
#[track_caller]
fn usable(lua: &Lua) {
    lua.gc_stress(0, true);
    let text = "
        local t, order = {}, {}
        for i = 1, 300 do t[i] = tostring(i) .. 'x' end
        do
            local c <close> = setmetatable({}, { __close = function() order[1] = 'closed' end })
        end
        local ok, message = pcall(error, 'caught', 0)
        local handled = select(2, xpcall(error, function(m) return m .. '!' end, 'handled', 0))
        local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return a * b end)
        assert(debug.gethook() == nil and coroutine.isyieldable() == false)
        collectgarbage()
        return #table.concat(t), order[1], ok, message, handled, co(2), co(5)";
    let values: MultiValue = lua.load(text).eval().expect("usable");
    let values: Vec<String> = values.iter().map(|v| v.to_display_string(lua).unwrap()).collect();
    assert_eq!(values, ["1092", "closed", "false", "caught", "handled!", "3", "10"]);
    lua.gc_stress(0, false);
}

/// Programs that call `stop`, and must not come to `reached`.
const REQUESTED: &[(&str, &str)] = &[
    ("loop", "stop() while true do end"),
    ("one pcall", "pcall(function() stop() while true do end end) reached()"),
    ("pcalls in a loop", "while true do pcall(function() stop() while true do end end) end"),
    ("pcall of itself", "local function f() stop() while true do pcall(f) end end pcall(f) reached()"),
    ("deep pcalls", "local function f(n) if n == 0 then stop() while true do end end pcall(f, n - 1) reached() end f(150)"),
    ("xpcall", "xpcall(function() stop() while true do end end, function() reached() end) reached()"),
    ("handler", "xpcall(error, function() stop() while true do end end) reached()"),
    ("handler that fails", "local function h() stop() error('again') end xpcall(error, h) reached()"),
    ("handler of an overflow", "local function f() return 1 + f() end xpcall(f, function() stop() while true do end end) reached()"),
    ("resume", "local co = coroutine.create(function() stop() while true do end end) coroutine.resume(co) reached()"),
    ("wrap", "pcall(coroutine.wrap(function() pcall(function() stop() while true do end end) reached() end)) reached()"),
    ("nested coroutines", "local function f(n) if n == 0 then stop() while true do end end
        coroutine.resume(coroutine.create(f), n - 1) reached() end f(20)"),
    ("after a yield", "local co = coroutine.wrap(function() coroutine.yield() stop() while true do end end) co() pcall(co) reached()"),
    ("closing a coroutine", "local co = coroutine.create(function()
        local x <close> = setmetatable({}, { __close = function() stop() while true do end end })
        local y <close> = setmetatable({}, { __close = function() error('y') end })
        coroutine.yield() end)
        coroutine.resume(co) pcall(coroutine.close, co) reached()"),
    ("close", "pcall(function()
        local x <close> = setmetatable({}, { __close = function() reached() end })
        local y <close> = setmetatable({}, { __close = function() stop() while true do end end })
        end) reached()"),
    ("close after an error", "pcall(function()
        local x <close> = setmetatable({}, { __close = function() reached() end })
        local y <close> = setmetatable({}, { __close = function() stop() while true do end end })
        error('x') end) reached()"),
    ("pending closes", "local x <close> = setmetatable({}, { __close = function() reached() end })
        local y <close> = setmetatable({}, { __close = function() reached() end })
        stop() while true do end"),
    ("generic loop's close", "local c = setmetatable({}, { __close = function() reached() end })
        for i in function() stop() while true do end end, nil, nil, c do end"),
    ("finalizer", "setmetatable({}, { __gc = function() stop() while true do end end }) collectgarbage() reached()"),
    ("finalizer at a step", "setmetatable({}, { __gc = function() stop() while true do end end })
        for i = 1, 1e9 do collectgarbage('step') end reached()"),
    ("finalizer at a safepoint", "setmetatable({}, { __gc = function() stop() while true do end end })
        while true do pcall(function() local t = {} end) end reached()"),
    ("metamethods", "local m = {} for _, e in ipairs { 'add', 'index', 'newindex', 'call', 'concat', 'eq', 'lt', 'len' } do
        m['__' .. e] = function() pcall(function() stop() while true do end end) reached() end end
        local t = setmetatable({}, m)
        for _, f in ipairs { function() return t + 1 end, function() return t.x end, function() t.x = 1 end, t } do pcall(f) reached() end"),
    ("sort", "pcall(table.sort, { 3, 2, 1, 5, 4 }, function(a, b) stop() while true do end end) reached()"),
    ("sort by a leaf", "local n = 0 pcall(table.sort, { 3, 2, 1, 5, 4 }, function(a, b) n = n + 1 if n == 2 then stop() end return a < b end) reached()"),
    ("gsub", "pcall(string.gsub, ('x'):rep(100), '.', function() stop() while true do end end) reached()"),
    ("gsub by __index", "pcall(string.gsub, ('x'):rep(100), '.', setmetatable({}, { __index = function() stop() while true do end end })) reached()"),
    ("load", "load(function() stop() return 'x = 1 ' end) reached()"),
    ("load in a loop", "while true do load(function() pcall(function() stop() while true do end end) reached() end) end"),
    ("tostring", "pcall(tostring, setmetatable({}, { __tostring = function() stop() while true do end end })) reached()"),
    ("error object", "error(setmetatable({}, { __tostring = function() stop() while true do end end }))"),
    ("hook", "debug.sethook(function() stop() while true do end end, 'l')
        local x = 1
        pcall(function() x = 2 end) reached()"),
    ("hook that fails", "local function f() debug.sethook(function() stop() error('hook') end, '', 1) while true do end end
        while true do pcall(coroutine.wrap(f)) end"),
    ("pcall of a leaf", "while true do pcall(stop) end"),
    ("require", "package.preload.m = function() stop() while true do end end pcall(require, 'm') reached()"),
    ("dofile's kin", "pcall(load('stop() while true do end')) reached()"),
    ("ipairs by __index", "pcall(function() for i, v in ipairs(setmetatable({}, { __index = function(_, k) stop() return k end })) do end end) reached()"),
    ("move by metamethods", "pcall(table.move, setmetatable({}, { __index = function(_, k) stop() return k end }), 1, 1 << 40, 1, setmetatable({}, { __newindex = function() end })) reached()"),
    ("unpack by __index", "pcall(table.unpack, setmetatable({}, { __index = function() stop() return 1 end }), 1, 1e5) reached()"),
    ("concat by __index", "pcall(table.concat, setmetatable({}, { __index = function() stop() return 'x' end, __len = function() return 1 << 40 end })) reached()"),
];

#[test]
fn nothing_in_lua_sees_a_stop() {
    for way in WAYS {
        for (name, program) in REQUESTED {
            let lua = state(way);
            let reached = Rc::new(Cell::new(false));
            let inner = Rc::clone(&reached);
            let note = lua.create_function(move |_, ()| {
                inner.set(true);
                Ok(())
            });
            lua.globals().set("reached", note.unwrap()).unwrap();
            for _ in 0..2 {
                let stop = stopped(lua.load(*program).set_name("=x").exec());
                assert!(matches!(stop.reason(), StopReason::Interrupt), "{way}, {name}");
                assert!(stop.message().ends_with("interrupted!"), "{way}, {name}: {stop:?}");
                assert!(stop.traceback().starts_with("stack traceback:"), "{way}, {name}");
                assert!(!reached.get(), "{way}, {name}: code ran on");
                usable(&lua);
            }
            lua.remove_interrupt();
            drop(lua);
            assert!(!reached.get(), "{way}, {name}: something was called at the end");
        }
    }
}

/// A callback that passes over the error, or calls Lua again and again, changes nothing.
#[test]
fn callbacks_cannot_swallow_a_stop() {
    for way in WAYS {
        let lua = state(way);
        let failures = Rc::new(Cell::new(0));
        let count = Rc::clone(&failures);
        let swallow = lua.create_function(move |lua, f: Function| {
            for _ in 0..3 {
                match f.call::<()>(()) {
                    Err(Error::Stopped(_)) => count.set(count.get() + 1),
                    other => panic!("{other:?}"),
                }
            }
            // Whatever enters Lua fails at once.
            assert!(matches!(lua.load("return 1").eval::<i32>(), Err(Error::Stopped(_))));
            let table = lua.create_table().map(|_| ());
            assert!(matches!(table, Ok(()) | Err(Error::Stopped(_))));
            Ok("fine")
        });
        lua.globals().set("swallow", swallow.unwrap()).unwrap();
        let stop = stopped(
            lua.load("pcall(swallow, function() stop() while true do end end) error('on')").exec(),
        );
        assert!(stop.message().ends_with("interrupted!"));
        assert_eq!(failures.replace(0), 3, "{way}");
        usable(&lua);
        // From within a coroutine, and as an error of another kind.
        let other = lua.create_function(|_, f: Function| {
            f.call::<()>(()).map_err(|_| Error::runtime("another error"))
        });
        lua.globals().set("other", other.unwrap()).unwrap();
        let text = "local co = coroutine.wrap(function() pcall(other, function() stop() while true do end end) error('on') end) pcall(co) error('on')";
        stopped(lua.load(text).exec());
        usable(&lua);
    }
}

#[test]
fn a_stop_of_one_state_is_an_error_in_another() {
    let outer = Lua::new();
    let inner = state("threshold 1");
    let run = outer.create_function(move |_, ()| inner.load("stop() while true do end").exec());
    outer.globals().set("run", run.unwrap()).unwrap();
    let caught: String = outer.load("return tostring(select(2, pcall(run)))").eval().unwrap();
    assert!(caught.ends_with("interrupted!"), "{caught}");
    assert!(matches!(outer.load("run()").exec(), Err(Error::Callback { .. })));
}

#[test]
fn stopped_coroutines_are_dead() {
    for way in WAYS {
        let lua = state(way);
        let text = "
            inner = coroutine.create(function() stop() while true do end end)
            outer = coroutine.create(function() coroutine.resume(inner) end)
            waiting = coroutine.create(function() coroutine.yield(1) return 2 end)
            coroutine.resume(waiting)
            coroutine.resume(outer)";
        stopped(lua.load(text).exec());
        let text = "
            local function state(co) return coroutine.status(co), coroutine.resume(co) end
            assert(coroutine.close(inner) and coroutine.close(outer))
            return table.concat({ coroutine.status(inner), coroutine.status(outer), tostring(coroutine.resume(inner)),
                coroutine.status(waiting), select(2, coroutine.resume(waiting)) }, ' ')";
        let states: String = lua.load(text).eval().unwrap();
        assert_eq!(states, "dead dead false suspended 2", "{way}");
        let body: Function =
            lua.load("function() coroutine.yield() stop() while true do end end").eval().unwrap();
        let thread: Thread = lua.create_thread(body).unwrap();
        thread.resume::<()>(()).unwrap();
        stopped(thread.resume::<()>(()));
        assert_eq!(thread.status(), ThreadStatus::Finished);
        thread.close().unwrap();
        usable(&lua);
    }
}

#[test]
fn requests_wait_and_can_be_taken_back() {
    let lua = state("threshold 1");
    let f: Function = lua
        .load("function(n) local s = 0 for i = 1, n do s = s + i end return s end")
        .eval()
        .unwrap();
    let handle = lua.interrupt_handle();
    handle.interrupt();
    handle.interrupt();
    stopped(f.call::<i64>(10));
    assert_eq!(f.call::<i64>(10).unwrap(), 55);
    handle.interrupt();
    handle.clear();
    assert_eq!(f.call::<i64>(10).unwrap(), 55);
    handle.interrupt();
    lua.clear_interrupt();
    assert_eq!(f.call::<i64>(10).unwrap(), 55);
}

#[test]
fn the_interrupt_function_decides() {
    for way in WAYS {
        let lua = state(way);
        let asked = Rc::new(Cell::new(0));
        let count = Rc::clone(&asked);
        lua.set_interrupt(move |lua| {
            count.set(count.get() + 1);
            // A request meanwhile waits for the function's end.
            if count.get() < 3 {
                lua.interrupt_handle().interrupt();
                assert_eq!(
                    lua.load("local n = 0 for i = 1, 10 do n = n + i end return n")
                        .eval::<i32>()?,
                    55
                );
                return Ok(());
            }
            Err(Error::external(std::fmt::Error))
        });
        let stop = stopped(lua.load("stop() while true do pcall(error) end").exec());
        assert_eq!(asked.get(), 3);
        let StopReason::Refused(error) = stop.reason() else { panic!("{stop:?}") };
        assert!(error.downcast_ref::<std::fmt::Error>().is_some());
        assert!(Error::Stopped(stop.clone()).downcast_ref::<std::fmt::Error>().is_some());
        lua.remove_interrupt();
        usable(&lua);
    }
}

/// Programs that run for ever without calling the host.
const ENDLESS: &[&str] = &[
    "while true do end",
    "for i = 1, math.huge do end",
    "for i = 1, math.maxinteger do local x = i end",
    "repeat until false",
    "::a:: goto a",
    "for k in function() return 1 end do end",
    "local function f() return f() end f()",
    "local function f() f() f() end while true do pcall(f) end",
    "local function f() while true do pcall(f) end end xpcall(f, f)",
    "local function f() xpcall(f, f) f() end while true do pcall(f) end",
    "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k + 1] end while true do pcall(function() return t[1] end) end",
    "while true do coroutine.wrap(function() local x <close> = setmetatable({}, { __close = function() while true do end end }) end)() end",
    "local function bomb() local co = coroutine.wrap(bomb) while true do pcall(co) pcall(bomb) end end bomb()",
    "setmetatable({}, { __gc = function() while true do end end }) while true do pcall(collectgarbage, 'step') end",
    "while true do load('return 1')() end",
    "local s = ('a'):rep(50) while true do s:gsub('.', function() end) end",
];

#[test]
fn time_limits() {
    for way in WAYS {
        for program in ENDLESS {
            let lua = state(way);
            lua.set_time_limit(Some(Duration::from_millis(5)));
            for _ in 0..2 {
                let stop = stopped(lua.load(*program).exec());
                assert!(matches!(stop.reason(), StopReason::TimeLimit), "{way}, {program}");
            }
            lua.set_time_limit(None);
            usable(&lua);
            lua.set_closing_limit(Some(Duration::from_millis(5)));
        }
    }
}

/// Each call has its own time; one that ends in time is not disturbed, nor is what comes after it.
#[test]
fn time_limits_are_of_one_call() {
    let lua = state("threshold 1");
    lua.set_time_limit(Some(Duration::from_secs(3600)));
    for _ in 0..1000 {
        assert_eq!(
            lua.load("local n = 0 for i = 1, 100 do n = n + i end return n").eval::<i32>().unwrap(),
            5050
        );
    }
    let limit = lua.create_function(|lua, ()| {
        lua.set_time_limit(Some(Duration::from_millis(5)));
        Ok(())
    });
    stopped(
        limit
            .and_then(|limit| lua.load("(...)() while true do pcall(error) end").call::<()>(limit)),
    );
    lua.set_time_limit(Some(Duration::MAX));
    usable(&lua);
}

/// Dropping a state ends, whatever its finalizers do; those that are not called are passed over.
#[test]
fn finalizers_at_the_end_are_stopped() {
    for way in WAYS {
        let lua = state(way);
        let called = Rc::new(Cell::new(0));
        let count = Rc::clone(&called);
        let note = lua.create_function(move |_, ()| {
            count.set(count.get() + 1);
            Ok(())
        });
        lua.globals().set("note", note.unwrap()).unwrap();
        let text = "
            kept = { setmetatable({}, { __gc = function() note() end }) }
            kept[2] = setmetatable({}, { __gc = function() while true do pcall(note) end end })
            kept[3] = setmetatable({}, { __gc = function() note() end })";
        lua.load(text).exec().unwrap();
        lua.set_closing_limit(Some(Duration::from_millis(5)));
        lua.interrupt_handle().interrupt();
        drop(lua);
        // The third was called, and the second for some time.
        assert!(called.get() > 1, "{way}");
    }
}

/// `os.exit` with closing is code like any other.
#[test]
fn exit_is_stopped() {
    for way in WAYS {
        let lua = state(way);
        let text = "
            local x <close> = setmetatable({}, { __close = function() stop() while true do end end })
            os.exit(0, true)";
        stopped(lua.load(text).exec());
        let text = "
            kept = setmetatable({}, { __gc = function() stop() while true do end end })
            os.exit(0, true)";
        stopped(lua.load(text).exec());
        usable(&lua);
        let finalized: Value = lua
            .load("local done setmetatable({}, { __gc = function() done = true end }) collectgarbage() return done")
            .eval()
            .unwrap();
        assert!(matches!(finalized, Value::Boolean(true)), "{way}");
    }
}

/// A panic in a host function while the state is stopping ends the stop where it is caught.
#[test]
fn panics_end_a_stop() {
    let lua = state("threshold 1");
    let panics = lua.create_function(|_, f: Function| -> Result<()> {
        let _ = f.call::<()>(());
        panic!("while stopping")
    });
    lua.globals().set("panics", panics.unwrap()).unwrap();
    let run = || lua.load("pcall(pcall, panics, function() stop() while true do end end)").exec();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    usable(&lua);
}

/// Programs in which library functions run for long.
const LONG_CALLS: &[&str] = &[
    "table.insert(lying, 1, 1)",
    "table.remove(lying, 1)",
    "getmetatable(lying).__len = function() return 1 << 30 end table.sort(lying, function() return false end)",
    "table.move(lying, 1, 1 << 50, 2)",
    "table.concat(lying, '', 1, 1 << 50)",
    "table.unpack(lying, 1, 1e5) while true do pcall(table.unpack, lying, 1, 1e5) end",
    "next(lying) for _ in ipairs(setmetatable({}, { __index = function() return 1 end })) do end",
    "string.find(('a'):rep(40), ('(a?)'):rep(31) .. ('(a)'):rep(1) .. 'b')",
    "string.find(('a'):rep(100), ('a*'):rep(20) .. 'b')",
    "string.find(('a'):rep(1000), ('.-'):rep(10) .. 'b')",
    "string.match(('('):rep(1e6), '%b()%b()')",
    "string.gsub(('a'):rep(1e5), ('a-'):rep(10) .. '%f[b]', '')",
    "for _ in string.gmatch(('a'):rep(1000), ('a*'):rep(20) .. 'b') do end",
    "while true do pcall(string.format, ('%99.99f'):rep(200), table.unpack(numbers)) end",
    "while true do local s = ('xy'):rep(1 << 24, ' ') s = s:upper():lower():reverse() end",
    "while true do utf8.len(text) utf8.codepoint(text, 1, 100) end",
    "while true do table.sort(equal) end",
    "while true do tostring(setmetatable({}, { __tostring = function() return text end })) tonumber(text, 36) end",
    "while true do collectgarbage() collectgarbage('step') end",
    "while true do local a, b = text .. 'x', text .. 'y' if a < b and a == b then break end end",
    "while true do local s = '' for i = 1, 1000 do s = s .. text end local n = #s:sub(1, 2) .. s:byte(-1) end",
    "while true do string.pack(('s8'):rep(100), table.unpack(equal, 1, 100)) end",
];

/// Processor time of this thread.
fn thread_time() -> Duration {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live value of the right type.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut t) };
    assert_eq!(status, 0);
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}

/// Long calls are stopped soon after the time limit. Of a build for release, `PERILUNE_STRICT_TIMES` asks for 50 ms.
#[test]
fn library_functions_are_stopped() {
    let limit = Duration::from_millis(10);
    let strict = std::env::var_os("PERILUNE_STRICT_TIMES").is_some();
    let bound = if strict { Duration::from_millis(60) } else { Duration::from_secs(3) };
    for way in ["interpreter", "threshold 1"] {
        for program in LONG_CALLS {
            let lua = state(way);
            let setup = "
                lying = setmetatable({}, { __len = function() return 1 << 50 end, __newindex = function() end,
                    __index = function(_, k) if k % 8 == 0 then return '' end return '' end })
                numbers, equal, text = {}, {}, ('x'):rep(1 << 18)
                for i = 1, 200 do numbers[i] = 1e308 end
                for i = 1, 500 do equal[i] = ('x'):rep(10000) .. i % 7 end";
            lua.load(setup).exec().unwrap();
            lua.set_time_limit(Some(limit));
            let before = thread_time();
            let stop = stopped(lua.load(*program).exec());
            let time = thread_time() - before;
            assert!(matches!(stop.reason(), StopReason::TimeLimit), "{way}, {program}");
            assert!(time < bound, "{way}, {program}: {time:?}");
            lua.set_time_limit(None);
            usable(&lua);
        }
    }
}
