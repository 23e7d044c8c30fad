//! The embedding API: conversions, errors and their kinds, panics, lifetimes of handles, limits.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use perilune::{
    AnyUserData, Error, Function, JitOptions, Lua, LuaOptions, LuaString, MultiValue, Result,
    StdLib, Table, Thread, ThreadStatus, UserData, UserDataFields, UserDataMethods, Value,
    Variadic,
};

/// A state that compiles everything at once.
fn eager() -> Lua {
    let jit = JitOptions { threshold: 1, ..JitOptions::default() };
    Lua::new_with(StdLib::ALL, LuaOptions { jit, ..LuaOptions::default() }).unwrap()
}

/// Each test of behaviour runs interpreted, compiled, and with a collection at every allocation.
fn everywhere(test: impl Fn(&Lua)) {
    let jit = JitOptions { enabled: false, ..JitOptions::default() };
    test(&Lua::new_with(StdLib::ALL, LuaOptions { jit, ..LuaOptions::default() }).unwrap());
    test(&eager());
    let lua = eager();
    lua.gc_stress(1, true);
    test(&lua);
}

#[test]
fn numbers_cross_exactly() {
    everywhere(|lua| {
        let id: Function = lua.load("function(...) return ... end").eval().unwrap();
        for i in [
            0,
            1,
            -1,
            1 << 46,
            (1 << 47) - 1,
            1 << 47,
            -(1 << 47),
            -(1 << 47) - 1,
            i64::MAX,
            i64::MIN,
        ] {
            assert_eq!(id.call::<i64>(i).unwrap(), i);
            assert_eq!(id.call::<Value>(i).unwrap(), Value::Integer(i));
        }
        for x in [0.0, -0.0, 1.5, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(id.call::<f64>(x).unwrap().to_bits(), x.to_bits());
        }
        // Every NaN is one NaN.
        let nan = f64::from_bits(0xFFFF_0000_1234_5678);
        assert!(id.call::<f64>(nan).unwrap().is_nan());
        assert_eq!(id.call::<u64>(u32::MAX).unwrap(), u64::from(u32::MAX));
        assert!(matches!(id.call::<Value>(u64::MAX).unwrap(), Value::Number(_)));
        assert_eq!(id.call::<i64>(3.0).unwrap(), 3);
        assert_eq!(id.call::<i64>("0x10").unwrap(), 16);
        assert_eq!(id.call::<f64>("1e3").unwrap(), 1000.0);
        for (text, reason) in [
            ("300", "out of range"),
            ("-1", "out of range"),
            ("1.5", "number has no integer representation"),
        ] {
            let error = lua.load(text).eval::<u8>().unwrap_err();
            assert!(error.to_string().contains(reason), "{text}: {error}");
        }
    });
}

#[test]
fn collections_cross() {
    everywhere(|lua| {
        let t: Table = lua.load("{ 1, 2, 3, n = 'x' }").eval().unwrap();
        assert_eq!(lua.unpack::<Vec<i64>>(Value::Table(t.clone())).unwrap(), [1, 2, 3]);
        assert_eq!(lua.load("{ 1, 2 }").eval::<[i64; 2]>().unwrap(), [1, 2]);
        assert!(lua.load("{ 1, 2 }").eval::<[i64; 3]>().is_err());
        let map: HashMap<String, i64> = lua.load("{ a = 1, b = 2 }").eval().unwrap();
        assert_eq!(map["b"], 2);
        let sorted: BTreeMap<String, Vec<bool>> =
            lua.load("{ z = { true }, y = {} }").eval().unwrap();
        assert_eq!(sorted.keys().collect::<Vec<_>>(), ["y", "z"]);
        lua.globals().set("m", sorted).unwrap();
        assert!(lua.load("m.z[1]").eval::<bool>().unwrap());
        assert_eq!(lua.load("nil").eval::<Option<i64>>().unwrap(), None);
        lua.globals().set("o", Some("text")).unwrap();
        assert_eq!(lua.load("o").eval::<Option<String>>().unwrap().as_deref(), Some("text"));
        let (a, b, rest): (i64, String, Variadic<i64>) = lua.load("1, 'b', 3, 4").eval().unwrap();
        assert_eq!((a, b.as_str(), rest.into_vec()), (1, "b", vec![3, 4]));
        let all: MultiValue = lua.load("1, nil, 3").eval().unwrap();
        assert_eq!(all.len(), 3);
        let eight: (i8, u8, i16, u16, i32, u32, i64, f32) =
            lua.load("1, 2, 3, 4, 5, 6, 7, 8").eval().unwrap();
        assert_eq!(eight.7, 8.0);
    });
}

