//! Code memory: one reserved range of addresses per state, handed out in blocks.
//!
//! ```text
//!   start                        committed               reserved
//!     | unit | free | unit | … | not accessible … |
//!       read + execute                   PROT_NONE
//! ```
//!
//! Invariant: no page is writable and executable at the same time. A page is made writable only
//! inside [`Arena::place`] and [`Arena::free`], on the thread that owns the state, so no code of the
//! range runs meanwhile. Everything lies within one range so that calls between units can be
//! relative. Freed blocks are merged with their neighbours; whole free chunks go back to the system.
//!
//! The system may refuse to change a protection (a policy, too many mappings). Where pages that hold other
//! blocks stay without execution for it, the range is [lost](Arena::is_lost): what it holds must not be
//! entered any more, and nothing is placed in it.

use std::collections::BTreeMap;

/// Blocks start at multiples of this and are multiples of it long.
const GRANULE: usize = 32;
/// Memory is made accessible, and given back, in chunks of this size.
const CHUNK: usize = 64 << 10;

/// Addresses reserved: within the reach of the target's relative calls.
#[cfg(target_arch = "x86_64")]
const RESERVE: usize = 512 << 20;
#[cfg(not(target_arch = "x86_64"))]
const RESERVE: usize = 64 << 20;
/// Below this size a reservation is not worth having.
const RESERVE_LEAST: usize = 1 << 20;

/// How often the system is asked to make code executable.
const ATTEMPTS: usize = 3;

/// Code memory could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfCodeMemory;

impl std::fmt::Display for OutOfCodeMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("out of code memory")
    }
}

/// A run of code memory. Freed by [`Arena::free`] only.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    offset: usize,
    len: usize,
    address: *const u8,
}

impl Block {
    /// The first byte.
    pub fn address(&self) -> *const u8 {
        self.address
    }
    /// Length in bytes, with padding.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Always false: blocks have at least one granule.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Whether `p` points into the block.
    pub fn contains(&self, p: *const u8) -> bool {
        (self.address as usize..self.address as usize + self.len).contains(&(p as usize))
    }
}

/// The code memory of one state.
pub struct Arena {
    start: *mut u8,
    reserved: usize,
    committed: usize,
    /// Free runs within the committed part: offset to length. No two touch.
    free: BTreeMap<usize, usize>,
    live: usize,
    lost: bool,
    /// `mprotect`, or what stands in for it in tests.
    change: Change,
}

/// Changes the protection of whole pages of a mapping: true if it was done.
type Change = fn(*mut u8, usize, i32) -> bool;

fn change(start: *mut u8, len: usize, protection: i32) -> bool {
    // SAFETY: pages of an arena's own mapping (`Arena::protect`, the only caller).
    unsafe { libc::mprotect(start.cast(), len, protection) == 0 }
}

impl Arena {
    /// Reserves addresses; takes no memory yet.
    ///
    /// # Errors
    /// The system grants not even a small range.
    pub fn new() -> Result<Arena, OutOfCodeMemory> {
        Arena::with_reserve(RESERVE)
    }

    /// As [`Arena::new`], of at most `reserve` bytes.
    ///
    /// # Errors
    /// The system grants not even a small range.
    pub fn with_reserve(reserve: usize) -> Result<Arena, OutOfCodeMemory> {
        let mut reserved = reserve.next_multiple_of(CHUNK);
        loop {
            // SAFETY: a fresh anonymous mapping at an address of the system's choice.
            let start = unsafe {
                libc::mmap(
                    std::ptr::null_mut(),
                    reserved,
                    libc::PROT_NONE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                    -1,
                    0,
                )
            };
            if start != libc::MAP_FAILED {
                return Ok(Arena {
                    start: start.cast(),
                    reserved,
                    committed: 0,
                    free: BTreeMap::new(),
                    live: 0,
                    lost: false,
                    change,
                });
            }
            reserved = (reserved / 2).next_multiple_of(CHUNK);
            if reserved < RESERVE_LEAST.min(reserve) {
                return Err(OutOfCodeMemory);
            }
        }
    }

