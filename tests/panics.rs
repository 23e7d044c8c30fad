//! Panics in host functions, wherever Lua calls them: each surfaces in the host, past every catch of Lua's, and
//! leaves a state that works and a heap that is right. And what else may happen while coroutines and states
//! are closed.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use perilune::{Function, JitOptions, Lua, LuaOptions, StdLib, Thread};

fn states() -> Vec<Lua> {
    [
        JitOptions { enabled: false, ..JitOptions::default() },
        JitOptions { threshold: 1, ..JitOptions::default() },
    ]
    .into_iter()
    .map(|jit| Lua::new_with(StdLib::ALL, LuaOptions { jit, ..LuaOptions::default() }).unwrap())
    .collect()
}

/// Every place from which Lua calls a host function, here `boom`. `meta(name)` is a value whose metamethod it is.
const PLACES: &[&str] = &[
    "boom()",
    "local r = boom() return r",
    "return boom()",
    "for _ in boom do end",
    "for _ in pairs(meta('__pairs')) do end",
    "local t = { 3, 1, 2, 5, 4 } table.sort(t, boom)",
    "return (('abc'):gsub('.', boom))",
    "return meta('__index').x",
    "meta('__newindex').x = 1",
    "return meta('__call')(1)",
    "return meta('__add') + 1",
    "return meta('__concat') .. 'x'",
    "return 'x' .. meta('__concat')",
    "return meta('__lt') < meta('__lt')",
    "return meta('__le') <= 1",
    "return meta('__eq') == meta('__eq')",
    "return #meta('__len')",
    "return -meta('__unm')",
    "return tostring(meta('__tostring'))",
    "return ('%s'):format(meta('__tostring'))",
    "return table.concat(meta('__index'), '', 1, 3)",
    "return table.unpack(meta('__index'), 1, 3)",
    "table.insert(meta('__len'), 1)",
    "local c <close> = meta('__close')",
    "do local c <close> = meta('__close') end",
    "local c <close> = meta('__close') local d <close> = meta('__close') error('x')",
    "for _ in function() end, nil, nil, meta('__close') do end",
    "local function f() local c <close> = meta('__close') return 1 end return f()",
    "meta('__gc') collectgarbage()",
    "coroutine.wrap(boom)()",
    "coroutine.resume(coroutine.create(boom))",
    "coroutine.wrap(function() pcall(boom) end)()",
    "coroutine.wrap(function() local c <close> = meta('__close') boom() end)()",
    "local co = coroutine.create(function() local c <close> = meta('__close') coroutine.yield() end) coroutine.resume(co) coroutine.close(co)",
    "local co = coroutine.create(function() local c <close> = meta('__close') pcall(coroutine.yield) end) coroutine.resume(co) coroutine.close(co)",
    "local co = coroutine.create(function() local c <close> = meta('__close') error('x') end) coroutine.resume(co) coroutine.close(co)",
    "local co = coroutine.wrap(function() local c <close> = meta('__close') error('x') end) co()",
    "local co = coroutine.create(function() local a <close> = meta('__close') local b <close> = meta('__close') coroutine.yield() end) coroutine.resume(co) coroutine.close(co)",
    "local co = coroutine.create(function() return pcall(function() local c <close> = meta('__close') coroutine.yield() end) end) coroutine.resume(co) coroutine.close(co)",
    "xpcall(error, boom)",
    "xpcall(function() local x = nil + 1 end, boom)",
    "xpcall(function() local function f() return 1 + f() end f() end, boom)",
    "load(boom)",
    "debug.sethook(boom, 'l')\nlocal x = 1\nlocal y = 2",
    "debug.sethook(boom, 'c') local x = tostring(1)",
    "debug.sethook(boom, '', 1) local x = 1",
    "package.preload.m = boom require('m')",
    "table.insert(package.searchers, 1, boom) require('nothing')",
    "string.rep('x', 3):gsub('x', setmetatable({}, { __index = boom }))",
    "local t = setmetatable({}, { __index = function(t, k) return boom(k) end }) for i = 1, 100 do if i == 90 then local x = t.y end end",
    "for i = 1, 100 do if i == 90 then boom() end end",
    "local function f(n) if n == 0 then boom() end return 1 + f(n - 1) end return f(50)",
    "stop()\nfor i = 1, 1e9 do end",
    "drop() collectgarbage() collectgarbage()",
];

/// What a place may be surrounded by.
const AROUND: &[&str] = &[
    "@",
    "return pcall(function() @ end)",
    "return xpcall(function() @ end, function(e) return e end)",
    "return coroutine.wrap(function() return pcall(function() @ end) end)()",
    "local c <close> = setmetatable({}, { __close = function() end }) local function f() @ end f()",
    "local ok = pcall(function() local u = 1 local function g() return u end keep = g @ end)",
    "return load('return ...')(pcall(error, 'x'), (function() @ end)())",
    "return nested(function() @ end)",
];