#[test]
fn strings_are_bytes() {
    everywhere(|lua| {
        let s = lua.create_string(b"a\0\xFF").unwrap();
        assert_eq!(s.as_bytes(), b"a\0\xFF");
        assert!(s.to_str().is_err());
        lua.globals().set("s", &s).unwrap();
        assert_eq!(lua.load("#s").eval::<i64>().unwrap(), 3);
        // Ropes are flattened; bytes outlive other work.
        let rope: LuaString = lua
            .load("local r = '' for i = 1, 200 do r = r .. ('x'):rep(i) end return r")
            .eval()
            .unwrap();
        let bytes = rope.as_bytes();
        lua.gc_collect().unwrap();
        lua.load("local r = '' for i = 1, 200 do r = r .. ('y'):rep(i) end").exec().unwrap();
        assert!(bytes.len() == 20100 && bytes.iter().all(|&b| b == b'x'));
    });
}

#[test]
fn tables_with_and_without_metamethods() {
    everywhere(|lua| {
        let t: Table = lua
            .load("setmetatable({}, { __index = function(_, k) return k .. '!' end, __len = function() return 42 end, __newindex = function(t, k, v) rawset(t, k, v * 2) end })")
            .eval()
            .unwrap();
        assert_eq!(t.get::<String>("a").unwrap(), "a!");
        assert_eq!(t.raw_get::<Option<String>>("a").unwrap(), None);
        assert_eq!((t.len().unwrap(), t.raw_len()), (42, 0));
        t.set("n", 4).unwrap();
        assert_eq!(t.raw_get::<i64>("n").unwrap(), 8);
        t.raw_set("n", 5).unwrap();
        assert_eq!(t.get::<i64>("n").unwrap(), 5);
        assert!(t.metatable().unwrap().contains_key("__len").unwrap());
        t.set_metatable(None).unwrap();
        assert!(t.metatable().is_none() && !t.contains_key("a").unwrap());
        t.clear().unwrap();
        assert!(t.is_empty());
        for i in 1..=100 {
            t.push(i).unwrap();
        }
        assert_eq!(t.pop::<i64>().unwrap(), 100);
        assert_eq!(t.sequence_values::<i64>().map(|v| v.unwrap()).sum::<i64>(), 4950);
        let mut seen = 0;
        for pair in t.pairs::<i64, i64>() {
            let (k, v) = pair.unwrap();
            assert_eq!(k, v);
            t.set(k, Value::Nil).unwrap();
            seen += 1;
        }
        assert_eq!(seen, 99);
        assert!(t.is_empty());
        let error = t.set(Value::Nil, 1).unwrap_err();
        assert!(error.to_string().contains("index is nil"), "{error}");
        assert!(t.set(f64::NAN, 1).unwrap_err().to_string().contains("index is NaN"));
    });
}

#[test]
fn kinds_of_errors() {
    everywhere(|lua| {
        let syntax = lua.load("x = = 1").set_name("@f.lua").exec().unwrap_err();
        assert!(matches!(&syntax, Error::Syntax { message, incomplete_input: false }
            if message == "f.lua:1: unexpected symbol near '='"));
        assert!(matches!(
            lua.load("for").exec().unwrap_err(),
            Error::Syntax { incomplete_input: true, .. }
        ));
        let runtime = lua.load("local x\nx.y = 1").set_name("@f.lua").exec().unwrap_err();
        assert_eq!(runtime.message(), "f.lua:2: attempt to index a nil value (local 'x')");
        assert!(
            runtime.to_string().contains("stack traceback:\n\tf.lua:2: in main chunk"),
            "{runtime}"
        );
        let Error::Runtime(thrown) = lua
            .load("error(setmetatable({ 1 }, { __tostring = function() return 'T' end }))")
            .exec()
            .unwrap_err()
        else {
            panic!("another kind")
        };
        assert_eq!(thrown.message(), "T");
        assert_eq!(thrown.value(lua).as_table().unwrap().get::<i64>(1).unwrap(), 1);
        assert!(matches!(
            lua.load("'a'").eval::<i64>().unwrap_err(),
            Error::BadResult { position: 1, .. }
        ));
        assert!(matches!(lua.load("5").call::<()>(()).unwrap_err(), Error::Syntax { .. }));
        let io = lua.load(std::path::Path::new("/no/such/file")).exec().unwrap_err();
        assert_eq!(
            io.downcast_ref::<std::io::Error>().unwrap().kind(),
            std::io::ErrorKind::NotFound
        );
    });
}

