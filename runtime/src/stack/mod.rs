//! Memory of stacks: VM stacks, and the native stacks of coroutines.
//!
//! Both are reservations that the operating system commits page by page as they are touched:
//!
//! ```text
//!   VM stack      | slots … MAX_STACK | ERROR_STACK |            8 MiB, grows upwards
//!   native stack  | guard | reserve | … used from the top down   2 MiB
//! ```
//!
//! A [`StackPool`] keeps stacks that are no longer used, ready for the next coroutine. At the end of
//! each collector cycle it keeps as many ready as were taken during the cycle; the memory of the
//! others goes back to the system, their reservation is kept.
//!
//! | file | holds |
//! |---|---|
//! | [`native`] | native stacks and their guards |
//! | [`bounds`] | where the running thread's own stack ends |
//! | [`room`] | which native stack Lua runs on, when the host calls it |
//! | `call_on` | a call on another stack |
//! | `system` | reservations |

use std::cell::RefCell;
use std::ptr::NonNull;

use crate::value::Value;

mod bounds;
pub(crate) mod call_on;
mod native;
mod room;
mod system;

pub use native::{NATIVE_RESERVE, NativeStack};
pub(crate) use room::initial_limit;
pub use room::{NoStack, ThreadStack, on_thread_stack};

/// Slots of a VM stack, as PUC Lua's `LUAI_MAXSTACK`.
pub const MAX_STACK: usize = 1_000_000;
/// Slots beyond [`MAX_STACK`] for handling a stack overflow.
pub const ERROR_STACK: usize = 4096;

/// Bytes reserved for a VM stack.
const VALUE_STACK: usize = ((MAX_STACK + ERROR_STACK) * 8).next_multiple_of(2 << 20);
/// Stacks of each kind that a pool keeps ready in any case.
const READY: usize = 64;
/// A VM stack of which more slots were used gives its memory back at once.
const READY_SLOTS: usize = 4096;

/// The memory of one VM stack, all zero at first (which reads as the float 0).
#[derive(Debug)]
pub struct StackMemory {
    bottom: NonNull<Value>,
}

impl StackMemory {
    /// Reserves a stack; `None` when the system has no room for it.
    pub fn reserve() -> Option<StackMemory> {
        system::reserve(VALUE_STACK).map(|p| StackMemory { bottom: p.cast() })
    }

    /// Reserves a stack.
    ///
    /// # Panics
    /// When the system has no room for it.
    pub fn new() -> StackMemory {
        StackMemory::reserve().expect("address space for a stack")
    }

    /// The lowest slot.
    #[inline]
    pub fn bottom(&self) -> *mut Value {
        self.bottom.as_ptr()
    }

    /// The end for ordinary frames.
    #[inline]
    pub fn end(&self) -> *mut Value {
        // SAFETY: within the reservation.
        unsafe { self.bottom().add(MAX_STACK) }
    }

    /// The end for error handling.
    #[inline]
    pub fn error_end(&self) -> *mut Value {
        // SAFETY: within the reservation.
        unsafe { self.bottom().add(MAX_STACK + ERROR_STACK) }
    }
}

impl Default for StackMemory {
    fn default() -> StackMemory {
        StackMemory::new()
    }
}

impl Drop for StackMemory {
    fn drop(&mut self) {
        // SAFETY: reserved by `reserve`, and owned.
        unsafe { system::release(self.bottom.cast(), VALUE_STACK) }
    }
}

/// Stacks for coroutines.
#[derive(Debug, Default)]
pub struct StackPool {
    free: RefCell<Free>,
}

#[derive(Debug, Default)]
struct Free {
    values: Vec<StackMemory>,
    native: Vec<NativeStack>,
    /// Of each, how many from the end of the list still have their memory.
    ready_values: usize,
    ready_native: usize,
    /// Of each, how many were taken in this collector cycle.
    taken_values: usize,
    taken_native: usize,
    /// How guards are made.
    guards: native::Guards,
}

impl StackPool {
    /// A VM stack, all zero; `None` when the system has no room for it.
    pub fn value_stack(&self) -> Option<StackMemory> {
        let mut free = self.free.borrow_mut();
        free.ready_values = free.ready_values.saturating_sub(1);
        free.taken_values += 1;
        free.values.pop().or_else(StackMemory::reserve)
    }

