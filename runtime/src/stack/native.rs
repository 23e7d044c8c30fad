//! Native stacks of coroutines, and of calls from a host that has none to spare (see [`super::room`]).
//!
//! Every stack has a guard at its end: a page that nothing may touch, so that a frame larger than what is
//! left is a fault (compilers touch each page of a large frame in turn) and never a write into the
//! neighbour. A stack whose guard cannot be made is not handed out.
//!
//! Where the kernel has *light guards* (Linux 6.13) they split no mapping, and a hundred thousand
//! coroutines are a few mappings. Elsewhere a guard is a protected page. That makes two mappings of each
//! stack, of which a process may have 65,530 (`vm.max_map_count`): all states together take at most three
//! quarters of them, so that the rest of the process can still allocate.

use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::system;

/// Bytes reserved for a native stack. A suspended coroutine takes 8 KiB of it and a page table, which is
/// 4 KiB for any reservation from 2 MiB on (4 MiB: two); 50,000 stacks of 256 KiB take 8.5 KiB each, of
/// 2 MiB 12 KiB, of 4 MiB 16 KiB.
pub(super) const NATIVE_STACK: usize = if cfg!(miri) { 256 << 10 } else { 2 << 20 };
/// Bytes of a native stack below the limit of compiled code (`Vm::native_limit`): for the Rust code it
/// calls. Rust code that calls Lua keeps off the last 440 KiB ([`crate::call::RUST_RESERVE`]): the parser
/// needs 384 KiB of them, a host function may use all.
pub const NATIVE_RESERVE: usize = NATIVE_STACK / 4;
/// Bytes of the guard: whole pages, which other machines than x86-64 have of up to 64 KiB.
const GUARD: usize = if cfg!(target_arch = "x86_64") { 16 << 10 } else { 64 << 10 };
/// Native stacks per reservation.
const PER_CHUNK: usize = 32;

/// Stacks of all states that have a protected page. Mappings are the process's, so this is, too.
static PROTECTED: AtomicUsize = AtomicUsize::new(0);

/// How many stacks with a protected page a process may have.
fn most_protected() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| {
        let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok();
        let mappings: usize = limit.and_then(|text| text.trim().parse().ok()).unwrap_or(65_530);
        mappings / 4 * 3 / 2
    })
}

/// How the guards of a pool's stacks are made.
#[derive(Debug, Default)]
pub(super) struct Guards {
    /// The kernel has no light guards.
    pub protect: bool,
    /// How many protected pages the process may have, if tests say so.
    pub most: Option<usize>,
}

/// A native stack of a coroutine. Belongs to a chunk of its pool, which it keeps.
#[derive(Debug)]
pub struct NativeStack {
    bottom: NonNull<u8>,
    /// Bytes beyond [`super::NATIVE_BASE`] that were touched, and are counted. Known of a stack that is not in
    /// use.
    pub extra: usize,
    _chunk: Rc<Chunk>,
}

impl NativeStack {
    /// The lowest address that compiled code may use (`Vm::native_limit`).
    pub fn native_limit(&self) -> usize {
        self.bottom.addr().get() + NATIVE_RESERVE
    }

    /// The lowest address.
    pub fn bottom(&self) -> *mut u8 {
        self.bottom.as_ptr()
    }

    /// Where the stack begins: the end of its memory.
    pub fn end(&self) -> *mut u8 {
        // SAFETY: within the chunk, or at its end.
        unsafe { self.bottom.as_ptr().add(NATIVE_STACK) }
    }