#[test]
fn errors_go_through_lua_and_back() {
    everywhere(|lua| {
        #[derive(Debug)]
        struct Mine(u32);
        impl std::fmt::Display for Mine {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "mine {}", self.0)
            }
        }
        impl std::error::Error for Mine {}

        let fail = lua.create_function(|_, n: u32| Err::<(), _>(Error::external(Mine(n)))).unwrap();
        lua.globals().set("fail", fail).unwrap();
        let error = lua.load("local function g() fail(7) end g()").exec().unwrap_err();
        assert_eq!(error.downcast_ref::<Mine>().unwrap().0, 7);
        assert!(error.to_string().starts_with("mine 7\nstack traceback:"), "{error}");
        let (ok, text, kind): (bool, String, String) = lua
            .load("local ok, e = pcall(fail, 1) return ok, tostring(e), type(e)")
            .eval()
            .unwrap();
        assert_eq!((ok, text.as_str(), kind.as_str()), (false, "mine 1", "userdata"));
        // Caught and thrown again by Lua code, then by a callback.
        lua.load("function again() local _, e = pcall(fail, 2) error(e) end").exec().unwrap();
        let call = lua.create_function(|_, f: Function| f.call::<()>(())).unwrap();
        lua.globals().set("call", call).unwrap();
        let error = lua.load("call(again)").exec().unwrap_err();
        assert_eq!(error.downcast_ref::<Mine>().unwrap().0, 2);
        // A table stays the same table.
        let same: bool = lua
            .load("local e = {} local _, f = pcall(call, function() error(e) end) return e == f")
            .eval()
            .unwrap();
        assert!(same);
        let error = lua.load("fail()").set_name("=c").exec().unwrap_err();
        assert!(
            error.message().ends_with("bad argument #1 to 'fail' (number expected, got no value)"),
            "{error}"
        );
        let error = lua.load("fail({})").set_name("=c").exec().unwrap_err();
        assert_eq!(error.message(), "c:1: bad argument #1 to 'fail' (number expected, got table)");
    });
}

#[test]
fn callbacks_nest() {
    everywhere(|lua| {
        let apply = lua
            .create_function(|_, (f, n): (Function, i64)| f.call::<i64>(n - 1).map(|m| m + 1))
            .unwrap();
        lua.globals().set("apply", apply).unwrap();
        lua.load("function down(n) if n <= 0 then return 0 end return apply(down, n) end")
            .exec()
            .unwrap();
        assert_eq!(lua.load("down(60)").eval::<i64>().unwrap(), 60);
        // Without end it is an error, and the state is as before.
        let error = lua.load("down(1e7 // 1)").exec().unwrap_err();
        assert!(error.to_string().contains("stack overflow"), "{error}");
        assert_eq!(lua.load("down(20)").eval::<i64>().unwrap(), 20);
    });
}

#[test]
fn callbacks_work_as_metamethods_iterators_and_comparators() {
    everywhere(|lua| {
        let less = lua.create_function(|_, (a, b): (i64, i64)| Ok(b < a)).unwrap();
        let count = lua
            .create_function(|lua, n: i64| {
                lua.create_function_mut({
                    let mut i = 0;
                    move |_, ()| {
                        i += 1;
                        Ok((i <= n).then_some(i))
                    }
                })
            })
            .unwrap();
        lua.globals().set("less", less).unwrap();
        lua.globals().set("count", count).unwrap();
        let text: String = lua
            .load("local t = {} for i in count(5) do t[#t + 1] = i end table.sort(t, less) return table.concat(t, ' ')")
            .eval()
            .unwrap();
        assert_eq!(text, "5 4 3 2 1");
    });
}

