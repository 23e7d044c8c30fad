//! The hash part: a dictionary that remembers insertion order.
//!
//! ```text
//!   index    | 0 | h₂:2 | 0 | h₀:1 | h₁:3 | …     open addressing, hash bits and entry number + 1
//!   entries  | (k,v) | (k,nil) | (k,v) | …         in insertion order
//! ```
//!
//! Identity decides equality of keys except for two kinds: long strings (by bytes) and wide integers
//! (by value). Interned strings, tables and functions hash by address, so that a probe reads nothing
//! but index and entry; the hash in the index filters, and lets the index grow without looking at
//! keys.
//!
//! An integer's first places are those from its lowest bits on, if one of a few is free: neighbours and
//! progressions of keys then touch neighbouring memory. All other keys, and integers that find these
//! taken, go to the place of their hash, one of its next neighbours, or elsewhere.
//! Hashes are keyed ([`crate::hash`]): a program can fill the places of integers, and no others on purpose.
//!
//! A removed entry keeps its key and holds nil (so a traversal can go on from it, and the key takes
//! its old place if it comes back); such entries go when the part is rebuilt, which only the
//! insertion of a new key does. The collector does not keep the keys of removed entries alive; it
//! replaces dead ones by a value that is equal to no key.

use std::alloc::{Layout, alloc_zeroed};

use super::KeyError;
use crate::hash::Multiplier;
use crate::heap::Heap;
use crate::heap::huge::prefer_large_pages;
use crate::object::LuaString;
use crate::value::{TAG_INT, TAG_OTHER, TAG_STRING, Value};

/// The insertion-ordered hash part. Keys: every value but nil, NaN and strings held by the shape;
/// floats with integer value are normalised to integers.
pub struct HashPart {
    /// Key and value in insertion order; a nil value is a removed entry whose key still stands.
    pub entries: Vec<(Value, Value)>,
    /// Open-addressing index of 2ᵇ words: `hash << b | entry number + 1`, 0 for empty.
    pub index: Box<[u32]>,
    /// Entries whose value is not nil.
    pub live: u32,
    /// No entry before this one is live.
    pub first: u32,
    /// Hash bits to drop to get an index position.
    pub shift: u32,
    /// True once an integer key was stored.
    pub has_int_keys: bool,
    /// What keys that are compared by their bits are hashed with.
    pub multiplier: Multiplier,
}

/// Whether a string is compared by address.
#[inline(always)]
fn is_interned(s: *mut LuaString) -> bool {
    // SAFETY: string values point to live strings.
    unsafe { (*s).header.flags & LuaString::INTERNED != 0 }
}

/// Entries that an index of `n` words may serve.
const fn capacity_of(n: usize) -> usize {
    n / 2 + n / 8
}

/// Bytes of an index of `n` words and its entries.
const fn bytes_of(n: usize) -> usize {
    size_of::<HashPart>() + n * 4 + capacity_of(n) * size_of::<(Value, Value)>()
}

const SMALLEST_INDEX: usize = 8;

/// Index words from an integer's own place on that are tried before the place of its hash, and from a
/// hash's place on before the search goes elsewhere.
const NEAR: usize = 4;

/// The places that are tried behind the neighbours of a hash's own: a sequence that soon has nothing to do
/// with the place (so a run of places that a program has filled, say with integers, which are next to each
/// other, is left at once) and in the end goes through all, as a congruential generator does.
struct Far {
    at: usize,
    /// What parts hashes with the same place.
    rest: usize,
}

impl Far {
    #[inline(always)]
    fn new(hash: u32) -> Far {
        Far { at: 0, rest: hash.wrapping_mul(0x9E37_79B9) as usize }
    }

    #[inline(always)]
    fn next(&mut self) -> usize {
        self.at = self.at.wrapping_mul(5).wrapping_add(1).wrapping_add(self.rest);
        self.rest >>= 5;
        self.at
    }
}

/// What an index word holds.
enum Probe {
    Empty,
    /// The key that was asked for, in this entry.
    Found(usize),
    Other,
}