    /// Bytes in live blocks.
    pub fn live_bytes(&self) -> usize {
        self.live
    }
    /// Bytes that were made accessible and not given back for good.
    pub fn committed_bytes(&self) -> usize {
        self.committed
    }
    /// Whether `p` points into the range.
    pub fn contains(&self, p: *const u8) -> bool {
        (self.start as usize..self.start as usize + self.reserved).contains(&(p as usize))
    }

    /// Whether pages with live blocks cannot be executed any more.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Has `change` called in place of `mprotect`.
    #[cfg(test)]
    pub fn set_change(&mut self, change: Change) {
        self.change = change;
    }

    /// Takes `len` bytes and lets `fill` write them, given their final address.
    ///
    /// # Errors
    /// The range is full or lost, or the system refuses to change a page's protection; the range may be
    /// lost then.
    pub fn place(
        &mut self,
        len: usize,
        fill: impl FnOnce(*const u8, &mut [u8]),
    ) -> Result<Block, OutOfCodeMemory> {
        let len = len.max(1).next_multiple_of(GRANULE);
        if self.lost {
            return Err(OutOfCodeMemory);
        }
        let offset = self.take(len)?;
        // SAFETY: `take` answers a run within the committed part of the mapping.
        let address = unsafe { self.start.add(offset) };
        let writable = self.protect(offset, len, libc::PROT_READ | libc::PROT_WRITE);
        if writable.is_ok() {
            // SAFETY: the run is writable, `len` bytes long, and belongs to nobody else.
            fill(address, unsafe { std::slice::from_raw_parts_mut(address, len) });
        }
        // Where not all could be made writable, some of it may have been.
        let sealed = self.seal(offset, len);
        if writable.and(sealed).is_err() {
            self.give_back(offset, len);
            return Err(OutOfCodeMemory);
        }
        flush_instruction_cache(address, len);
        self.live += len;
        Ok(Block { offset, len, address })
    }

    /// Makes a run executable, with the pages that it shares with others. If that cannot be done and there
    /// are others, the range is lost.
    fn seal(&mut self, offset: usize, len: usize) -> Result<(), OutOfCodeMemory> {
        let sealed = || self.protect(offset, len, libc::PROT_READ | libc::PROT_EXEC).is_ok();
        if (0..ATTEMPTS).any(|_| sealed()) {
            return Ok(());
        }
        let page = page_size();
        let (first, end) = (offset / page * page, (offset + len).next_multiple_of(page));
        let overlap = |o: usize, s: usize| (o + s).min(end).saturating_sub(o.max(first));
        let free: usize = self.free.range(..end).map(|(&o, &s)| overlap(o, s)).sum();
        self.lost |= free + len < end - first;
        Err(OutOfCodeMemory)
    }

    /// Gives a block back. No frame may be in it and nothing may call it any more.
    pub fn free(&mut self, block: Block) {
        let Block { offset, len, .. } = block;
        self.live -= len;
        if cfg!(debug_assertions)
            && !self.lost
            && self.protect(offset, len, libc::PROT_READ | libc::PROT_WRITE).is_ok()
        {
            // SAFETY: the run is writable and was this block's alone. The pattern traps on x86 and
            // is undefined on AArch64, so a stale pointer is found at once.
            unsafe { std::ptr::write_bytes(self.start.add(offset), 0xCC, len) };
            let sealed = self.seal(offset, len);
            assert!(sealed.is_ok() || !self.lost, "code memory was lost by freeing a part of it");
        }
        self.give_back(offset, len);
    }

    /// Finds a free run, extending the committed part when there is none. First fit keeps the live
    /// code at low addresses.
    fn take(&mut self, len: usize) -> Result<usize, OutOfCodeMemory> {
        let fit = self.free.iter().find(|&(_, &size)| size >= len).map(|(&o, &s)| (o, s));
        let (offset, size) = match fit {
            Some(run) => run,
            None => {
                // A run at the end of the committed part is extended.
                let last = self.free.last_key_value().map(|(&o, &s)| (o, s));
                let tail = last.filter(|&(o, s)| o + s == self.committed);
                let offset = tail.map_or(self.committed, |(o, _)| o);
                let more = (offset + len - self.committed).next_multiple_of(CHUNK);
                if self.committed + more > self.reserved {
                    return Err(OutOfCodeMemory);
                }
                self.protect(self.committed, more, libc::PROT_READ | libc::PROT_EXEC)?;
                self.committed += more;
                (offset, self.committed - offset)
            }
        };
        self.free.remove(&offset);
        if size > len {
            self.free.insert(offset + len, size - len);
        }
        Ok(offset)
    }

