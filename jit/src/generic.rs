//! Rust behind the helpers of the C convention: whole instructions, and operations on values.
//!
//! `base` and `pc` name the instruction that runs, for errors and metamethods.

use perilune_ir::encoding;
use perilune_runtime::interp::{self, arith};
use std::cell::Cell;

use perilune_runtime::object::{LuaString, Table};
use perilune_runtime::stdlib::string;
use perilune_runtime::value::Value;
use perilune_runtime::vm::{Throw, Vm};

use crate::guard::guard;
use crate::seam;

/// Notes the running instruction.
#[inline(always)]
fn at(vm: &mut Vm, base: *mut Value, pc: u64) {
    vm.base = base;
    vm.pc = pc as u32;
}

#[inline(always)]
fn status(result: Result<(), Throw>) -> u64 {
    u64::from(result.is_err())
}

#[inline(always)]
fn test(result: Result<bool, Throw>) -> u64 {
    match result {
        Ok(answer) => u64::from(answer),
        Err(Throw) => 2,
    }
}

macro_rules! helpers {
    ($($(#[$doc:meta])* $name:ident($vm:ident, $base:ident, $pc:ident $(, $arg:ident: $ty:ty)*) -> $ret:ty, $threw:expr, $body:expr;)*) => {
        $($(#[$doc])*
        ///
        /// # Safety
        /// Called by compiled code for the frame at `base`, whose header is in place.
        pub unsafe extern "C" fn $name(vm: *mut Vm, $base: *mut Value, $pc: u64 $(, $arg: $ty)*) -> $ret {
            guard(vm, $threw, |$vm| {
                at($vm, $base, $pc);
                $body
            })
        })*
    };
}

helpers! {
    /// Executes an instruction that neither jumps nor calls nor returns.
    rt_step(vm, base, pc) -> u64, 1, {
        // SAFETY: the function's contract.
        status(unsafe { interp::step::step(vm, base, pc as u32) })
    };
    /// Evaluates a conditional jump.
    rt_step_test(vm, base, pc) -> u64, 2, {
        // SAFETY: the function's contract.
        test(unsafe { interp::step::step_test(vm, base, pc as u32) })
    };
    /// Executes a call.
    rt_step_call(vm, base, pc) -> i64, -1, {
        // SAFETY: the function's contract.
        unsafe { interp::step::step_call(vm, base, pc as u32) }.map_or(-1, i64::from)
    };
    /// Closes variables from `level` up; `window` is the end of what must be kept.
    rt_close(vm, base, pc, level: *mut Value, window: *mut Value) -> u64, 1, {
        // SAFETY: the function's contract.
        status(unsafe { seam::close(vm, level, window) })
    };
}

/// Moves the frame of a vararg function; 0 = threw.
///
/// # Safety
/// Called by compiled code at its entry, with the operands of a generic entry.
pub unsafe extern "C" fn rt_vararg_prep(vm: *mut Vm, base: *mut Value, nargs: u64) -> *mut Value {
    guard(vm, std::ptr::null_mut(), |vm| {
        at(vm, base, 0);
        // SAFETY: the function's contract.
        unsafe { interp::frame_ops::vararg_prep(vm, base, nargs as usize) }
            .unwrap_or(std::ptr::null_mut())
    })
}

/// Gives a table that has none a metatable. 1: done; 0: it has one.
///
/// # Safety
/// Both are live tables.
pub unsafe extern "C" fn rt_set_metatable(vm: *mut Vm, t: *mut Table, meta: *mut Table) -> u64 {
    // SAFETY: the function's contract.
    guard(vm, 0, |vm| unsafe {
        if !(*t).meta().is_null() {
            return 0;
        }
        if (*t).set_metatable(&mut vm.heap, meta) {
            vm.heap.register_finalizer(t);
        }
        1
    })
}

/// `string.sub(s, from, to)`
///
/// # Safety
/// The string is live.
pub unsafe extern "C" fn rt_string_sub(
    vm: *mut Vm,
    s: *mut LuaString,
    from: i64,
    to: i64,
) -> *mut LuaString {
    guard(vm, s, |vm| string::substring(vm, s, from, to))
}

/// `t[key]` of a table without metatable.
///
/// # Safety
/// Table and string are live.
pub unsafe extern "C" fn rt_get_string(vm: *mut Vm, t: *mut Table, key: *mut LuaString) -> Value {
    // SAFETY: the function's contract.
    guard(vm, Value::NIL, |vm| unsafe { (*t).get_str(&mut vm.heap, key) })
}

/// `t[key] = value` of a table without metatable. 0: nothing was done, for want of room.
///
/// # Safety
/// All are live.
pub unsafe extern "C" fn rt_set_string(
    vm: *mut Vm,
    t: *mut Table,
    key: *mut LuaString,
    value: Value,
) -> u64 {
    // SAFETY: the function's contract.
    guard(vm, 0, |vm| unsafe {
        u64::from((*t).set(&mut vm.heap, Value::string(key), value).is_ok())
    })
}

/// Removes and answers the last element of a table without metatable; nil when there is none.
///
/// # Safety
/// The table is live.
pub unsafe extern "C" fn rt_table_remove(vm: *mut Vm, t: *mut Table) -> Value {
    // SAFETY: the function's contract.
    guard(vm, Value::NIL, |_| unsafe {
        match (*t).arr_len {
            0 => Value::NIL,
            len => (*t).remove_element(i64::from(len)),
        }
    })
}

/// Moves the values from `from` up to the top; nil when there is none. Answers their number.
///
/// # Safety
/// `to` is at or below `from`, both in the running frame or at its header.
pub unsafe extern "C" fn rt_move_values(vm: *mut Vm, from: *mut Value, to: *mut Value) -> u64 {
    // SAFETY: the function's contract.
    unsafe {
        let count = (*vm).top.offset_from(from) as usize;
        match count {
            0 => *to = Value::NIL,
            _ => std::ptr::copy(from, to, count),
        }
        count as u64
    }
}

/// The value of an integer.
///
/// # Safety
/// `vm` is the running state.
pub unsafe extern "C" fn rt_int_value(vm: *mut Vm, i: i64) -> Value {
    guard(vm, Value::NIL, |vm| vm.int(i))
}

/// The key after `key`, nil at the end; its value goes to `scratch[1]`.
/// [`NEXT_FAILED`](encoding::NEXT_FAILED) for a key that the table does not have.
///
/// # Safety
/// Called by compiled code with a live table and key; `hint` is the address of a feedback cell's slot.
pub unsafe extern "C" fn rt_next_key(
    vm: *mut Vm,
    table: *mut Table,
    key: Value,
    hint: *const Cell<u32>,
) -> u64 {
    // SAFETY: the caller's contract.
    guard(vm, encoding::NEXT_FAILED, |vm| unsafe {
        match (*table).next_hinted(&mut vm.heap, key, (*hint).get()) {
            Ok(Some((position, key, value))) => {
                (*hint).set(position);
                vm.scratch[1] = value.0;
                key.0
            }
            Ok(None) => {
                vm.scratch[1] = Value::NIL.0;
                Value::NIL.0
            }
            Err(_) => encoding::NEXT_FAILED,
        }
    })
}

macro_rules! float_functions {
    ($($name:ident($($arg:ident),*) => $body:expr, $doc:literal;)*) => {
        $(#[doc = $doc] pub extern "C" fn $name($($arg: f64),*) -> f64 {
            // Compiled code has the result as it is: what the system's library makes of a NaN ends here.
            f64::from_bits(encoding::float($body))
        })*
    };
}

float_functions! {
    rt_float_mod(a, b) => arith::float_mod(a, b), "`a % b` of floats.";
    rt_float_pow(a, b) => arith::float_pow(a, b), "`a ^ b`";
    rt_float_sin(a) => a.sin(), "`sin`";
    rt_float_cos(a) => a.cos(), "`cos`";
    rt_float_tan(a) => a.tan(), "`tan`";
    rt_float_exp(a) => a.exp(), "`exp`";
    rt_float_log(a) => a.ln(), "`log`";
    rt_float_asin(a) => a.asin(), "`asin`";
    rt_float_acos(a) => a.acos(), "`acos`";
    rt_float_atan2(a, b) => a.atan2(b), "`atan`";
    rt_float_fmod(a, b) => a % b, "`fmod`";
}