    /// Takes back a VM stack of which nothing beyond the first `used` slots was written.
    pub fn return_value_stack(&self, stack: StackMemory, used: usize) {
        let mut free = self.free.borrow_mut();
        if used <= READY_SLOTS {
            // SAFETY: within the stack, which nobody uses.
            unsafe { stack.bottom().write_bytes(0, used) };
            free.values.push(stack);
            free.ready_values += 1;
        } else {
            let size = (used.min(MAX_STACK + ERROR_STACK) * 8).next_multiple_of(64 << 10);
            // SAFETY: as above; reservations are page-aligned.
            unsafe { system::decommit(stack.bottom().cast(), size.min(VALUE_STACK)) };
            // In front of the ready ones.
            let at = free.values.len() - free.ready_values;
            free.values.push(stack);
            let end = free.values.len() - 1;
            free.values.swap(at, end);
        }
    }

    /// A native stack; `None` when the system has no room for it or for its guard.
    pub fn native_stack(&self) -> Option<NativeStack> {
        let mut free = self.free.borrow_mut();
        if free.native.is_empty() {
            free.native = native::reserve(&mut free.guards)?;
        }
        free.ready_native = free.ready_native.saturating_sub(1);
        free.taken_native += 1;
        free.native.pop()
    }

    /// Takes back a native stack.
    pub fn return_native_stack(&self, stack: NativeStack) {
        let mut free = self.free.borrow_mut();
        free.native.push(stack);
        free.ready_native += 1;
    }

    /// At the end of a collector cycle: gives the memory of stacks back that the next cycle will
    /// hardly need.
    pub fn trim(&self) {
        let free = &mut *self.free.borrow_mut();
        let keep = READY.max(std::mem::take(&mut free.taken_values)).min(free.ready_values);
        let n = free.values.len();
        for stack in &free.values[n - free.ready_values..n - keep] {
            // SAFETY: nobody uses the stack, of which no more than that was touched.
            unsafe { system::decommit(stack.bottom().cast(), READY_SLOTS * 8) };
        }
        free.ready_values = keep;
        let keep = READY.max(std::mem::take(&mut free.taken_native)).min(free.ready_native);
        let n = free.native.len();
        for stack in &free.native[n - free.ready_native..n - keep] {
            stack.decommit();
        }
        free.ready_native = keep;
    }

    /// Stacks of each kind that are in the pool.
    pub fn free_stacks(&self) -> (usize, usize) {
        let free = self.free.borrow();
        (free.values.len(), free.native.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_reused_and_zero() {
        let pool = StackPool::default();
        let stack = pool.value_stack().unwrap();
        let first = stack.bottom();
        // SAFETY: slots of the stack.
        unsafe {
            first.add(100).write(Value::TRUE);
            pool.return_value_stack(stack, 200);
            let stack = pool.value_stack().unwrap();
            assert_eq!(stack.bottom(), first);
            assert_eq!((*first.add(100)).0, 0);
            first.add(100_000).write(Value::TRUE);
            pool.return_value_stack(stack, 100_001);
            assert_eq!((*first.add(100_000)).0, 0);
        }
    }

    #[test]
    fn native_stacks_do_not_overlap() {
        let pool = StackPool::default();
        let stacks: Vec<_> = (0..40).map(|_| pool.native_stack().unwrap()).collect();
        let mut ranges: Vec<_> = stacks.iter().map(|s| (s.bottom(), s.end())).collect();
        ranges.sort();
        assert!(ranges.windows(2).all(|w| w[0].1 <= w[1].0));
        for stack in stacks {
            // SAFETY: memory of the stack.
            unsafe { stack.end().sub(1).write(1) };
            pool.return_native_stack(stack);
        }
        assert_eq!(pool.free_stacks().1, 64);
    }

    #[test]
    fn memory_of_many_stacks_is_given_back() {
        let pool = StackPool::default();
        for _ in 0..2 {
            let stacks: Vec<_> = (0..READY + 40).map(|_| pool.native_stack().unwrap()).collect();
            for stack in stacks {
                // SAFETY: memory of the stack.
                unsafe { stack.end().sub(1).write(1) };
                pool.return_native_stack(stack);
            }
            // The first time all were in use until just now.
            pool.trim();
            pool.trim();
        }
        let free = pool.free.borrow();
        assert_eq!(free.ready_native, READY);
        // SAFETY: memory of the stack, which reads as zero.
        unsafe { assert_eq!(*free.native[0].end().sub(1), 0) };
    }

    #[test]
    fn very_many_stacks() {
        let pool = StackPool::default();
        let n = if cfg!(miri) { 10 } else { 20_000 };
        let mut all = Vec::new();
        for _ in 0..n {
            let values = pool.value_stack().expect("a VM stack");
            // SAFETY: a slot of the stack.
            unsafe { values.bottom().write(Value::TRUE) };
            all.push((values, pool.native_stack().expect("a native stack")));
        }
        for (values, native) in all {
            pool.return_value_stack(values, 10);
            pool.return_native_stack(native);
        }
    }
}