#[test]
fn panics_pass_through_lua() {
    everywhere(|lua| {
        let bang =
            lua.create_function(|_, ()| -> Result<()> { std::panic::panic_any(99u8) }).unwrap();
        lua.globals().set("bang", bang).unwrap();
        lua.load("co = coroutine.wrap(function() bang() end)").exec().unwrap();
        let programs = [
            "bang()",
            "pcall(bang)",
            "pcall(pcall, bang)",
            "xpcall(bang, print)",
            "local function f() local x <const> = 1 return function() bang() return x end end f()()",
            "coroutine.wrap(function() pcall(bang) end)()",
            "local t = setmetatable({}, { __index = function() bang() end }) return t.x",
            "table.sort({ 3, 2, 1 }, function(a, b) bang() end)",
            "for i = 1, 10 do local v = function() return i end if i == 9 then bang() end end",
            "co()",
        ];
        for program in programs {
            for _ in 0..3 {
                let result = catch_unwind(AssertUnwindSafe(|| lua.load(program).exec()));
                if program == "co()" && result.is_ok() {
                    // Dead after the first time.
                    continue;
                }
                let panic = result.expect_err(program);
                assert_eq!(panic.downcast_ref::<u8>(), Some(&99), "{program}");
                assert_eq!(
                    lua.load("local s = 0 for i = 1, 100 do s = s + i end return s")
                        .eval::<i64>()
                        .unwrap(),
                    5050
                );
                lua.gc_collect().unwrap();
            }
        }
        // A callback may catch the panic of an inner call.
        let catching = lua
            .create_function(|_, f: Function| {
                Ok(catch_unwind(AssertUnwindSafe(|| f.call::<()>(()))).is_err())
            })
            .unwrap();
        lua.globals().set("catching", catching).unwrap();
        let text: String = lua
            .load("local up = 1 local c = catching(function() local inner = 2 bang(inner) end) return tostring(c) .. up")
            .eval()
            .unwrap();
        assert_eq!(text, "true1");
    });
}

#[test]
fn panics_in_finalizers() {
    everywhere(|lua| {
        let bang = lua.create_function(|_, ()| -> Result<()> { panic!("in a finalizer") }).unwrap();
        lua.globals().set("bang", bang).unwrap();
        lua.load("ran = 0").exec().unwrap();
        let result = catch_unwind(AssertUnwindSafe(|| {
            lua.load("setmetatable({}, { __gc = function() bang() end })").exec()?;
            lua.gc_collect()
        }));
        assert!(result.is_err());
        lua.load("setmetatable({}, { __gc = function() ran = ran + 1 end })").exec().unwrap();
        lua.gc_collect().unwrap();
        assert_eq!(lua.globals().get::<i64>("ran").unwrap(), 1);
    });
    // When the state ends, the other finalizers still run.
    let ran = Rc::new(Cell::new(0));
    let lua = Lua::new();
    let seen = Rc::clone(&ran);
    let note = lua.create_function(move |_, ()| {
        seen.set(seen.get() + 1);
        Ok(())
    });
    lua.globals().set("note", note.unwrap()).unwrap();
    let bang = lua.create_function(|_, ()| -> Result<()> { panic!("at the end") });
    lua.globals().set("bang", bang.unwrap()).unwrap();
    lua.load("K = {} for i = 1, 3 do K[i] = setmetatable({}, { __gc = function() note() bang() end }) end")
        .exec()
        .unwrap();
    drop(lua);
    assert_eq!(ran.get(), 3);
}

#[test]
fn handles_keep_values_and_the_state_alive() {
    let lua = eager();
    let table: Table = lua.load("{ inner = { 5 } }").eval().unwrap();
    let function: Function =
        lua.load("local n = 0 return function() n = n + 1 return n end").eval().unwrap();
    drop(lua);
    let inner: Table = table.get("inner").unwrap();
    drop(table);
    function.call::<()>(()).unwrap();
    assert_eq!(function.call::<i64>(()).unwrap(), 2);
    drop(function);
    assert_eq!(inner.get::<i64>(1).unwrap(), 5);
}

#[test]
fn dropped_handles_let_go() {
    let lua = Lua::new();
    lua.load("weak = setmetatable({}, { __mode = 'v' })").exec().unwrap();
    let table: Table = lua.load("local t = {} weak[1] = t return t").eval().unwrap();
    let copy = table.clone();
    drop(table);
    lua.gc_collect().unwrap();
    assert_eq!(lua.load("#weak").eval::<i64>().unwrap(), 1);
    drop(copy);
    lua.gc_collect().unwrap();
    assert_eq!(lua.load("#weak").eval::<i64>().unwrap(), 0);
}

