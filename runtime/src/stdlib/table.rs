//! The table library (manual §6.6); sorting is in `sort.rs`.
//!
//! Every function has a direct way for tables without metatable, and one through metamethods.

use perilune_ir::intrinsic::Intrinsic;

use super::{Outcome, bytes_of, finish_buffer, length, raw_set, take_buffer};
use crate::meta::Metamethod;
use crate::object::Table;
use crate::table::new_table;
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// Makes the library's table.
pub fn open(vm: &mut Vm) -> *mut Table {
    let library = super::new_table(vm);
    vm.register(
        library,
        &[
            ("concat", concat, 0),
            ("insert", insert, Intrinsic::TableInsert.number()),
            ("move", move_, 0),
            ("pack", pack, 0),
            ("remove", remove, Intrinsic::TableRemove.number()),
            ("sort", super::sort::sort, 0),
            ("unpack", unpack, Intrinsic::TableUnpack.number()),
        ],
    );
    library
}

/// What a function does with its table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Uses {
    pub read: bool,
    pub write: bool,
    pub len: bool,
}

impl Uses {
    pub const READ: Uses = Uses { read: true, write: false, len: false };
    pub const WRITE: Uses = Uses { read: false, write: true, len: false };
    pub const READ_LEN: Uses = Uses { read: true, write: false, len: true };
    pub const ALL: Uses = Uses { read: true, write: true, len: true };
}

/// The table at argument `n`, if it has no metatable: everything about it is raw.
#[inline(always)]
pub(super) fn plain_table(a: Args, n: usize) -> Option<*mut Table> {
    let t = a.get(n).as_table()?;
    // SAFETY: an argument.
    unsafe { (*t).meta().is_null() }.then_some(t)
}

/// Argument `n` must be a table, or a value with the metamethods that stand in for one.
pub(super) fn check_table_like(vm: &mut Vm, a: Args, n: usize, uses: Uses) -> Result<(), Throw> {
    let v = a.get(n);
    if v.is_table() {
        return Ok(());
    }
    let wanted = [
        (uses.read, Metamethod::Index),
        (uses.write, Metamethod::NewIndex),
        (uses.len, Metamethod::Len),
    ];
    if vm.metatable(v).is_null()
        || wanted.into_iter().any(|(used, m)| used && vm.metamethod(v, m).is_nil())
    {
        return Err(a.type_error(vm, n, "table"));
    }
    Ok(())
}

/// `t[i]` with metamethods. Polls: what loops over a table, however long that says it is, comes by here.
#[inline]
pub(super) fn get_index(vm: &mut Vm, t: Value, i: i64) -> Result<Value, Throw> {
    super::poll(vm)?;
    if let Some(table) = t.as_table() {
        // SAFETY: the caller's table is in a frame.
        let v = unsafe { (*table).get_int(i) };
        if !v.is_nil() {
            return Ok(v);
        }
    }
    let key = vm.int(i);
    vm.index(t, key)
}

/// `t[i] = v` with metamethods.
#[inline]
pub(super) fn put_index(vm: &mut Vm, t: Value, i: i64, v: Value) -> Result<(), Throw> {
    let key = vm.int(i);
    if let Some(table) = t.as_table() {
        // SAFETY: the caller's table is in a frame.
        if unsafe { (*table).meta().is_null() } {
            return raw_set(vm, table, key, v);
        }
    }
    vm.set_index(t, key, v)
}

