//! What this crate asks of the interpreter, in one place.
//!
//! Everything here throws by the runtime's protocol and expects `base` to be the frame of a Lua
//! function with its header in place.

use perilune_runtime::object::{NativeFunction, Shape, Table};
use perilune_runtime::table;
use perilune_runtime::value::Value;
use perilune_runtime::vm::{Throw, Vm};

/// How an activation of the interpreter for a boundary frame ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// The frame returned this many results in `base[-2 ..]` of its original base.
    Returned(u32),
    /// The frame wants to be replaced by a call of a compiled function: the frame at `base`, whose header
    /// and arguments are in place.
    TailCall {
        /// Its base.
        base: *mut Value,
        /// Its number of arguments.
        nargs: u32,
    },
}

#[cfg(test)]
type Run = fn(&mut Vm, *mut Value, u32) -> Result<Outcome, Throw>;

#[cfg(test)]
thread_local! {
    /// Stands in for the interpreter in this crate's own tests: `(vm, base, nargs or pc)`.
    pub static FAKE: std::cell::Cell<Option<Run>> = const { std::cell::Cell::new(None) };
}

/// Runs the Lua function whose boundary frame is at `base`.
///
/// # Safety
/// See the module.
pub unsafe fn run(vm: &mut Vm, base: *mut Value, nargs: u32) -> Result<Outcome, Throw> {
    #[cfg(test)]
    if let Some(fake) = FAKE.get() {
        return fake(vm, base, nargs);
    }
    let _ = (vm, base, nargs);
    unimplemented!("interpreter")
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
    let _ = (vm, base, pc);
    unimplemented!("interpreter")
}

/// Calls the native function whose frame is at `base`.
///
/// # Safety
/// See the module.
pub unsafe fn call_native(
    vm: &mut Vm,
    native: *mut NativeFunction,
    base: *mut Value,
    nargs: u32,
) -> Result<u32, Throw> {
    let args = perilune_runtime::vm::Args { base, count: nargs };
    vm.base = base;
    vm.top = base.wrapping_add(nargs as usize);
    // SAFETY: the callee of the frame is live.
    unsafe { ((*native).function)(vm, args) }
}

/// Executes the instruction at `pc`, which neither jumps nor calls nor returns.
///
/// # Safety
/// See the module.
pub unsafe fn step(vm: &mut Vm, base: *mut Value, pc: u32) -> Result<(), Throw> {
    let _ = (vm, base, pc);
    unimplemented!("interpreter")
}

/// Evaluates the conditional jump at `pc`: whether it jumps.
///
/// # Safety
/// See the module.
pub unsafe fn step_test(vm: &mut Vm, base: *mut Value, pc: u32) -> Result<bool, Throw> {
    let _ = (vm, base, pc);
    unimplemented!("interpreter")
}

/// Executes the call at `pc`, whatever is called: the results are in place, answers their number.
///
/// # Safety
/// See the module.
pub unsafe fn step_call(vm: &mut Vm, base: *mut Value, pc: u32) -> Result<u32, Throw> {
    let _ = (vm, base, pc);
    unimplemented!("interpreter")
}

/// Performs the `VARARGPREP` of the function at `base`: answers the moved base.
///
/// # Safety
/// See the module.
pub unsafe fn vararg_prep(vm: &mut Vm, base: *mut Value, nargs: u32) -> Result<*mut Value, Throw> {
    let _ = (vm, base, nargs);
    unimplemented!("interpreter")
}

/// Raises the end of the stack so that `end` lies within it.
pub fn grow_stack(vm: &mut Vm, end: *mut Value) -> Result<(), Throw> {
    let _ = end;
    Err(vm.error("stack overflow"))
}

/// Throws because the native stack is about to end.
pub fn native_overflow(vm: &mut Vm) -> Throw {
    vm.error("stack overflow")
}

/// Closes upvalues and to-be-closed variables at `level` and above.
///
/// # Safety
/// See the module.
pub unsafe fn close(vm: &mut Vm, level: *mut Value) -> Result<(), Throw> {
    let _ = (vm, level);
    unimplemented!("interpreter")
}

/// A new table of this shape (null: the empty one) with room for `narr` elements.
///
/// # Safety
/// The shape is live.
pub unsafe fn new_table(vm: &mut Vm, shape: *mut Shape, narr: usize) -> *mut Table {
    let shape = if shape.is_null() { vm.heap.shapes.plain } else { shape };
    table::new_table(&mut vm.heap, narr, shape)
}

/// `table[#table + 1] = value`, where the element is absent and the value is not nil.
///
/// # Safety
/// The table is live.
pub unsafe fn append(vm: &mut Vm, table: *mut Table, value: Value) {
    // SAFETY: the caller's contract.
    unsafe { (*table).append(&mut vm.heap, value) }
}

/// Gives the table the next shape and puts `value` into the new slot.
///
/// # Safety
/// Table and shape are live, and the shape extends the table's by one key.
pub unsafe fn add_slot(vm: &mut Vm, table: *mut Table, next: *mut Shape, value: Value) {
    // SAFETY: the caller's contract.
    unsafe { (*table).add_slot(&mut vm.heap, next, value) }
}

/// A name for the function about to run at `base`, from the instruction that calls it.
pub fn call_site_name(vm: &Vm, base: *mut Value) -> Option<String> {
    let _ = (vm, base);
    None
}

/// What new prototypes start counting down from.
pub fn set_initial_hotness(vm: &mut Vm, hotness: i32) {
    let _ = (vm, hotness);
}

/// Runs what is due; whether Lua code ran (finalizers, hooks), which may have changed anything.
pub fn safepoint(vm: &mut Vm) -> Result<bool, Throw> {
    vm.safepoint().map(|()| false)
}