impl HashPart {
    /// A part with room for `n` keys.
    ///
    /// # Errors
    /// There is no room.
    pub fn with_room(heap: &mut Heap, n: usize) -> Result<HashPart, KeyError> {
        let mut size = SMALLEST_INDEX;
        while capacity_of(size) < n {
            size *= 2;
        }
        heap.admit(bytes_of(size))?;
        let mut entries = Vec::new();
        let (Ok(()), Some(index)) =
            (entries.try_reserve_exact(capacity_of(size)), zeroed_words(size))
        else {
            heap.exhausted();
            return Err(KeyError::Memory);
        };
        Ok(HashPart {
            entries,
            index,
            live: 0,
            first: 0,
            shift: 32 - size.trailing_zeros(),
            has_int_keys: false,
            multiplier: heap.multiplier(),
        })
    }

    /// Bytes held, for the heap's account.
    pub fn outside_bytes(&self) -> usize {
        size_of::<HashPart>()
            + self.entries.capacity() * size_of::<(Value, Value)>()
            + self.index.len() * 4
    }

    /// Whether a new key needs [`HashPart::rebuild`] first.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.entries.len() == capacity_of(self.index.len())
    }

    /// New keys that fit without [`HashPart::rebuild`].
    #[inline(always)]
    pub fn room(&self) -> usize {
        capacity_of(self.index.len()) - self.entries.len()
    }

    /// The entry whose index word has this hash and satisfies `same`.
    #[inline(always)]
    fn find_by(&self, hash: u32, mut same: impl FnMut(Value) -> bool) -> Option<usize> {
        let home = (hash >> self.shift) as usize;
        for step in 0..NEAR {
            match self.probe(home + step, hash, &mut same) {
                Probe::Empty => return None,
                Probe::Found(entry) => return Some(entry),
                Probe::Other => {}
            }
        }
        self.find_far(hash, same)
    }

    /// As [`HashPart::find_by`], behind the neighbours of the hash's place.
    #[cold]
    #[inline(never)]
    fn find_far(&self, hash: u32, mut same: impl FnMut(Value) -> bool) -> Option<usize> {
        let mut far = Far::new(hash);
        loop {
            match self.probe(far.next(), hash, &mut same) {
                Probe::Empty => return None,
                Probe::Found(entry) => return Some(entry),
                Probe::Other => {}
            }
        }
    }

    /// Looks at one index word.
    #[inline(always)]
    fn probe(&self, at: usize, hash: u32, same: &mut impl FnMut(Value) -> bool) -> Probe {
        let mask = self.index.len() - 1;
        let number = mask as u32;
        // SAFETY: `shift` leaves as many bits as the index's length has; entry numbers in it are below
        // `entries.len()`.
        unsafe {
            let word = *self.index.get_unchecked(at & mask);
            if word == 0 {
                return Probe::Empty;
            }
            if (word ^ hash << (32 - self.shift)) & !number == 0 {
                let entry = (word & number) as usize - 1;
                if same(self.entries.get_unchecked(entry).0) {
                    return Probe::Found(entry);
                }
            }
        }
        Probe::Other
    }

    /// The entry of an integer with this hash that satisfies `same`: first at the integer's own place,
    /// then at that of the hash.
    #[inline(always)]
    fn find_near(&self, i: u64, hash: u32, mut same: impl FnMut(Value) -> bool) -> Option<usize> {
        for step in 0..NEAR {
            match self.probe((i as usize).wrapping_add(step), hash, &mut same) {
                Probe::Empty => return None,
                Probe::Found(entry) => return Some(entry),
                Probe::Other => {}
            }
        }
        self.find_by(hash, same)
    }

    /// The entry of a key that is compared by its bits and is no integer: anything but numbers with
    /// integer value and long strings.
    #[inline(always)]
    pub fn find_bits(&self, key: Value) -> Option<usize> {
        self.find_by(self.multiplier.word(key.0), |k| k == key)
    }

    /// The entry of an integer.
    #[inline]
    pub fn find_int(&self, i: i64) -> Option<usize> {
        match Value::inline_int(i) {
            Some(key) => self.find_small_int(key),
            None => self.find_near(i as u64, self.multiplier.word(i as u64), |k| {
                k.as_wide_int() == Some(i)
            }),
        }
    }

    /// The entry of an inline integer.
    #[inline(always)]
    pub fn find_small_int(&self, key: Value) -> Option<usize> {
        self.find_near(key.0, self.multiplier.word(key.0), |k| k == key)
    }

    /// The entry of a long string.
    #[inline(never)]
    fn find_long(&self, heap: &mut Heap, s: *mut LuaString) -> Option<usize> {
        let hash = heap.str_hash(s);
        self.find_by(hash, |k| k.as_string().is_some_and(|other| heap.str_eq(other, s)))
    }

    /// The entry of any string.
    #[inline]
    pub fn find_str(&self, heap: &mut Heap, s: *mut LuaString) -> Option<usize> {
        if is_interned(s) { self.find_bits(Value::string(s)) } else { self.find_long(heap, s) }
    }

    /// The entry of any key (no float with integer value).
    #[inline]
    pub fn find(&self, heap: &mut Heap, key: Value) -> Option<usize> {
        match key.tag() {
            TAG_INT => self.find_small_int(key),
            TAG_STRING => self.find_str(heap, key.ptr()),
            TAG_OTHER => match key.as_wide_int() {
                Some(i) => self.find_int(i),
                None => self.find_bits(key),
            },
            _ => self.find_bits(key),
        }
    }

    #[inline(always)]
    fn hash_of(&self, heap: &mut Heap, key: Value) -> u32 {
        if let Some(s) = key.as_string()
            && !is_interned(s)
        {
            return heap.str_hash(s);
        }
        match key.as_wide_int() {
            Some(i) => self.multiplier.word(i as u64),
            None => self.multiplier.word(key.0),
        }
    }

    /// The value of entry `e`.
    #[inline(always)]
    pub fn value(&self, e: usize) -> Value {
        self.entries[e].1
    }

    /// Stores into entry `e`; nil removes it.
    #[inline(always)]
    pub fn store(&mut self, e: usize, value: Value) {
        let old = std::mem::replace(&mut self.entries[e].1, value);
        if old.is_nil() != value.is_nil() {
            self.change_live(e, value);
        }
    }

    #[inline(never)]
    fn change_live(&mut self, e: usize, value: Value) {
        if value.is_nil() {
            self.live -= 1;
        } else {
            self.live += 1;
            self.first = self.first.min(e as u32);
        }
    }

    /// Adds a key that is not there, with a value that is not nil. There must be room.
    pub fn insert(&mut self, heap: &mut Heap, key: Value, value: Value) {
        debug_assert!(!self.is_full() && !value.is_nil() && self.find(heap, key).is_none());
        self.entries.push((key, value));
        self.link_entry(heap, self.entries.len() - 1);
        self.live += 1;
        if key.as_int().is_some() {
            self.has_int_keys = true;
        }
    }

    /// Enters an entry into the index.
    #[inline(always)]
    fn link_entry(&mut self, heap: &mut Heap, entry: usize) {
        let key = self.entries[entry].0;
        let hash = self.hash_of(heap, key);
        let number = entry as u32 + 1;
        if let Some(i) = key.as_int() {
            let mask = self.index.len() - 1;
            for step in 0..NEAR {
                let word = &mut self.index[(i as usize).wrapping_add(step) & mask];
                if *word == 0 {
                    *word = hash << (32 - self.shift) | number;
                    return;
                }
            }
        }
        self.link(hash, number);
    }

    /// Enters an entry number + 1 into the index at the hash's place, or where [`HashPart::find_by`] looks
    /// next.
    #[inline(always)]
    fn link(&mut self, hash: u32, number: u32) {
        let mask = self.index.len() - 1;
        let mut at = (hash >> self.shift) as usize;
        for _ in 0..NEAR {
            if self.index[at & mask] == 0 {
                self.index[at & mask] = hash << (32 - self.shift) | number;
                return;
            }
            at += 1;
        }
        let mut far = Far::new(hash);
        loop {
            at = far.next();
            if self.index[at & mask] == 0 {
                break;
            }
        }
        self.index[at & mask] = hash << (32 - self.shift) | number;
    }

    /// Drops removed entries and makes room for at least `extra` more keys.
    ///
    /// # Errors
    /// There is no room; nothing has changed.
    pub fn rebuild(&mut self, heap: &mut Heap, extra: usize) -> Result<(), KeyError> {
        let mut size = SMALLEST_INDEX;
        // Room to spare, so that a part with as many removals as insertions is rebuilt rarely.
        let wanted = self.live as usize + extra;
        while capacity_of(size) < wanted + self.live as usize / 4 {
            size *= 2;
        }
        if size > heap.max_table {
            return Err(KeyError::Overflow);
        }
        let capacity = capacity_of(size);
        // While entries are copied there are both.
        heap.admit(bytes_of(size))?;
        let Some(index) = zeroed_words(size) else {
            heap.exhausted();
            return Err(KeyError::Memory);
        };
        let complete = self.live as usize == self.entries.len();
        let mut entries = Vec::new();
        let reserved = if complete {
            self.entries.try_reserve_exact(capacity - self.entries.len())
        } else {
            entries.try_reserve_exact(capacity)
        };
        if reserved.is_err() {
            heap.exhausted();
            return Err(KeyError::Memory);
        }
        heap.note_freed(bytes_of(self.index.len()));
        self.index = index;
        prefer_large_pages(self.index.as_ptr(), size);
        self.shift = 32 - size.trailing_zeros();
        if complete {
            prefer_large_pages(self.entries.as_ptr(), capacity);
        } else {
            prefer_large_pages(entries.as_ptr(), capacity);
            entries.extend(self.entries.iter().filter(|e| !e.1.is_nil()));
            self.has_int_keys = entries.iter().any(|e: &(Value, Value)| e.0.as_int().is_some());
            self.entries = entries;
            self.first = 0;
        }
        for e in 0..self.entries.len() {
            self.link_entry(heap, e);
        }
        Ok(())
    }

    /// The first live entry from number `from` on.
    #[inline]
    pub fn next_live(&mut self, from: usize) -> Option<usize> {
        let start = from.max(self.first as usize);
        let mut at = start;
        while at < self.entries.len() {
            if !self.entries[at].1.is_nil() {
                if start == self.first as usize {
                    self.first = at as u32;
                }
                return Some(at);
            }
            at += 1;
        }
        if start == self.first as usize {
            self.first = at as u32;
        }
        None
    }
}

