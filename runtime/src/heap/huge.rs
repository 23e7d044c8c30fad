//! Large pages for large arrays and large heaps: random access to megabytes of small pages mostly waits for
//! address translation, and the first access to each page costs some microseconds.

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