#[test]
fn handles_dropped_in_the_middle_of_a_call() {
    everywhere(|lua| {
        let kept: Rc<RefCell<Vec<Table>>> = Rc::default();
        let keep = Rc::clone(&kept);
        let push = lua.create_function(move |_, t: Table| {
            keep.borrow_mut().push(t);
            Ok(())
        });
        let clear = Rc::clone(&kept);
        let drop_all = lua.create_function(move |_, ()| {
            clear.borrow_mut().clear();
            Ok(())
        });
        lua.globals().set("push", push.unwrap()).unwrap();
        lua.globals().set("drop_all", drop_all.unwrap()).unwrap();
        lua.load("for i = 1, 100 do push({ i }) if i % 10 == 0 then drop_all() collectgarbage() end end push({ 'last' })")
            .exec()
            .unwrap();
        assert_eq!(kept.borrow()[0].get::<String>(1).unwrap(), "last");
        kept.borrow_mut().clear();
    });
}

#[test]
fn destructors_may_use_the_state() {
    struct Noisy(perilune::WeakLua, Rc<Cell<i64>>);
    impl Drop for Noisy {
        fn drop(&mut self) {
            if let Some(lua) = self.0.upgrade() {
                // Runs code, allocates and collects while its owner is being freed.
                let n: i64 = lua
                    .load(
                        "local t = {} for i = 1, 50 do t[i] = { i } end collectgarbage() return #t",
                    )
                    .eval()
                    .unwrap();
                self.1.set(self.1.get() + n);
            } else {
                self.1.set(self.1.get() + 1);
            }
        }
    }
    impl UserData for Noisy {}
    let sum = Rc::new(Cell::new(0));
    let lua = eager();
    for _ in 0..20 {
        lua.create_userdata(Noisy(lua.weak(), Rc::clone(&sum))).unwrap();
        let captured = Noisy(lua.weak(), Rc::clone(&sum));
        lua.create_function(move |_, ()| {
            let _ = &captured;
            Ok(())
        })
        .unwrap();
    }
    lua.gc_collect().unwrap();
    lua.gc_collect().unwrap();
    assert_eq!(sum.get(), 40 * 50);
    let last = lua.create_userdata(Noisy(lua.weak(), Rc::clone(&sum))).unwrap();
    lua.globals().set("last", last).unwrap();
    drop(lua);
    assert_eq!(sum.get(), 40 * 50 + 1);
}

#[test]
fn scripts_cannot_reach_into_host_functions() {
    everywhere(|lua| {
        let f = lua.create_function(|lua, ()| lua.create_table()).unwrap();
        lua.globals().set("f", f).unwrap();
        let changed: Option<String> = lua
            .load("debug.setupvalue(f, 1, 12345), debug.setupvalue(require, 1, 1), debug.setupvalue(string.gmatch('a', 'b'), 1, 2)")
            .eval()
            .unwrap();
        assert_eq!(changed, None);
        lua.load("assert(type(f()) == 'table') pcall(require, 'no such')").exec().unwrap();
        lua.load("debug.setmetatable(f, { __index = f }) pcall(function() return f.x end) debug.setmetatable(f, nil)").exec().unwrap();
    });
}

#[test]
fn states_do_not_mix() {
    let (a, b) = (Lua::new(), Lua::new());
    let table = a.create_table().unwrap();
    let string = a.create_string("text of a").unwrap();
    assert!(matches!(b.globals().set("t", &table), Err(Error::OtherState)));
    assert!(matches!(b.globals().set(&string, 1), Err(Error::OtherState)));
    assert!(matches!(b.globals().get::<Value>(&table), Err(Error::OtherState)));
    let f: Function = b.load("function(...) return ... end").eval().unwrap();
    assert!(matches!(f.call::<()>(&table), Err(Error::OtherState)));
    assert!(matches!(
        b.load("x = 1").set_environment(table.clone()).exec(),
        Err(Error::OtherState)
    ));
    assert!(matches!(
        b.create_table().unwrap().set_metatable(Some(table.clone())),
        Err(Error::OtherState)
    ));
    let give = b.create_function(move |_, ()| Ok(table.clone())).unwrap();
    let error = give.call::<Value>(()).unwrap_err();
    assert!(error.to_string().contains("another Lua state"), "{error}");
    let foreign: Function = a.load("print").eval().unwrap();
    assert!(matches!(b.create_thread(foreign), Err(Error::OtherState)));
    // An error of one state used in another has no value there.
    let error = a.load("error({})").exec().unwrap_err();
    let f = b.create_function(move |_, ()| Err::<(), _>(error.clone())).unwrap();
    assert!(f.call::<()>(()).is_err());
}

