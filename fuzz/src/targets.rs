//! What is done with arbitrary bytes. Each function returns, or panics (or crashes) because it found
//! a fault. `tests/mutation.rs` runs the same with bytes of its own.

use crate::generator;
use perilune::{Error, Lua, LuaOptions, StdLib, Table, Value, Variadic};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// The time after which a program that came out of bytes is stopped.
const TIME: Duration = Duration::from_millis(200);
/// What such a program may allocate.
const MEMORY: usize = 64 << 20;

/// A state with all libraries.
fn everything() -> Lua {
    Lua::new_with(StdLib::ALL, LuaOptions::default()).expect("memory")
}

/// Functions that reach nothing outside the state.
fn harmless(lua: &Lua) -> Table {
    let all = lua.globals();
    let table = lua.create_table().expect("within limits");
    for name in [
        "assert",
        "error",
        "getmetatable",
        "ipairs",
        "next",
        "pairs",
        "pcall",
        "rawequal",
        "rawget",
        "rawlen",
        "rawset",
        "select",
        "setmetatable",
        "tonumber",
        "tostring",
        "type",
        "xpcall",
        "coroutine",
        "math",
        "string",
        "table",
        "utf8",
    ] {
        let value: Value = all.get(name).expect("a library's name");
        table.set(name, value).expect("within limits");
    }
    table.set("_G", table.clone()).expect("within limits");
    table
}

/// Sources: a function or a syntax error.
pub fn parse(data: &[u8]) {
    let lua = Lua::new();
    // What comes of it is an error at worst.
    let _ = lua.load(data).text_only().into_function();
}

/// Precompiled chunks, with length and checksum put right: an error, or a function that can be run
/// without harm, compiled or not.
pub fn load(data: &[u8]) {
    let mut chunk = data.to_vec();
    if !perilune_ir::dump::seal(&mut chunk) {
        return;
    }
    for compiled in [false, true] {
        let lua = Lua::new();
        lua.set_jit_enabled(compiled);
        lua.update_jit_options(|options| options.threshold = 1);
        lua.set_memory_limit(Some(MEMORY));
        let function =
            lua.load(&chunk[..]).set_name("=chunk").set_environment(harmless(&lua)).into_function();
        let Ok(function) = function else { return };
        lua.set_time_limit(Some(TIME));
        // The program may fail in any way.
        let _ = function.call::<Variadic<Value>>((1, 2.5, "three"));
        drop(function);
        let _ = lua.gc_collect();
    }
}