    /// Gives the memory of a stack that nobody uses back to the system.
    pub(super) fn decommit(&self) {
        // SAFETY: the stack's memory above its guard; the pool, which calls this, has the stack.
        unsafe { system::decommit(self.bottom().add(GUARD), NATIVE_STACK - GUARD) };
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

/// A reservation of native stacks.
#[derive(Debug)]
struct Chunk {
    start: NonNull<u8>,
    /// Stacks of it that count as [`PROTECTED`].
    protected: usize,
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: reserved by `reserve`; no stack of it is left.
        unsafe { system::release(self.start, PER_CHUNK * NATIVE_STACK) };
        PROTECTED.fetch_sub(self.protected, Ordering::Relaxed);
    }
}

/// Reserves some native stacks; `None` when the system has no room for them or for their guards.
pub(super) fn reserve(guards: &mut Guards) -> Option<Vec<NativeStack>> {
    let start = system::reserve(PER_CHUNK * NATIVE_STACK)?;
    // Gives all back where a guard fails.
    let mut chunk = Chunk { start, protected: 0 };
    // SAFETY: within the new reservation.
    let bottom = |i: usize| unsafe { start.add(i * NATIVE_STACK) };
    for i in 0..PER_CHUNK {
        // SAFETY: the first pages of a stack that nothing uses yet.
        let light = !guards.protect && unsafe { system::light_guard(bottom(i).as_ptr(), GUARD) };
        if light {
            continue;
        }
        guards.protect = true;
        let most = guards.most.unwrap_or_else(most_protected);
        if PROTECTED.fetch_add(1, Ordering::Relaxed) >= most {
            PROTECTED.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        chunk.protected += 1;
        // SAFETY: as above.
        if !unsafe { system::protect_guard(bottom(i).as_ptr(), GUARD) } {
            return None;
        }
    }
    let chunk = Rc::new(chunk);
    let stack = |i| NativeStack { bottom: bottom(i), extra: 0, _chunk: Rc::clone(&chunk) };
    Some((0..PER_CHUNK).rev().map(stack).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(unix, not(miri)))]
    #[test]
    fn guards_are_whole_pages() {
        // SAFETY: no preconditions.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        assert_eq!(GUARD % usize::try_from(page).unwrap(), 0);
        const { assert!(GUARD < NATIVE_RESERVE) };
    }

    /// Whether the kernel refuses to read the byte at `p` for us.
    #[cfg(all(unix, not(miri)))]
    fn faults(p: *const u8) -> bool {
        let mut pipe = [0; 2];
        // SAFETY: `write` from memory that may not be read is an error, not a fault.
        unsafe {
            assert_eq!(libc::pipe(pipe.as_mut_ptr()), 0);
            let refused = libc::write(pipe[1], p.cast(), 1) < 0;
            libc::close(pipe[0]);
            libc::close(pipe[1]);
            refused
        }
    }

    #[cfg(all(unix, not(miri)))]
    #[test]
    fn every_stack_has_a_guard() {
        for protect in [false, true] {
            let mut guards = Guards { protect, most: None };
            let chunks: Vec<_> = (0..300).map(|_| reserve(&mut guards).expect("stacks")).collect();
            for stack in chunks.iter().flatten() {
                assert!(faults(stack.bottom()));
                // SAFETY: the last byte of the guard, and the first above it.
                let (guard, above) =
                    unsafe { (stack.bottom().add(GUARD - 1), stack.bottom().add(GUARD)) };
                assert!(faults(guard));
                assert!(!faults(above));
            }
        }
    }

    #[cfg(all(target_os = "linux", not(miri)))]
    #[test]
    fn no_stack_without_a_guard() {
        // Other tests of this process have stacks, too: they may only make it end sooner or later.
        let most = PROTECTED.load(Ordering::Relaxed) + 3 * PER_CHUNK;
        let mut guards = Guards { protect: true, most: Some(most) };
        let mut chunks = Vec::new();
        while let Some(chunk) = reserve(&mut guards) {
            chunks.push(chunk);
            assert!(chunks.len() * PER_CHUNK <= most);
        }
        for stack in chunks.iter().flatten() {
            assert!(faults(stack.bottom()));
        }
        chunks.clear();
        guards.most = None;
        assert!(reserve(&mut guards).is_some());
    }
}