#[test]
fn states_live_on_several_threads() {
    let threads: Vec<_> = (0..4)
        .map(|n| {
            std::thread::spawn(move || {
                let lua = eager();
                lua.globals().set("n", n).unwrap();
                lua.load("local s = 0 for i = 1, 100000 do s = s + n end return s")
                    .eval::<i64>()
                    .unwrap()
            })
        })
        .collect();
    let sums: Vec<i64> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    assert_eq!(sums, [0, 100_000, 200_000, 300_000]);
}

#[test]
fn errors_may_leave_the_thread() {
    let error = std::thread::spawn(|| Lua::new().load("error({ 'far' })").exec().unwrap_err())
        .join()
        .unwrap();
    assert!(error.to_string().contains("table value"));
    drop(error);
}

#[test]
fn coroutines() {
    everywhere(|lua| {
        let f: Function = lua
            .load("function(a) for i = 1, a do local got = coroutine.yield(i) if got == 'stop' then error('stopped') end end return 'end' end")
            .eval()
            .unwrap();
        let t = lua.create_thread(f.clone()).unwrap();
        assert_eq!(t.status(), ThreadStatus::Resumable);
        assert_eq!(t.resume::<i64>(2).unwrap(), 1);
        assert_eq!(t.resume::<i64>(()).unwrap(), 2);
        assert_eq!(t.resume::<String>(()).unwrap(), "end");
        assert_eq!(t.status(), ThreadStatus::Finished);
        assert!(
            t.resume::<()>(()).unwrap_err().to_string().contains("cannot resume dead coroutine")
        );
        let t = lua.create_thread(f).unwrap();
        t.resume::<()>(9).unwrap();
        let error = t.resume::<()>("stop").unwrap_err();
        assert!(error.message().ends_with("stopped"), "{error}");
        assert_eq!(t.status(), ThreadStatus::Failed);
        // A yield through a callback.
        let call = lua.create_function(|_, f: Function| f.call::<i64>(()).map(|n| n + 1)).unwrap();
        lua.globals().set("call", call).unwrap();
        let f: Function = lua
            .load("function() return call(function() return coroutine.yield(1) end) end")
            .eval()
            .unwrap();
        let t = lua.create_thread(f.clone()).unwrap();
        assert_eq!(t.resume::<i64>(()).unwrap(), 1);
        assert_eq!(t.resume::<i64>(41).unwrap(), 42);
        // One that is never finished, with a callback's frame on its stack.
        let t: Thread = lua.create_thread(f.clone()).unwrap();
        t.resume::<()>(()).unwrap();
        drop(t);
        lua.gc_collect().unwrap();
        // Closed in the middle.
        let t = lua.create_thread(f).unwrap();
        t.resume::<()>(()).unwrap();
        t.close().unwrap();
        assert_eq!(t.status(), ThreadStatus::Finished);
        let inner = lua.create_function(|lua, ()| {
            let t: Thread = lua.load("(coroutine.running())").eval()?;
            Ok((
                t.status() == ThreadStatus::Running,
                t.close().is_err(),
                t.resume::<()>(()).is_err(),
            ))
        });
        assert_eq!(inner.unwrap().call::<(bool, bool, bool)>(()).unwrap(), (true, true, true));
    });
}

