//! Table, field, upvalue and global access beyond the inline fast paths.

use perilune_ir::bytecode::{Extra, NO_FEEDBACK, Op, Word};

use super::operators::{note_metamethod, note_result};
use super::{closure_of, constants, decode, feedback, metaframe, sync};
use crate::meta::Metamethod;
use crate::object::{LuaString, Table};
use crate::proto::upvalue;
use crate::table::cache;
use crate::table::metatable::metamethod;
use crate::value::Value;
use crate::vm::{Throw, Vm};

/// The key constant of an instruction with a `KeyFeedback` second word.
#[inline(always)]
unsafe fn key_of(base: *mut Value, ip: *const u32) -> Value {
    // SAFETY: the callers' contract: a `KeyFeedback` instruction of the frame.
    unsafe { *constants(base).add((*ip.add(1) & 0xFFFF) as usize) }
}

/// `t[key]` for the constant key of the instruction at `ip`, through its cache. `DIRECT`: see
/// [`get_field_slow`].
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an instruction of it with a `KeyFeedback` word.
#[inline(always)]
unsafe fn field<const DIRECT: bool>(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    t: Value,
) -> Result<Value, Throw> {
    // SAFETY: the caller's contract; a value in use is live.
    unsafe {
        let key = key_of(base, ip);
        let cell = *ip.add(1) >> 16;
        let name: *mut LuaString = key.ptr();
        let mut table: Option<*mut Table> = t.as_table();
        if table.is_none() && t.is_string() {
            table = vm.metamethod(t, Metamethod::Index).as_table();
        }
        if let Some(table) = table
            && cell != u32::from(NO_FEEDBACK)
            && (*name).is_interned()
            && let Some(v) = cache::get_field(&mut vm.heap, &*feedback(base, cell), table, name)
        {
            return Ok(v);
        }
        if DIRECT && let Some(table) = t.as_table() {
            let handler = vm.metamethod(t, Metamethod::Index);
            if handler.is_function()
                && (*table).get(&mut vm.heap, key).is_nil()
                && metaframe::prepare(vm, base, ip, handler, [t, key])
            {
                return Ok(FRAME);
            }
        }
        sync(vm, base, ip);
        note_access(vm, base, ip, Metamethod::Index, t, key);
        let v = vm.index(t, key)?;
        note_result(vm, base, ip, v);
        Ok(v)
    }
}

/// Notes which function handles the access at `ip` to the absent `key` of `t`, if one will: for tables
/// whose shape says that a string is no key of theirs.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an access of it; the operands are live.
unsafe fn note_access(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    event: Metamethod,
    t: Value,
    key: Value,
) {
    if !vm.detail.profiling {
        return;
    }
    let Some(table) = t.as_table() else { return };
    if vm.metamethod(t, event).as_closure().is_none() {
        return; // mostly a table
    }
    // SAFETY: the caller's contract; strings in use are live.
    unsafe {
        let shape = (*table).shape();
        let is_field = key.is_string() && shape.slot_of(key.ptr()).is_some();
        if !is_field && !shape.is_dictionary() && (*table).get(&mut vm.heap, key).is_nil() {
            note_metamethod(vm, base, ip, event, [t, Value::NIL]);
        }
    }
}

/// What [`field`] answers instead of a value when it prepared a metamethod's frame. No value has these
/// bits in a register.
const FRAME: Value = Value(u64::MAX);

/// `GETFIELD`, `GETTABUP` or `SELF` at `ip`. True (if `DIRECT`): a metamethod's frame is prepared, see
/// [`metaframe`], and is to be entered.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn get_field_slow<const DIRECT: bool>(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
) -> Result<bool, Throw> {
    // SAFETY: verified code: operands are in range.
    unsafe {
        let word = Word(*ip);
        let a = base.add(word.a() as usize);
        let op = decode(*ip);
        let t = if op == Op::GetTabUp {
            *(*upvalue(closure_of(base), word.b() as usize)).location
        } else {
            *base.add(word.b() as usize)
        };
        let v = field::<DIRECT>(vm, base, ip, t)?;
        if op == Op::SelfField {
            *a.add(2) = t;
        }
        if DIRECT && v == FRAME {
            return Ok(true);
        }
        *a = v;
        Ok(false)
    }
}