/// A pattern (to the first byte 0xFF) and a subject: every function of patterns answers or throws.
pub fn pattern(data: &[u8]) {
    let at = data.iter().position(|&b| b == 0xFF).unwrap_or(data.len() / 2);
    let (pattern, subject) = data.split_at(at);
    let lua = Lua::new();
    lua.set_memory_limit(Some(MEMORY));
    let run = lua.load(
        "local p, s, r = ...
         local a = { pcall(string.find, s, p) }
         local b = { pcall(string.match, s, p) }
         -- 'find' takes what has no special characters as it is, so that a lone ')' is no error there.
         assert(a[1] == b[1] or a[1] and not string.find(p, '[%^%$%*%+%?%.%(%[%%%-]'))
         if a[1] and a[2] then assert(a[2] >= 1 and a[3] >= a[2] - 1 and a[3] <= #s) end
         pcall(string.gsub, s, p, r) pcall(string.gsub, s, p, '%0%1')
         pcall(string.gsub, s, p, function(x) return x end)
         pcall(function() for x in string.gmatch(s, p) do assert(x) end end)
         string.find(s, p, 1, true)
         pcall(string.rep, p, #s) pcall(string.format, p, s, 1, 2.5) pcall(string.unpack, p, s)
         pcall(string.pack, p, 1, s, 2.5)",
    );
    let text = |bytes: &[u8]| lua.create_string(bytes).expect("within limits");
    let (pattern, subject) = (text(pattern), text(subject));
    lua.set_time_limit(Some(TIME));
    match run.call::<()>((pattern, subject, "%1")) {
        // Matching may take exponential time.
        Ok(()) | Err(Error::Stopped(_)) => {}
        Err(error) => assert!(error.to_string().contains("not enough memory"), "{error}"),
    }
}

/// Sets the options of a way of running.
type Prepare = fn(&Lua);

/// What a program printed and how it ended, or `None` when it took too long.
fn observe(source: &str, prepare: impl FnOnce(&Lua)) -> Option<String> {
    let lua = everything();
    prepare(&lua);
    let out = Rc::new(RefCell::new(String::new()));
    let written = Rc::clone(&out);
    let print = lua
        .create_function(move |lua, values: Variadic<Value>| {
            let to_string: perilune::Function = lua.globals().get("tostring")?;
            for value in values.iter() {
                let text: perilune::LuaString = to_string.call(value.clone())?;
                written.borrow_mut().push_str(&String::from_utf8_lossy(text.as_bytes()));
                written.borrow_mut().push('\t');
            }
            written.borrow_mut().push('\n');
            Ok(())
        })
        .expect("within limits");
    lua.globals().set("print", print).expect("within limits");
    let mut end = String::new();
    // Without a time limit of its own: the programs end.
    match lua.load(source).set_name("=program").exec() {
        Ok(()) => {}
        Err(error) => end = error.to_string(),
    }
    // Tracebacks are as long as the frames' history allows.
    let end = end.split("\nstack traceback").next().unwrap_or_default();
    Some(format!("{}{end}", out.borrow()))
}

/// The program that the bytes decide behaves the same in all ways.
///
/// # Panics
///
/// When it does not.
pub fn differential(data: &[u8]) {
    let nodes = generator::generate_from(data);
    let source = generator::program::render(generator::PRELUDE, &nodes);
    let expected = observe(&source, |lua| lua.set_jit_enabled(false));
    let ways: [(&str, Prepare); 3] = [
        ("threshold 1", |lua| lua.update_jit_options(|o| o.threshold = 1)),
        ("forced exits", |lua| {
            lua.update_jit_options(|o| {
                o.threshold = 1;
                o.force_exits = Some(3);
            });
        }),
        ("gc stress", |lua| lua.gc_stress(3, false)),
    ];
    for (name, prepare) in ways {
        let found = observe(&source, prepare);
        assert!(found == expected, "{name} differs:\n{expected:?}\n{found:?}\n{source}");
    }
}

/// The program that the bytes decide, in a state with little memory and stopped at one of its outputs: whatever
/// becomes of it, the limit holds, the heap is whole, and the state can be used.
///
/// # Panics
///
/// When not.
pub fn limits(data: &[u8]) {
    let (head, data) = data.split_at(data.len().min(4));
    let byte = |i: usize| usize::from(head.get(i).copied().unwrap_or_default());
    let nodes = generator::generate_from(data);
    let source = generator::program::render(generator::PRELUDE, &nodes);
    for compiled in [false, true] {
        let lua = everything();
        lua.set_jit_enabled(compiled);
        lua.update_jit_options(|options| options.threshold = 1);
        lua.gc_stress(if byte(0) % 4 == 0 { 7 } else { 0 }, false);
        let (handle, mut left) = (lua.interrupt_handle(), byte(1));
        let later = Rc::new(Cell::new(0));
        let outputs = Rc::clone(&later);
        let print = lua.create_function_mut(move |_, _: Variadic<Value>| {
            // At the next poll, whatever runs then: a `pcall`, a coroutine, a `__close`.
            match left {
                0 => outputs.set(outputs.get() + 1),
                1 => handle.interrupt(),
                _ => {}
            }
            left = left.saturating_sub(1);
            Ok(())
        });
        lua.globals().set("print", print.expect("memory")).expect("memory");
        let limit = lua.used_memory() + (byte(2) << 8 | byte(3)) * 64;
        lua.set_memory_limit(Some(limit));
        lua.set_time_limit(Some(TIME * 10));
        // Any error will do.
        let _ = lua.load(source.as_str()).set_name("=program").exec();
        // Between two outputs is the entry of a function, which polls.
        assert!(
            byte(1) == 0 || later.get() < 2,
            "{} outputs after the stop\n{source}",
            later.get()
        );
        let used = lua.used_memory();
        assert!(used <= limit + (64 << 10), "{used} bytes of {limit}\n{source}");
        lua.set_memory_limit(None);
        lua.set_time_limit(None);
        lua.clear_interrupt();
        lua.gc_stress(0, true);
        // Finalizers may fail, and the collector says so.
        let _ = lua.gc_collect();
        let sum = lua.load("local t = {} for i = 1, 9 do t[i] = i end return #t").eval::<i64>();
        assert!(matches!(sum, Ok(9)), "{sum:?}\n{source}");
    }
}

/// Doubles of any bits (8 bytes each), unpacked and computed with: floats stay floats.
///
/// # Panics
///
/// When one does not.
pub fn floats(data: &[u8]) {
    for compiled in [false, true] {
        let lua = Lua::new();
        lua.set_jit_enabled(compiled);
        lua.update_jit_options(|options| options.threshold = 1);
        let run = lua.load(
            "local s = ...
             local x, t = 1.5, { 0.5 }
             for i = 1, #s - 8, 9 do
               local v, op = string.unpack('<d', s, i), s:byte(i + 8) % 16
               if op == 0 then x = x + v elseif op == 1 then x = x - v elseif op == 2 then x = -v
               elseif op == 3 then x = x * v elseif op == 4 then x = v / x elseif op == 5 then x = v % x
               elseif op == 6 then x = v // x elseif op == 7 then x = v ^ x elseif op == 8 then x = math.abs(v)
               elseif op == 9 then x = math.max(x, -v) elseif op == 10 then x = math.sqrt(v)
               elseif op == 11 then t[#t + 1] = v x = -t[#t] elseif op == 12 then t[1] = -t[1] + v x = t[1]
               elseif op == 13 then x = math.fmod(v, x) elseif op == 14 then x = math.sin(v)
               else x = math.min(v, x) + 1 end
               if math.type(x) ~= 'float' then error(op) end
             end
             for i = 1, #t do
               t[i] = -t[i] + 1
               if math.type(t[i]) ~= 'float' then error('element') end
             end
             return x",
        );
        let bytes = lua.create_string(data).expect("memory");
        let x = run.call::<f64>(bytes).expect("floats only");
        assert!(perilune_ir::encoding::is_canonical(x.to_bits()), "{:#x}", x.to_bits());
        lua.gc_stress(0, true);
        lua.gc_collect().expect("no finalizers");
    }
}
