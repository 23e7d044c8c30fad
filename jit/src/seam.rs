//! What this crate asks of the interpreter, in one place.
//!
//! Everything here throws by the runtime's protocol and expects `base` to be the frame of a Lua
//! function with its header in place.

use std::sync::atomic::Ordering;

use perilune_ir::bytecode::{Op, Word};
use perilune_runtime::frame::Frames;
use perilune_runtime::interp;
use perilune_runtime::object::{LuaClosure, NativeFunction, Shape, Table};
use perilune_runtime::stdlib::coroutine::SWITCHES;
use perilune_runtime::table;
use perilune_runtime::value::Value;
use perilune_runtime::vm::{POLL_HOOK, Throw, Vm};

pub use perilune_runtime::interp::Outcome;

#[cfg(test)]
type Run = fn(&mut Vm, *mut Value, u32) -> Result<Outcome, Throw>;

#[cfg(test)]
thread_local! {
    /// Stands in for the interpreter in this crate's own tests: `(vm, base, nargs or pc)`.
    pub static FAKE: std::cell::Cell<Option<Run>> = const { std::cell::Cell::new(None) };
}

/// Counts a call of the Lua function whose boundary frame is at `base`, and interprets it unless it
/// is compiled by then.
///
/// # Safety
/// See the module.
pub unsafe fn run(vm: &mut Vm, base: *mut Value, nargs: u32) -> Result<Outcome, Throw> {
    #[cfg(test)]
    if let Some(fake) = FAKE.get() {
        return fake(vm, base, nargs);
    }
    // SAFETY: the caller's contract.
    unsafe { interp::enter_from_native(vm, base, nargs) }
}

/// Continues the frame at `base` at word index `pc`, until the boundary frame at or below it is done.
///
/// # Safety
/// See the module.
pub unsafe fn resume(vm: &mut Vm, base: *mut Value, pc: u32) -> Result<Outcome, Throw> {
    #[cfg(test)]
    if let Some(fake) = FAKE.get() {
        return fake(vm, base, pc);
    }
    // SAFETY: the caller's contract.
    unsafe { interp::run(vm, base, pc) }
}

/// Calls the native function whose frame is at `base`.
///
/// # Safety
/// See the module.
#[inline(always)]
pub unsafe fn call_native(
    vm: &mut Vm,
    native: *mut NativeFunction,
    base: *mut Value,
    nargs: u32,
) -> Result<u32, Throw> {
    // SAFETY: the caller's contract.
    unsafe { vm.call_native(native, base, nargs) }
}

/// Whether the native function switches coroutines.
///
/// # Safety
/// The function is live.
#[inline(always)]
pub unsafe fn is_switch(native: *mut NativeFunction) -> bool {
    // SAFETY: the caller's contract.
    unsafe { (*native).intrinsic >= SWITCHES }
}

/// [`call_native`] of a function that switches coroutines, as part of the caller.
///
/// # Safety
/// See the module.
#[inline(always)]
pub unsafe fn call_switch(
    vm: &mut Vm,
    native: *mut NativeFunction,
    base: *mut Value,
    nargs: u32,
) -> Result<u32, Throw> {
    // SAFETY: the caller's contract.
    unsafe { vm.call_switch(native, base, nargs) }
}

/// Notes the type of the first result of the call or operator at word index `pc`, which is in its register.
///
/// # Safety
/// See the module.
pub unsafe fn note_result(vm: &Vm, base: *mut Value, pc: usize) {
    // SAFETY: the caller's contract; the verifier has checked that the register is in the frame.
    unsafe {
        let closure: *mut LuaClosure = (*base.sub(2)).ptr();
        let proto = (*closure).proto;
        let ip = (*proto).code.add(pc);
        let result = *base.add(usize::from(Word(*ip).a()));
        if (*proto).function.op(pc) == Op::Call {
            interp::step::note_result(proto, ip, result);
        } else {
            interp::operators::note_result(vm, base, ip, result);
        }
    }
}

/// Raises the end of the stack so that `end` lies within it.
pub fn grow_stack(vm: &mut Vm, end: *mut Value) -> Result<(), Throw> {
    vm.grow_stack(end)
}

/// Closes upvalues and to-be-closed variables at `level` and above; `window` is the first slot
/// that is free.
///
/// # Safety
/// See the module; `vm.base` and `vm.pc` are set.
pub unsafe fn close(vm: &mut Vm, level: *mut Value, window: *mut Value) -> Result<(), Throw> {
    // SAFETY: the caller's contract.
    unsafe { vm.close(level, window.max(vm.frame_end())) }
}

/// A new table of this shape (null: the empty one) with room for `narr` elements and, if
/// the shape has fewer, `slots` record slots.
///
/// # Safety
/// The shape is live.
pub unsafe fn new_table(vm: &mut Vm, shape: *mut Shape, narr: usize, slots: usize) -> *mut Table {
    let shape = if shape.is_null() { vm.heap.shapes.plain } else { shape };
    table::new_table_with(&mut vm.heap, slots, narr, shape)
}

/// Runs what is due. True: Lua code ran, or something else changed what the program can see, or
/// compiled code is not to go on.
pub fn safepoint(vm: &mut Vm) -> Result<bool, Throw> {
    let before = vm.heap.disturbances;
    vm.safepoint()?;
    let hooked = vm.poll.load(Ordering::Relaxed) & POLL_HOOK != 0;
    Ok(hooked || vm.heap.disturbances != before)
}

/// A name for the function of the frame at `base`, from the instruction that called it.
pub fn call_site_name(vm: &Vm, base: *mut Value) -> Option<String> {
    #[cfg(test)]
    if FAKE.get().is_some() || crate::build::FAKE.get().is_some() {
        return None;
    }
    let frame = Frames::new(base, 0, std::ptr::null_mut()).next()?;
    let (_, name) = vm.call_site_name(&frame)?;
    Some(String::from_utf8_lossy(&name).into_owned())
}

/// What new prototypes start counting down from.
pub fn set_initial_hotness(vm: &mut Vm, hotness: i32) {
    vm.detail.hot_threshold = hotness;
}