fn insert(vm: &mut Vm, a: Args) -> Outcome {
    if let Some(t) = plain_table(a, 1) {
        // SAFETY: an argument.
        let t = unsafe { &mut *t };
        let len = t.len();
        match a.count() {
            2 => {
                t.set_int(&mut vm.heap, len + 1, a.get(2));
                vm.settled()?;
                return a.ret0();
            }
            3 => {
                let pos = a.check_int(vm, 2)?;
                if (pos as u64).wrapping_sub(1) > len as u64 {
                    return Err(a.error(vm, 2, "position out of bounds"));
                }
                t.insert_element(&mut vm.heap, pos, a.get(3));
                vm.settled()?;
                return a.ret0();
            }
            _ => return Err(vm.error("wrong number of arguments to 'insert'")),
        }
    }
    check_table_like(vm, a, 1, Uses::ALL)?;
    let t = a.get(1);
    let end = length(vm, t)?.wrapping_add(1);
    let (pos, v) = match a.count() {
        2 => (end, a.get(2)),
        3 => {
            let pos = a.check_int(vm, 2)?;
            if (pos as u64).wrapping_sub(1) >= end as u64 {
                return Err(a.error(vm, 2, "position out of bounds"));
            }
            let mut i = end;
            while i > pos {
                let moved = get_index(vm, t, i - 1)?;
                put_index(vm, t, i, moved)?;
                i -= 1;
            }
            (pos, a.get(3))
        }
        _ => return Err(vm.error("wrong number of arguments to 'insert'")),
    };
    put_index(vm, t, pos, v)?;
    a.ret0()
}

fn remove(vm: &mut Vm, a: Args) -> Outcome {
    if let Some(t) = plain_table(a, 1) {
        // SAFETY: an argument.
        let t = unsafe { &mut *t };
        let len = t.len();
        let pos = a.opt_int(vm, 2, len)?;
        if pos >= 1 && pos <= len {
            let v = t.remove_element(pos);
            return a.ret1(v);
        }
    }
    check_table_like(vm, a, 1, Uses::ALL)?;
    let t = a.get(1);
    let size = length(vm, t)?;
    let mut pos = a.opt_int(vm, 2, size)?;
    // The position after the end is allowed too.
    if pos != size && (pos as u64).wrapping_sub(1) > size as u64 {
        return Err(a.error(vm, 2, "position out of bounds"));
    }
    let removed = get_index(vm, t, pos)?;
    vm.push(removed);
    while pos < size {
        let moved = get_index(vm, t, pos + 1)?;
        put_index(vm, t, pos, moved)?;
        pos += 1;
    }
    put_index(vm, t, pos, Value::NIL)?;
    a.ret1(removed)
}

fn concat(vm: &mut Vm, a: Args) -> Outcome {
    let (plain, len) = match plain_table(a, 1) {
        // SAFETY: an argument.
        Some(t) => (Some(t), unsafe { (*t).len() }),
        None => {
            check_table_like(vm, a, 1, Uses::READ_LEN)?;
            (None, length(vm, a.get(1))?)
        }
    };
    let separator = a.opt_bytes(vm, 2)?.unwrap_or(b"");
    let from = a.opt_int(vm, 3, 1)?;
    let to = if a.is_none_or_nil(4) { len } else { a.check_int(vm, 4)? };
    let mut out = take_buffer(vm);
    let mut i = from;
    while i <= to {
        if i > from {
            out.extend(vm, separator)?;
        }
        let v = match plain {
            // SAFETY: an argument.
            Some(t) => unsafe { (*t).get_int(i) },
            None => get_index(vm, a.get(1), i)?,
        };
        if let Some(s) = v.as_string() {
            let bytes = bytes_of(vm, s)?;
            out.extend(vm, bytes)?;
        } else if v.is_number() {
            out.extend(vm, crate::metamethod::print_number(v).as_bytes())?;
        } else {
            let message = format!(
                "invalid value ({}) at index {i} in table for 'concat'",
                String::from_utf8_lossy(&vm.type_name(v))
            );
            return Err(vm.error(&message));
        }
        if i == to {
            break; // `to` may be the greatest integer
        }
        i += 1;
        super::poll(vm)?;
    }
    let s = finish_buffer(vm, out)?;
    a.ret1(s)
}

