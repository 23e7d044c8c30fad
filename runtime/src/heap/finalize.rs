//! Finalizers: objects with a `__gc` metamethod, in order of registration; and suspended coroutines
//! whose native stack must be unwound (see [`crate::thread`]).
//!
//! At the end of marking, unreached objects move to a queue, the latest registered first, and are marked
//! again; the queue is worked off at safepoints, when no Rust code holds raw references.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{GRAY, Heap, cycle::stop};
use crate::object::{Header, Kind, table_flags};
use crate::value::Value;
use crate::vm::Vm;

/// Finalizers per safepoint.
const PER_STEP: usize = 10;

/// Calls the `__gc` metamethod of a value; errors become warnings. Installed by the interpreter.
pub type FinalizerHook = fn(&mut Vm, Value);

impl Heap {
    /// Registers a table or userdata whose metatable has a `__gc` field, or a coroutine, once.
    ///
    /// # Safety
    /// `object` must be a live table, userdata or thread.
    pub unsafe fn register_finalizer<T>(&mut self, object: *mut T) {
        let object = object.cast::<Header>();
        // SAFETY: the caller's contract.
        unsafe {
            if (*object).flags & table_flags::FINALIZER == 0 && self.stopped & stop::CLOSING == 0 {
                (*object).flags |= table_flags::FINALIZER;
                self.finalizable.push(object);
            }
        }
    }

    /// Moves unreached (or `all`) registered objects to the queue.
    pub(super) fn separate_finalizable(&mut self, all: bool) {
        let mut list = std::mem::take(&mut self.finalizable);
        let start = self.pending.len();
        list.retain(|&object| {
            // SAFETY: registered objects are kept until they have been finalized.
            let go = all || unsafe { (*object).color < GRAY };
            if go {
                self.pending.push_back(object);
            }
            !go
        });
        self.pending.make_contiguous()[start..].reverse();
        self.finalizable = list;
        if !self.pending.is_empty() {
            self.raise_poll();
        }
    }

    /// The next object to finalize; it is an ordinary object again.
    fn next_pending(&mut self) -> Option<Value> {
        let object = self.pending.pop_front()?;
        // SAFETY: pending objects are roots.
        unsafe {
            (*object).flags &= !table_flags::FINALIZER;
            // It may be reachable from nothing else: not dead before the next cycle.
            if self.phase == super::Phase::Mark {
                self.mark_header(object);
            }
            Some(match (*object).kind {
                Kind::Userdata => Value::userdata(object.cast()),
                Kind::Thread => Value::thread(object.cast()),
                _ => Value::table(object.cast()),
            })
        }
    }
}

/// Calls at most `limit` pending finalizers. Nothing is collected meanwhile. When the state is stopping the others
/// are left for later; at its end they are passed over, but coroutines are unwound.
pub(super) fn run_pending(vm: &mut Vm, limit: usize) {
    if vm.heap.stopped & stop::FINALIZER != 0 {
        return;
    }
    for _ in 0..limit {
        if vm.stopping() && vm.heap.stopped & stop::CLOSING == 0 {
            break;
        }
        let Some(object) = vm.heap.next_pending() else { return };
        vm.heap.disturbances += 1;
        vm.heap.stopped |= stop::FINALIZER;
        let base = vm.base as usize;
        let outer = std::mem::replace(&mut vm.detail.finalizing, base);
        let finalize = || {
            if let Some(thread) = object.as_thread() {
                crate::thread::finalize(vm, thread);
            } else if let Some(hook) = vm.heap.finalizer {
                crate::thread::without_yield(vm, |vm| hook(vm, object));
            }
        };
        // A host function may panic.
        let result = catch_unwind(AssertUnwindSafe(finalize));
        vm.heap.stopped &= !stop::FINALIZER;
        vm.detail.finalizing = outer;
        if let Err(panic) = result {
            resume_unwind(panic);
        }
    }
    if !vm.heap.pending.is_empty() {
        vm.heap.raise_poll();
    }
}

/// Calls the finalizers that a safepoint may.
pub(super) fn run_some(vm: &mut Vm) {
    if !vm.heap.pending.is_empty() {
        run_pending(vm, PER_STEP);
    }
}

/// Closes the state: calls every finalizer, in reverse order of registration. Finalizers may not register
/// further objects.
pub fn close(vm: &mut Vm) {
    vm.heap.stopped |= stop::CLOSING;
    vm.heap.separate_finalizable(true);
    vm.heap.stopped &= !stop::FINALIZER;
    run_pending(vm, usize::MAX);
    if vm.stopping() {
        // It goes on living, perhaps.
        vm.heap.stopped &= !stop::CLOSING;
    }
}

impl Drop for Vm {
    /// Closes the state; then its parts go, the heap with all objects first.
    fn drop(&mut self) {
        close(self);
        // Host values of dead objects may come back to the state's handles while they are dropped.
        super::control::empty_graveyard(self);
        let remains = self.heap.free_all();
        drop(remains);
    }
}