#[test]
fn destructors_of_callbacks_run_when_a_coroutine_is_closed() {
    struct Guard(Rc<Cell<bool>>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    everywhere(|lua| {
        let dropped = Rc::new(Cell::new(false));
        let seen = Rc::clone(&dropped);
        let hold = lua.create_function(move |_, f: Function| {
            let _guard = Guard(Rc::clone(&seen));
            // Ignores the error: the coroutine is closed all the same.
            let _ = f.call::<()>(());
            Ok("went on")
        });
        lua.globals().set("hold", hold.unwrap()).unwrap();
        let f: Function =
            lua.load("function() hold(coroutine.yield) after = true end").eval().unwrap();
        let t = lua.create_thread(f).unwrap();
        t.resume::<()>(()).unwrap();
        assert!(!dropped.get());
        t.close().unwrap();
        assert!(dropped.get());
        assert!(!lua.globals().contains_key("after").unwrap());
    });
}

#[test]
fn userdata() {
    struct Point {
        x: f64,
        y: f64,
    }
    impl UserData for Point {
        fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
            fields.add_field_method_get("x", |_, p| Ok(p.x));
            fields.add_field_method_set("x", |_, p, x| {
                p.x = x;
                Ok(())
            });
        }
        fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
            methods.add_method("length", |_, p, ()| Ok(p.x.hypot(p.y)));
            methods.add_method_mut("scale", |_, p, by: f64| {
                p.x *= by;
                p.y *= by;
                Ok(())
            });
            methods.add_method_mut("with", |_, _, f: Function| f.call::<()>(()));
            methods.add_function("new", |lua, (x, y)| lua.create_userdata(Point { x, y }));
            methods.add_meta_method("__add", |lua, a, b: AnyUserData| {
                let b = b.borrow::<Point>()?;
                lua.create_userdata(Point { x: a.x + b.x, y: a.y + b.y })
            });
            methods.add_meta_method("__tostring", |_, p, ()| Ok(format!("({}, {})", p.x, p.y)));
        }
    }
    everywhere(|lua| {
        let p = lua.create_userdata(Point { x: 3.0, y: 4.0 }).unwrap();
        lua.globals().set("p", &p).unwrap();
        assert_eq!(lua.load("p:length()").eval::<f64>().unwrap(), 5.0);
        lua.load("p:scale(2) p.x = p.x + 1").exec().unwrap();
        assert_eq!(p.borrow::<Point>().unwrap().x, 7.0);
        assert_eq!(lua.load("tostring(p + p.new(1, 2))").eval::<String>().unwrap(), "(8, 10)");
        let error = lua.load("p:scale('a lot')").exec().unwrap_err();
        assert!(error.to_string().contains("number expected, got string"), "{error}");
        assert!(
            lua.load("p.y = 1").exec().unwrap_err().to_string().contains("cannot set field 'y'")
        );
        assert!(lua.load("p.length()").exec().unwrap_err().to_string().contains("Point expected"));
        // Borrow rules hold across Lua.
        let held = p.borrow::<Point>().unwrap();
        assert!(
            lua.load("p:scale(1)").exec().unwrap_err().to_string().contains("userdata is in use")
        );
        assert!(lua.load("p:length()").eval::<f64>().is_ok());
        drop(held);
        let error = lua.load("p:with(function() p:length() end)").exec().unwrap_err();
        assert!(error.to_string().contains("userdata is in use"), "{error}");
        assert!(p.borrow::<String>().is_err() && p.is::<Point>());
        let alone = p.borrow::<Point>().unwrap();
        lua.load("p = nil").exec().unwrap();
        drop(p);
        lua.gc_collect().unwrap();
        assert_eq!(alone.y, 8.0);
        let any = lua.create_any_userdata(String::from("owned")).unwrap();
        assert_eq!(any.take::<String>().unwrap(), "owned");
        assert!(any.borrow::<String>().is_err() && any.take::<String>().is_err());
    });
}

#[test]
fn memory_limit() {
    everywhere(|lua| {
        lua.gc_collect().unwrap();
        lua.gc_stress(0, false);
        lua.set_memory_limit(Some(lua.used_memory() + (2 << 20)));
        for program in [
            "local t = {} for i = 1, 1e9 do t[i] = i end",
            "local s = 'x' while true do s = s .. s end",
            "local t = {} while true do t[#t + 1] = {} end",
            "return ('x'):rep(1e9)",
        ] {
            let error = lua.load(program).exec().unwrap_err();
            assert!(error.to_string().contains("not enough memory"), "{program}: {error}");
            assert_eq!(lua.load("1 + 1").eval::<i64>().unwrap(), 2);
        }
        let table = lua.create_table().unwrap();
        let error = (0..).find_map(|i| table.push(format!("some long text {i}")).err()).unwrap();
        assert!(matches!(error, Error::Memory), "{error}");
        drop(table);
        lua.set_memory_limit(None);
        lua.load("local t = {} for i = 1, 1e6 do t[i] = i end").exec().unwrap();
    });
}

