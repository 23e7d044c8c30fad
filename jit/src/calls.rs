//! Rust behind the entries in [`crate::tail_entry`]: functions that are not compiled, native functions, exits.
//!
//! None of these checks the native stack: compiled code leaves for the interpreter when it ends, and
//! the interpreter, which needs none for Lua calls, enters no compiled code then.

use std::ptr;

use perilune_runtime::object::{Function, LuaClosure};
use perilune_runtime::value::Value;
use perilune_runtime::vm::{Link, Throw, Vm};

use crate::exits::ExitDescriptor;
use crate::guard::guard;
use crate::seam::{self, Outcome};
use crate::tier::Jit;

/// Answer: it threw.
pub const THREW: i64 = -1;
/// Answer: jump to the code at `scratch[0]` with base `scratch[1]` and argument count `scratch[2]`.
pub const TAIL_CALL: i64 = -2;

/// The base that a frame had before `VARARGPREP` moved it.
///
/// # Safety
/// `base` is a Lua function's frame.
pub unsafe fn original_base(base: *mut Value) -> *mut Value {
    // SAFETY: the link of a moved frame leads to the original.
    unsafe {
        let link = Link((*base.sub(1)).0);
        if link.kind() == Link::VARARG { base.sub(link.delta()) } else { base }
    }
}

/// Turns the end of an interpreter activation into an answer.
///
/// # Safety
/// `original` is the original base of the boundary frame that was run.
unsafe fn answer(vm: &mut Vm, original: *mut Value, outcome: Result<Outcome, Throw>) -> i64 {
    match outcome {
        Ok(Outcome::Returned(count)) => {
            // SAFETY: results stand from the callee's slot upwards, nil there if there are none.
            vm.scratch[0] = unsafe { (*original.sub(2)).0 };
            i64::from(count)
        }
        // SAFETY: the frame to call is set up; its callee is a function.
        Ok(Outcome::TailCall { base, nargs }) => unsafe {
            let callee: *mut Function = (*base.sub(2)).ptr();
            jump_to((*(*callee).code).jit_entry.get(), vm, base, nargs)
        },
        Ok(Outcome::Switch { .. }) => unreachable!("handled by the interpreter"),
        Err(Throw) => THREW,
    }
}

/// Asks for a jump to `code`.
fn jump_to(code: *const u8, vm: &mut Vm, base: *mut Value, nargs: u32) -> i64 {
    vm.scratch[0] = code as u64;
    vm.scratch[1] = base as u64;
    vm.scratch[2] = u64::from(nargs);
    TAIL_CALL
}

/// Entry of Lua functions without native code: counts, compiles when hot, else interprets.
///
/// # Safety
/// Called by its entry: a generic entry's operands.
pub unsafe extern "C" fn rt_interpret(vm: *mut Vm, base: *mut Value, nargs: u64) -> i64 {
    let nargs = nargs as u32;
    // SAFETY: the frame at `base` has a Lua closure as callee; it and its prototype are live.
    guard(vm, THREW, |vm| unsafe {
        let outcome = seam::run(vm, base, nargs);
        answer(vm, base, outcome)
    })
}

/// Entry of native functions.
///
/// # Safety
/// Called by its entry: a generic entry's operands.
pub unsafe extern "C" fn rt_native(vm: *mut Vm, base: *mut Value, nargs: u64) -> i64 {
    // SAFETY: the frame at `base` has a native function as callee. Both are jumped to.
    unsafe {
        if seam::is_switch((*base.sub(2)).ptr()) {
            rt_switch(vm, base, nargs)
        } else {
            rt_plain(vm, base, nargs)
        }
    }
}

/// As [`rt_native`], of a function that does not switch coroutines.
#[inline(never)]
unsafe extern "C" fn rt_plain(vm: *mut Vm, base: *mut Value, nargs: u64) -> i64 {
    // SAFETY: as there.
    guard(vm, THREW, |vm| unsafe {
        let result = seam::call_native(vm, (*base.sub(2)).ptr(), base, nargs as u32);
        native_answer(vm, base, result)
    })
}

/// As [`rt_native`], of a function that switches coroutines: in as few Rust frames as there can be,
/// since no return behind a switch is predicted.
#[inline(never)]
unsafe extern "C" fn rt_switch(vm: *mut Vm, base: *mut Value, nargs: u64) -> i64 {
    // SAFETY: as there.
    guard(vm, THREW, |vm| unsafe {
        let result = seam::call_switch(vm, (*base.sub(2)).ptr(), base, nargs as u32);
        native_answer(vm, base, result)
    })
}

/// The answer of a native function's entry.
///
/// # Safety
/// The function's frame was at `base`.
#[inline(always)]
unsafe fn native_answer(vm: &mut Vm, base: *mut Value, result: Result<u32, Throw>) -> i64 {
    match result {
        Ok(count) => {
            // SAFETY: results stand from the callee's slot upwards, nil there if there are none.
            vm.scratch[0] = unsafe { (*base.sub(2)).0 };
            i64::from(count)
        }
        Err(Throw) => THREW,
    }
}

/// Leaves compiled code: the interpreter finishes the frame at `base`.
///
/// # Safety
/// Called by its entry with a frame of the descriptor's unit.
pub unsafe extern "C" fn rt_exit(
    vm: *mut Vm,
    base: *mut Value,
    exit: *const ExitDescriptor,
) -> i64 {
    // SAFETY: the unit owns the descriptor, and lives while a frame of it does; what is needed of
    // it is read before the unit may be retired and the interpreter runs.
    guard(vm, THREW, |vm| unsafe {
        let frame = (*exit).frame_base(base);
        let pc = (*exit).spec.pc;
        // A unit that leaves because the stack ends has not checked its extent.
        let closure: *mut LuaClosure = (*base.sub(2)).ptr();
        let end = base.add(usize::from((*(*closure).proto).max_stack));
        if end > vm.stack_limit {
            vm.base = base;
            vm.pc = pc;
            if seam::grow_stack(vm, end).is_err() {
                return THREW;
            }
        }
        (*exit).materialise(vm, base);
        let jit: *const Jit = Jit::of(vm);
        (*jit).cool(base, frame);
        (*jit).learn_result(vm, &*exit, frame);
        (*jit).count_exit(vm, ptr::NonNull::new_unchecked(exit.cast_mut()).as_ref());
        vm.base = frame;
        vm.pc = pc;
        let original = original_base(base);
        let outcome = seam::resume(vm, frame, pc);
        answer(vm, original, outcome)
    })
}
