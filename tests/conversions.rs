//! What conversions accept, and what their errors say: expected and actual type in Lua's terms, and where.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use perilune::{
    AnyUserData, Error, FromLua, Function, LightUserData, Lua, LuaString, Result, Table, Thread,
    UserData, UserDataFields, UserDataMethods, UserDataRef, UserDataRefMut, Value, Variadic,
};

#[track_caller]
fn says<T: FromLua>(lua: &Lua, source: &str, expected: &str) {
    match lua.load(source).eval::<T>() {
        Ok(_) => panic!("{source} was accepted"),
        Err(error) => {
            assert_eq!(error.message(), format!("bad result #1 ({expected})"), "{source}")
        }
    }
}

#[test]
fn wrong_types() {
    let lua = Lua::new();
    says::<i64>(&lua, "{}", "number expected, got table");
    says::<i64>(&lua, "'x'", "number expected, got string");
    says::<i64>(&lua, "nil", "number expected, got nil");
    says::<f64>(&lua, "print", "number expected, got function");
    says::<String>(&lua, "true", "string expected, got boolean");
    says::<LuaString>(&lua, "nil", "string expected, got nil");
    says::<Table>(&lua, "1", "table expected, got number");
    says::<Function>(
        &lua,
        "setmetatable({}, { __name = 'Widget' })",
        "function expected, got Widget",
    );
    says::<Thread>(&lua, "'x'", "thread expected, got string");
    says::<AnyUserData>(&lua, "coroutine.create(print)", "userdata expected, got thread");
    says::<LightUserData>(&lua, "io.stdout", "light userdata expected, got FILE*");
    lua.globals().set("light", LightUserData(16)).unwrap();
    says::<Table>(&lua, "light", "table expected, got light userdata");
    says::<Vec<i64>>(&lua, "'x'", "table expected, got string");
    says::<[i64; 3]>(&lua, "{ 1, 2 }", "table of 3 elements expected, got table of 2");
    says::<HashMap<String, i64>>(&lua, "1.5", "table expected, got number");
    says::<Option<i64>>(&lua, "false", "number expected, got boolean");
    says::<String>(
        &lua,
        "'\\xFF'",
        "UTF-8 string expected, got string (invalid utf-8 sequence of 1 bytes from index 0)",
    );
}

#[test]
fn integers_out_of_range() {
    let lua = Lua::new();
    says::<u8>(&lua, "300", "integer from 0 to 255 expected, got 300 (out of range)");
    says::<u8>(&lua, "-1", "integer from 0 to 255 expected, got -1 (out of range)");
    says::<u8>(&lua, "300.0", "integer from 0 to 255 expected, got 300 (out of range)");
    says::<u8>(&lua, "'300'", "integer from 0 to 255 expected, got 300 (out of range)");
    says::<i8>(&lua, "128", "integer from -128 to 127 expected, got 128 (out of range)");
    says::<u32>(
        &lua,
        "1 << 32",
        "integer from 0 to 4294967295 expected, got 4294967296 (out of range)",
    );
    says::<u64>(&lua, "-1", "non-negative integer expected, got -1 (out of range)");
    says::<u128>(&lua, "-1", "non-negative integer expected, got -1 (out of range)");
    says::<usize>(
        &lua,
        "math.mininteger",
        "non-negative integer expected, got -9223372036854775808 (out of range)",
    );
    for source in ["1.5", "1e300", "2^63", "1/0"] {
        let number: String = lua.load(source).eval().unwrap();
        let expected =
            format!("integer expected, got {number} (number has no integer representation)");
        says::<i64>(&lua, source, &expected);
        says::<u8>(&lua, source, &expected);
    }
    says::<i32>(
        &lua,
        "'1.5'",
        "integer expected, got string (number has no integer representation)",
    );
    for (source, value) in [("255", 255), ("255.0", 255), ("'0xff'", 255), ("0", 0), ("-0.0", 0)] {
        assert_eq!(lua.load(source).eval::<u8>().unwrap(), value, "{source}");
    }
    assert_eq!(lua.load("math.mininteger").eval::<i128>().unwrap(), i128::from(i64::MIN));
    assert_eq!(lua.load("math.maxinteger").eval::<u64>().unwrap(), i64::MAX as u64);
}

