//! Large pages for large arrays: random access to megabytes of small pages mostly waits for address
//! translation.

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
    let first = start.next_multiple_of(PAGE);
    let end = (start + bytes) / PAGE * PAGE;
    if end > first {
        // SAFETY: whole pages within one allocation; the advice does not change their contents.
        unsafe {
            libc::madvise(
                std::ptr::with_exposed_provenance_mut(first),
                end - first,
                libc::MADV_HUGEPAGE,
            )
        };
    }
}