/// `n` words (not 0) of zero, if there is memory for them.
fn zeroed_words(n: usize) -> Option<Box<[u32]>> {
    let layout = Layout::array::<u32>(n).ok()?;
    // SAFETY: the size is not 0; the words are zero, and the box has the layout they came with.
    unsafe {
        let words = alloc_zeroed(layout).cast::<u32>();
        (!words.is_null()).then(|| Box::from_raw(std::ptr::slice_from_raw_parts_mut(words, n)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Index words that a search for `key`, which is there, looks at.
    fn probes(part: &HashPart, heap: &mut Heap, key: Value) -> usize {
        let mask = part.index.len() - 1;
        let entry = part.find(heap, key).expect("inserted");
        let is_it = |at: usize| (part.index[at & mask] as usize & mask) == entry + 1;
        let hash = part.hash_of(heap, key);
        let home = (hash >> part.shift) as usize;
        let mut count = 0;
        if let Some(i) = key.as_int() {
            for step in 0..NEAR {
                count += 1;
                if is_it((i as usize).wrapping_add(step)) {
                    return count;
                }
            }
        }
        for step in 0..NEAR {
            count += 1;
            if is_it(home + step) {
                return count;
            }
        }
        let mut far = Far::new(hash);
        loop {
            count += 1;
            if is_it(far.next()) {
                return count;
            }
        }
    }

    /// Fills a hash part; the mean and the greatest number of probes.
    fn fill(heap: &mut Heap, keys: &[Value]) -> (f64, usize) {
        let mut part = HashPart::with_room(heap, 0).expect("room");
        for &key in keys {
            if part.find(heap, key).is_none() {
                if part.is_full() {
                    part.rebuild(heap, 1).expect("room");
                }
                part.insert(heap, key, Value::TRUE);
            }
        }
        let counts: Vec<usize> = keys.iter().map(|&key| probes(&part, heap, key)).collect();
        let sum: usize = counts.iter().sum();
        (sum as f64 / keys.len() as f64, counts.into_iter().max().unwrap_or(0))
    }

    /// The inverse of an odd number among the words.
    fn inverse(n: u64) -> u64 {
        (0..6).fold(n, |x, _| x.wrapping_mul(2u64.wrapping_sub(n.wrapping_mul(x))))
    }

    const COUNT: u64 = 20_000;

    fn patterns(heap: &mut Heap) -> Vec<(String, Vec<Value>)> {
        let mut all: Vec<(String, Vec<Value>)> = Vec::new();
        let float = |bits: u64| Value::float(f64::from_bits(bits));
        for k in 0..48 {
            let ints = (0..COUNT as i64).map(|i| heap.int(i << k)).collect();
            all.push((format!("integers << {k}"), ints));
        }
        for k in 0..39 {
            let one = 0x3FF0_0000_0000_0000;
            let floats = (1..=COUNT).map(|i| float(one + (i << k >> 1 << 1 | 1))).collect();
            all.push((format!("floats, mantissas << {k}"), floats));
        }
        let halves = (0..COUNT).map(|i| Value::float(i as f64 + 0.5)).collect();
        all.push(("halves".to_owned(), halves));
        let powers = (-1000..-1).map(|e| Value::float(2f64.powi(e))).collect();
        all.push(("powers of two".to_owned(), powers));
        // Words whose product with the multiplier that many hashes have starts with zeros.
        let undo = inverse(0x9E37_79B9_7F4A_7C15);
        let chosen: Vec<Value> = (1..COUNT * 20)
            .map(|i| f64::from_bits(undo.wrapping_mul(i)))
            .filter(|x| x.is_finite() && x.fract() != 0.0)
            .map(Value::float)
            .collect();
        all.push(("floats for the golden ratio".to_owned(), chosen));
        let chosen = (1..COUNT).map(|i| heap.int(undo.wrapping_mul(i) as i64)).collect();
        all.push(("integers for the golden ratio".to_owned(), chosen));
        // Integers fill a run of places; what comes later must not walk along it.
        let ints = (0..COUNT as i64).map(|i| 1_000_000 + i);
        let mut run: Vec<Value> = ints.map(Value::small_int).collect();
        run.extend((0..COUNT / 2).map(|i| Value::float(i as f64 + 0.25)));
        all.push(("a run of integers, then floats".to_owned(), run.clone()));
        run.truncate(COUNT as usize);
        run.extend((0..COUNT / 2).map(|i| heap.str_value(format!("key {i}").as_bytes())));
        all.push(("a run of integers, then strings".to_owned(), run));
        let strings = (0..COUNT).map(|i| {
            heap.str_value(
                &[&0xa076_1d64_78bd_642f_u64.to_le_bytes()[..], format!("{i:08}").as_bytes()]
                    .concat(),
            )
        });
        all.push(("short strings".to_owned(), strings.collect()));
        let strings = (0..COUNT as usize).map(|i| {
            let mut text = vec![b'x'; 200];
            text[80..88].copy_from_slice(format!("{i:08}").as_bytes());
            heap.str_value(&text)
        });
        all.push(("long strings".to_owned(), strings.collect()));
        let objects: Vec<Value> =
            (0..COUNT).map(|_| Value::table(crate::table::new_empty(heap))).collect();
        all.push(("tables".to_owned(), objects.clone()));
        let spread = objects.iter().step_by(16).copied().collect();
        all.push(("every 16th table".to_owned(), spread));
        all
    }

    /// Whatever the keys are, a search looks at a few places: at most 11 on average here, 31 for a single key.
    #[test]
    fn no_keys_make_searches_long() {
        for seed in 0..4 {
            let mut heap = Heap::new(seed);
            for (name, keys) in patterns(&mut heap) {
                let (mean, most) = fill(&mut heap, &keys);
                assert!(mean < 16.0, "seed {seed}, {name}: {mean} probes on average");
                assert!(most < 64, "seed {seed}, {name}: {most} probes");
            }
        }
    }
}