#[test]
fn arguments_are_counted_as_the_caller_sees_them() {
    let lua = Lua::new();
    let globals = lua.globals();
    globals.set("two", lua.create_function(|_, _: (i64, u8)| Ok(())).unwrap()).unwrap();
    globals
        .set("all", lua.create_function(|_, _: (String, Variadic<i64>)| Ok(())).unwrap())
        .unwrap();
    globals.set("list", lua.create_function(|_, _: Vec<i64>| Ok(())).unwrap()).unwrap();
    globals
        .set("map", lua.create_function(|_, _: HashMap<String, Vec<u8>>| Ok(())).unwrap())
        .unwrap();
    globals.set("point", lua.create_function(|_, _: Point| Ok(())).unwrap()).unwrap();
    for (source, expected) in [
        ("two('x', 1)", "bad argument #1 to 'two' (number expected, got string)"),
        ("two(1)", "bad argument #2 to 'two' (number expected, got no value)"),
        ("two(1, nil)", "bad argument #2 to 'two' (number expected, got nil)"),
        (
            "two(1, 256)",
            "bad argument #2 to 'two' (integer from 0 to 255 expected, got 256 (out of range))",
        ),
        ("two(1, io.stdout)", "bad argument #2 to 'two' (number expected, got FILE*)"),
        ("all('', 1, 2, {})", "bad argument #4 to 'all' (number expected, got table)"),
        ("list()", "bad argument #1 to 'list' (table expected, got no value)"),
        (
            "list { 1, 2, 'x' }",
            "bad argument #1 to 'list' (field '[3]': number expected, got string)",
        ),
        (
            "map { a = { 1, -2 } }",
            "bad argument #1 to 'map' (field 'a[2]': integer from 0 to 255 expected, got -2 (out of range))",
        ),
        ("point { x = 1 }", "bad argument #1 to 'point' (field 'y': number expected, got nil)"),
    ] {
        let error = lua.load(source).set_name("=c").exec().unwrap_err();
        assert_eq!(error.message(), format!("c:1: {expected}"), "{source}");
        assert!(matches!(error, Error::Runtime(_)), "{source}");
    }
}

struct Point;

impl FromLua for Point {
    fn from_lua(value: Value, lua: &Lua) -> Result<Point> {
        let table = Table::from_lua(value, lua)?;
        table.get::<f64>("x")?;
        table.get::<f64>("y")?;
        Ok(Point)
    }
}

#[test]
fn results_are_no_arguments() {
    let lua = Lua::new();
    let error = lua.load("1, {}").eval::<(i64, i64)>().unwrap_err();
    assert!(matches!(error, Error::BadResult { position: 2, .. }));
    assert_eq!(error.message(), "bad result #2 (number expected, got table)");
    let error = lua.load("1").eval::<(i64, i64)>().unwrap_err();
    assert_eq!(error.message(), "bad result #2 (number expected, got no value)");
    let thread =
        lua.create_thread(lua.load("coroutine.yield('x')").into_function().unwrap()).unwrap();
    let error = thread.resume::<i64>(()).unwrap_err();
    assert_eq!(error.message(), "bad result #1 (number expected, got string)");
    // In a callback it does not become a complaint about the callback's own arguments.
    let call = lua.create_function(|_, f: Function| f.call::<i64>(())).unwrap();
    lua.globals().set("call", call).unwrap();
    let text: String = lua
        .load("local _, e = pcall(call, function() return {} end) return tostring(e)")
        .eval()
        .unwrap();
    assert_eq!(text, "bad result #1 (number expected, got table)");
}

#[test]
fn fields_are_named() {
    let lua = Lua::new();
    let t: Table = lua
        .load("{ port = 'many', ['two words'] = {}, [7] = 'x', [1.5] = 'x', [true] = 'x', list = { 1, 'x' }, servers = { { port = 1 }, { port = {} } } }")
        .eval()
        .unwrap();
    let path = |result: Result<i64>| match result.unwrap_err() {
        Error::BadField { path, .. } => path,
        other => panic!("{other:?}"),
    };
    assert_eq!(path(t.get("port")), "port");
    assert_eq!(path(t.raw_get("port")), "port");
    assert_eq!(path(t.get("two words")), "[\"two words\"]");
    assert_eq!(path(t.get(7)), "[7]");
    assert_eq!(path(t.get(1.5)), "[1.5]");
    assert_eq!(path(t.get(true)), "[true]");
    assert_eq!(path(t.get("missing")), "missing");
    assert_eq!(
        t.get::<i64>("port").unwrap_err().message(),
        "field 'port': number expected, got string"
    );
    let error = t.get::<Vec<i64>>("list").unwrap_err();
    assert_eq!(error.message(), "field 'list[2]': number expected, got string");
    let error = t.get::<Vec<HashMap<String, u16>>>("servers").unwrap_err();
    assert_eq!(error.message(), "field 'servers[2].port': number expected, got table");
    let list: Table = t.get("list").unwrap();
    assert_eq!(
        list.sequence_values::<i64>().nth(1).unwrap().unwrap_err().message(),
        "field '[2]': number expected, got string"
    );
    assert_eq!(
        list.pop::<i64>().unwrap_err().message(),
        "field '[2]': number expected, got string"
    );
    let error = lua.load("{ a = 1 }").eval::<BTreeMap<i64, i64>>().unwrap_err();
    assert_eq!(error.message(), "bad result #1 (field 'a': number expected, got string (as key))");
    let error = lua.load("{ a = 'x' }").eval::<BTreeMap<String, i64>>().unwrap_err();
    assert_eq!(error.message(), "bad result #1 (field 'a': number expected, got string)");
    // What a metamethod throws is its own affair.
    let t: Table =
        lua.load("setmetatable({}, { __index = function() error('no', 0) end })").eval().unwrap();
    assert_eq!(t.get::<i64>("x").unwrap_err().message(), "no");
}

