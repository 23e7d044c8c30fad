//! Memory of stacks: VM stacks, and the native stacks of coroutines.
//!
//! Both are reservations that the operating system commits page by page as they are touched:
//!
//! ```text
//!   VM stack      | slots … MAX_STACK | ERROR_STACK |            8 MiB, grows upwards
//!   native stack  | guard | reserve | … used from the top down   2 MiB
//! ```
//!
//! Reservations lie side by side without gaps of another protection, so that the kernel keeps them as
//! few mappings, and a hundred thousand coroutines stay below its limit. The guard page of a native
//! stack is a lightweight guard where the kernel has those (Linux 6.13), which splits no mapping;
//! elsewhere the first [`SPLIT_GUARDS`] stacks get a protected page, and further ones rely on the
//! check that every call from Rust makes (`Vm::call_window`): it throws long before the end.
//!
//! A [`StackPool`] keeps stacks that are no longer used, ready for the next coroutine. At the end of
//! each collector cycle it keeps as many ready as were taken during the cycle; the memory of the
//! others goes back to the system, their reservation is kept.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;

use crate::value::Value;

/// Slots of a VM stack, as PUC Lua's `LUAI_MAXSTACK`.
pub const MAX_STACK: usize = 1_000_000;
/// Slots beyond [`MAX_STACK`] for handling a stack overflow.
pub const ERROR_STACK: usize = 4096;

/// Bytes reserved for a VM stack.
const VALUE_STACK: usize = ((MAX_STACK + ERROR_STACK) * 8).next_multiple_of(2 << 20);
/// Bytes reserved for a native stack.
const NATIVE_STACK: usize = if cfg!(miri) { 256 << 10 } else { 2 << 20 };
/// Bytes of a native stack below the limit of compiled code: for the Rust code it calls.
const NATIVE_RESERVE: usize = NATIVE_STACK / 4;
/// Bytes of the guard: whole pages, which other machines than x86-64 have of up to 64 KiB.
const GUARD: usize = if cfg!(target_arch = "x86_64") { 16 << 10 } else { 64 << 10 };
/// Native stacks per reservation.
const PER_CHUNK: usize = 32;
/// Guards made by protecting pages, at most: each splits a mapping, of which a process has 65,530.
const SPLIT_GUARDS: usize = 8192;
/// Stacks of each kind that a pool keeps ready in any case.
const READY: usize = 64;
/// A VM stack of which more slots were used gives its memory back at once.
const READY_SLOTS: usize = 4096;

#[cfg(all(unix, not(miri)))]
mod system {
    //! Reservations by `mmap`.

    use std::ptr::{self, NonNull};

    pub fn reserve(size: usize) -> Option<NonNull<u8>> {
        // SAFETY: a new anonymous mapping.
        let p = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if p == libc::MAP_FAILED { None } else { NonNull::new(p.cast()) }
    }

    /// # Safety
    /// A reservation of this size that is not used any more.
    pub unsafe fn release(p: NonNull<u8>, size: usize) {
        // SAFETY: the caller's contract.
        unsafe { libc::munmap(p.as_ptr().cast(), size) };
    }

    /// Gives memory back; it reads as zero afterwards.
    ///
    /// # Safety
    /// Page-aligned memory of a reservation, whose content is not needed any more.
    pub unsafe fn decommit(p: *mut u8, size: usize) {
        // SAFETY: the caller's contract.
        unsafe {
            if libc::madvise(p.cast(), size, libc::MADV_DONTNEED) != 0 || !cfg!(target_os = "linux")
            {
                ptr::write_bytes(p, 0, size);
            }
        }
    }

    /// Makes access a fault, without splitting the mapping (true), if the kernel can.
    ///
    /// # Safety
    /// Page-aligned memory of a reservation that nothing is to access.
    pub unsafe fn light_guard(p: *mut u8, size: usize) -> bool {
        const MADV_GUARD_INSTALL: libc::c_int = 102;
        // SAFETY: the caller's contract.
        cfg!(target_os = "linux")
            && unsafe { libc::madvise(p.cast(), size, MADV_GUARD_INSTALL) } == 0
    }

    /// # Safety
    /// As for [`light_guard`].
    pub unsafe fn split_guard(p: *mut u8, size: usize) {
        // SAFETY: the caller's contract. Where it fails there is no guard.
        unsafe { libc::mprotect(p.cast(), size, libc::PROT_NONE) };
    }
}

#[cfg(not(all(unix, not(miri))))]
mod system {
    //! Reservations from the allocator, where there is nothing better.

    use std::alloc::{Layout, alloc_zeroed, dealloc};
    use std::ptr::{self, NonNull};

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 4096).expect("a small constant")
    }

    pub fn reserve(size: usize) -> Option<NonNull<u8>> {
        // SAFETY: the size is not zero.
        NonNull::new(unsafe { alloc_zeroed(layout(size)) })
    }

    /// # Safety
    /// A reservation of this size that is not used any more.
    pub unsafe fn release(p: NonNull<u8>, size: usize) {
        // SAFETY: the caller's contract.
        unsafe { dealloc(p.as_ptr(), layout(size)) };
    }

    /// # Safety
    /// Memory of a reservation, whose content is not needed any more.
    pub unsafe fn decommit(p: *mut u8, size: usize) {
        // SAFETY: the caller's contract.
        unsafe { ptr::write_bytes(p, 0, size) };
    }

    /// # Safety
    /// None.
    pub unsafe fn light_guard(_: *mut u8, _: usize) -> bool {
        true
    }

    /// # Safety
    /// None.
    pub unsafe fn split_guard(_: *mut u8, _: usize) {}
}

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