fn pack(vm: &mut Vm, a: Args) -> Outcome {
    let plain = vm.heap.shapes.plain;
    let t = new_table(&mut vm.heap, a.count(), plain);
    // SAFETY: just made; nothing collects here.
    unsafe { (*t).set_range(&mut vm.heap, 1, a.slice()) };
    vm.settled()?;
    vm.set_field_raw(t, "n", Value::small_int(a.count() as i64));
    a.ret1(Value::table(t))
}

fn unpack(vm: &mut Vm, a: Args) -> Outcome {
    let from = a.opt_int(vm, 2, 1)?;
    let to = if a.is_none_or_nil(3) { length(vm, a.get(1))? } else { a.check_int(vm, 3)? };
    if from > to {
        return a.ret0();
    }
    let count = (to as u64).wrapping_sub(from as u64);
    if count >= i32::MAX as u64 {
        return Err(vm.error("too many results to unpack"));
    }
    let count = count as usize + 1;
    let t = a.get(1);
    if let Some(table) = plain_table(a, 1) {
        // SAFETY: an argument.
        if let Some(values) = unsafe { (*table).element_range(from, count) } {
            reserve_results(vm, a, count)?;
            return a.ret_slice(vm, values);
        }
    }
    reserve_results(vm, a, count)?;
    // Results are gathered above the arguments; the frame keeps them across metamethods.
    let first = vm.top;
    for i in 0..count {
        let v = get_index(vm, t, from.wrapping_add(i as i64))?;
        // A collection takes back what room is not in use.
        let top = vm.top;
        vm.ensure_stack(top, 1)?;
        vm.push(v);
    }
    // SAFETY: the pushed values, above the arguments.
    unsafe { a.ret_stack(vm, first, count) }
}

fn reserve_results(vm: &mut Vm, a: Args, count: usize) -> Result<(), Throw> {
    // Without a message handler in between: the error is this function's own.
    let room = super::stack_room(vm, a);
    if count + a.count() + 64 > room {
        return Err(vm.error("too many results to unpack"));
    }
    let top = vm.top;
    vm.ensure_stack(top, count + 8)
}

fn move_(vm: &mut Vm, a: Args) -> Outcome {
    let from = a.check_int(vm, 2)?;
    let end = a.check_int(vm, 3)?;
    let to = a.check_int(vm, 4)?;
    let target_arg = if a.is_none_or_nil(5) { 1 } else { 5 };
    check_table_like(vm, a, 1, Uses::READ)?;
    check_table_like(vm, a, target_arg, Uses::WRITE)?;
    let (source, target) = (a.get(1), a.get(target_arg));
    if end >= from {
        if !(from > 0 || end < i64::MAX.wrapping_add(from)) {
            return Err(a.error(vm, 3, "too many elements to move"));
        }
        let n = end - from + 1;
        if to > i64::MAX - n + 1 {
            return Err(a.error(vm, 4, "destination wrap around"));
        }
        let moved = move_plain(vm, a, target_arg, from, n, to);
        vm.settled()?;
        if moved {
            return a.ret1(target);
        }
        let upwards = to > end || to <= from || (target_arg != 1 && source != target);
        for k in 0..n {
            let i = if upwards { k } else { n - 1 - k };
            let v = get_index(vm, source, from + i)?;
            put_index(vm, target, to + i, v)?;
        }
    }
    a.ret1(target)
}

/// Moves between tables without metatables where the source is in the array part.
fn move_plain(vm: &mut Vm, a: Args, target_arg: usize, from: i64, n: i64, to: i64) -> bool {
    let (Some(source), Some(target)) = (plain_table(a, 1), plain_table(a, target_arg)) else {
        return false;
    };
    if from < 1 || to < 1 {
        return false;
    }
    // SAFETY: arguments; `set_range` is only used between two tables.
    unsafe {
        if source == target {
            return (*source).copy_elements(&mut vm.heap, from, n as usize, to);
        }
        let Some(values) = (*source).element_range(from, n as usize) else {
            return false;
        };
        (*target).set_range(&mut vm.heap, to, values);
    }
    true
}