    fn give_back(&mut self, mut offset: usize, mut len: usize) {
        if let Some(next) = self.free.remove(&(offset + len)) {
            len += next;
        }
        let before = self.free.range(..offset).next_back().map(|(&o, &s)| (o, s));
        if let Some((before, size)) = before.filter(|&(o, s)| o + s == offset) {
            self.free.remove(&before);
            offset = before;
            len += size;
        }
        self.free.insert(offset, len);
        let first = offset.next_multiple_of(CHUNK);
        let end = (offset + len) / CHUNK * CHUNK;
        if end > first {
            // SAFETY: whole free chunks of our mapping; their contents are of no interest. Advice
            // that is not taken does no harm.
            unsafe {
                libc::madvise(self.start.add(first).cast(), end - first, libc::MADV_DONTNEED);
            }
        }
    }

    /// Changes the protection of the pages that `offset..offset + len` touches.
    fn protect(&self, offset: usize, len: usize, prot: i32) -> Result<(), OutOfCodeMemory> {
        let page = page_size();
        let first = offset / page * page;
        let end = (offset + len).next_multiple_of(page);
        // SAFETY: within the mapping.
        let start = unsafe { self.start.add(first) };
        if (self.change)(start, end - first, prot) { Ok(()) } else { Err(OutOfCodeMemory) }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours; the state that could run its code is gone.
        unsafe { libc::munmap(self.start.cast(), self.reserved) };
    }
}

