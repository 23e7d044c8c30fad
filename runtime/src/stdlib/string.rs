//! The string library (manual §6.4): everything but patterns (`string_find.rs`), `format`
//! (`string_format.rs`), `pack` (`string_pack.rs`) and arithmetic (`string_arith.rs`).

use perilune_ir::intrinsic::Intrinsic;

use super::{Outcome, bytes_of, finish_buffer, take_buffer};
use crate::heap::{ByteBuffer, OutOfMemory, relieve};
use crate::object::{LuaString, Table};
use crate::table::KeyError;
use crate::value::{Type, Value};
use crate::vm::{Args, Vm};

/// The longest string that `rep` makes, as PUC Lua's `MAX_SIZE`.
const MAX_LENGTH: u64 = i32::MAX as u64;

/// Makes the library's table and the metatable of strings.
pub fn open(vm: &mut Vm) -> *mut Table {
    let library = super::new_table(vm);
    vm.register(
        library,
        &[
            ("byte", byte, Intrinsic::StringByte.number()),
            ("char", char, Intrinsic::StringChar.number()),
            ("dump", dump, 0),
            ("find", super::string_find::find, 0),
            ("format", super::string_format::format, 0),
            ("gmatch", super::string_find::gmatch, 0),
            ("gsub", super::string_find::gsub, 0),
            ("len", len, Intrinsic::StringLen.number()),
            ("lower", lower, 0),
            ("match", super::string_find::match_, 0),
            ("pack", super::string_pack::pack, 0),
            ("packsize", super::string_pack::packsize, 0),
            ("rep", rep, 0),
            ("reverse", reverse, 0),
            ("sub", sub, Intrinsic::StringSub.number()),
            ("unpack", super::string_pack::unpack, 0),
            ("upper", upper, 0),
        ],
    );
    let meta = super::new_table(vm);
    super::string_arith::register(vm, meta);
    vm.set_field_raw(meta, "__index", Value::table(library));
    vm.set_type_metatable(Type::String, meta);
    library
}

/// Start of a range as `string.sub` reads it: negative counts from the end; at least 1.
#[inline(always)]
pub(super) fn start_position(pos: i64, len: usize) -> usize {
    if pos > 0 {
        pos as usize
    } else if pos == 0 || pos < -(len as i64) {
        1
    } else {
        (len as i64 + pos + 1) as usize
    }
}

/// End of a range as `string.sub` reads it: negative counts from the end; at most `len`.
#[inline(always)]
pub(super) fn end_position(pos: i64, len: usize) -> usize {
    if pos > len as i64 {
        len
    } else if pos >= 0 {
        pos as usize
    } else if pos < -(len as i64) {
        0
    } else {
        (len as i64 + pos + 1) as usize
    }
}

fn len(vm: &mut Vm, a: Args) -> Outcome {
    let s = a.check_str(vm, 1)?;
    // SAFETY: an argument.
    let n = vm.int(unsafe { (*s).len } as i64);
    a.ret1(n)
}

fn sub(vm: &mut Vm, a: Args) -> Outcome {
    let s = a.check_str(vm, 1)?;
    let (from, to) = (a.check_int(vm, 2)?, a.opt_int(vm, 3, -1)?);
    let part = substring(vm, s, from, to);
    vm.settled()?;
    a.ret1(Value::string(part))
}

/// The bytes of `s` from position `from` to position `to`, as `string.sub` counts. `s` is live. Without memory,
/// which is noted, it is another string.
pub fn substring(vm: &mut Vm, s: *mut LuaString, from: i64, to: i64) -> *mut LuaString {
    // SAFETY: the caller's promise.
    let len = unsafe { (*s).len };
    let (from, to) = (start_position(from, len), end_position(to, len));
    if from == 1 && to == len {
        return s;
    }
    let made = match vm.heap.try_bytes(s) {
        Ok(bytes) => vm.heap.try_string(if from > to { &[] } else { &bytes[from - 1..to] }),
        Err(error) => Err(error),
    };
    made.unwrap_or_else(|OutOfMemory| {
        vm.heap.refuse(KeyError::Memory);
        vm.heap.memory_message
    })
}

