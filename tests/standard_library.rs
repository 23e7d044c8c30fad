//! Which parts of the standard library a state has, and that `debug` is out of reach of one without it.

use perilune::{Function, Lua, LuaOptions, StdLib, Value};

/// All parts with their names.
const PARTS: [(&str, StdLib); 9] = [
    ("coroutine", StdLib::COROUTINE),
    ("table", StdLib::TABLE),
    ("io", StdLib::IO),
    ("os", StdLib::OS),
    ("string", StdLib::STRING),
    ("utf8", StdLib::UTF8),
    ("math", StdLib::MATH),
    ("package", StdLib::PACKAGE),
    ("debug", StdLib::DEBUG),
];

fn with(parts: StdLib) -> Lua {
    Lua::new_with(parts, LuaOptions::default()).unwrap()
}

#[test]
fn flags_select_libraries() {
    let all = PARTS.iter().fold(StdLib::NONE, |all, (_, part)| all | *part);
    assert_eq!(all, StdLib::ALL);
    assert_eq!(StdLib::ALL ^ StdLib::DEBUG, StdLib::ALL_SAFE);
    assert_eq!(!StdLib::ALL, StdLib::NONE);
    assert_eq!(format!("{:?}", StdLib::IO | StdLib::OS), "StdLib(io | os)");
    for selection in
        PARTS.iter().map(|(_, part)| *part).chain([StdLib::NONE, StdLib::ALL_SAFE, StdLib::ALL])
    {
        let lua = with(selection);
        for (name, part) in PARTS {
            let there = selection.contains(part);
            assert_eq!(lua.globals().contains_key(name).unwrap(), there, "{name} in {selection:?}");
            if selection.contains(StdLib::PACKAGE) {
                let found: bool = lua.load(format!("pcall(require, '{name}')")).eval().unwrap();
                assert_eq!(found, there, "{name} in {selection:?}");
            }
        }
        let require = lua.globals().contains_key("require").unwrap();
        assert_eq!(require, selection.contains(StdLib::PACKAGE));
        // The basic functions are there, and the language works without any library.
        lua.load(
            "local t = setmetatable({}, { __index = function(_, k) return k end })
            assert(t.x == 'x' and select('#', 1, 2) == 2 and tostring(1 .. '') == '1')
            for i = 1, 300 do t[i] = i end
            local co = coroutine and coroutine.wrap(function() return 1 end)
            assert(not pcall(error) and load('return 1')() == 1)",
        )
        .exec()
        .unwrap();
        let strings: bool = lua.load("pcall(function() return (''):len() end)").eval().unwrap();
        assert_eq!(strings, selection.contains(StdLib::STRING));
    }
}

#[test]
fn debug_is_out_of_reach() {
    for lua in [Lua::new(), Lua::default(), with(StdLib::ALL_SAFE)] {
        // Whatever tables, metatables and upvalues lead to from the globals.
        lua.load(
            "assert(debug == nil and not pcall(require, 'debug') and package.loaded.debug == nil)
            local seen, count = {}, 0
            local function walk(value, path)
                if type(value) == 'string' or seen[value] or value == nil then return end
                seen[value], count = true, count + 1
                assert(not path:find('debug'), path)
                for _, name in ipairs { 'getupvalue', 'setmetatable', 'getregistry', 'sethook', 'getlocal' } do
                    assert(path == '_G.setmetatable' or not path:find('%.' .. name .. '$'), path)
                end
                walk(getmetatable(value), path .. '<meta>')
                if type(value) == 'table' then
                    for k, v in next, value do walk(v, path .. '.' .. tostring(k)) end
                end
            end
            walk(_G, '_G') walk(getmetatable(''), '<string>')
            assert(count > 150, count)",
        )
        .exec()
        .unwrap();
    }
    let traceback: Value = with(StdLib::ALL).load("debug.traceback").eval().unwrap();
    assert!(matches!(traceback, Value::Function(_)));
}

/// What the API itself does needs no library, nor does it use what a script made of one.
#[test]
fn binding_needs_no_library() {
    let lua = with(StdLib::NONE);
    lua.load("select, pcall, setmetatable = nil").exec().unwrap();
    let all: Function = lua.load("function(...) return ... end").eval().unwrap();
    let bound = all.bind((1, Value::Nil)).unwrap().bind(3).unwrap();
    assert_eq!(
        bound.call::<(i64, Value, i64, Value, i64)>((Value::Nil, 5)).unwrap(),
        (1, Value::Nil, 3, Value::Nil, 5)
    );
    let error: Function = lua.load("error").eval().unwrap();
    assert_eq!(error.bind("no").unwrap().call::<()>(0).unwrap_err().message(), "no");
}
