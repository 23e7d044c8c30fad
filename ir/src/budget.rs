//! What work on a chunk may cost: the door to memory and to requests from outside for the parser, the
//! compiler, the verifier and the reader of precompiled chunks.
//!
//! A chunk decides how large its tokens, trees and code are. So all lists of them grow through a [`Meter`], which
//! asks a [`Budget`] (the state that loads the chunk) before memory is taken, and lets it look around
//! every [`POLL_STEPS`] steps. A refusal ends the work; what was charged is given back when the meter goes.
//!
//! A list grows by `try_reserve`: that the machine has no memory is a refusal too. Shared strings have no
//! such door in Rust; for long ones the memory is probed for.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// Why work on a chunk ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no memory for it.
    Memory,
    /// The budget wants it to end, and knows why.
    Stopped,
}

/// Grants what work on a chunk takes.
pub trait Budget {
    /// Counts `bytes` that are about to be allocated.
    ///
    /// # Errors
    /// There is no memory for them; nothing was counted.
    fn charge(&mut self, bytes: usize) -> Result<(), Refusal>;

    /// Takes back `bytes` that were charged.
    fn release(&mut self, bytes: usize);

    /// Does what is due; called now and then.
    ///
    /// # Errors
    /// The work is to end.
    fn poll(&mut self) -> Result<(), Refusal>;
}

/// A budget that grants everything the machine has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl Budget for Unlimited {
    fn charge(&mut self, _: usize) -> Result<(), Refusal> {
        Ok(())
    }

    fn release(&mut self, _: usize) {}

    fn poll(&mut self) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Steps between two polls: tokens, instructions, and units of longer searches; some hundred microseconds.
pub const POLL_STEPS: u32 = 2048;
/// Bytes of input that are looked at between two polls, where that is a plain scan or copy.
pub const POLL_BYTES: usize = 256 << 10;
/// Bytes that are charged at once, at least.
const PORTION: usize = 8 << 10;
/// The smallest capacity of a list.
const LEAST: usize = 4;
/// Bytes of a list from which it grows by half rather than twofold.
const LARGE: usize = 1 << 20;
/// Bytes of a shared string from which memory is probed for.
const PROBED: usize = 4 << 10;

/// Counts what one piece of work has taken of its budget.
pub struct Meter<'b> {
    budget: &'b mut dyn Budget,
    /// Bytes charged to the budget.
    charged: usize,
    /// Bytes of these in use.
    used: usize,
    steps: u32,
}

impl std::fmt::Debug for Meter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("used", &self.used).finish_non_exhaustive()
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.budget.release(self.charged);
    }
}

