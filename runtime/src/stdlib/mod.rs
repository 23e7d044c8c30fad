//! The standard library.
//!
//! One file per library; each has an `open` function that makes its table. [`open`] opens those that
//! are wanted and fills `package.loaded`. Functions are written against [`crate::native`]; what they keep
//! between calls (random generator, compiled patterns, open files, …) is in [`LibraryState`].
//!
//! Rooting: collection happens only at safepoints, and every call back into Lua is one. Values that a
//! function needs after such a call are its arguments, or pushed into its frame.

use std::sync::atomic::Ordering;

use crate::heap::ByteBuffer;
use crate::object::Table;
use crate::value::Value;
use crate::vm::{Throw, Vm};

pub mod base;
pub mod base_load;
pub mod coroutine;
pub mod debug;
mod debug_info;
pub mod dump;
pub mod io;
mod io_file;
mod io_read;
pub mod math;
pub mod os;
pub mod package;
pub mod sandbox;
mod sort;
pub mod stream;
pub mod string;
mod string_arith;
mod string_find;
mod string_format;
mod string_pack;
pub mod table;
pub mod utf8;

/// What a native function answers: the number of results.
pub(crate) type Outcome = Result<u32, Throw>;

/// State of the library, one per Lua state; reached by [`Vm::library_state`].
#[derive(Default)]
pub struct LibraryState {
    /// Generator of `math.random`.
    pub random: math::Generator,
    /// Compiled patterns.
    pub patterns: crate::text::pattern_compile::PatternCache,
    /// Buffer that functions building strings borrow; see [`with_buffer`].
    buffer: ByteBuffer,
    /// Open streams and the standard ones.
    pub streams: stream::Streams,
    /// A warning message is being continued by the next piece.
    pub warning_continues: bool,
    /// Metatable and default files of the io library.
    pub io: io::IoState,
}

/// Makes a library's table.
type Open = fn(&mut Vm) -> *mut Table;

/// Creates every library.
pub fn open_all(vm: &mut Vm) {
    open(vm, |_| true);
}

/// Creates the basic functions and the libraries that are wanted, by name, and stores these in the globals and in
/// `package.loaded`.
pub fn open(vm: &mut Vm, wanted: impl Fn(&str) -> bool) {
    let loaded = new_table(vm);
    let registry = vm.registry;
    vm.set_field_raw(registry, "_LOADED", Value::table(loaded));
    base::open(vm);
    let globals = vm.globals;
    vm.set_field_raw(loaded, "_G", Value::table(globals));
    let load = vm.get_field_raw(globals, "load");
    vm.set_field_raw(registry, "_LOAD", load);
    let libraries: [(&str, Open); 9] = [
        ("package", package::open),
        ("coroutine", coroutine::open),
        ("table", table::open),
        ("io", io::open),
        ("os", os::open),
        ("string", string::open),
        ("utf8", utf8::open),
        ("math", math::open),
        ("debug", debug::open),
    ];
    for (name, open) in libraries.into_iter().filter(|(name, _)| wanted(name)) {
        let library = Value::table(open(vm));
        vm.set_field_raw(globals, name, library);
        vm.set_field_raw(loaded, name, library);
    }
}

/// Writes out what streams of this state still buffer, as C does at exit.
pub fn flush_all(vm: &mut Vm) {
    vm.library_state::<LibraryState>().streams.flush_all();
}

/// To be called now and then in long loops, where a collection may happen.
#[inline(always)]
pub(crate) fn poll(vm: &mut Vm) -> Result<(), Throw> {
    if vm.poll.load(Ordering::Relaxed) != 0 { vm.safepoint() } else { Ok(()) }
}

/// Takes the state's buffer, empty; give it back by [`return_buffer`]. A nested taker gets a new one.
#[inline]
pub(crate) fn take_buffer(vm: &mut Vm) -> ByteBuffer {
    let mut buffer = std::mem::take(&mut vm.library_state::<LibraryState>().buffer);
    buffer.clear();
    buffer
}

/// Buffers that grew beyond this become the string itself, and are not kept.
const KEEP: usize = 4096;

/// Makes the content of a taken buffer a string, and gives the buffer back for reuse.
///
/// # Errors
/// `not enough memory`
#[inline]
pub(crate) fn finish_buffer(vm: &mut Vm, mut buffer: ByteBuffer) -> Result<Value, Throw> {
    if buffer.len() > KEEP {
        return Ok(Value::string(vm.heap.string_from_vec(buffer.take())));
    }
    let value = vm.try_string(&buffer)?;
    return_buffer(vm, buffer);
    Ok(value)
}

/// Gives a buffer back.
#[inline]
pub(crate) fn return_buffer(vm: &mut Vm, buffer: ByteBuffer) {
    if buffer.capacity() <= KEEP {
        vm.library_state::<LibraryState>().buffer = buffer;
    }
}

/// The bytes of a string that is in the running function's frame.
///
/// # Errors
/// `not enough memory`
#[inline(always)]
pub(crate) fn bytes_of<'a>(
    vm: &mut Vm,
    s: *mut crate::object::LuaString,
) -> Result<&'a [u8], Throw> {
    // SAFETY: the caller's string is an argument or pushed, so it lives while the function runs;
    // a flat string's bytes never move or change.
    unsafe { vm.string_bytes(s) }
}

/// Raw `t[k] = v` with the errors for bad keys.
pub(crate) fn raw_set(vm: &mut Vm, t: *mut Table, k: Value, v: Value) -> Result<(), Throw> {
    // SAFETY: tables handed around in library functions are live.
    unsafe { (*t).set(&mut vm.heap, k, v) }.map_err(|error| vm.key_error(error))
}

/// `__name`-aware length of any value as an integer, as `luaL_len`.
pub(crate) fn length(vm: &mut Vm, v: Value) -> Result<i64, Throw> {
    let n = vm.length(v)?;
    match n.as_int().or_else(|| vm.to_integer(n)) {
        Some(n) => Ok(n),
        None => Err(vm.error("object length is not an integer")),
    }
}

/// Slots between a frame's base and the end of the stack.
pub(crate) fn stack_room(vm: &Vm, a: crate::vm::Args) -> usize {
    (vm.stack_ends().0 as usize).saturating_sub(a.base as usize) / size_of::<Value>()
}

/// A new empty table.
pub(crate) fn new_table(vm: &mut Vm) -> *mut Table {
    crate::table::new_empty(&mut vm.heap)
}
