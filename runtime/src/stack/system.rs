//! Reservations of memory, their release, and guards.

#[cfg(all(unix, not(miri)))]
pub use mapped::*;

#[cfg(not(all(unix, not(miri))))]
pub use allocated::*;

/// By `mmap`.
#[cfg(all(unix, not(miri)))]
mod mapped {
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
        if p == libc::MAP_FAILED {
            return None;
        }
        // A stack of which a page is used would take 2 MiB. That the advice is taken is not essential.
        #[cfg(target_os = "linux")]
        // SAFETY: the new mapping.
        unsafe {
            libc::madvise(p, size, libc::MADV_NOHUGEPAGE)
        };
        NonNull::new(p.cast())
    }

    /// # Safety
    /// A reservation of this size that is not used any more.
    pub unsafe fn release(p: NonNull<u8>, size: usize) {
        // SAFETY: the caller's contract. Where a process has all the mappings it may have, parts of one
        // cannot be given back; their memory can.
        unsafe {
            if libc::munmap(p.as_ptr().cast(), size) != 0 {
                libc::madvise(p.as_ptr().cast(), size, libc::MADV_DONTNEED);
            }
        }
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

    /// Makes access a fault by splitting the mapping; false when the system refuses.
    ///
    /// # Safety
    /// As for [`light_guard`].
    pub unsafe fn protect_guard(p: *mut u8, size: usize) -> bool {
        // SAFETY: the caller's contract.
        unsafe { libc::mprotect(p.cast(), size, libc::PROT_NONE) == 0 }
    }
}

/// From the allocator, where there is nothing better.
#[cfg(not(all(unix, not(miri))))]
mod allocated {
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
    pub unsafe fn protect_guard(_: *mut u8, _: usize) -> bool {
        true
    }
}