fn page_size() -> usize {
    // SAFETY: no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// Makes new code visible to instruction fetch. x86 does this by itself.
#[cfg(not(target_arch = "aarch64"))]
fn flush_instruction_cache(_: *const u8, _: usize) {}

/// Makes new code visible to instruction fetch, by the system's own function.
#[cfg(all(target_arch = "aarch64", target_vendor = "apple"))]
fn flush_instruction_cache(start: *const u8, len: usize) {
    unsafe extern "C" {
        fn sys_icache_invalidate(start: *mut libc::c_void, len: usize);
    }
    // SAFETY: a mapped range.
    unsafe { sys_icache_invalidate(start.cast_mut().cast(), len) };
}

/// Makes new code visible to instruction fetch.
#[cfg(all(target_arch = "aarch64", not(target_vendor = "apple")))]
fn flush_instruction_cache(start: *const u8, len: usize) {
    use std::arch::asm;
    let ctr: u64;
    // SAFETY: reads the cache type register, which user code may.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr) };
    let data_line = 4usize << ((ctr >> 16) & 15);
    let code_line = 4usize << (ctr & 15);
    let end = start as usize + len;
    let mut p = start as usize / data_line * data_line;
    while p < end {
        // SAFETY: cleans a cache line of a mapped page.
        unsafe { asm!("dc cvau, {}", in(reg) p) };
        p += data_line;
    }
    // SAFETY: barrier.
    unsafe { asm!("dsb ish") };
    let mut p = start as usize / code_line * code_line;
    while p < end {
        // SAFETY: invalidates a cache line of a mapped page.
        unsafe { asm!("ic ivau, {}", in(reg) p) };
        p += code_line;
    }
    // SAFETY: barriers.
    unsafe { asm!("dsb ish", "isb") };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(arena: &mut Arena, len: usize, byte: u8) -> Block {
        arena.place(len, |_, bytes| bytes.fill(byte)).expect("space")
    }

    fn protection_of(address: *const u8) -> String {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("maps");
        for line in maps.lines() {
            let (range, rest) = line.split_once(' ').expect("range");
            let (lo, hi) = range.split_once('-').expect("bounds");
            let lo = usize::from_str_radix(lo, 16).expect("hex");
            let hi = usize::from_str_radix(hi, 16).expect("hex");
            if (lo..hi).contains(&(address as usize)) {
                return rest[..4].to_owned();
            }
        }
        String::new()
    }

    #[test]
    fn blocks_are_apart_and_reused_after_merging() {
        let mut arena = Arena::with_reserve(4 << 20).expect("range");
        let a = filled(&mut arena, 100, 1);
        let b = filled(&mut arena, 1, 2);
        let c = filled(&mut arena, 5000, 3);
        assert_eq!(a.len(), 128);
        assert_eq!(b.len(), 32);
        assert_eq!(a.address() as usize + 128, b.address() as usize);
        let first = a.address();
        arena.free(a);
        arena.free(b);
        // 160 bytes in a row only after the two runs were merged.
        let d = filled(&mut arena, 160, 4);
        assert_eq!(d.address(), first);
        arena.free(c);
        arena.free(d);
        assert_eq!(arena.live_bytes(), 0);
        assert_eq!(arena.free.len(), 1);
    }

    #[test]
    fn memory_stays_flat_over_many_blocks() {
        let mut arena = Arena::with_reserve(4 << 20).expect("range");
        let mut live = std::collections::VecDeque::new();
        for i in 0..4000usize {
            live.push_back(filled(&mut arena, 50 + i * 37 % 3000, i as u8));
            if live.len() > 50 {
                let block = live.pop_front().expect("not empty");
                arena.free(block);
            }
        }
        assert!(arena.committed_bytes() <= 512 << 10, "{}", arena.committed_bytes());
    }

    #[test]
    fn a_full_range_is_an_error_and_recovers() {
        let mut arena = Arena::with_reserve(128 << 10).expect("range");
        let a = filled(&mut arena, 100 << 10, 1);
        assert!(arena.place(64 << 10, |_, _| ()).is_err());
        arena.free(a);
        let b = filled(&mut arena, 128 << 10, 1);
        arena.free(b);
    }

    thread_local! {
        /// Calls of `refusing` that succeed, and those that fail then.
        static PLAN: std::cell::Cell<(usize, usize)> = const { std::cell::Cell::new((0, 0)) };
    }

    fn refusing(start: *mut u8, len: usize, protection: i32) -> bool {
        let (good, bad) = PLAN.get();
        if good > 0 {
            PLAN.set((good - 1, bad));
        } else if bad > 0 {
            PLAN.set((0, bad - 1));
            return false;
        }
        change(start, len, protection)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_refused_protection_leaves_neighbours_executable_or_the_range_lost() {
        for good in 0..4 {
            for bad in 1..6 {
                let mut arena = Arena::with_reserve(1 << 20).expect("range");
                let neighbour = filled(&mut arena, 64, 0xC3);
                arena.set_change(refusing);
                PLAN.set((good, bad));
                let placed = arena.place(64, |_, bytes| bytes.fill(0xC3));
                PLAN.set((0, 0));
                // The first call makes it writable, the next ones executable.
                let lost = match good {
                    0 => bad > ATTEMPTS,
                    1 => bad >= ATTEMPTS,
                    _ => false,
                };
                assert_eq!(arena.is_lost(), lost, "{good} {bad}");
                if lost {
                    assert!(arena.place(64, |_, _| unreachable!("lost")).is_err());
                } else {
                    assert_eq!(placed.is_ok(), good > 0, "{good} {bad}");
                    assert_eq!(protection_of(neighbour.address()), "r-xp");
                    filled(&mut arena, 64, 0xC3);
                }
            }
        }
    }

    #[test]
    fn a_page_without_neighbours_is_not_missed() {
        let mut arena = Arena::with_reserve(1 << 20).expect("range");
        arena.set_change(refusing);
        // Memory is made accessible; writable; not executable, three times.
        PLAN.set((2, ATTEMPTS));
        assert!(arena.place(64, |_, _| ()).is_err());
        assert!(!arena.is_lost());
        PLAN.set((0, 1));
        assert!(arena.place(100 << 10, |_, _| ()).is_err());
        filled(&mut arena, 64, 0xC3);
        filled(&mut arena, 100 << 10, 0xC3);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn never_writable_and_executable() {
        let mut arena = Arena::with_reserve(1 << 20).expect("range");
        let block = arena
            .place(64, |address, bytes| {
                assert_eq!(protection_of(address), "rw-p");
                bytes.fill(0xC3);
            })
            .expect("space");
        assert_eq!(protection_of(block.address()), "r-xp");
        arena.free(block);
    }
}
