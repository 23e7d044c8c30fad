//! Values of one state in another: every door refuses them, and neither state is harmed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use perilune::{
    AnyUserData, Error, FromLua, Function, IntoLua, Lua, LuaString, MultiValue, Result, Table,
    Thread, UserData, UserDataFields, UserDataMethods, Value, Variadic,
};

/// One value of each kind that lives on a heap.
fn values_of(lua: &Lua) -> Vec<Value> {
    let thread = lua.create_thread(lua.load("coroutine.yield()").into_function().unwrap()).unwrap();
    vec![
        Value::String(lua.create_string("12").unwrap()),
        Value::String(lua.create_string("12".repeat(100)).unwrap()),
        lua.load("{ 1, 2, a = 'b' }").eval().unwrap(),
        lua.load("function() end").eval().unwrap(),
        lua.load("print").eval().unwrap(),
        Value::Thread(thread),
        Value::UserData(lua.create_any_userdata(5).unwrap()),
    ]
}

#[track_caller]
fn refused<T>(result: Result<T>) {
    match result {
        Err(Error::OtherState) => {}
        Err(error) => panic!("another error: {error:?}"),
        Ok(_) => panic!("accepted"),
    }
}

/// Neither state is harmed: both compute, and their heaps hold.
fn sound(states: [&Lua; 2]) {
    for lua in states {
        lua.gc_stress(1, true);
        let text: String = lua
            .load("local t = {} for i = 1, 9 do t[i] = i .. '' end return table.concat(t)")
            .eval()
            .unwrap();
        assert_eq!(text, "123456789");
        lua.gc_collect().unwrap();
        lua.gc_stress(0, false);
    }
}

fn as_<T: FromLua>(lua: &Lua, value: &Value) {
    refused(lua.unpack::<T>(value.clone()));
    refused(T::from_lua(value.clone(), lua));
    refused(lua.unpack::<Option<T>>(value.clone()));
}

#[test]
fn conversions_from_lua() {
    let (a, b) = (Lua::new(), Lua::new());
    for value in &values_of(&a) {
        as_::<Value>(&b, value);
        as_::<LuaString>(&b, value);
        as_::<Table>(&b, value);
        as_::<Function>(&b, value);
        as_::<Thread>(&b, value);
        as_::<AnyUserData>(&b, value);
        as_::<String>(&b, value);
        as_::<perilune::UserDataRef<i32>>(&b, value);
        as_::<perilune::UserDataRefMut<i32>>(&b, value);
        as_::<bool>(&b, value);
        as_::<i8>(&b, value);
        as_::<i64>(&b, value);
        as_::<u128>(&b, value);
        as_::<f32>(&b, value);
        as_::<f64>(&b, value);
        as_::<perilune::LightUserData>(&b, value);
        as_::<Vec<Value>>(&b, value);
        as_::<[i64; 2]>(&b, value);
        as_::<HashMap<Value2, i64>>(&b, value);
        as_::<BTreeMap<String, Value>>(&b, value);
        as_::<HashSet<i64>>(&b, value);
        as_::<BTreeSet<i64>>(&b, value);
    }
    sound([&a, &b]);
}

/// A key type of the host's.
#[derive(PartialEq, Eq, Hash)]
struct Value2(String);

impl FromLua for Value2 {
    fn from_lua(value: Value, lua: &Lua) -> Result<Value2> {
        String::from_lua(value, lua).map(Value2)
    }
}

