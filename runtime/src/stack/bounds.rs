//! The running thread's own stack, as the system describes it.

use std::cell::Cell;
use std::ops::Range;

/// From the lowest address that may be touched to the end. Asked for once per thread.
pub(super) fn of_thread() -> Option<Range<usize>> {
    thread_local! {
        static BOUNDS: Cell<Option<Option<(usize, usize)>>> = const { Cell::new(None) };
    }
    let bounds = match BOUNDS.get() {
        Some(bounds) => bounds,
        None => {
            let bounds = ask();
            BOUNDS.set(Some(bounds));
            bounds
        }
    };
    bounds.map(|(low, end)| low..end)
}

/// What the kernel keeps free below a stack that grows (`stack_guard_gap`).
#[cfg(all(target_os = "linux", not(miri)))]
const GAP: usize = 1 << 20;
/// The kernel keeps at least twice this for the stack of a process free of mappings.
#[cfg(all(target_os = "linux", not(miri)))]
const NEAR: usize = 64 << 20;

#[cfg(all(target_os = "linux", not(miri)))]
fn ask() -> Option<(usize, usize)> {
    let (mut low, size, guard) = attributes()?;
    let end = low.checked_add(size)?;
    // SAFETY: no preconditions.
    if unsafe { libc::gettid() == libc::getpid() } {
        // The first thread's stack grows until it meets its limit, of which the C library knows, or
        // another mapping, which is what the C library names where the limit is far.
        low = low.max(end.saturating_sub(limit()));
        if limit() > NEAR {
            low = low.checked_add(GAP)?;
        }
    } else {
        low = low.checked_add(guard)?;
    }
    (low < end).then_some((low, end))
}

/// `RLIMIT_STACK`; the greatest number where there is none.
#[cfg(all(target_os = "linux", not(miri)))]
fn limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes the structure.
    let failed = unsafe { libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit) };
    if failed != 0 || limit.rlim_cur == libc::RLIM_INFINITY {
        return usize::MAX;
    }
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

/// Lowest address, size and size of the guard of the running thread's stack. The guard may be a part of
/// it (glibc before 2.27, musl) or lie below.
#[cfg(all(target_os = "linux", not(miri)))]
fn attributes() -> Option<(usize, usize, usize)> {
    // SAFETY: plain calls; the attributes are initialised by the first and destroyed.
    unsafe {
        let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let (mut low, mut size, mut guard) = (std::ptr::null_mut(), 0, 0);
        let failed = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut low, &raw mut size)
            | libc::pthread_attr_getguardsize(attributes.as_ptr(), &raw mut guard);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        (failed == 0).then_some((low as usize, size, guard))
    }
}

#[cfg(all(target_vendor = "apple", not(miri)))]
fn ask() -> Option<(usize, usize)> {
    // SAFETY: plain calls. The first answers the stack's end.
    let (end, size) = unsafe {
        let thread = libc::pthread_self();
        (libc::pthread_get_stackaddr_np(thread) as usize, libc::pthread_get_stacksize_np(thread))
    };
    (size > 0 && size < end).then(|| (end - size, end))
}

/// Elsewhere nothing is known: Lua runs on stacks of its own.
#[cfg(not(all(any(target_os = "linux", target_vendor = "apple"), not(miri))))]
fn ask() -> Option<(usize, usize)> {
    None
}

#[cfg(all(test, any(target_os = "linux", target_vendor = "apple"), not(miri)))]
mod tests {
    use super::*;
    use crate::call::native_position;

    #[test]
    fn a_thread_knows_its_stack() {
        for size in [64 << 10, 2 << 20, 16 << 20] {
            let thread = std::thread::Builder::new().stack_size(size).spawn(move || {
                let bounds = of_thread().expect("bounds");
                assert!(bounds.contains(&native_position()));
                assert!(bounds.len() <= size.max(128 << 10), "{}", bounds.len());
                // All of it may be touched.
                // SAFETY: memory of this thread's stack.
                unsafe { (bounds.start as *const u8).read_volatile() };
                assert_eq!(of_thread(), Some(bounds));
            });
            thread.expect("a thread").join().expect("no panic");
        }
    }
}