#[test]
fn calls_of_fields_are_named() {
    let lua = Lua::new();
    let t: Table =
        lua.load("{ n = 1, w = setmetatable({}, { __name = 'Widget' }) }").eval().unwrap();
    let message = |result: Result<()>| result.unwrap_err().message();
    assert_eq!(message(t.call_function("f", ())), "attempt to call a nil value (field 'f')");
    assert_eq!(message(t.call_function("n", ())), "attempt to call a number value (field 'n')");
    assert_eq!(message(t.call_method("w", ())), "attempt to call a Widget value (method 'w')");
    let t: Table = lua
        .load("{ f = setmetatable({}, { __call = function(_, x) return x end }) }")
        .eval()
        .unwrap();
    assert_eq!(t.call_function::<i64>("f", 5).unwrap(), 5);
}

/// A host type whose name in Lua is another one.
#[derive(Debug)]
struct Vector(f64);
/// A host type with the name that it has in Rust.
struct Plain;

impl UserData for Vector {
    fn add_fields<F: UserDataFields<Vector>>(fields: &mut F) {
        fields.add_field_method_get("x", |_, this| Ok(this.0));
        fields.add_field_method_set("x", |_, this, x: f64| {
            this.0 = x;
            Ok(())
        });
    }
    fn add_methods<M: UserDataMethods<Vector>>(methods: &mut M) {
        methods.add_method("scaled", |_, this, by: f64| Ok(this.0 * by));
        methods.add_method_mut("set", |_, this, x: f64| {
            this.0 = x;
            Ok(())
        });
        methods.add_function("len", |_, this: AnyUserData| Ok(this.borrow::<Vector>()?.0));
    }
}

impl UserData for Plain {}

#[test]
fn userdata_are_named_as_in_lua() {
    let lua = Lua::new();
    let globals = lua.globals();
    globals.set("v", lua.create_userdata(Vector(2.0)).unwrap()).unwrap();
    globals.set("p", lua.create_userdata(Plain).unwrap()).unwrap();
    globals.set("any", lua.create_any_userdata(Some(vec![1u8])).unwrap()).unwrap();
    let p: AnyUserData = globals.get("p").unwrap();
    assert_eq!(p.borrow::<Vector>().unwrap_err().message(), "Vector expected, got Plain");
    assert_eq!(p.borrow_mut::<Vector>().unwrap_err().message(), "Vector expected, got Plain");
    assert_eq!(p.take::<Vector>().map(|_| ()).unwrap_err().message(), "Vector expected, got Plain");
    assert_eq!(
        p.borrow::<Vec<Option<String>>>().unwrap_err().message(),
        "Vec<Option<String>> expected, got Plain"
    );
    let any: AnyUserData = globals.get("any").unwrap();
    assert_eq!(any.borrow::<Vector>().unwrap_err().message(), "Vector expected, got userdata");
    let file: AnyUserData = lua.load("io.stdout").eval().unwrap();
    assert_eq!(file.borrow::<Vector>().unwrap_err().message(), "Vector expected, got FILE*");
    for (source, expected) in [
        ("v.scaled(p, 1)", "bad argument #1 to 'scaled' (Vector expected, got Plain)"),
        ("v.scaled()", "bad argument #1 to 'scaled' (Vector expected, got no value)"),
        ("v.scaled(1)", "bad argument #1 to 'scaled' (Vector expected, got number)"),
        ("v.set({}, 1)", "bad argument #1 to 'set' (Vector expected, got table)"),
        ("v:scaled('x')", "bad argument #1 to 'scaled' (number expected, got string)"),
        ("v:set(p)", "bad argument #1 to 'set' (number expected, got Plain)"),
        (
            "local m = { scaled = v.scaled } m:scaled(1)",
            "calling 'scaled' on bad self (Vector expected, got table)",
        ),
        ("v.x = {}", "field 'x': number expected, got table"),
        ("v.y = 1", "cannot set field 'y'"),
    ] {
        let error = lua.load(source).set_name("=c").exec().unwrap_err();
        assert_eq!(error.message(), format!("c:1: {expected}"), "{source}");
    }
    let text: String = lua.load("local _, e = pcall(v.len, p) return tostring(e)").eval().unwrap();
    assert_eq!(text, "Vector expected, got Plain");
    let norm = lua.create_function(|_, (_, v): (i64, UserDataRef<Vector>)| Ok(v.0)).unwrap();
    globals.set("norm", norm).unwrap();
    let set = lua.create_function(|_, mut v: UserDataRefMut<Vector>| {
        v.0 = 7.0;
        Ok(())
    });
    globals.set("set", set.unwrap()).unwrap();
    assert_eq!(lua.load("set(v) return norm(1, v)").eval::<f64>().unwrap(), 7.0);
    for (source, expected) in [
        ("norm(1, p)", "bad argument #2 to 'norm' (Vector expected, got Plain)"),
        ("norm(1)", "bad argument #2 to 'norm' (Vector expected, got no value)"),
        ("set('x')", "bad argument #1 to 'set' (Vector expected, got string)"),
    ] {
        let error = lua.load(source).set_name("=c").exec().unwrap_err();
        assert_eq!(error.message(), format!("c:1: {expected}"), "{source}");
    }
    // In use, and gone.
    let v: AnyUserData = globals.get("v").unwrap();
    let held = v.borrow_mut::<Vector>().unwrap();
    assert!(matches!(v.borrow::<Vector>(), Err(Error::UserDataBorrow)));
    assert_eq!(lua.load("v:scaled(1)").eval::<f64>().unwrap_err().message(), "userdata is in use");
    drop(held);
    v.take::<Vector>().unwrap();
    assert!(matches!(v.borrow::<Vector>(), Err(Error::UserDataTaken)));
    assert_eq!(
        lua.load("v:scaled(1)").eval::<f64>().unwrap_err().message(),
        "userdata has no value any more"
    );
}