fn byte(vm: &mut Vm, a: Args) -> Outcome {
    let s = a.check_str(vm, 1)?;
    // SAFETY: an argument.
    let len = unsafe { (*s).len };
    let pos = a.opt_int(vm, 2, 1)?;
    let from = start_position(pos, len);
    let to = if a.is_none_or_nil(3) {
        // A position before the start gives nothing.
        if pos == 0 || pos < -(len as i64) { end_position(pos, len) } else { from.min(len) }
    } else {
        end_position(a.check_int(vm, 3)?, len)
    };
    if from > to {
        return a.ret0();
    }
    let bytes = &bytes_of(vm, s)?[from - 1..to];
    if let [c] = bytes {
        return a.ret1(Value::small_int(i64::from(*c)));
    }
    if bytes.len() > i32::MAX as usize {
        return Err(vm.error("string slice too long"));
    }
    if vm.ensure_stack(a.base, bytes.len()).is_err() {
        return Err(vm.error("stack overflow (string slice too long)"));
    }
    // SAFETY: there is room, from the callee's slot on; the string lives until this returns.
    unsafe {
        let first = a.base.sub(2);
        for (i, c) in bytes.iter().enumerate() {
            first.add(i).write(Value::small_int(i64::from(*c)));
        }
    }
    Ok(bytes.len() as u32)
}

fn char(vm: &mut Vm, a: Args) -> Outcome {
    let mut short = [0u8; 40];
    let n = a.count();
    let mut long = ByteBuffer::new();
    let out = if n <= short.len() {
        &mut short[..n]
    } else {
        long.fill(vm, n, 0)?;
        long.as_mut_slice()
    };
    for (i, c) in out.iter_mut().enumerate() {
        let code = a.check_int(vm, i + 1)?;
        match u8::try_from(code) {
            Ok(code) => *c = code,
            Err(_) => return Err(a.error(vm, i + 1, "value out of range")),
        }
    }
    let s = vm.try_string(out)?;
    a.ret1(s)
}

/// Bytes that are worked on between two polls.
const PART: usize = 1 << 20;

/// A new string of what `f` makes of each part of the argument, in this order or from the last.
fn map_bytes(vm: &mut Vm, a: Args, from_end: bool, f: impl Fn(&mut [u8])) -> Outcome {
    let s = a.check_bytes(vm, 1)?;
    let mut buffer = take_buffer(vm);
    buffer.room(vm, s.len())?;
    let count = s.len().div_ceil(PART);
    for i in 0..count {
        let part = if from_end { count - 1 - i } else { i };
        let part = &s[part * PART..s.len().min((part + 1) * PART)];
        let done = buffer.len();
        buffer.extend(vm, part)?;
        f(&mut buffer.as_mut_slice()[done..]);
        super::poll(vm)?;
    }
    let s = finish_buffer(vm, buffer)?;
    a.ret1(s)
}

fn lower(vm: &mut Vm, a: Args) -> Outcome {
    map_bytes(vm, a, false, |s| s.make_ascii_lowercase())
}

fn upper(vm: &mut Vm, a: Args) -> Outcome {
    map_bytes(vm, a, false, |s| s.make_ascii_uppercase())
}

fn reverse(vm: &mut Vm, a: Args) -> Outcome {
    map_bytes(vm, a, true, |s| s.reverse())
}

fn rep(vm: &mut Vm, a: Args) -> Outcome {
    let s = a.check_bytes(vm, 1)?;
    let n = a.check_int(vm, 2)?;
    let separator = a.opt_bytes(vm, 3)?.unwrap_or(b"");
    if n <= 0 {
        let empty = vm.string(b"");
        return a.ret1(empty);
    }
    let unit = s.len() as u64 + separator.len() as u64;
    if unit > MAX_LENGTH / n as u64 {
        return Err(vm.error("resulting string too large"));
    }
    let total = (unit * n as u64) as usize - separator.len();
    if n == 1 || total == 0 {
        return a.ret1(a.get(1));
    }
    let mut buffer = ByteBuffer::new();
    if buffer.try_room(&mut vm.heap, total).is_err() {
        // Once more without the garbage.
        relieve(vm);
        buffer.room(vm, total)?;
    }
    let out = buffer.room(vm, total)?;
    out.extend_from_slice(s);
    // The last unit lacks its separator.
    out.extend_from_slice(&separator[..separator.len().min(total - s.len())]);
    while !double_up(buffer.room(vm, 0)?, unit as usize, total) {
        super::poll(vm)?;
    }
    let s = Value::string(vm.heap.string_from_vec(buffer.take()));
    a.ret1(s)
}

/// Repeats the units in `out`, some at a time, until it has `total` bytes: true when that is done.
fn double_up(out: &mut Vec<u8>, unit: usize, total: usize) -> bool {
    let most = (PART / unit).max(1) * unit;
    for _ in 0..PART.ilog2() {
        let more = out.len().min(most).min(total - out.len());
        if more == 0 {
            return true;
        }
        out.extend_from_within(..more);
    }
    false
}

fn dump(vm: &mut Vm, a: Args) -> Outcome {
    let f = a.check_function(vm, 1)?;
    let strip = a.get(2).is_truthy();
    let Some(closure) = f.as_closure() else {
        return Err(vm.error("unable to dump given function"));
    };
    let s = super::dump::dump_string(vm, closure, strip)?;
    a.ret1(s)
}
