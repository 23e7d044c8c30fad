//! The border that every call from compiled code to Rust passes.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use perilune_runtime::vm::Vm;

thread_local! {
    /// A panic on its way from a helper to the Rust caller of the protected entry. Compiled frames
    /// between are cut off as for a Lua error.
    static PANIC: Cell<Option<Box<dyn Any + Send>>> = const { Cell::new(None) };
}

/// Runs a helper's body; a panic is kept for [`take_panic`] and answered as `threw`.
#[inline(always)]
pub fn guard<R>(vm: *mut Vm, threw: R, body: impl FnOnce(&mut Vm) -> R) -> R {
    // SAFETY: compiled code passes the state it runs in, and touches it again only after the
    // helper has returned.
    let vm = unsafe { &mut *vm };
    match catch_unwind(AssertUnwindSafe(|| body(vm))) {
        Ok(answer) => answer,
        Err(payload) => {
            PANIC.set(Some(payload));
            threw
        }
    }
}

/// The panic behind a throw, if there was one.
#[cold]
#[inline(never)]
pub fn take_panic() -> Option<Box<dyn Any + Send>> {
    PANIC.take()
}
