//! The door for memory: whatever takes memory in an amount that a script decides asks here first.
//!
//! ```text
//!   0 ───────────── alarm ──────────── limit ──── ceiling        Heap::footprint
//!       a cycle now and then │ a full cycle │ granted, │ refused
//!                            │ at the next safepoint   │
//! ```
//!
//! What is above the limit may be garbage, and a collection happens only at a safepoint. So the door grants
//! up to the *ceiling*, a quarter above the limit, and raises the poll; the safepoint collects, and throws
//! if that does not help.
//!
//! A refusal reaches Lua in one of two ways. Functions that can fail get [`OutOfMemory`], and nothing has
//! changed. The rest (cells of objects, keys of tables, bytes of ropes behind a comparison) *notes* it by
//! [`Heap::refuse`] and goes on with a stand-in: the cell all the same, a key left out, no bytes.
//! What was noted is thrown at the next safepoint, or at the end of the protected call or coroutine, if that
//! comes first; so no Lua code that could catch the error is left before it is thrown.
//!
//! Cells and a few other small allocations are granted although they were refused. Should the system have no
//! memory for one of these either, a reserve is used: one chunk for cells, and a [`BALLAST`] that is
//! freed for all others. Both are taken again at a safepoint.

use std::cell::Cell;

use super::Heap;
use super::huge::trim_allocator;
use crate::table::KeyError;

/// There is no memory: the limit, the system, or a test's fault says so. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct OutOfMemory;

impl From<OutOfMemory> for KeyError {
    fn from(_: OutOfMemory) -> KeyError {
        KeyError::Memory
    }
}

/// Bytes of the allocation that is given back when the system has no memory for something small.
const BALLAST: usize = 64 << 10;
/// A request that no machine fulfils.
const ABSURD: usize = isize::MAX as usize / 4;
/// Growth since the last cycle that pays for another one because of the limit.
const LEAST_GROWTH: usize = 256 << 10;

/// Blocks of at least so many bytes grow in place: allocators map them on their own.
const IN_PLACE: usize = 32 << 20;

/// Bytes that an allocation takes while it grows: as long as it is copied there are both.
pub(crate) fn growth(old: usize, new: usize) -> usize {
    if old < IN_PLACE { new } else { new - old }
}

/// Bytes held for the state by what is no object: buffers of library functions, stacks in the pool. Shared
/// with their owners, which give back without access to the heap.
#[derive(Debug, Default)]
pub struct Account {
    bytes: Cell<usize>,
}

impl Account {
    /// Bytes held.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// Counts bytes that the door granted.
    #[inline]
    pub fn add(&self, n: usize) {
        self.bytes.set(self.bytes.get().saturating_add(n));
    }

    /// Takes back bytes counted before.
    #[inline]
    pub fn subtract(&self, n: usize) {
        self.bytes.set(self.bytes.get().saturating_sub(n));
    }
}

/// The door's state.
#[derive(Debug)]
pub(super) struct Door {
    /// Most bytes that may be in use.
    pub limit: usize,
    /// Most bytes granted between two safepoints.
    ceiling: usize,
    /// Bytes from which a full cycle is worth its time, because of the limit.
    alarm: usize,
    /// Requests so far.
    requests: u64,
    /// The requests that are refused, whatever there is: from the first number to before the second.
    fault: (u64, u64),
    /// See [`BALLAST`].
    ballast: Vec<u8>,
    /// The system had no memory for something.
    short: bool,
    /// Bytes of large blocks freed since the allocator last gave back what it has in stock.
    freed: usize,
}

impl Door {
    pub fn new() -> Door {
        let mut door = Door {
            limit: usize::MAX,
            ceiling: usize::MAX,
            alarm: usize::MAX,
            requests: 0,
            fault: (u64::MAX, u64::MAX),
            ballast: Vec::new(),
            short: false,
            freed: 0,
        };
        door.restock();
        door
    }

    /// Takes the ballast, if it is gone.
    fn restock(&mut self) {
        self.short =
            self.ballast.capacity() == 0 && self.ballast.try_reserve_exact(BALLAST).is_err();
    }
}

impl Heap {
    /// Bytes that the state takes of the machine: objects, free cells among them, and what is no object.
    #[inline]
    pub fn footprint(&self) -> usize {
        self.bytes
            .saturating_add(self.idle)
            .saturating_add(self.store.dirty)
            .saturating_add(self.outside.bytes())
    }