/// A native stack of a coroutine. Belongs to a chunk of its pool, which it keeps.
#[derive(Debug)]
pub struct NativeStack {
    bottom: NonNull<u8>,
    _chunk: Rc<Chunk>,
}

impl NativeStack {
    /// The lowest address that compiled code may use (`Vm::native_limit`).
    pub fn native_limit(&self) -> usize {
        self.bottom.addr().get() + NATIVE_RESERVE
    }

    /// Where the stack begins: the end of its memory.
    pub fn end(&self) -> *mut u8 {
        // SAFETY: within the chunk, or at its end.
        unsafe { self.bottom.as_ptr().add(NATIVE_STACK) }
    }
}

#[cfg(not(all(target_arch = "x86_64", unix)))]
// SAFETY: `base ..= limit` is memory of the chunk that no other stack uses; it is as large as
// NATIVE_STACK, page-aligned, and lives as long as the chunk does.
unsafe impl corosensei::stack::Stack for NativeStack {
    fn base(&self) -> std::num::NonZeroUsize {
        self.bottom.addr().checked_add(NATIVE_STACK).expect("a valid address")
    }

    fn limit(&self) -> std::num::NonZeroUsize {
        self.bottom.addr()
    }
}

/// A reservation of [`PER_CHUNK`] native stacks.
#[derive(Debug)]
struct Chunk {
    start: NonNull<u8>,
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: reserved by the pool; no stack of it is left.
        unsafe { system::release(self.start, PER_CHUNK * NATIVE_STACK) }
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
    /// Stacks made.
    made: usize,
    no_light_guards: bool,
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

    /// A native stack; `None` when the system has no room for it.
    pub fn native_stack(&self) -> Option<NativeStack> {
        let mut free = self.free.borrow_mut();
        if free.native.is_empty() {
            free.new_chunk()?;
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
            // SAFETY: the stack's memory above its guard, which nobody uses.
            unsafe { system::decommit(stack.bottom.as_ptr().add(GUARD), NATIVE_STACK - GUARD) };
        }
        free.ready_native = keep;
    }

    /// Stacks of each kind that are in the pool.
    pub fn free_stacks(&self) -> (usize, usize) {
        let free = self.free.borrow();
        (free.values.len(), free.native.len())
    }
}

impl Free {
    fn new_chunk(&mut self) -> Option<()> {
        let start = system::reserve(PER_CHUNK * NATIVE_STACK)?;
        let chunk = Rc::new(Chunk { start });
        for i in (0..PER_CHUNK).rev() {
            // SAFETY: within the new reservation.
            unsafe {
                let bottom = start.add(i * NATIVE_STACK);
                if self.no_light_guards || !system::light_guard(bottom.as_ptr(), GUARD) {
                    self.no_light_guards = true;
                    if self.made < SPLIT_GUARDS {
                        system::split_guard(bottom.as_ptr(), GUARD);
                    }
                }
                self.native.push(NativeStack { bottom, _chunk: Rc::clone(&chunk) });
            }
            self.made += 1;
        }
        Some(())
    }
}

/// The lowest address that compiled code may use on this thread's own stack; `None` on the main
/// thread (whose stack grows) and where the system does not say.
#[cfg(all(target_os = "linux", not(miri)))]
pub fn thread_limit() -> Option<usize> {
    // SAFETY: plain system calls; the attributes are initialised by the first and destroyed.
    unsafe {
        if libc::gettid() == libc::getpid() {
            return None;
        }
        let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let (mut bottom, mut size) = (std::ptr::null_mut(), 0);
        let failed =
            libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut bottom, &raw mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        (failed == 0).then(|| bottom as usize + (size / 4).max(NATIVE_RESERVE))
    }
}

/// As above: this system does not say.
#[cfg(not(all(target_os = "linux", not(miri))))]
pub fn thread_limit() -> Option<usize> {
    None
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
        let mut ranges: Vec<_> = stacks.iter().map(|s| (s.bottom.as_ptr(), s.end())).collect();
        ranges.sort();
        assert!(ranges.windows(2).all(|w| w[0].1 <= w[1].0));
        for stack in stacks {
            // SAFETY: memory of the stack.
            unsafe { stack.end().sub(1).write(1) };
            pool.return_native_stack(stack);
        }
        assert_eq!(pool.free_stacks().1, 64);
    }

    #[cfg(all(unix, not(miri)))]
    #[test]
    fn guards_are_whole_pages() {
        // SAFETY: no preconditions.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        assert_eq!(GUARD % usize::try_from(page).unwrap(), 0);
        const { assert!(GUARD < NATIVE_RESERVE) };
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