impl<'b> Meter<'b> {
    /// A meter that has taken nothing yet.
    pub fn new(budget: &'b mut dyn Budget) -> Meter<'b> {
        Meter { budget, charged: 0, used: 0, steps: 0 }
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Counts `bytes` that are about to be allocated.
    ///
    /// # Errors
    /// There is no memory for them.
    #[inline]
    pub fn charge(&mut self, bytes: usize) -> Result<(), Refusal> {
        let used = self.used.checked_add(bytes).ok_or(Refusal::Memory)?;
        if used > self.charged {
            self.charge_budget(used - self.charged)?;
        }
        self.used = used;
        Ok(())
    }

    #[cold]
    fn charge_budget(&mut self, missing: usize) -> Result<(), Refusal> {
        // Near the limit just what is missing is enough.
        let portion = missing.max(PORTION);
        let granted = match self.budget.charge(portion) {
            Ok(()) => portion,
            Err(Refusal::Memory) if missing < portion => {
                self.budget.charge(missing)?;
                missing
            }
            Err(refusal) => return Err(refusal),
        };
        self.charged += granted;
        Ok(())
    }

    /// Takes back `bytes` that were freed.
    #[inline]
    pub fn release(&mut self, bytes: usize) {
        self.settle(self.used.saturating_sub(bytes));
    }

    /// Takes back everything above `used` bytes: what was taken since [`Meter::used`] was that is freed.
    pub fn settle(&mut self, used: usize) {
        self.used = used.min(self.used);
        let spare = self.charged - self.used;
        if spare > 8 * PORTION {
            self.budget.release(spare - PORTION);
            self.charged = self.used + PORTION;
        }
    }

    /// Counts one step.
    ///
    /// # Errors
    /// The budget's poll says so.
    #[inline]
    pub fn step(&mut self) -> Result<(), Refusal> {
        self.steps(1)
    }

    /// Counts `n` steps.
    ///
    /// # Errors
    /// The budget's poll says so.
    #[inline]
    pub fn steps(&mut self, n: usize) -> Result<(), Refusal> {
        self.steps = self.steps.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        if self.steps >= POLL_STEPS {
            self.steps = 0;
            self.budget.poll()?;
        }
        Ok(())
    }

    /// Counts the steps of a plain scan of `bytes` bytes.
    ///
    /// # Errors
    /// The budget's poll says so.
    #[inline]
    pub fn scan(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.steps(bytes / (POLL_BYTES / POLL_STEPS as usize))
    }

    /// Appends an item.
    ///
    /// # Errors
    /// The list cannot grow.
    #[inline]
    pub fn push<T>(&mut self, list: &mut Vec<T>, item: T) -> Result<(), Refusal> {
        if list.len() == list.capacity() {
            self.reserve(list, 1)?;
        }
        list.push(item);
        Ok(())
    }

    /// Makes room for `more` items.
    ///
    /// # Errors
    /// The list cannot grow.
    pub fn reserve<T>(&mut self, list: &mut Vec<T>, more: usize) -> Result<(), Refusal> {
        let old = list.capacity();
        if more <= old - list.len() {
            return Ok(());
        }
        let least = list.len().checked_add(more).ok_or(Refusal::Memory)?;
        let size = size_of::<T>().max(1);
        let grown = if old * size > LARGE { old + old / 2 } else { old * 2 };
        let wanted = least.max(grown).max(LEAST);
        self.grow(list, wanted).or_else(|refusal| match refusal {
            Refusal::Memory if wanted > least => self.grow(list, least),
            Refusal::Memory | Refusal::Stopped => Err(refusal),
        })
    }

    fn grow<T>(&mut self, list: &mut Vec<T>, capacity: usize) -> Result<(), Refusal> {
        let bytes = (capacity - list.capacity()).saturating_mul(size_of::<T>());
        self.charge(bytes)?;
        if list.try_reserve_exact(capacity - list.len()).is_err() {
            self.release(bytes);
            return Err(Refusal::Memory);
        }
        Ok(())
    }

    /// Appends copies of items.
    ///
    /// # Errors
    /// The list cannot grow.
    pub fn extend<T: Copy>(&mut self, list: &mut Vec<T>, items: &[T]) -> Result<(), Refusal> {
        self.reserve(list, items.len())?;
        list.extend_from_slice(items);
        Ok(())
    }

    /// A list of `n` times the same.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn filled<T: Clone>(&mut self, item: T, n: usize) -> Result<Vec<T>, Refusal> {
        let mut list = Vec::new();
        self.grow(&mut list, n)?;
        list.resize(n, item);
        Ok(list)
    }

    /// Frees a list.
    pub fn free<T>(&mut self, list: Vec<T>) {
        self.release(list.capacity().saturating_mul(size_of::<T>()));
    }

    /// A list that no longer grows.
    ///
    /// # Errors
    /// There is no memory for a copy, which is needed unless the list is full.
    pub fn boxed<T>(&mut self, mut list: Vec<T>) -> Result<Box<[T]>, Refusal> {
        if list.len() == list.capacity() {
            return Ok(list.into_boxed_slice());
        }
        let mut exact = Vec::new();
        self.grow(&mut exact, list.len())?;
        exact.append(&mut list);
        self.free(list);
        Ok(exact.into_boxed_slice())
    }

    /// A shared copy of `bytes`.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn shared(&mut self, bytes: &[u8]) -> Result<Arc<[u8]>, Refusal> {
        let size = bytes.len().saturating_add(16);
        self.charge(size)?;
        if size >= PROBED && Vec::<u8>::new().try_reserve_exact(size).is_err() {
            self.release(size);
            return Err(Refusal::Memory);
        }
        Ok(bytes.into())
    }