    /// Asks for `bytes` that the caller counts itself, or that are not counted because they are given back at
    /// once.
    ///
    /// # Errors
    /// Above the ceiling.
    #[inline]
    pub fn admit(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        self.door.requests += 1;
        if self.footprint().saturating_add(bytes) <= self.door.limit
            && self.door.requests < self.door.fault.0
            && bytes < ABSURD
        {
            return Ok(());
        }
        self.admit_at_limit(bytes)
    }

    #[cold]
    #[inline(never)]
    fn admit_at_limit(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        let wanted = self.footprint().saturating_add(bytes);
        if wanted > self.door.limit {
            self.raise_poll();
        }
        let (first, end) = self.door.fault;
        let fault = (first..end).contains(&self.door.requests);
        if fault || wanted > self.door.ceiling || bytes >= ABSURD {
            return Err(OutOfMemory);
        }
        Ok(())
    }

    /// Asks for `bytes`, and counts them.
    ///
    /// # Errors
    /// Above the ceiling; nothing is counted.
    #[inline]
    pub fn try_charge(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        self.admit(bytes)?;
        self.account(bytes as isize);
        Ok(())
    }

    /// Asks for `bytes` of something small that is taken in any case; a refusal is noted.
    #[inline]
    pub(crate) fn admit_small(&mut self, bytes: usize) {
        if self.admit(bytes).is_err() {
            self.refuse(KeyError::Memory);
        }
    }

    /// To be called when the system had no memory for something that was granted: notes that, and gives the
    /// ballast back. The caller may try again, once.
    #[cold]
    pub(crate) fn exhausted(&mut self) {
        self.door.short = true;
        self.door.ballast = Vec::new();
        self.refuse(KeyError::Memory);
    }

    /// At a safepoint: takes the reserve again that [`Heap::exhausted`] gave away.
    #[inline]
    pub(super) fn restock(&mut self) {
        if self.door.short {
            self.door.restock();
            self.store.restock();
        }
    }

    /// To be called when a block of `n` bytes went back to the allocator. Within a limit, what the allocator has
    /// in stock must not become much.
    #[inline]
    pub(crate) fn note_freed(&mut self, n: usize) {
        const LARGE: usize = 256 << 10;
        if n >= LARGE && self.door.limit != usize::MAX {
            self.door.freed += n;
            if self.door.freed > self.door.limit / 8 {
                self.door.freed = 0;
                trim_allocator();
            }
        }
    }

    /// Most bytes that may be in use.
    pub fn limit(&self) -> usize {
        self.door.limit
    }

    /// Whether a string of so many bytes could never be flat within the limit.
    #[inline]
    pub(crate) fn is_beyond(&self, bytes: usize) -> bool {
        bytes > self.door.ceiling || bytes >= ABSURD
    }

    /// Limits the bytes in use; `usize::MAX` for no limit.
    pub fn set_limit(&mut self, bytes: usize) {
        self.door.limit = bytes;
        self.door.ceiling = bytes.saturating_add(bytes / 4);
        self.set_alarm();
        if self.footprint() > bytes {
            self.raise_poll();
        }
    }

    /// Half of what the last cycle left free of the limit: so much garbage may pile up. Above the limit, a
    /// little.
    pub(super) fn set_alarm(&mut self) {
        let (live, limit) = (self.live_estimate, self.door.limit);
        self.door.alarm = match limit {
            usize::MAX => usize::MAX,
            _ => live + (limit.saturating_sub(live) / 2).max(limit / 16).max(LEAST_GROWTH),
        };
    }

    /// Whether allocation has to ask for a safepoint because of the limit.
    #[inline(always)]
    pub(super) fn is_alarming(&self) -> bool {
        self.bytes > self.door.alarm
    }

    /// Refuses `count` requests from the `after`-th on that follow, as a machine without memory would. For
    /// tests; every cell is a request then. With `u64::MAX` no more.
    pub fn set_fault(&mut self, after: u64, count: u64) {
        let first = self.door.requests.saturating_add(after);
        self.door.fault = (first, first.saturating_add(count));
        self.spill_rooms();
    }

    /// Whether a fault is set that has not come about.
    #[inline]
    pub(super) fn awaits_fault(&self) -> bool {
        self.door.fault.1 != u64::MAX && self.door.requests < self.door.fault.1
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.door.requests
    }
}
