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
//! All of that memory is charged to the state. What each coroutine takes in any case ([`VALUE_BASE`],
//! [`NATIVE_BASE`]) is counted with its object while it has the stack, and in the pool's account else; what is
//! touched beyond (`extra`) in the account until it is given back.
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
use std::rc::Rc;

use crate::heap::door::Account;
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

/// Bytes of a VM stack that every coroutine touches: a page.
pub const VALUE_BASE: usize = 4 << 10;
/// Bytes of a native stack that every coroutine touches.
pub const NATIVE_BASE: usize = 8 << 10;
/// Memory is committed in pages of this size, at least.
const PAGE: usize = 4 << 10;
/// A native stack of which more bytes were used gives its memory back at once.
const READY_NATIVE: usize = 64 << 10;
/// So many bytes that a running stack has touched and needs no more go back to the system.
const SPARE: usize = 256 << 10;

/// The memory of one VM stack, all zero at first (which reads as the float 0).
#[derive(Debug)]
pub struct StackMemory {
    bottom: NonNull<Value>,
    /// Bytes beyond [`VALUE_BASE`] that may have been touched, and are counted.
    extra: usize,
}

impl StackMemory {
    /// Reserves a stack; `None` when the system has no room for it.
    pub fn reserve() -> Option<StackMemory> {
        system::reserve(VALUE_STACK).map(|p| StackMemory { bottom: p.cast(), extra: 0 })
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

    /// Bytes to be charged before slots up to `limit` are used.
    #[inline]
    pub fn growth(&self, limit: *mut Value) -> usize {
        let bytes = limit.addr().saturating_sub(self.bottom().addr() + VALUE_BASE);
        bytes.next_multiple_of(PAGE).saturating_sub(self.extra)
    }

    /// Counts bytes that were charged.
    pub fn grow(&mut self, bytes: usize, account: &Account) {
        self.extra += bytes;
        account.add(bytes);
    }

    /// Gives memory above `limit`, where all is zero, back to the system, if it is much.
    pub fn shrink(&mut self, limit: *mut Value, account: &Account) {
        let used = limit.addr().saturating_sub(self.bottom().addr() + VALUE_BASE);
        let kept = used.next_multiple_of(64 << 10);
        if self.extra > kept + SPARE {
            let bytes = self.extra - kept;
            // SAFETY: touched memory within the stack that holds nothing; page-aligned, as all of these sizes.
            unsafe {
                let from = self.bottom().cast::<u8>().add(VALUE_BASE + kept);
                let whole = from.map_addr(|a| a.next_multiple_of(64 << 10));
                let skipped = whole.addr() - from.addr();
                system::decommit(whole, bytes.next_multiple_of(64 << 10).saturating_sub(skipped));
                self.extra -= bytes - skipped;
                account.subtract(bytes - skipped);
            }
        }
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
    /// Counts the memory of stacks: see the module's head.
    account: Rc<Account>,
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
    /// A pool that counts in `account`.
    pub fn new(account: Rc<Account>) -> StackPool {
        StackPool { free: RefCell::default(), account }
    }

    /// Where the memory of stacks is counted.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// A VM stack, all zero; `None` when the system has no room for it.
    pub fn value_stack(&self) -> Option<StackMemory> {
        let mut free = self.free.borrow_mut();
        if free.ready_values > 0 {
            free.ready_values -= 1;
            self.account.subtract(VALUE_BASE);
        }
        free.taken_values += 1;
        free.values.pop().or_else(StackMemory::reserve)
    }

    /// Takes back a VM stack of which nothing beyond the first `used` slots was written.
    pub fn return_value_stack(&self, mut stack: StackMemory, used: usize) {
        let mut free = self.free.borrow_mut();
        let touched = used.max((VALUE_BASE + stack.extra) / size_of::<Value>());
        if touched <= READY_SLOTS {
            // SAFETY: within the stack, which nobody uses.
            unsafe { stack.bottom().write_bytes(0, used) };
            self.account.add(VALUE_BASE);
            free.values.push(stack);
            free.ready_values += 1;
        } else {
            self.account.subtract(std::mem::take(&mut stack.extra));
            let size = (touched.min(MAX_STACK + ERROR_STACK) * 8).next_multiple_of(64 << 10);
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
        if free.ready_native > 0 {
            free.ready_native -= 1;
            self.account.subtract(NATIVE_BASE);
        }
        free.taken_native += 1;
        free.native.pop()
    }

    /// Takes back a native stack.
    pub fn return_native_stack(&self, mut stack: NativeStack) {
        let mut free = self.free.borrow_mut();
        if NATIVE_BASE + stack.extra <= READY_NATIVE {
            self.account.add(NATIVE_BASE);
            free.native.push(stack);
            free.ready_native += 1;
        } else {
            self.account.subtract(std::mem::take(&mut stack.extra));
            stack.decommit();
            // In front of the ready ones.
            let at = free.native.len() - free.ready_native;
            free.native.push(stack);
            let end = free.native.len() - 1;
            free.native.swap(at, end);
        }
    }

    /// At the end of a collector cycle: gives the memory of stacks back that the next cycle will
    /// hardly need.
    pub fn trim(&self) {
        let mut free = self.free.borrow_mut();
        let values = READY.max(std::mem::take(&mut free.taken_values));
        let native = READY.max(std::mem::take(&mut free.taken_native));
        drop(free);
        self.keep_ready(values, native);
    }

    /// Gives the memory of all stacks back that are not in use.
    pub fn release(&self) {
        self.keep_ready(0, 0);
    }

    fn keep_ready(&self, values: usize, native: usize) {
        let free = &mut *self.free.borrow_mut();
        let (n, keep) = (free.values.len(), values.min(free.ready_values));
        for stack in &mut free.values[n - free.ready_values..n - keep] {
            self.account.subtract(VALUE_BASE + std::mem::take(&mut stack.extra));
            // SAFETY: nobody uses the stack, of which no more than that was touched.
            unsafe { system::decommit(stack.bottom().cast(), READY_SLOTS * 8) };
        }
        free.ready_values = keep;
        let (n, keep) = (free.native.len(), native.min(free.ready_native));
        for stack in &mut free.native[n - free.ready_native..n - keep] {
            self.account.subtract(NATIVE_BASE + std::mem::take(&mut stack.extra));
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