#[test]
fn conversions_into_lua() {
    let (a, b) = (Lua::new(), Lua::new());
    for value in &values_of(&a) {
        refused(b.pack(value));
        refused(b.pack(value.clone()));
        refused(value.into_lua(&b));
        refused(b.pack(Some(value)));
        refused(b.pack(vec![Value::Nil, value.clone()]));
        refused(b.pack(&[value.clone()][..]));
        refused(b.pack([vec![value.clone()]]));
        refused(b.pack(HashMap::from([("k", value.clone())])));
        refused(b.pack(BTreeMap::from([(1, vec![value.clone()])])));
        refused(b.create_sequence_from([value]));
        refused(b.create_table_from([(value, 1)]));
        refused(b.create_table_from([("k", value)]));
    }
    let table: Table = a.create_table().unwrap();
    refused(b.pack(&table));
    refused(b.pack(table));
    let text = a.create_string("x").unwrap();
    refused(b.pack(&text));
    refused(b.pack(text));
    sound([&a, &b]);
}

#[test]
fn operations_on_tables() {
    let (a, b) = (Lua::new(), Lua::new());
    let plain = b.create_table().unwrap();
    let meta: Table = b
        .load("setmetatable({}, { __index = function() end, __newindex = function() end, __len = function() return 1 end })")
        .eval()
        .unwrap();
    for value in &values_of(&a) {
        for table in [&plain, &meta] {
            refused(table.get::<Value>(value));
            refused(table.raw_get::<Value>(value));
            refused(table.set(value, 1));
            refused(table.set("k", value));
            refused(table.raw_set(value, 1));
            refused(table.raw_set("k", value));
            refused(table.push(value));
            refused(table.raw_push(value));
            refused(table.contains_key(value));
            refused(table.call_function::<()>(value, ()));
            refused(table.call_method::<()>(value, ()));
        }
        plain.set("f", b.create_function(|_, _: MultiValue| Ok(())).unwrap()).unwrap();
        refused(plain.call_function::<()>("f", value));
        refused(plain.call_method::<()>("f", (1, value)));
        refused(b.globals().set("x", value));
    }
    let foreign = a.create_table().unwrap();
    refused(plain.equals(&foreign));
    refused(plain.set_metatable(Some(foreign.clone())));
    refused(b.load("return 1").set_environment(foreign.clone()).exec());
    assert_ne!(Value::Table(plain), Value::Table(foreign));
    sound([&a, &b]);
}

#[test]
fn calls() {
    let (a, b) = (Lua::new(), Lua::new());
    let f = b.create_function(|_, _: MultiValue| Ok(())).unwrap();
    let foreign_function: Function = a.load("function() end").eval().unwrap();
    for value in &values_of(&a) {
        refused(f.call::<()>(value));
        refused(f.call::<()>((1, value)));
        refused(f.call::<()>((1, 2, 3, 4, 5, value)));
        refused(f.call::<()>(Variadic::from(vec![value.clone()])));
        refused(f.call::<()>(MultiValue::from(vec![value.clone()])));
        refused(f.bind(value));
        refused(b.load("return ...").call::<Value>(value));
        let thread = b.create_thread(f.clone()).unwrap();
        refused(thread.resume::<()>(value));
        refused(value.to_display_string(&b));
        refused(value.metamethod_text(&b));
    }
    refused(b.create_thread(foreign_function.clone()));
    refused(f.call_with_handler::<()>(&foreign_function, ()));
    sound([&a, &b]);
}

#[test]
fn what_callbacks_return() {
    let (a, b) = (Lua::new(), Lua::new());
    for value in values_of(&a) {
        let (one, some, list) = (value.clone(), value.clone(), value.clone());
        let functions = [
            b.create_function(move |_, ()| Ok(one.clone())),
            b.create_function(move |_, ()| Ok((1, some.clone()))),
            b.create_function(move |_, ()| Ok(MultiValue::from(vec![list.clone()]))),
        ];
        for function in functions {
            let function = function.unwrap();
            match function.call::<()>(()).unwrap_err() {
                Error::Callback { cause, .. } => assert!(matches!(*cause, Error::OtherState)),
                other => panic!("{other:?}"),
            }
            // A script sees an error like any other.
            b.globals().set("f", function).unwrap();
            let (ok, text): (bool, String) =
                b.load("local ok, e = pcall(f) return ok, tostring(e)").eval().unwrap();
            assert_eq!((ok, text.as_str()), (false, "value of another Lua state"));
        }
    }
    sound([&a, &b]);
}

