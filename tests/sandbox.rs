//! Sandboxed states: what is not there, what cannot be reached, what chunks do not see of each other, limits.

use std::collections::HashMap;
use std::ffi::c_void;
use std::time::Duration;

use perilune::{
    AnyUserData, Error, Function, JitOptions, Limits, Lua, LuaOptions, StopReason, Table, UserData,
    UserDataMethods, Value,
};

fn sandbox(limits: Limits) -> Lua {
    Lua::sandboxed(limits).unwrap()
}

/// Interpreted, compiled at once, and with a collection at every allocation.
fn everywhere(test: impl Fn(&Lua)) {
    for (enabled, stress) in [(false, false), (true, false), (true, true)] {
        let jit = JitOptions { enabled, threshold: 1, ..JitOptions::default() };
        let options = LuaOptions { jit, ..LuaOptions::default() };
        let lua = Lua::sandboxed_with(Limits::none(), options).unwrap();
        if stress {
            lua.gc_stress(1, true);
        }
        test(&lua);
    }
}

#[test]
fn what_is_there() {
    let lua = sandbox(Limits::default());
    let names: String = lua
        .load(
            "local names = {}
            for k, v in pairs(_G) do
                if type(v) == 'table' and v ~= _G then
                    for name in pairs(v) do names[#names + 1] = k .. '.' .. name end
                else
                    names[#names + 1] = k
                end
            end
            table.sort(names)
            return table.concat(names, ' ')",
        )
        .eval()
        .unwrap();
    let expected = "_G _VERSION assert collectgarbage coroutine.close coroutine.create coroutine.isyieldable \
        coroutine.resume coroutine.running coroutine.status coroutine.wrap coroutine.yield error getmetatable \
        ipairs load \
        math.MATH next os.clock os.date os.difftime os.time pairs pcall print rawequal rawget rawlen rawset \
        select setmetatable string.byte string.char string.find string.format string.gmatch string.gsub \
        string.len string.lower string.match string.pack string.packsize string.rep string.reverse string.sub \
        string.unpack string.upper table.concat table.insert table.move table.pack table.remove table.sort \
        table.unpack tonumber tostring type utf8.char utf8.charpattern utf8.codepoint utf8.codes utf8.len \
        utf8.offset warn xpcall";
    // The functions of `math` are many, and none does more than compute.
    let mut found: Vec<&str> =
        names.split(' ').map(|n| if n.starts_with("math.") { "math.MATH" } else { n }).collect();
    found.dedup();
    assert_eq!(found.join(" "), expected);
}

/// Programs that try to get out, or to leave something behind; what they end with.
const ATTEMPTS: &[(&str, &str)] = &[
    // What is not there.
    ("return io, debug, package, require, dofile, loadfile", "nil nil nil nil nil nil"),
    (
        "return os.execute, os.exit, os.remove, os.rename, os.tmpname, os.getenv, os.setlocale",
        "nil nil nil nil nil nil nil",
    ),
    ("return string.dump, (''):len(), (''):dump()", "attempt to call a nil value (method 'dump')"),
    ("return _G.io, _ENV.debug, rawget(_G, 'package')", "nil nil nil"),
    // Precompiled code, in every disguise.
    ("return load('\\27Lua')", "nil attempt to load a binary chunk (mode is 't')"),
    ("return load('\\27Lua', 'x', 'b')", "nil attempt to load a binary chunk (mode is '')"),
    ("return load('\\27Lua', 'x', 'bt')", "nil attempt to load a binary chunk (mode is 't')"),
    (
        "local n = 0 return load(function() n = n + 1 return n == 1 and '\\27Lua' or nil end, 'x', 'bt')",
        "nil attempt to load a binary chunk (mode is 't')",
    ),
    ("return load('return 1', 'x', 'b')", "nil attempt to load a text chunk (mode is '')"),
    ("return load('return 1', 'x', 't')()", "1"),
    // Strings and their metatable.
    ("return getmetatable('')", "false"),
    ("getmetatable('').__index = nil", "attempt to index a boolean value"),
    ("getmetatable('').__index.rep = 1", "attempt to index a boolean value"),
    ("setmetatable('', {})", "bad argument #1 to 'setmetatable' (table expected, got string)"),
    ("('').rep = 1", "attempt to index a string value"),
    ("rawset('', 'rep', 1)", "bad argument #1 to 'rawset' (table expected, got string)"),
    ("string.rep = nil return ('x'):rep(3)", "xxx"),
    ("string.rep = function() return 'mine' end return ('x'):rep(3), string.rep()", "xxx mine"),
    ("for k in next, string do string[k] = nil end return next(string), ('x'):upper()", "nil X"),
    ("string = nil return ('x'):rep(2)", "xx"),
    (
        "setmetatable(string, { __index = function() return 'mine' end }) return string.nothing, (''):nothing()",
        "attempt to call a nil value (method 'nothing')",
    ),
    ("return ('').__index, ('').__metatable, ('').__add", "nil nil nil"),
    // Library tables, by each way of writing.
    ("table.insert(math, 'x') math[2] = 'y' return #math", "2"),
    ("rawset(table, 'concat', nil) return table.concat", "nil"),
    (
        "for k in pairs(coroutine) do coroutine[k] = print end return coroutine.wrap == print",
        "true",
    ),
    ("setmetatable(math, { __newindex = error }) math.pi = 3 return math.pi", "3"),
    ("utf8.charpattern = 1 return utf8.charpattern", "1"),
    ("os.time = function() return 0 end return os.time()", "0"),
    ("table.sort(string, function() end) return 'ok'", "ok"),
    ("table.move({ 1, 2, 3 }, 1, 3, 1, string) return #string", "3"),
    ("pairs, ipairs, type, tostring, print, error = nil return pcall, pairs", "function nil"),
    // The environment, by each of its names.
    ("setmetatable(_G, { __index = function(_, k) return k end }) return secret", "secret"),
    ("_G.x = 1 _ENV.y = 2 rawset(_ENV, 'z', 3) return x, y, z, _G == _ENV", "1 2 3 true"),
    ("_ENV = { tostring = tostring } x = 1 return x, _G", "1 nil"),
    ("local _ENV <const> = setmetatable({}, { __index = _G }) x = 5 return x, _G.x", "5 nil"),
    ("load('leak = 7')() return leak", "7"),
    ("load('leak = 7', 'x', 't', {})() return leak", "nil"),
    ("return load('return _ENV')() == _G", "true"),
    ("return load('return load(\"return _ENV\")()')() == _G", "true"),
    ("return coroutine.wrap(function() return load('return _ENV')() end)() == _G", "true"),
    ("return select(2, pcall(load, 'return _ENV'))() == _G", "true"),
    ("return load == _G.load, load == load('return load')()", "true true"),
    ("_G._G = nil return load('return _ENV')()._VERSION, _G", "Lua 5.4 nil"),
    // Errors, coroutines, finalizers.
    ("return pcall(error, setmetatable({}, { __index = _G }))", "false table"),
    (
        "local co = coroutine.running() return coroutine.close(co)",
        "cannot close a running coroutine",
    ),
    ("return coroutine.isyieldable()", "false"),
    ("return select(2, xpcall(error, function(e) return getmetatable(e) end, 'x'))", "false"),
    ("return select(2, pcall(fail)), getmetatable(select(2, pcall(fail)))", "userdata false"),
    ("local _, e = pcall(fail) e.x = 1", "attempt to index a error value"),
    ("getmetatable(token).__index.name = nil", "attempt to index a boolean value"),
    ("token.name = nil", "attempt to index a Token value"),
    ("return token:name(), token.__gc, token.__index", "token nil nil"),
    (
        "local t <close> = setmetatable({}, { __close = function() string.len = nil end }) return ('x'):len()",
        "1",
    ),
    (
        "setmetatable({}, { __gc = function() collected = true string.len = nil end }) collectgarbage() return collected, ('x'):len()",
        "true 1",
    ),
    // The collector.
    (
        "return collectgarbage('count') > 0, collectgarbage('isrunning'), collectgarbage()",
        "true true 0",
    ),
    ("collectgarbage('stop')", "bad argument #1 to 'collectgarbage' (invalid option 'stop')"),
    (
        "collectgarbage('setpause', 10000)",
        "bad argument #1 to 'collectgarbage' (invalid option 'setpause')",
    ),
    (
        "collectgarbage('generational')",
        "bad argument #1 to 'collectgarbage' (invalid option 'generational')",
    ),
    (
        "collectgarbage('incremental', 1000, 1)",
        "bad argument #1 to 'collectgarbage' (invalid option 'incremental')",
    ),
    ("warn('@on') warn('x') warn('@on', 'y') return 'silent'", "silent"),
    // What the host shares is shared, and no more.
    ("return getmetatable(getmetatable)", "nil"),
    (
        "return getmetatable(print), getmetatable(1), getmetatable(true), getmetatable(nil), getmetatable(coroutine.running())",
        "nil nil nil nil nil",
    ),
];

/// Part of every sandbox here: what a host may give.
struct Token;

impl UserData for Token {
    fn add_methods<M: UserDataMethods<Token>>(methods: &mut M) {
        methods.add_method("name", |_, _, ()| Ok("token"));
        methods.add_meta_method("__gc", |_, _, ()| Ok(()));
    }
}

fn prepare(lua: &Lua) {
    let globals = lua.globals();
    globals.set("token", lua.create_userdata(Token).unwrap()).unwrap();
    let fail = lua.create_function(|_, ()| Err::<(), _>(Error::external(std::fmt::Error))).unwrap();
    globals.set("fail", fail).unwrap();
}

/// What a chunk is to find in any case.
const PRISTINE: &str = "
    assert(x == nil and y == nil and z == nil and leak == nil and collected == nil and secret == nil)
    assert(_G == _ENV and getmetatable(_G) == nil and _G._G == _G and load('return _ENV')() == _G)
    assert(('x'):rep(3) == 'xxx' and ('x'):len() == 1 and string.rep('x', 2) == 'xx' and ('x').nothing == nil)
    assert(#math == 0 and math.pi > 3.14 and math.pi < 3.15 and math.floor(1.5) == 1)
    assert(table.concat({ 1, 2 }, ' ') == '1 2' and #string == 0 and getmetatable(string) == nil)
    assert(coroutine.wrap(function() return 1 end)() == 1 and os.time() > 1e9)
    assert(type(utf8.charpattern) == 'string' and token:name() == 'token' and not pcall(fail))
    for _, name in ipairs { 'pairs', 'ipairs', 'type', 'tostring', 'print', 'error', 'next', 'rawset' } do
        assert(type(_G[name]) == 'function')
    end
    return true";

/// Runs a program: its results as text, or what its error says behind the position.
fn outcome(lua: &Lua, program: &str) -> String {
    let results = lua.load(program).set_name("=p").call::<perilune::MultiValue>(());
    match results {
        Ok(values) => {
            let text = |value: &Value| match value {
                Value::Table(_) | Value::Function(_) | Value::UserData(_) => {
                    value.type_name().to_owned()
                }
                other => other.to_display_string(lua).unwrap(),
            };
            values.iter().map(text).collect::<Vec<_>>().join(" ")
        }
        Err(error) => {
            let message = error.message();
            message.strip_prefix("p:1: ").unwrap_or(&message).to_owned()
        }
    }
}

#[test]
fn attempts_to_get_out() {
    everywhere(|lua| {
        prepare(lua);
        // Loaded before, run after all others.
        let early: Function = lua.load(PRISTINE).into_function().unwrap();
        for (program, expected) in ATTEMPTS {
            let found = outcome(lua, program);
            let expected =
                if expected.starts_with("attempt to index") && found.starts_with(expected) {
                    &found
                } else {
                    *expected
                };
            assert_eq!(found, expected, "{program}");
            assert!(lua.load(PRISTINE).eval::<bool>().unwrap(), "after {program}");
        }
        assert!(early.call::<bool>(()).unwrap());
        lua.gc_collect().unwrap();
    });
}

#[test]
fn chunks_have_globals_of_their_own() {
    everywhere(|lua| {
        let set: Function = lua
            .load("n = (n or 0) + 1 function get() return n end return n")
            .into_function()
            .unwrap();
        let other: Function = lua.load("n = (n or 0) + 1 return n, get").into_function().unwrap();
        assert_eq!(set.call::<i64>(()).unwrap(), 1);
        assert_eq!(set.call::<i64>(()).unwrap(), 2);
        assert_eq!(other.call::<(i64, Value)>(()).unwrap(), (1, Value::Nil));
        assert!(lua.globals().get::<Value>("n").unwrap().is_nil());
        // What the host sets, chunks have that are loaded later; their assignments stay with them.
        lua.globals().set("n", 10).unwrap();
        assert_eq!(other.call::<(i64, Value)>(()).unwrap().0, 2);
        assert_eq!(lua.load("n = n + 1 return n").eval::<i64>().unwrap(), 11);
        assert_eq!(lua.load("n = n + 1 return n").eval::<i64>().unwrap(), 11);
        // Together in one environment.
        let shared = lua.create_environment().unwrap();
        let run = |source: &str| {
            lua.load(source).set_environment(shared.clone()).call::<Value>(()).unwrap()
        };
        run("function twice(x) return 2 * x end string.shout = string.upper");
        assert_eq!(run("return twice(n)"), Value::Integer(20));
        assert_eq!(run("return string.shout('a')").to_display_string(lua).unwrap(), "A");
        assert_eq!(run("return load('return twice(4)')()"), Value::Integer(8));
        let library: Table = shared.get("string").unwrap();
        assert!(library.contains_key("shout").unwrap());
        assert!(lua.load("twice == nil and string.shout == nil").eval::<bool>().unwrap());
    });
}

/// All tables that a table leads to, through keys, values and metatables, protected ones included.
fn reachable(table: &Table, found: &mut HashMap<*const c_void, String>, path: &str) {
    if found.insert(table.to_pointer(), path.to_owned()).is_some() {
        return;
    }
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair.unwrap();
        let path =
            format!("{path}.{}", key.as_string().map_or("?".into(), |k| k.to_string_lossy()));
        for value in [key, value] {
            match &value {
                Value::Table(table) => reachable(table, found, &path),
                Value::UserData(userdata) => {
                    let meta = userdata.metatable().expect("each here has a metatable");
                    assert_eq!(
                        meta.raw_get::<Value>("__metatable").unwrap(),
                        Value::Boolean(false)
                    );
                }
                _ => {}
            }
        }
    }
    if let Some(meta) = table.metatable() {
        reachable(&meta, found, &format!("{path}<meta>"));
    }
}

/// Whatever a chunk could write to, no other chunk can reach: no attempt has to be thought of.
#[test]
fn environments_share_no_table() {
    let lua = sandbox(Limits::default());
    prepare(&lua);
    let mut seen: HashMap<*const c_void, String> = HashMap::new();
    let originals =
        [lua.globals(), lua.create_environment().unwrap(), lua.create_environment().unwrap()];
    for (i, environment) in originals.iter().enumerate() {
        let mut found = HashMap::new();
        reachable(environment, &mut found, &format!("{i}"));
        assert!(found.len() >= 7, "{found:?}");
        for (table, path) in found {
            let other = seen.insert(table, path.clone());
            assert!(other.is_none(), "{path} is {other:?}");
        }
    }
}

#[test]
fn the_host_gives_and_takes() {
    let lua = sandbox(Limits::default());
    let said = std::rc::Rc::new(std::cell::RefCell::new(String::new()));
    let heard = std::rc::Rc::clone(&said);
    let print = lua.create_function(move |_, text: String| {
        heard.borrow_mut().push_str(&text);
        Ok(())
    });
    lua.globals().set("print", print.unwrap()).unwrap();
    lua.globals().set("load", Value::Nil).unwrap();
    lua.globals().set("os", lua.create_table().unwrap()).unwrap();
    lua.load("print('hello') assert(next(os) == nil and load == nil)").exec().unwrap();
    assert_eq!(*said.borrow(), "hello");
    // A handle of the host's that a chunk gets is shared.
    let shared = lua.create_table().unwrap();
    lua.globals().set("shared", &shared).unwrap();
    lua.load("shared.x = 1").exec().unwrap();
    assert_eq!(lua.load("shared.x").eval::<i64>().unwrap(), 1);
    let token: AnyUserData = lua.create_userdata(Token).unwrap();
    assert_eq!(lua.load("return (...):name()").call::<String>(token).unwrap(), "token");
}

#[test]
fn precompiled_chunks_are_refused() {
    let full = Lua::new();
    let chunk = full.load("return 1").into_function().unwrap().dump(false).unwrap();
    let lua = sandbox(Limits::default());
    let error = lua.load(&chunk).exec().unwrap_err();
    assert_eq!(error.message(), "attempt to load a binary chunk (mode is 't')");
    assert!(lua.load(&chunk).eval::<i64>().is_err());
    let bytes = lua.create_string(&chunk).unwrap();
    let (loaded, message): (Value, String) = lua.load("return load(...)").call(bytes).unwrap();
    assert!(loaded.is_nil() && message.contains("binary chunk"));
    assert_eq!(full.load(&chunk).eval::<i64>().unwrap(), 1);
}

#[test]
fn memory_is_limited() {
    let lua = sandbox(Limits::default().memory(4 << 20));
    for program in [
        "local t = {} while true do t[#t + 1] = {} end",
        "local s = 'x' while true do s = s .. s end",
        "return ('x'):rep(1 << 30)",
        "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
    ] {
        let error = lua.load(program).exec().unwrap_err();
        assert!(error.message().contains("not enough memory"), "{program}: {error}");
        assert_eq!(lua.load("1 + 1").eval::<i64>().unwrap(), 2);
        lua.gc_collect().unwrap();
        assert!(lua.used_memory() < 4 << 20);
    }
    assert!(matches!(
        Lua::sandboxed(Limits::default().memory(1000)),
        Err(Error::Memory | Error::Runtime(_))
    ));
}

#[test]
fn time_is_limited() {
    let limits = Limits::default().time(Duration::from_millis(30));
    everywhere_limited(limits, |lua| {
        for program in [
            "while true do end",
            "while true do pcall(function() while true do end end) end",
            "local function f() return f() end f()",
            "while true do xpcall(error, function() while true do end end) end",
            "coroutine.wrap(function() while true do pcall(coroutine.wrap(function() while true do end end)) end end)()",
            "setmetatable({}, { __gc = function() while true do end end }) while true do collectgarbage() end",
            "load(function() return ' ' end)",
            "while true do load('return 1') end",
        ] {
            let Err(Error::Stopped(stop)) = lua.load(program).exec() else { panic!("{program}") };
            assert!(matches!(stop.reason(), StopReason::TimeLimit), "{program}");
            assert_eq!(lua.load("1 + 1").eval::<i64>().unwrap(), 2, "{program}");
        }
    });
}

#[test]
fn depth_is_limited() {
    everywhere_limited(Limits::none().stack(5000), |lua| {
        let down =
            "local function down(n) return n == 0 and 0 or 1 + down(n - 1) end return down(...)";
        assert_eq!(lua.load(down).call::<i64>(100).unwrap(), 100);
        for _ in 0..3 {
            let error = lua.load(down).call::<i64>(100_000).unwrap_err();
            assert!(error.message().contains("stack overflow"), "{error}");
            let in_coroutine = format!("return coroutine.wrap(function(...) {down} end)(...)");
            let error = lua.load(in_coroutine).call::<i64>(100_000).unwrap_err();
            assert!(error.message().contains("stack overflow"), "{error}");
            let handled: String = lua
                .load("local function f() return 1 + f() end local _, m = xpcall(f, function(m) return ('%s'):format(m) end) return m")
                .eval()
                .unwrap();
            assert!(handled.contains("stack overflow"), "{handled}");
            assert!(!lua.load("return pcall(table.unpack, {}, 1, 1e5)").eval::<bool>().unwrap());
            assert_eq!(lua.load(down).call::<i64>(100).unwrap(), 100);
        }
    });
}

fn everywhere_limited(limits: Limits, test: impl Fn(&Lua)) {
    for (enabled, stress) in [(false, false), (true, false), (true, true)] {
        let jit = JitOptions { enabled, threshold: 1, ..JitOptions::default() };
        let options = LuaOptions { jit, ..LuaOptions::default() };
        let lua = Lua::sandboxed_with(limits.clone(), options).unwrap();
        if stress {
            lua.gc_stress(7, true);
        }
        test(&lua);
    }
}