#[test]
fn a_panic_in_any_place() {
    for lua in states() {
        set_up(&lua);
        for place in PLACES {
            for around in AROUND {
                let code = around.replace('@', place);
                lua.globals().set("armed", true).unwrap();
                let result = catch_unwind(AssertUnwindSafe(|| lua.load(&code).exec()));
                let panic = match result {
                    // Drops and finalizers may wait for the border after this one.
                    Ok(_) => catch_unwind(AssertUnwindSafe(|| lua.gc_collect().unwrap()))
                        .expect_err(&format!("no panic: {code}")),
                    Err(panic) => panic,
                };
                assert_eq!(panic.downcast_ref::<&str>(), Some(&"boom"), "{code}");
                lua.globals().set("armed", false).unwrap();
                lua.load("debug.sethook() collectgarbage() package.loaded.m = nil package.preload.m = nil if #package.searchers > 4 then table.remove(package.searchers, 1) end")
                    .exec()
                    .unwrap_or_else(|e| panic!("{code}: {e}"));
                lua.load(
                    "assert(coroutine.isyieldable() == false and coroutine.running())
                     local ok, e = pcall(error, 'x', 0) assert(not ok and e == 'x')
                     local co = coroutine.wrap(function(a) while true do a = coroutine.yield(a * 2) end end)
                     for i = 1, 200 do assert(co(i) == 2 * i) end
                     local closed local c <close> = nil
                     do local c <close> = setmetatable({}, { __close = function() closed = true end }) end
                     assert(closed)",
                )
                .exec()
                .unwrap_or_else(|e| panic!("{code}: {e}"));
            }
        }
        // The heap is right: every allocation collects and checks it.
        lua.gc_stress(1, true);
        lua.load("local t = {} for i = 1, 50 do t[i] = { tostring(i) } end").exec().unwrap();
    }
}

fn set_up(lua: &Lua) {
    let boom = lua
        .create_function(|lua, _: perilune::MultiValue| -> perilune::Result<()> {
            if lua.globals().get::<bool>("armed")? {
                std::panic::resume_unwind(Box::new("boom"));
            }
            Ok(())
        })
        .unwrap();
    lua.globals().set("boom", boom).unwrap();
    let nested = lua.create_function(|_, f: Function| f.call::<()>(())).unwrap();
    lua.globals().set("nested", nested).unwrap();
    let stop = lua
        .create_function(|lua, ()| {
            lua.interrupt_handle().interrupt();
            Ok(())
        })
        .unwrap();
    lua.globals().set("stop", stop).unwrap();
    lua.set_interrupt(|_| std::panic::resume_unwind(Box::new("boom")));
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                std::panic::resume_unwind(Box::new("boom"));
            }
        }
    }
    let drop = lua.create_function(|lua, ()| lua.create_any_userdata(Bomb).map(|_| ())).unwrap();
    lua.globals().set("drop", drop).unwrap();
    lua.load("function meta(name) return setmetatable({}, { [name] = boom }) end").exec().unwrap();
}

/// Closing a coroutine goes on with the host's panic, and the coroutine that closed runs on.
#[test]
fn a_panic_while_a_coroutine_is_closed() {
    for lua in states() {
        set_up(&lua);
        lua.globals().set("armed", true).unwrap();
        let body: Function = lua
            .load("return function() local c <close> = meta('__close') coroutine.yield() end")
            .eval()
            .unwrap();
        let thread = lua.create_thread(body).unwrap();
        thread.resume::<()>(()).unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| thread.close())).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"boom"));
        assert!(thread.close().is_ok());
        assert!(lua.load("select(2, coroutine.running())").eval::<bool>().unwrap());
    }
}

/// A host function that does not give up is unwound, by `close` and by the collector.
#[test]
fn a_callback_that_retries_while_its_coroutine_ends() {
    for lua in states() {
        let unwound = Rc::new(Cell::new(0));
        struct Note(Rc<Cell<i32>>);
        impl Drop for Note {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let count = Rc::clone(&unwound);
        let retry = lua
            .create_function(move |_, f: Function| -> perilune::Result<()> {
                let _note = Note(Rc::clone(&count));
                loop {
                    if f.call::<bool>(()).is_ok_and(|done| done) {
                        return Ok(());
                    }
                }
            })
            .unwrap();
        lua.globals().set("retry", retry).unwrap();
        let start = || {
            lua.load(
                "local co = coroutine.create(function()
                     local c <close> = setmetatable({}, { __close = function() closed = (closed or 0) + 1 end })
                     pcall(retry, coroutine.yield)
                 end)
                 assert(coroutine.resume(co))
                 return co",
            )
            .eval::<Thread>()
            .unwrap()
        };
        start().close().unwrap();
        assert_eq!(unwound.get(), 1);
        assert_eq!(lua.globals().get::<i64>("closed").unwrap(), 1);
        drop(start());
        lua.gc_collect().unwrap();
        assert_eq!(unwound.get(), 2);
        // One that ends by itself does.
        let thread = start();
        thread.resume::<()>(true).unwrap();
        assert_eq!(unwound.get(), 3);
        assert_eq!(lua.load("1 + 1").eval::<i64>().unwrap(), 2);
    }
}

/// A handle that a finalizer keeps while the state closes keeps the state, with all it does.
#[test]
fn a_state_kept_by_a_finalizer_collects() {
    let kept: Rc<RefCell<Option<Lua>>> = Rc::default();
    let runs = Rc::new(Cell::new(0));
    {
        let lua = Lua::new();
        let (slot, count) = (Rc::clone(&kept), Rc::clone(&runs));
        let keep = lua
            .create_function(move |lua, ()| {
                count.set(count.get() + 1);
                if slot.borrow().is_none() {
                    *slot.borrow_mut() = Some(lua.clone());
                }
                Ok(())
            })
            .unwrap();
        lua.globals().set("keep", keep).unwrap();
        lua.load("x = setmetatable({}, { __gc = function() keep() end })").exec().unwrap();
    }
    assert_eq!(runs.get(), 1);
    let lua = kept.borrow_mut().take().expect("the finalizer has run");
    let before = lua.used_memory();
    lua.load("for i = 1, 200000 do local t = { i, i, i, i, i, i, i, i } end").exec().unwrap();
    assert!(lua.used_memory() < before + (8 << 20), "{} {before}", lua.used_memory());
    // Finalizers are registered again, and run when it closes for good.
    lua.load("x = setmetatable({}, { __gc = function() keep() end })").exec().unwrap();
    drop(lua);
    let again = kept.borrow_mut().take();
    assert_eq!(runs.get(), 2);
    assert!(again.is_some());
}