#[test]
fn sets_from_sequences_and_from_keys() {
    let lua = Lua::new();
    let set = |source: &str| {
        lua.load(source)
            .eval::<BTreeSet<String>>()
            .unwrap()
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(set("{ 'b', 'a', 'b' }"), "a b");
    assert_eq!(set("{ b = true, a = true }"), "a b");
    assert_eq!(set("{ b = 1, a = 'x' }"), "a b");
    assert_eq!(set("{}"), "");
    assert_eq!(set("{ 'a', n = 1 }"), "a");
    let ints: HashSet<i64> = lua.load("{ 30, 10, 20, 10 }").eval().unwrap();
    assert_eq!(ints, HashSet::from([10, 20, 30]));
    // What a set becomes is that set again, also where its elements look like indices.
    for ints in [vec![1, 2, 3], vec![1], vec![-1, 5], vec![]] {
        let set: HashSet<i64> = ints.iter().copied().collect();
        let value = lua.pack(set.clone()).unwrap();
        assert_eq!(lua.unpack::<HashSet<i64>>(value).unwrap(), set);
        let set: BTreeSet<i64> = ints.into_iter().collect();
        let value = lua.pack(set.clone()).unwrap();
        assert_eq!(lua.unpack::<BTreeSet<i64>>(value).unwrap(), set);
    }
    assert_eq!(lua.load("{ true, false }").eval::<HashSet<bool>>().unwrap().len(), 2);
    says::<HashSet<i64>>(&lua, "{ 1, 'x' }", "field '[2]': number expected, got string");
    says::<BTreeSet<i64>>(&lua, "{ x = true }", "field 'x': number expected, got string (as key)");
}

#[test]
fn push_and_pop_run_metamethods() {
    let lua = Lua::new();
    let t: Table = lua
        .load("local store = {} return setmetatable({}, { __len = function() return #store end, __newindex = function(_, k, v) store[k] = v end, __index = store })")
        .eval()
        .unwrap();
    t.push("a").unwrap();
    t.push("b").unwrap();
    assert_eq!((t.raw_len(), t.len().unwrap()), (0, 2));
    assert_eq!(t.pop::<String>().unwrap(), "b");
    assert_eq!(t.len().unwrap(), 1);
    assert_eq!(t.raw_pop::<Option<String>>().unwrap(), None);
    t.raw_push("raw").unwrap();
    assert_eq!(t.raw_len(), 1);
    assert_eq!(t.raw_pop::<String>().unwrap(), "raw");
    let refusing: Table = lua
        .load("setmetatable({}, { __newindex = function() error('read-only', 0) end })")
        .eval()
        .unwrap();
    assert_eq!(refusing.push(1).unwrap_err().message(), "read-only");
    assert!(refusing.is_empty());
    let lying: Table =
        lua.load("setmetatable({}, { __len = function() return 'x' end })").eval().unwrap();
    assert_eq!(lying.push(1).unwrap_err().message(), "object length is not an integer");
    assert_eq!(lying.pop::<Value>().unwrap_err().message(), "object length is not an integer");
}