/// Gives out a value of any state.
struct Door(Value);

impl UserData for Door {
    fn add_fields<F: UserDataFields<Door>>(fields: &mut F) {
        fields.add_field_method_get("value", |_, this| Ok(this.0.clone()));
    }
    fn add_methods<M: UserDataMethods<Door>>(methods: &mut M) {
        methods.add_method("get", |_, this, ()| Ok(this.0.clone()));
        methods.add_method_mut("swap", |_, this, value: Value| {
            Ok(std::mem::replace(&mut this.0, value))
        });
        methods.add_meta_method("__add", |_, this, _: Value| Ok(this.0.clone()));
        methods.add_meta_method("__tostring", |_, this, ()| Ok(this.0.clone()));
    }
}

#[test]
fn userdata_that_hold_handles() {
    let (a, b) = (Lua::new(), Lua::new());
    for value in values_of(&a) {
        let door = b.create_userdata(Door(value.clone())).unwrap();
        b.globals().set("door", &door).unwrap();
        for program in ["door.value", "door:get()", "door:swap(1)", "door + 1", "tostring(door)"] {
            // `swap` gives the value out once.
            door.borrow_mut::<Door>().unwrap().0 = value.clone();
            let text: String = b
                .load(format!(
                    "local _, e = pcall(function() return {program} end) return tostring(e)"
                ))
                .eval()
                .unwrap();
            assert_eq!(text, "value of another Lua state", "{program}");
        }
        // In Rust the value is its own state's still.
        door.borrow_mut::<Door>().unwrap().0 = value.clone();
        assert_eq!(door.borrow::<Door>().unwrap().0, value);
        assert_eq!(a.unpack::<Value>(value.clone()).unwrap(), value);
    }
    sound([&a, &b]);
}

#[test]
fn errors_that_carry_values() {
    let (a, b) = (Lua::new(), Lua::new());
    let error = a.load("error({ secret = 1 })").exec().unwrap_err();
    let Error::Runtime(thrown) = &error else { panic!("{error:?}") };
    assert!(thrown.value(&a).as_table().is_some());
    assert!(thrown.value(&b).is_nil());
    // Thrown again in the other state it is its message.
    let again = error.clone();
    let f = b.create_function(move |_, ()| Err::<(), _>(again.clone())).unwrap();
    b.globals().set("f", f).unwrap();
    let kind: String = b.load("local _, e = pcall(f) return type(e)").eval().unwrap();
    assert_eq!(kind, "string");
    // Also after its state has gone, and from another thread.
    drop(a);
    assert!(thrown.value(&b).is_nil());
    let moved = error.clone();
    std::thread::spawn(move || drop(moved)).join().unwrap();
    drop(error);
    sound([&b, &b]);
}

/// A callback of one state that works with another one while both run.
#[test]
fn states_that_call_each_other() {
    let (a, b) = (Lua::new(), Lua::new());
    let inner = b.clone();
    let relay = a
        .create_function(move |_, (code, arg): (String, Value)| {
            inner.load(code).call::<Value>(arg).map(|_| ())
        })
        .unwrap();
    a.globals().set("relay", relay).unwrap();
    a.load("relay('return ...', 1)").exec().unwrap();
    for argument in ["{}", "'x'", "print", "coroutine.create(print)"] {
        let error = a.load(format!("relay('return ...', {argument})")).exec().unwrap_err();
        let Error::Callback { cause, .. } = error else { panic!("{error:?}") };
        assert!(matches!(*cause, Error::OtherState), "{argument}");
    }
    let keep: Table = a.load("{ 1 }").eval().unwrap();
    let write = b.create_function(move |_, value: Value| keep.set("k", value)).unwrap();
    b.globals().set("write", write).unwrap();
    b.load("write(1) assert(not pcall(write, {}))").exec().unwrap();
    sound([&a, &b]);
}