/// `SETFIELD` or `SETTABUP` at `ip`. The answer is that of [`get_field_slow`].
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn set_field_slow<const DIRECT: bool>(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
) -> Result<bool, Throw> {
    // SAFETY: verified code: operands are in range.
    unsafe {
        let word = Word(*ip);
        let v = *base.add(word.b() as usize);
        let t = if decode(*ip) == Op::SetTabUp {
            *(*upvalue(closure_of(base), word.a() as usize)).location
        } else {
            *base.add(word.a() as usize)
        };
        let key = key_of(base, ip);
        let cell = *ip.add(1) >> 16;
        let name: *mut LuaString = key.ptr();
        if let Some(table) = t.as_table()
            && cell != u32::from(NO_FEEDBACK)
            && (*name).is_interned()
            && cache::set_field(&mut vm.heap, &*feedback(base, cell), table, name, v)
        {
            return Ok(false);
        }
        if DIRECT && prepare_new_index(vm, base, ip, t, key, v) {
            return Ok(true);
        }
        sync(vm, base, ip);
        note_access(vm, base, ip, Metamethod::NewIndex, t, key);
        vm.set_index(t, key, v).map(|()| false)
    }
}

/// `GETTABLE` or `GETI` at `ip`. The answer is that of [`get_field_slow`].
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn get_table_slow<const DIRECT: bool>(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
) -> Result<bool, Throw> {
    // SAFETY: verified code: operands are in range; values in use are live.
    unsafe {
        let word = Word(*ip);
        let t = *base.add(word.b() as usize);
        let key = if decode(*ip) == Op::GetI {
            Value::small_int(i64::from(word.c()))
        } else {
            *base.add(word.c() as usize)
        };
        if let Some(table) = t.as_table() {
            let v = if key.is_small_int() {
                (*table).get_small_int(key)
            } else {
                (*table).get(&mut vm.heap, key)
            };
            if !v.is_nil() || (*table).meta().is_null() {
                *base.add(word.a() as usize) = v;
                return Ok(false);
            }
            if DIRECT {
                let handler = vm.metamethod(t, Metamethod::Index);
                if metaframe::prepare(vm, base, ip, handler, [t, key]) {
                    return Ok(true);
                }
            }
        }
        sync(vm, base, ip);
        note_access(vm, base, ip, Metamethod::Index, t, key);
        let v = vm.index(t, key)?;
        note_result(vm, base, ip, v);
        *base.add(word.a() as usize) = v;
        Ok(false)
    }
}

/// `SETTABLE` or `SETI` at `ip`. The answer is that of [`get_field_slow`].
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn set_table_slow<const DIRECT: bool>(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
) -> Result<bool, Throw> {
    // SAFETY: verified code: operands are in range; values in use are live.
    unsafe {
        let word = Word(*ip);
        let t = *base.add(word.a() as usize);
        let v = *base.add(word.c() as usize);
        let key = if decode(*ip) == Op::SetI {
            Value::small_int(i64::from(word.b()))
        } else {
            *base.add(word.b() as usize)
        };
        if let Some(table) = t.as_table()
            && ((*table).meta().is_null()
                || metamethod(&mut vm.heap, (*table).shape(), Metamethod::NewIndex).is_nil())
        {
            return match (*table).set(&mut vm.heap, key, v) {
                Ok(()) => Ok(false),
                Err(error) => {
                    sync(vm, base, ip);
                    Err(vm.key_error(error))
                }
            };
        }
        if DIRECT && prepare_new_index(vm, base, ip, t, key, v) {
            return Ok(true);
        }
        sync(vm, base, ip);
        note_access(vm, base, ip, Metamethod::NewIndex, t, key);
        vm.set_index(t, key, v).map(|()| false)
    }
}

/// Prepares `t`'s `__newindex` function for an absent key.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an assignment of it.
unsafe fn prepare_new_index(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    t: Value,
    key: Value,
    v: Value,
) -> bool {
    let Some(table) = t.as_table() else { return false };
    let handler = vm.metamethod(t, Metamethod::NewIndex);
    // SAFETY: the caller's contract; a value in use is live.
    unsafe {
        handler.is_function()
            && (*table).get(&mut vm.heap, key).is_nil()
            && metaframe::prepare(vm, base, ip, handler, [t, key, v])
    }
}

/// `SETUPVAL` at `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(always)]
pub unsafe fn set_upvalue(vm: &mut Vm, base: *mut Value, ip: *const u32) {
    // SAFETY: verified code: operands are in range; a closure's upvalues are live.
    unsafe {
        let word = Word(*ip);
        let up = upvalue(closure_of(base), word.b() as usize);
        let v = *base.add(word.a() as usize);
        *(*up).location = v;
        vm.heap.barrier_forward(up, v);
    }
}

/// `LEN` at `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn length_slow(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<(), Throw> {
    // SAFETY: verified code: operands are in range.
    unsafe {
        let word = Word(*ip);
        sync(vm, base, ip);
        let n = vm.length(*base.add(word.b() as usize))?;
        *base.add(word.a() as usize) = n;
        Ok(())
    }
}

/// Whether an operation has a `KeyFeedback` second word.
pub fn has_key(op: Op) -> bool {
    op.info().extra == Extra::KeyFeedback
}
