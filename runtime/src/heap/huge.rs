//! Pages. Large ones for large arrays and large heaps: random access to megabytes of small pages mostly waits
//! for address translation, and the first access to each page costs some microseconds. And what is not needed
//! goes back to the system.

/// Smallest array worth a request.
#[cfg(target_os = "linux")]
const THRESHOLD: usize = 2 << 20;

/// Asks the system to back fresh memory with large pages, where it is large and the system lets
/// programs choose. Only a hint.
#[inline]
pub fn prefer_large_pages<T>(start: *const T, count: usize) {
    #[cfg(all(target_os = "linux", not(miri)))]
    if count * size_of::<T>() >= THRESHOLD {
        advise(start.addr(), count * size_of::<T>());
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = (start, count);
}

#[cfg(all(target_os = "linux", not(miri)))]
#[cold]
fn advise(start: usize, bytes: usize) {
    const PAGE: usize = 4096;
    // Whole pages at both ends: a mapping in two parts could not be grown in place.
    let first = start / PAGE * PAGE;
    let end = (start + bytes).next_multiple_of(PAGE);
    // SAFETY: the pages that an allocation is on; the advice changes no contents.
    unsafe {
        libc::madvise(
            std::ptr::with_exposed_provenance_mut(first),
            end - first,
            libc::MADV_HUGEPAGE,
        )
    };
}

/// Gives the memory of whole pages back to the system; true when they read as zero from then on.
///
/// # Safety
/// Memory of an allocation (aligned to 4,096 bytes and as long as several of these), whose content is not
/// needed any more.
pub unsafe fn release_pages(start: *mut u8, bytes: usize) -> bool {
    // SAFETY: the caller's contract. Where pages are larger, the call fails.
    #[cfg(all(target_os = "linux", not(miri)))]
    return unsafe { libc::madvise(start.cast(), bytes, libc::MADV_DONTNEED) } == 0;
    #[cfg(not(all(target_os = "linux", not(miri))))]
    {
        let _ = (start, bytes);
        false
    }
}

/// Asks the allocator to give what it has in stock back to the system.
pub fn trim_allocator() {
    #[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
    // SAFETY: touches only memory that is free.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Zeroed memory of its own pages, aligned as asked (both powers of two, `size` not below a page); `None` when
/// the system has none. An allocator would at times use memory again, and touch all of it to clear it.
#[cfg(all(unix, not(miri)))]
pub fn alloc_zeroed(size: usize, align: usize) -> Option<*mut u8> {
    let whole = size + align;
    // SAFETY: a new mapping, of which what is not needed is given back.
    unsafe {
        let (read_write, private) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        let p = libc::mmap(std::ptr::null_mut(), whole, read_write, private, -1, 0);
        if p == libc::MAP_FAILED {
            return None;
        }
        let p = p.cast::<u8>();
        let before = p.addr().next_multiple_of(align) - p.addr();
        let start = p.add(before);
        if before > 0 {
            libc::munmap(p.cast(), before);
        }
        libc::munmap(start.add(size).cast(), align - before);
        Some(start)
    }
}

/// Frees memory of [`alloc_zeroed`].
///
/// # Safety
/// It is of that size, and not used any more.
#[cfg(all(unix, not(miri)))]
pub unsafe fn free_zeroed(start: *mut u8, size: usize) {
    // SAFETY: the caller's contract.
    unsafe { libc::munmap(start.cast(), size) };
}

/// As above, where there is nothing better than the allocator.
#[cfg(not(all(unix, not(miri))))]
pub fn alloc_zeroed(size: usize, align: usize) -> Option<*mut u8> {
    let _ = align;
    let layout = std::alloc::Layout::from_size_align(size, size).ok()?;
    // SAFETY: the size is not zero.
    let p = unsafe { std::alloc::alloc_zeroed(layout) };
    (!p.is_null()).then_some(p)
}

/// As above.
///
/// # Safety
/// As above.
#[cfg(not(all(unix, not(miri))))]
pub unsafe fn free_zeroed(start: *mut u8, size: usize) {
    let layout = std::alloc::Layout::from_size_align(size, size).expect("as allocated");
    // SAFETY: the caller's contract.
    unsafe { std::alloc::dealloc(start, layout) };
}