    /// Inserts into a map.
    ///
    /// # Errors
    /// The map cannot grow.
    pub fn insert<K: Eq + Hash, V, S: BuildHasher>(
        &mut self,
        map: &mut HashMap<K, V, S>,
        key: K,
        value: V,
    ) -> Result<(), Refusal> {
        if map.len() == map.capacity() {
            // Twofold, with a byte of control per bucket, and an eighth of the buckets free; the old
            // buckets are there meanwhile.
            let bucket = size_of::<(K, V)>() + 1;
            let buckets = (map.capacity() * 2).max(LEAST) / 7 * 8 + 8;
            let old = map.capacity() / 7 * 8 * bucket;
            let new = buckets.saturating_mul(bucket);
            self.charge(new)?;
            let grown = map.try_reserve(1);
            self.release(if grown.is_ok() { old } else { new });
            grown.map_err(|_| Refusal::Memory)?;
        }
        map.insert(key, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grants so many bytes, and so many polls.
    struct Fixed {
        bytes: usize,
        polls: usize,
    }

    impl Budget for Fixed {
        fn charge(&mut self, bytes: usize) -> Result<(), Refusal> {
            self.bytes = self.bytes.checked_sub(bytes).ok_or(Refusal::Memory)?;
            Ok(())
        }

        fn release(&mut self, bytes: usize) {
            self.bytes += bytes;
        }

        fn poll(&mut self) -> Result<(), Refusal> {
            self.polls = self.polls.checked_sub(1).ok_or(Refusal::Stopped)?;
            Ok(())
        }
    }

    #[test]
    fn lists_grow_up_to_the_budget() {
        let mut budget = Fixed { bytes: 100_000, polls: 0 };
        let mut meter = Meter::new(&mut budget);
        let mut list = Vec::new();
        while meter.push(&mut list, 0u64).is_ok() {}
        // What is short of a portion is granted too.
        assert_eq!(list.capacity(), 12_500);
        assert_eq!(meter.used(), 100_000);
        meter.free(list);
        assert_eq!(meter.used(), 0);
        drop(meter);
        assert_eq!(budget.bytes, 100_000);
    }

    #[test]
    fn all_is_given_back() {
        let mut budget = Fixed { bytes: 1 << 20, polls: 0 };
        let mut meter = Meter::new(&mut budget);
        let mut map = HashMap::new();
        for n in 0..5_000u32 {
            meter.insert(&mut map, n, n).unwrap();
        }
        assert!(meter.used() >= map.capacity() * 9, "{} {}", meter.used(), map.capacity());
        assert_eq!(&*meter.shared(b"abc").unwrap(), b"abc");
        assert_eq!(meter.shared(&[0; 1 << 20]), Err(Refusal::Memory));
        let mut list = Vec::new();
        meter.extend(&mut list, b"abcde").unwrap();
        meter.push(&mut list, b'f').unwrap();
        assert_eq!(&*meter.boxed(list).unwrap(), b"abcdef");
        drop(meter);
        assert_eq!(budget.bytes, 1 << 20);
    }

    #[test]
    fn polls_come_with_steps() {
        let mut budget = Fixed { bytes: 0, polls: 3 };
        let mut meter = Meter::new(&mut budget);
        let steps = (0..).take_while(|_| meter.step().is_ok()).count();
        assert_eq!(steps, 4 * POLL_STEPS as usize - 1);
        assert_eq!(meter.scan(POLL_BYTES), Err(Refusal::Stopped));
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let mut budget = Unlimited;
        let mut meter = Meter::new(&mut budget);
        let mut list: Vec<u64> = Vec::new();
        assert_eq!(meter.reserve(&mut list, usize::MAX / 4), Err(Refusal::Memory));
        assert_eq!(meter.reserve(&mut list, usize::MAX), Err(Refusal::Memory));
        assert_eq!(meter.used(), 0);
    }
}
