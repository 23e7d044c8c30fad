//! `require` and the package library (manual §6.3). There are no C modules: what would load one fails
//! with the words of a PUC Lua built without dynamic libraries.

use super::base_load::load_file;
use super::{Outcome, bytes_of};
use crate::heap::ByteBuffer;
use crate::object::Table;
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

const LUA_PATH: &str = "/usr/local/share/lua/5.4/?.lua;/usr/local/share/lua/5.4/?/init.lua;\
    /usr/local/lib/lua/5.4/?.lua;/usr/local/lib/lua/5.4/?/init.lua;./?.lua;./?/init.lua";
const C_PATH: &str = "/usr/local/lib/lua/5.4/?.so;/usr/local/lib/lua/5.4/loadall.so;./?.so";
/// Directory separator, template separator, name mark, executable mark, ignore mark.
const CONFIG: &str = "/\n;\n?\n!\n-\n";
const NO_LIBRARIES: &str = "dynamic libraries not enabled; check your Lua installation";

/// Makes the library's table, and the global `require`.
pub fn open(vm: &mut Vm) -> *mut Table {
    let library = super::new_table(vm);
    vm.register(library, &[("loadlib", loadlib, 0), ("searchpath", searchpath, 0)]);
    let package = Value::table(library);
    let searchers = super::new_table(vm);
    let functions = [search_preload, search_lua, search_c, search_c_root];
    for (i, searcher) in functions.into_iter().enumerate() {
        let f = vm.native_with(searcher, 0, &[package]);
        // SAFETY: just made; nothing collects here.
        unsafe { (*searchers).set_int(&mut vm.heap, i as i64 + 1, f) };
    }
    vm.set_field_raw(library, "searchers", Value::table(searchers));
    let registry = vm.registry;
    let ignore_environment = vm.get_field_raw(registry, "LUA_NOENV").is_truthy();
    for (field, variable, default) in
        [("path", "LUA_PATH", LUA_PATH), ("cpath", "LUA_CPATH", C_PATH)]
    {
        let path = path_from_environment(variable, default, ignore_environment);
        let path = vm.string(&path);
        vm.set_field_raw(library, field, path);
    }
    let config = vm.string(CONFIG.as_bytes());
    vm.set_field_raw(library, "config", config);
    let loaded = vm.get_field_raw(registry, "_LOADED");
    vm.set_field_raw(library, "loaded", loaded);
    let preload = Value::table(super::new_table(vm));
    vm.set_field_raw(registry, "_PRELOAD", preload);
    vm.set_field_raw(library, "preload", preload);
    let require = vm.native_with(require, 0, &[package]);
    let globals = vm.globals;
    vm.set_field_raw(globals, "require", require);
    library
}

/// The path in `variable_5_4` or `variable`, where `;;` stands for the default.
fn path_from_environment(variable: &str, default: &str, ignore: bool) -> Vec<u8> {
    let value = std::env::var_os(format!("{variable}_5_4")).or_else(|| std::env::var_os(variable));
    let value = match value {
        Some(value) if !ignore => value.into_encoded_bytes(),
        _ => return default.as_bytes().to_vec(),
    };
    let Some(at) = memchr::memmem::find(&value, b";;") else {
        return value;
    };
    let mut path = value[..at].to_vec();
    if at > 0 {
        path.push(b';');
    }
    path.extend_from_slice(default.as_bytes());
    if at + 2 < value.len() {
        path.push(b';');
        path.extend_from_slice(&value[at + 2..]);
    }
    path
}

fn loadlib(vm: &mut Vm, a: Args) -> Outcome {
    a.check_bytes(vm, 1)?;
    a.check_bytes(vm, 2)?;
    let message = vm.string(NO_LIBRARIES.as_bytes());
    let stage = vm.string(b"absent");
    a.ret3(Value::NIL, message, stage)
}

/// `text` with each `from` replaced.
fn replace(vm: &mut Vm, text: &[u8], from: &[u8], to: &[u8]) -> Result<ByteBuffer, Throw> {
    let mut out = ByteBuffer::new();
    let mut rest = text;
    if !from.is_empty() {
        while let Some(at) = memchr::memmem::find(rest, from) {
            out.extend(vm, &rest[..at])?;
            out.extend(vm, to)?;
            rest = &rest[at + from.len()..];
        }
    }
    out.extend(vm, rest)?;
    Ok(out)
}

/// The first readable file for `name` in the templates of `path`, or else the list of files that were tried.
fn search(
    vm: &mut Vm,
    name: &[u8],
    path: &[u8],
    separator: &[u8],
    dirs: &[u8],
) -> Result<Result<ByteBuffer, Value>, Throw> {
    let name = replace(vm, name, separator, dirs)?;
    let path = replace(vm, path, b"?", &name)?;
    for file in path.split(|&c| c == b';') {
        if std::fs::File::open(super::os::path(file)).is_ok() {
            return ByteBuffer::concat(vm, &[file]).map(Ok);
        }
    }
    let files = replace(vm, &path, b";", b"'\n\tno file '")?;
    let message = ByteBuffer::concat(vm, &[b"no file '", &files, b"'"])?;
    vm.try_string(&message).map(Err)
}

fn searchpath(vm: &mut Vm, a: Args) -> Outcome {
    let name = a.check_bytes(vm, 1)?;
    let path = a.check_bytes(vm, 2)?;
    let separator = a.opt_bytes(vm, 3)?.unwrap_or(b".");
    let dirs = a.opt_bytes(vm, 4)?.unwrap_or(b"/");
    match search(vm, name, path, separator, dirs)? {
        Ok(file) => {
            let file = vm.try_string(&file)?;
            a.ret1(file)
        }
        Err(message) => a.ret2(Value::NIL, message),
    }
}