#[test]
fn host_allocation_is_collected() {
    let lua = Lua::new();
    lua.gc_collect().unwrap();
    let before = lua.used_memory();
    for i in 0..200_000 {
        let table = lua.create_table().unwrap();
        table.set("key", i).unwrap();
        lua.create_string(format!("string number {i}")).unwrap();
    }
    assert!(lua.used_memory() < before + (16 << 20), "{} → {}", before, lua.used_memory());
}

#[test]
fn recursion_without_loops_is_collected() {
    let lua = eager();
    let f = "local function f(n) if n == 0 then return 0 end local t = { n } return f(n - 1) + f(n - 1) + #t end
        f(18) return collectgarbage('count')";
    let kilobytes: f64 = lua.load(f).eval().unwrap();
    assert!(kilobytes < 8000.0, "{kilobytes} KiB in use");
}

#[test]
fn interrupts() {
    everywhere(|lua| {
        lua.gc_stress(0, false);
        for program in [
            "while true do end",
            "for i = 1, 1e18 do end",
            "local function f() return f() end f()",
            "repeat local t = {} until t == 1",
            "while true do pcall(error) end",
            "local function f(n) if n < 2 then return n end return f(n - 1) + f(n - 2) end f(60)",
            "local g local function f(n) return g(n + 1) end function g(n) return f(n) end f(1)",
        ] {
            let handle = lua.interrupt_handle();
            let thread = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(15));
                handle.interrupt();
            });
            let error = lua.load(program).exec().unwrap_err();
            thread.join().unwrap();
            assert!(error.message().contains("interrupted!"), "{program}: {error}");
        }
    });
    let handle = Lua::new().interrupt_handle();
    handle.interrupt();
}

#[test]
fn interrupt_callback_may_go_on_or_run_code() {
    let lua = eager();
    let calls = Rc::new(Cell::new(0));
    let count = Rc::clone(&calls);
    lua.set_interrupt(move |lua| {
        count.set(count.get() + lua.load("1").eval::<i32>()?);
        if count.get() < 5 {
            lua.interrupt_handle().interrupt();
        }
        Ok(())
    });
    lua.interrupt_handle().interrupt();
    let sum: i64 =
        lua.load("local s = 0 for i = 1, 10000 do s = s + i end return s").eval().unwrap();
    assert_eq!((sum, calls.get()), (50_005_000, 5));
    lua.set_interrupt(|_| panic!("while asked"));
    for _ in 0..2 {
        lua.interrupt_handle().interrupt();
        let result = catch_unwind(AssertUnwindSafe(|| lua.load("while true do end").exec()));
        assert!(result.is_err());
    }
    lua.remove_interrupt();
    lua.interrupt_handle().interrupt();
    assert!(lua.load("while true do end").exec().is_err());
}

#[test]
fn jit_is_seen_and_steered() {
    let lua = Lua::new();
    let f: Function = lua
        .load("function(n) local s = 0 for i = 1, n do s = s + i end return s end")
        .eval()
        .unwrap();
    for _ in 0..300 {
        f.call::<i64>(100).unwrap();
    }
    let stats = lua.jit_stats();
    assert!(stats.functions + stats.loops > 0, "{}", stats.table());
    assert!(stats.json().starts_with('{'));
    assert!(f.bytecode(None).unwrap().contains("FORLOOP"));
    lua.set_jit_enabled(false);
    assert!(!lua.jit_enabled());
    let entries = lua.jit_stats().entries;
    assert_eq!(f.call::<i64>(1000).unwrap(), 500_500);
    assert_eq!(lua.jit_stats().entries, entries);
    lua.set_jit_enabled(true);
    assert_eq!(f.call::<i64>(1000).unwrap(), 500_500);
}

#[test]
fn many_chunks_leave_nothing_behind() {
    let lua = eager();
    let round = |n: usize| {
        for i in 0..n {
            let text = format!(
                "local function f(x) return x + {i} end local s = 0 for j = 1, 20 do s = f(s) end return s"
            );
            lua.load(text).eval::<i64>().unwrap();
        }
        lua.gc_collect().unwrap();
        (lua.used_memory(), lua.jit_stats().live_code_bytes)
    };
    round(50);
    let (heap, code) = round(50);
    let (heap_after, code_after) = round(150);
    assert!(heap_after < heap + 100_000, "{heap} → {heap_after}");
    assert!(code_after < code + 50_000, "{code} → {code_after}");
}
