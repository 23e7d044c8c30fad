//! The standard library for programs that are not trusted: what [`open`] leaves out, and environments.
//!
//! Left out is whatever reaches the system or another program's data: `io`, `debug`, `package` and `require`,
//! `dofile`, `loadfile`, most of `os`, `string.dump`. `load` takes source text only, `collectgarbage` cannot
//! turn the collector off, `warn` cannot turn warnings on.
//!
//! # Environments
//!
//! Each chunk gets a table of globals of its own ([`environment`]), a copy of the state's globals in which the
//! tables of the libraries are copies, too. So nothing is shared that could be written to, neither by assignments
//! nor by `rawset`, `table.insert` or `setmetatable`, and nothing has to be guarded: library functions in a copy are
//! the same functions, which compiled code knows by identity, and no table needs a check for each store. (Tables
//! that cannot be written would have to be told apart in every inline cache and every compiled store.) A copy takes
//! ten microseconds and two kilobytes.
//!
//! What stays shared is out of reach: the metatable of strings, which `getmetatable` does not give out, leads to the
//! original table of string functions, which no environment holds.

use super::{Outcome, base, base_load, new_table};
use crate::object::Table;
use crate::value::Value;
use crate::vm::{Args, Vm};

/// Libraries that are harmless as they are.
const WHOLE: [&str; 5] = ["coroutine", "math", "string", "table", "utf8"];
/// Functions of `os` that only look at the clock.
const OS: [&str; 4] = ["clock", "date", "difftime", "time"];
/// Basic functions that read files.
const FILES: [&str; 2] = ["dofile", "loadfile"];

/// Creates the basic functions and the libraries, without what is named in the module's head.
pub fn open(vm: &mut Vm) {
    super::open(vm, |name| WHOLE.contains(&name) || name == "os");
    let globals = vm.globals;
    for name in FILES {
        vm.set_field_raw(globals, name, Value::NIL);
    }
    vm.register(globals, &[("collectgarbage", collectgarbage, 0), ("warn", warn, 0)]);
    if let Some(string) = vm.get_field_raw(globals, "string").as_table() {
        vm.set_field_raw(string, "dump", Value::NIL);
    }
    let os = vm.get_field_raw(globals, "os");
    let clocks = new_table(vm);
    for name in OS {
        let function = os.as_table().map_or(Value::NIL, |os| vm.get_field_raw(os, name));
        vm.set_field_raw(clocks, name, function);
    }
    vm.set_field_raw(globals, "os", Value::table(clocks));
    let registry = vm.registry;
    if let Some(loaded) = vm.get_field_raw(registry, "_LOADED").as_table() {
        vm.set_field_raw(loaded, "os", Value::table(clocks));
    }
    let text = vm.string(b"");
    let strings = vm.metatable(text);
    vm.set_field_raw(strings, "__metatable", Value::FALSE);
}

/// A new table of globals. See the module's head.
pub fn environment(vm: &mut Vm) -> *mut Table {
    let globals = vm.globals;
    let environment = copy(vm, globals);
    // What the host removed is not there; what it put in place of something is shared, as all that it puts there.
    let registry = vm.registry;
    if vm.get_field_raw(globals, "_G") == Value::table(globals) {
        vm.set_field_raw(environment, "_G", Value::table(environment));
    }
    if vm.get_field_raw(globals, "load") == vm.get_field_raw(registry, "_LOAD") {
        let load = vm.native_with(base_load::load_text, 0, &[Value::table(environment)]);
        vm.set_field_raw(environment, "load", load);
    }
    let loaded = vm.get_field_raw(registry, "_LOADED").as_table();
    for name in WHOLE.into_iter().chain(["os"]) {
        let value = vm.get_field_raw(globals, name);
        let original = loaded.map_or(Value::NIL, |loaded| vm.get_field_raw(loaded, name));
        if let Some(library) = value.as_table()
            && value == original
        {
            let library = copy(vm, library);
            vm.set_field_raw(environment, name, Value::table(library));
        }
    }
    environment
}

/// A table with the same fields, and no metatable.
fn copy(vm: &mut Vm, table: *mut Table) -> *mut Table {
    let copy = new_table(vm);
    let mut key = Value::NIL;
    // SAFETY: both are live; nothing collects here.
    while let Ok(Some((next, value))) = unsafe { (*table).next(&mut vm.heap, key) } {
        // SAFETY: as above. Keys of a table are valid keys; without memory for one it is left out.
        unsafe {
            match next.as_string() {
                Some(name) => (*copy).set_field(&mut vm.heap, name, value),
                None => {
                    let _ = (*copy).set(&mut vm.heap, next, value);
                }
            }
        }
        key = next;
    }
    copy
}

/// `collectgarbage` without the options that change how the collector works for everyone.
fn collectgarbage(vm: &mut Vm, a: Args) -> Outcome {
    a.check_option(vm, 1, Some("collect"), &["collect", "count", "isrunning", "step"])?;
    base::collectgarbage(vm, a)
}

/// `warn` without control messages.
fn warn(vm: &mut Vm, a: Args) -> Outcome {
    if a.count() == 1 && a.check_bytes(vm, 1)?.first() == Some(&b'@') {
        return a.ret0();
    }
    base::warn(vm, a)
}
