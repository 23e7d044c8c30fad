//! Types of the host are the host's: no script changes what their methods do.

use perilune::{AnyUserData, Error, Lua, Table, UserData, UserDataFields, UserDataMethods, Value};

/// Methods only.
struct Account(i64);

impl UserData for Account {
    fn add_methods<M: UserDataMethods<Account>>(methods: &mut M) {
        methods.add_method("balance", |_, this, ()| Ok(this.0));
        methods.add_meta_method("__eq", |_, this, other: AnyUserData| {
            Ok(other.borrow::<Account>()?.0 == this.0)
        });
        methods.add_meta_method("__gc", |_, _, ()| Ok(()));
    }
}

/// Fields, methods and an `__index` of its own.
struct Record;

impl UserData for Record {
    fn add_fields<F: UserDataFields<Record>>(fields: &mut F) {
        fields.add_field_method_get("balance", |_, _| Ok(1));
        fields.add_field_method_set("name", |_, _, _: String| Ok(()));
    }
    fn add_methods<M: UserDataMethods<Record>>(methods: &mut M) {
        methods.add_method("twice", |_, _, ()| Ok(2));
        methods.add_meta_method("__index", |_, _, key: String| Ok(format!("{key}?")));
    }
}

/// An `__index` of its own, and methods.
struct Dynamic;

impl UserData for Dynamic {
    fn add_methods<M: UserDataMethods<Dynamic>>(methods: &mut M) {
        methods.add_method("balance", |_, _, ()| Ok(1));
        methods.add_meta_method("__index", |_, _, key: String| Ok(format!("{key}?")));
    }
}

fn state() -> Lua {
    let lua = Lua::new();
    let globals = lua.globals();
    globals.set("account", lua.create_userdata(Account(1)).unwrap()).unwrap();
    globals.set("other", lua.create_userdata(Account(2)).unwrap()).unwrap();
    globals.set("record", lua.create_userdata(Record).unwrap()).unwrap();
    globals.set("dynamic", lua.create_userdata(Dynamic).unwrap()).unwrap();
    let fail = lua.create_function(|_, ()| Err::<(), _>(Error::external(std::fmt::Error))).unwrap();
    globals.set("fail", fail).unwrap();
    lua.load("_, failure = pcall(fail)").exec().unwrap();
    lua
}

#[test]
fn scripts_cannot_rewrite_a_type() {
    let lua = state();
    for name in ["account", "record", "dynamic", "failure"] {
        for attempt in [
            // What was reported.
            "getmetatable(u).__index.balance = function() return 1e9 end",
            "getmetatable(u).__index = function() return 1e9 end",
            "getmetatable(u).__tostring = function() return 'x' end",
            "rawset(getmetatable(u), '__index', {})",
            "setmetatable(u, { __index = {} })",
            "setmetatable(getmetatable(u), { __index = {} })",
            "rawset(u, 'balance', 1)",
            "rawget(u, 'balance')()",
            "u.balance = function() return 1e9 end",
            "u.__index = {}",
            "u.__methods.balance = 1",
            "u.__metatable.x = 1",
            "for k, v in pairs(u) do v.x = 1 end",
            "for k, v in next, u do end",
            "for k, v in ipairs(u) do v.x = 1 end error()",
            "table.insert(u, 1)",
            "table.sort(u)",
            "setmetatable({}, getmetatable(u)).x()",
            "(u.balance or u).x = 1",
            "getmetatable(getmetatable(u)).__index = 1",
            "string.dump(u.balance)",
            "require('debug').getmetatable(u).__index = 1",
        ] {
            let program = format!("local u = {name} {attempt}");
            let error = lua.load(&program).exec();
            assert!(error.is_err(), "{program}");
        }
        let value: Value = lua.load(format!("getmetatable({name})")).eval().unwrap();
        assert_eq!(value, Value::Boolean(false), "{name}");
    }
    lua.load(
        "assert(account:balance() == 1 and other:balance() == 2 and account ~= other)
        assert(record.balance == 1 and record:twice() == 2 and record.x == 'x?')
        assert(dynamic:balance() == 1 and dynamic.x == 'x?')
        assert(tostring(failure):find('error'))",
    )
    .exec()
    .unwrap();
}

/// A method taken off a value checks its receiver, whatever calls it.
#[test]
fn methods_check_their_receiver() {
    let lua = state();
    for program in [
        "account.balance(record)",
        "account.balance({})",
        "record.twice(account)",
        "account.balance(failure)",
        "setmetatable({}, { __index = account.balance }).x = nil return setmetatable({}, { __index = account.balance }).x",
        "account.balance(coroutine.create(print))",
        "return #setmetatable({}, { __len = account.balance })",
    ] {
        let error = lua.load(program).exec().unwrap_err();
        assert!(error.message().contains(" expected, got "), "{program}: {error}");
    }
}

/// The host may do what it likes.
#[test]
fn the_host_reaches_the_metatable() {
    let lua = state();
    let account: AnyUserData = lua.globals().get("account").unwrap();
    let methods: Table = account.metatable().unwrap().raw_get("__index").unwrap();
    methods.set("owner", lua.create_function(|_, _: Value| Ok("me")).unwrap()).unwrap();
    assert_eq!(lua.load("other:owner()").eval::<String>().unwrap(), "me");
}