fn search_preload(vm: &mut Vm, a: Args) -> Outcome {
    let name = a.check_bytes(vm, 1)?;
    let registry = vm.registry;
    let preload = vm.get_field_raw(registry, "_PRELOAD");
    let loader = vm.index(preload, a.get(1))?;
    if loader.is_nil() {
        let parts = [&b"no field package.preload['"[..], name, b"']"];
        let message = ByteBuffer::concat(vm, &parts)?;
        let message = vm.try_string(&message)?;
        return a.ret1(message);
    }
    let data = vm.string(b":preload:");
    a.ret2(loader, data)
}

/// Looks for a module in the path that is a field of the package table.
fn find_file(
    vm: &mut Vm,
    a: Args,
    name: &[u8],
    field: &str,
) -> Result<Result<ByteBuffer, Value>, Throw> {
    let key = vm.string(field.as_bytes());
    let path = vm.index(a.upvalue(0), key)?;
    if path.is_number() {
        let text = crate::metamethod::print_number(path);
        return search(vm, name, text.as_bytes(), b".", b"/");
    }
    let Some(path) = path.as_string() else {
        return Err(vm.error(&format!("'package.{field}' must be a string")));
    };
    let path = bytes_of(vm, path)?;
    search(vm, name, path, b".", b"/")
}

fn loading_error(vm: &mut Vm, name: &[u8], file: &[u8], message: &[u8]) -> Throw {
    let text = [&b"error loading module '"[..], name, b"' from file '", file, b"':\n\t", message];
    match ByteBuffer::concat(vm, &text) {
        Ok(text) => vm.error_bytes(&text),
        Err(throw) => throw,
    }
}

fn search_lua(vm: &mut Vm, a: Args) -> Outcome {
    let name = a.check_bytes(vm, 1)?;
    let file = match find_file(vm, a, name, "path")? {
        Ok(file) => file,
        Err(message) => return a.ret1(message),
    };
    let env = Value::table(vm.globals);
    match load_file(vm, Some(&file), None, env) {
        Ok(loader) => {
            vm.push(loader);
            let file = vm.try_string(&file)?;
            a.ret2(loader, file)
        }
        Err(message) => {
            let message = match message.as_string() {
                Some(s) => bytes_of(vm, s)?,
                None => b"?",
            };
            Err(loading_error(vm, name, &file, message))
        }
    }
}

fn search_c_file(vm: &mut Vm, a: Args, name: &[u8], root: &[u8]) -> Outcome {
    match find_file(vm, a, root, "cpath")? {
        Ok(file) => Err(loading_error(vm, name, &file, NO_LIBRARIES.as_bytes())),
        Err(message) => a.ret1(message),
    }
}

fn search_c(vm: &mut Vm, a: Args) -> Outcome {
    let name = a.check_bytes(vm, 1)?;
    search_c_file(vm, a, name, name)
}

fn search_c_root(vm: &mut Vm, a: Args) -> Outcome {
    let name = a.check_bytes(vm, 1)?;
    match memchr::memchr(b'.', name) {
        Some(dot) => search_c_file(vm, a, name, &name[..dot]),
        None => a.ret0(),
    }
}

fn require(vm: &mut Vm, a: Args) -> Outcome {
    let name = a.check_bytes(vm, 1)?;
    let key = a.get(1);
    let registry = vm.registry;
    let loaded = vm.get_field_raw(registry, "_LOADED");
    // The registry is a script's to change.
    vm.push(loaded);
    let present = vm.index(loaded, key)?;
    if present.is_truthy() {
        return a.ret1(present);
    }
    let (loader, data) = find_loader(vm, a, name)?;
    // The loader and its data stay in the frame while the loader runs.
    vm.push(loader);
    vm.push(data);
    let result = vm.call1(loader, &[key, data])?;
    if !result.is_nil() {
        vm.set_index(loaded, key, result)?;
    }
    let mut value = vm.index(loaded, key)?;
    if value.is_nil() {
        value = Value::TRUE;
        vm.set_index(loaded, key, value)?;
    }
    a.ret2(value, data)
}

fn find_loader(vm: &mut Vm, a: Args, name: &[u8]) -> Result<(Value, Value), Throw> {
    let key = vm.string(b"searchers");
    let searchers = vm.index(a.upvalue(0), key)?;
    let Some(list) = searchers.as_table() else {
        return Err(vm.error("'package.searchers' must be a table"));
    };
    vm.push(searchers);
    let mut tried = ByteBuffer::new();
    for i in 1.. {
        // SAFETY: the list is in the frame.
        let searcher = unsafe { (*list).get_int(i) };
        if searcher.is_nil() {
            break;
        }
        let results = vm.call(searcher, &[a.get(1)])?;
        let first = results.get(0);
        if first.is_function() {
            return Ok((first, results.get(1)));
        }
        if let Some(s) = first.as_string() {
            let bytes = bytes_of(vm, s)?;
            tried.extend(vm, b"\n\t")?;
            tried.extend(vm, bytes)?;
        } else if first.is_number() {
            tried.extend(vm, b"\n\t")?;
            tried.extend(vm, crate::metamethod::print_number(first).as_bytes())?;
        }
    }
    let text = ByteBuffer::concat(vm, &[b"module '", name, b"' not found:", &tried])?;
    Err(vm.error_bytes(&text))
}
