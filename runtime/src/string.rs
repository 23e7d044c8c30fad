//! Strings: interning, flat long strings, buffers shared by appends, and ropes.
//!
//! ```text
//!   short (<= 40)  | head | bytes …                    interned: equal bytes, equal address
//!   inline long    | head | bytes …                    data -> tail
//!   OUTSIDE        | head | capacity | –               data -> allocation of its own
//!   SHARED         | head | *Buffer  | –               data -> Buffer's bytes, a prefix of them
//!   rope           | head | left     | right           data null
//! ```
//!
//! `s = s .. x` in a loop appends in place: the result shares its left operand's buffer when that
//! operand ends where the buffer's used part ends (as Go's slices do). So every operand stays valid, and the
//! loop is linear. Other concatenations of long strings make ropes, which are flattened in place when their
//! bytes are first needed.
//!
//! What is longer than a cell is charged (see [`crate::heap::door`]). Functions that cannot fail answer with a
//! stand-in when there is no memory: `not enough memory` for a new string, no bytes for those of a rope; the
//! error is noted then.

use std::alloc::Layout;
use std::cmp::Ordering;
use std::ptr;
use std::slice;

use crate::hash::HashKey;
use crate::heap::huge::prefer_large_pages;
use crate::heap::{GRANULE, Heap, MAX_SMALL, OutOfMemory, Phase, class_of};
use crate::object::{Header, Kind, LuaString};
use crate::table::KeyError;
use crate::value::Value;

/// Results up to this length are always flat.
pub const FLAT_MAX: usize = 1024;
/// Ropes deeper than this are flattened at once (which bounds the memory of their nodes).
pub const ROPE_DEPTH: u32 = 4096;
/// Left-deep ropes deeper than this become buffers.
const LEFT_DEPTH: u32 = 32;

/// A growable allocation that several strings see prefixes of. Bytes below `used` never change.
#[repr(C)]
pub(crate) struct Buffer {
    /// Strings that refer to it.
    refs: usize,
    /// Bytes in use: the longest prefix.
    used: usize,
    /// Bytes allocated.
    capacity: usize,
}

impl Buffer {
    fn layout(capacity: usize) -> Layout {
        Layout::from_size_align(size_of::<Buffer>() + capacity, 8).expect("string too long")
    }

    /// A buffer without bytes or references, if the system has memory for it.
    fn new(capacity: usize) -> Option<*mut Buffer> {
        let layout = Buffer::layout(capacity);
        // SAFETY: the size is not zero.
        let p = unsafe { std::alloc::alloc(layout) }.cast::<Buffer>();
        if p.is_null() {
            return None;
        }
        // SAFETY: freshly allocated.
        unsafe { p.write(Buffer { refs: 0, used: 0, capacity }) };
        Some(p)
    }

    /// Its first byte.
    fn bytes(this: *mut Buffer) -> *mut u8 {
        // SAFETY: the bytes follow the head in the same allocation.
        unsafe { this.cast::<u8>().add(size_of::<Buffer>()) }
    }

    /// Appends bytes that fit.
    ///
    /// # Safety
    /// The capacity must suffice; `bytes` may be a part of the buffer in use.
    unsafe fn push(this: *mut Buffer, bytes: &[u8]) {
        // SAFETY: the caller's contract; the target is not in use, so does not overlap.
        unsafe {
            let at = Buffer::bytes(this).add((*this).used);
            ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len());
            (*this).used += bytes.len();
        }
    }
}

/// The table of interned strings: open addressing with linear probing, no gaps left by removal.
///
/// An entry is the address above the low [`HASH_BITS`] bits of the hash (cells are aligned to 16, so
/// its low four bits are not needed); 0 is empty. So probes, removals and growth rarely touch a
/// string.
pub(crate) struct StringTable {
    entries: Box<[u64]>,
    /// Strings.
    pub(crate) count: usize,
    /// What all hashes of the state depend on.
    pub(crate) key: HashKey,
}

/// Bits of the hash in an entry.
const HASH_BITS: u32 = 20;
/// The smallest table.
const SMALLEST_TABLE: usize = 1024;

/// The string of an entry.
#[inline(always)]
fn entry_string(entry: u64) -> *mut LuaString {
    ptr::with_exposed_provenance_mut((entry >> HASH_BITS << 4) as usize)
}

/// The entry of a string.
#[inline(always)]
fn entry_of(s: *mut LuaString, hash: u32) -> u64 {
    (s.expose_provenance() as u64) >> 4 << HASH_BITS | hash_part(hash)
}

/// The hash bits of an entry.
#[inline(always)]
const fn hash_part(hash: u32) -> u64 {
    hash as u64 & ((1 << HASH_BITS) - 1)
}

/// Where an entry would stand in a table that has `mask + 1` entries, all empty.
#[inline(always)]
fn home(entry: u64, mask: usize) -> usize {
    if mask < 1 << HASH_BITS {
        entry as usize & mask
    } else {
        // SAFETY: the table holds valid strings only.
        unsafe { (*entry_string(entry)).hash as usize & mask }
    }
}

impl StringTable {
    pub(crate) fn new(seed: u64) -> StringTable {
        StringTable {
            entries: vec![0; SMALLEST_TABLE].into_boxed_slice(),
            count: 0,
            key: HashKey::new(seed),
        }
    }

    /// The hash of a string of this table.
    pub(crate) fn hash(&self, bytes: &[u8]) -> u32 {
        self.key.bytes(bytes)
    }

    /// Every interned string, dead ones not yet swept included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = *mut LuaString> {
        self.entries.iter().filter(|&&e| e != 0).map(|&e| entry_string(e))
    }

    /// Removes a string that is about to be freed.
    ///
    /// # Safety
    /// `s` must be a valid interned string of this table.
    pub(crate) unsafe fn remove(&mut self, s: *mut LuaString) {
        let mask = self.entries.len() - 1;
        // SAFETY: the caller's contract.
        let hash = unsafe { (*s).hash };
        let wanted = entry_of(s, hash);
        let mut hole = hash as usize & mask;
        while self.entries[hole] != wanted {
            debug_assert!(self.entries[hole] != 0, "interned string missing from the table");
            if self.entries[hole] == 0 {
                return;
            }
            hole = (hole + 1) & mask;
        }
        self.count -= 1;
        // Move back what would not be found behind a gap.
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let e = self.entries[at];
            if e == 0 {
                break;
            }
            if at.wrapping_sub(home(e, mask)) & mask >= at.wrapping_sub(hole) & mask {
                self.entries[hole] = e;
                hole = at;
            }
        }
        self.entries[hole] = 0;
    }

    /// Adds a string that is not there.
    fn insert(&mut self, entry: u64, hash: u32) {
        let mask = self.entries.len() - 1;
        let mut i = hash as usize & mask;
        while self.entries[i] != 0 {
            i = (i + 1) & mask;
        }
        self.entries[i] = entry;
        self.count += 1;
    }

    /// Whether another string is one too many for quick searches.
    fn is_crowded(&self) -> bool {
        (self.count + 1) * 2 > self.entries.len()
    }

    /// Makes the table smaller after most strings have died, and answers how many bytes are free.
    pub(crate) fn shrink(&mut self) -> usize {
        let (size, old) =
            ((self.count * 3).next_power_of_two().max(SMALLEST_TABLE), self.entries.len());
        if size * 2 < old && self.resize(size).is_some() { (old - size) * 8 } else { 0 }
    }

    /// Bytes that the table takes beyond the smallest one.
    pub(crate) fn accounted(&self) -> usize {
        (self.entries.len() - SMALLEST_TABLE) * 8
    }

    /// Gives the table another size; `None`, and nothing done, when there is no memory.
    #[cold]
    fn resize(&mut self, size: usize) -> Option<()> {
        let mask = size - 1;
        let mut entries = Vec::new();
        entries.try_reserve_exact(size).ok()?;
        entries.resize(size, 0u64);
        let mut entries = entries.into_boxed_slice();
        prefer_large_pages(entries.as_ptr(), size);
        for &e in self.entries.iter().filter(|&&e| e != 0) {
            let mut i = home(e, mask);
            while entries[i] != 0 {
                i = (i + 1) & mask;
            }
            entries[i] = e;
        }
        self.entries = entries;
        Some(())
    }
}

/// Compares the bytes at `a` with as many of `b`, at most [`LuaString::MAX_SHORT`]; without a call.
///
/// # Safety
/// `a` must be valid for reads of `b.len()` bytes.
#[inline(always)]
unsafe fn eq_short(a: *const u8, b: &[u8]) -> bool {
    let (n, b) = (b.len(), b.as_ptr());
    // SAFETY: all offsets lie within the `n` bytes.
    unsafe {
        let word = |at: usize| {
            a.add(at).cast::<u64>().read_unaligned() ^ b.add(at).cast::<u64>().read_unaligned()
        };
        let half = |at: usize| {
            a.add(at).cast::<u32>().read_unaligned() ^ b.add(at).cast::<u32>().read_unaligned()
        };
        if n >= 8 {
            let mut different = word(n - 8);
            let mut at = 0;
            while at + 8 < n {
                different |= word(at);
                at += 8;
            }
            different == 0
        } else if n >= 4 {
            half(0) | half(n - 4) == 0
        } else {
            (0..n).all(|i| *a.add(i) == *b.add(i))
        }
    }
}

impl LuaString {
    /// The bytes of a flat string; `None` for a rope.
    #[inline(always)]
    pub fn flat_bytes(&self) -> Option<&[u8]> {
        if self.data.is_null() {
            None
        } else {
            // SAFETY: a flat string's `data` points to `len` bytes that live as long as it does.
            Some(unsafe { slice::from_raw_parts(self.data, self.len) })
        }
    }

    /// True for interned strings, which compare by address.
    #[inline(always)]
    pub fn is_interned(&self) -> bool {
        self.header.flags & LuaString::INTERNED != 0
    }

    /// The two halves of a rope.
    ///
    /// # Safety
    /// `this` must be a rope.
    #[inline(always)]
    pub(crate) unsafe fn halves(this: *mut LuaString) -> [*mut LuaString; 2] {
        // SAFETY: a rope's tail holds them.
        unsafe { *(&raw mut (*this).tail).cast::<[*mut LuaString; 2]>() }
    }

    fn word(this: *mut LuaString) -> *mut usize {
        // SAFETY: only the address within the object is computed.
        unsafe { (&raw mut (*this).tail).cast() }
    }
}

/// Bytes of an object with a pointer-sized word and a spare one behind the head.
const OUTSIDE_SIZE: usize = size_of::<LuaString>() + 16;

impl Heap {
    /// A string of these bytes: interned when short.
    #[inline]
    pub fn new_string(&mut self, bytes: &[u8]) -> *mut LuaString {
        match *bytes {
            [byte] => self.byte_string(byte),
            [..] if bytes.len() <= LuaString::MAX_SHORT => self.intern(bytes),
            [..] => self.long_string(bytes),
        }
    }

    /// [`Heap::new_string`] as a value.
    #[inline]
    pub fn str_value(&mut self, bytes: &[u8]) -> Value {
        Value::string(self.new_string(bytes))
    }

    /// The string of one byte.
    #[inline]
    pub fn byte_string(&mut self, byte: u8) -> *mut LuaString {
        let known = self.byte_strings[usize::from(byte)];
        if !known.is_null() {
            return known;
        }
        let text = self.intern(&[byte]);
        self.byte_strings[usize::from(byte)] = text;
        text
    }

    /// The interned string of at most [`LuaString::MAX_SHORT`] bytes.
    pub fn intern(&mut self, bytes: &[u8]) -> *mut LuaString {
        debug_assert!(bytes.len() <= LuaString::MAX_SHORT);
        let hash = self.strings.key.bytes(bytes);
        let wanted = hash_part(hash);
        let mask = self.strings.entries.len() - 1;
        let mut i = hash as usize & mask;
        loop {
            let e = self.strings.entries[i];
            if e == 0 {
                break;
            }
            if hash_part(e as u32) == wanted {
                let s = entry_string(e);
                // SAFETY: the table holds valid strings only, and interned ones are flat.
                unsafe {
                    if (*s).len == bytes.len() && eq_short((*s).data, bytes) {
                        if self.phase == Phase::Sweep {
                            self.revive_interned(s);
                        }
                        return s;
                    }
                }
            }
            i = (i + 1) & mask;
        }
        if self.strings.is_crowded() {
            self.grow_strings();
        }
        // The allocation may sweep strings out of the table, so the place is looked for again.
        let s = self.alloc_inline(bytes, LuaString::INTERNED | LuaString::HASHED, hash);
        self.strings.insert(entry_of(s, hash), hash);
        s
    }

    /// Makes the table of interned strings larger. Without memory it gets more crowded, up to a point.
    #[cold]
    #[inline(never)]
    fn grow_strings(&mut self) {
        let (count, size) = (self.strings.count, self.strings.entries.len());
        let grown = self.admit(size * 16).is_ok() && self.strings.resize(size * 2).is_some();
        if grown {
            self.account((size * 8) as isize);
        } else {
            self.refuse(KeyError::Memory);
            if count + 1 >= size - size / 8 {
                self.strings.resize(size * 2).expect("memory for the table of strings");
                self.account((size * 8) as isize);
            }
        }
    }

    /// Keeps an interned string that is used again while a sweep goes on. One that was found dead lives
    /// again, and pays for sweeping like the new string that it stands for: otherwise a program that
    /// makes the same strings in each cycle would have all of them back before any is freed.
    ///
    /// # Safety
    /// `s` must be a valid interned string.
    unsafe fn revive_interned(&mut self, s: *mut LuaString) {
        // SAFETY: the caller's contract.
        unsafe {
            if (*s).header.color == self.dead_color {
                self.charge(class_of(size_of::<LuaString>() + (*s).len) * GRANULE);
            }
            (*s).header.color = self.alloc_color;
        }
    }

    /// A string with its bytes behind the head.
    #[inline(always)]
    fn alloc_inline(&mut self, bytes: &[u8], flags: u8, hash: u32) -> *mut LuaString {
        let p: *mut LuaString = self.alloc(Kind::String, size_of::<LuaString>() + bytes.len());
        // SAFETY: the cell has room for the head and the bytes.
        unsafe {
            (*p).header.flags = flags;
            (*p).len = bytes.len();
            (*p).hash = hash;
            (*p).depth = 0;
            let data = (&raw mut (*p).tail).cast::<u8>();
            (*p).data = data;
            ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
        }
        p
    }

    fn long_string(&mut self, bytes: &[u8]) -> *mut LuaString {
        match self.try_long_string(bytes) {
            Ok(s) => s,
            Err(OutOfMemory) => {
                self.refuse(KeyError::Memory);
                self.memory_message
            }
        }
    }

    /// [`Heap::new_string`], fallible.
    ///
    /// # Errors
    /// There is no memory.
    #[inline]
    pub fn try_string(&mut self, bytes: &[u8]) -> Result<*mut LuaString, OutOfMemory> {
        if bytes.len() <= LuaString::MAX_SHORT {
            return Ok(self.new_string(bytes));
        }
        self.try_long_string(bytes)
    }

    fn try_long_string(&mut self, bytes: &[u8]) -> Result<*mut LuaString, OutOfMemory> {
        if bytes.len() <= MAX_SMALL - size_of::<LuaString>() {
            return Ok(self.alloc_inline(bytes, 0, 0));
        }
        let mut copy = self.try_vec(bytes.len())?;
        copy.extend_from_slice(bytes);
        Ok(self.outside(copy))
    }

    /// An empty vector for as many bytes, which are granted and not counted.
    fn try_vec(&mut self, capacity: usize) -> Result<Vec<u8>, OutOfMemory> {
        self.admit(capacity)?;
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(capacity).is_err() {
            self.exhausted();
            return Err(OutOfMemory);
        }
        Ok(bytes)
    }

    /// A string that takes over `bytes`, which were granted; long ones without copying.
    pub fn string_from_vec(&mut self, mut bytes: Vec<u8>) -> *mut LuaString {
        if bytes.len() <= MAX_SMALL - size_of::<LuaString>() {
            return self.new_string(&bytes);
        }
        if bytes.capacity() > bytes.len() + bytes.len() / 4 {
            bytes.shrink_to_fit();
        }
        self.outside(bytes)
    }

    fn outside(&mut self, bytes: Vec<u8>) -> *mut LuaString {
        let p: *mut LuaString = self.alloc(Kind::String, OUTSIDE_SIZE);
        // SAFETY: the cell has room for a head and two words.
        unsafe {
            (*p).hash = 0;
            (*p).depth = 0;
            self.set_outside(p, bytes);
        }
        p
    }

    /// Makes `s` own `bytes`.
    ///
    /// # Safety
    /// `s` must be a string object of [`OUTSIDE_SIZE`] that owns nothing.
    unsafe fn set_outside(&mut self, s: *mut LuaString, bytes: Vec<u8>) {
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        self.account(bytes.capacity() as isize);
        // SAFETY: the caller's contract.
        unsafe {
            (*s).header.flags |= LuaString::OUTSIDE;
            (*s).len = bytes.len();
            (*s).data = bytes.as_mut_ptr();
            *LuaString::word(s) = bytes.capacity();
        }
    }

    /// Makes `s` a string of all bytes in use of `buffer`.
    ///
    /// # Safety
    /// `s` must be a string object of [`OUTSIDE_SIZE`] that owns nothing.
    unsafe fn set_shared(&mut self, s: *mut LuaString, buffer: *mut Buffer) {
        // SAFETY: the caller's contract.
        unsafe {
            (*buffer).refs += 1;
            (*s).header.flags |= LuaString::SHARED;
            (*s).len = (*buffer).used;
            (*s).data = Buffer::bytes(buffer);
            *LuaString::word(s) = buffer.expose_provenance();
        }
    }

    fn shared(&mut self, buffer: *mut Buffer) -> *mut LuaString {
        let p: *mut LuaString = self.alloc(Kind::String, OUTSIDE_SIZE);
        // SAFETY: the cell has room for a head and two words.
        unsafe {
            (*p).hash = 0;
            (*p).depth = 0;
            self.set_shared(p, buffer);
        }
        p
    }

    /// A buffer for `least` bytes, if possible with as much room again.
    fn new_buffer(&mut self, least: usize) -> Result<*mut Buffer, OutOfMemory> {
        let whole = |capacity: usize| size_of::<Buffer>() + capacity;
        let mut capacity = least * 2;
        if self.admit(whole(capacity)).is_err() {
            capacity = least;
            self.admit(whole(capacity))?;
        }
        match Buffer::new(capacity) {
            Some(buffer) => {
                self.account(whole(capacity) as isize);
                Ok(buffer)
            }
            None => {
                self.exhausted();
                Err(OutOfMemory)
            }
        }
    }

    /// Frees what a dead string holds outside of its cell, and forgets an interned one.
    ///
    /// # Safety
    /// `s` must be a string about to be freed.
    pub(crate) unsafe fn drop_string(&mut self, s: *mut LuaString) {
        // SAFETY: the caller's contract; the flags say what the word behind the head is.
        unsafe {
            let flags = (*s).header.flags;
            if flags & LuaString::INTERNED != 0 {
                self.strings.remove(s);
            } else if flags & LuaString::OUTSIDE != 0 {
                let capacity = *LuaString::word(s);
                self.forget_bytes(capacity);
                drop(Vec::from_raw_parts((*s).data.cast_mut(), (*s).len, capacity));
                self.note_freed(capacity);
            } else if flags & LuaString::SHARED != 0 {
                let buffer = LuaString::buffer(s);
                (*buffer).refs -= 1;
                if (*buffer).refs == 0 {
                    let layout = Buffer::layout((*buffer).capacity);
                    self.forget_bytes(layout.size());
                    std::alloc::dealloc(buffer.cast(), layout);
                    self.note_freed(layout.size());
                }
            }
        }
    }

    /// The bytes of a string; a rope is flattened. They stay valid while the string is reachable.
    ///
    /// # Errors
    /// There is no memory.
    #[inline(always)]
    pub fn try_bytes<'a>(&mut self, s: *mut LuaString) -> Result<&'a [u8], OutOfMemory> {
        // SAFETY: `s` is a live string; bytes of a flat string never change.
        unsafe {
            if (*s).data.is_null() {
                self.flatten(s)?;
            }
            Ok(slice::from_raw_parts((*s).data, (*s).len))
        }
    }

    /// [`Heap::try_bytes`]; without memory that is noted, and there are none.
    #[inline(always)]
    pub fn str_bytes<'a>(&mut self, s: *mut LuaString) -> &'a [u8] {
        match self.try_bytes(s) {
            Ok(bytes) => bytes,
            Err(OutOfMemory) => {
                self.refuse(KeyError::Memory);
                &[]
            }
        }
    }

    /// Makes a rope flat, in place.
    ///
    /// # Errors
    /// There is no memory; it stays a rope.
    #[cold]
    #[inline(never)]
    pub fn flatten(&mut self, s: *mut LuaString) -> Result<(), OutOfMemory> {
        // SAFETY: `s` is live and so is all it refers to; the cell of a rope has OUTSIDE_SIZE.
        unsafe {
            if !(*s).data.is_null() {
                return Ok(());
            }
            let mut bytes = self.try_vec((*s).len)?;
            append_rope(s, &mut bytes);
            (*s).depth = 0;
            self.set_outside(s, bytes);
            Ok(())
        }
    }

    /// The hash of a string; equal for equal bytes. Of a rope that cannot be flattened it is 0, and that is
    /// noted.
    #[inline]
    pub fn str_hash(&mut self, s: *mut LuaString) -> u32 {
        // SAFETY: `s` is a live string.
        unsafe {
            if (*s).header.flags & LuaString::HASHED == 0 {
                let bytes = self.str_bytes(s);
                if (*s).data.is_null() {
                    return 0;
                }
                let hash = self.strings.key.bytes(bytes);
                (*s).hash = hash;
                (*s).header.flags |= LuaString::HASHED;
            }
            (*s).hash
        }
    }

    /// Equality of strings.
    #[inline(always)]
    pub fn str_eq(&mut self, a: *mut LuaString, b: *mut LuaString) -> bool {
        // SAFETY: both are live strings.
        a == b
            || unsafe {
                ((*a).header.flags | (*b).header.flags) & LuaString::INTERNED == 0
                    && (*a).len == (*b).len
                    && self.long_eq(a, b)
            }
    }

    #[inline(never)]
    fn long_eq(&mut self, a: *mut LuaString, b: *mut LuaString) -> bool {
        match (self.try_bytes(a), self.try_bytes(b)) {
            (Ok(a), Ok(b)) => a == b,
            _ => {
                self.refuse(KeyError::Memory);
                false
            }
        }
    }

    /// Order of strings: by bytes, as `strcoll` in the C locale.
    #[inline]
    pub fn str_cmp(&mut self, a: *mut LuaString, b: *mut LuaString) -> Ordering {
        self.str_bytes(a).cmp(self.str_bytes(b))
    }

    /// `a .. b`. The caller has checked that the length is acceptable.
    ///
    /// # Errors
    /// There is no memory.
    pub fn concat(
        &mut self,
        a: *mut LuaString,
        b: *mut LuaString,
    ) -> Result<*mut LuaString, OutOfMemory> {
        // SAFETY: both are live strings, and nothing is freed here.
        unsafe {
            let (la, lb) = ((*a).len, (*b).len);
            if lb == 0 {
                return Ok(a);
            }
            if la == 0 {
                return Ok(b);
            }
            let total = la + lb;
            if total <= LuaString::MAX_SHORT {
                let mut bytes = [0u8; LuaString::MAX_SHORT];
                ptr::copy_nonoverlapping((*a).data, bytes.as_mut_ptr(), la);
                ptr::copy_nonoverlapping((*b).data, bytes.as_mut_ptr().add(la), lb);
                return Ok(self.intern(&bytes[..total]));
            }
            if (*a).header.flags & LuaString::SHARED != 0 {
                return self.append(a, &[b], lb);
            }
            if total <= FLAT_MAX {
                // A result of concatenation that grows again: probably built in a loop.
                if (*a).header.flags & LuaString::CONCAT != 0 && lb <= la && total > 128 {
                    return self.append(a, &[b], lb);
                }
                return self.concat_flat(&[a, b], total);
            }
            if (*a).depth >= LEFT_DEPTH && lb <= la
                || (*a).header.flags & LuaString::CONCAT != 0 && lb <= la / 4
            {
                return self.append(a, &[b], lb);
            }
            self.rope(a, b)
        }
    }

    /// `parts[0] .. parts[1] .. …`, at least one. The caller has checked the total length.
    ///
    /// # Errors
    /// There is no memory.
    pub fn concat_many(&mut self, parts: &[*mut LuaString]) -> Result<*mut LuaString, OutOfMemory> {
        match *parts {
            [] => return Ok(self.intern(b"")),
            [a] => return Ok(a),
            [a, b] => return self.concat(a, b),
            _ => {}
        }
        // SAFETY: all are live strings, and nothing is freed here.
        unsafe {
            let total: usize = parts.iter().map(|&s| (*s).len).sum();
            let first = parts[0];
            let rest = total - (*first).len;
            let growing = (*first).header.flags & LuaString::CONCAT != 0
                && total > 128
                && rest <= (*first).len;
            if (*first).header.flags & LuaString::SHARED != 0 && rest > 0 || growing {
                return self.append(first, &parts[1..], rest);
            }
            if total <= FLAT_MAX {
                return self.concat_flat(parts, total);
            }
            // From the right, runs of short parts as one.
            let mut end = parts.len();
            let mut acc = ptr::null_mut::<LuaString>();
            while end > 0 {
                let (mut start, mut length) = (end - 1, (*parts[end - 1]).len);
                while start > 0 && length + (*parts[start - 1]).len <= FLAT_MAX {
                    start -= 1;
                    length += (*parts[start]).len;
                }
                let run = match end - start {
                    1 => parts[start],
                    _ => self.concat_flat(&parts[start..end], length)?,
                };
                acc = if acc.is_null() { run } else { self.concat(run, acc)? };
                end = start;
            }
            Ok(acc)
        }
    }

    /// A flat string of all parts.
    ///
    /// # Safety
    /// The parts must be live strings of `total` bytes together.
    unsafe fn concat_flat(
        &mut self,
        parts: &[*mut LuaString],
        total: usize,
    ) -> Result<*mut LuaString, OutOfMemory> {
        let mut short = [0u8; LuaString::MAX_SHORT];
        if total > LuaString::MAX_SHORT && total <= MAX_SMALL - size_of::<LuaString>() {
            let p: *mut LuaString = self.alloc(Kind::String, size_of::<LuaString>() + total);
            // SAFETY: the cell has room for the head and `total` bytes.
            unsafe {
                (*p).header.flags = LuaString::CONCAT;
                (*p).len = total;
                (*p).hash = 0;
                (*p).depth = 0;
                let mut at = (&raw mut (*p).tail).cast::<u8>();
                (*p).data = at;
                for &s in parts {
                    let bytes = self.part_bytes(s);
                    ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len());
                    at = at.add(bytes.len());
                }
            }
            return Ok(p);
        }
        if total <= LuaString::MAX_SHORT {
            let mut n = 0;
            for &s in parts {
                let bytes = self.part_bytes(s);
                short[n..n + bytes.len()].copy_from_slice(bytes);
                n += bytes.len();
            }
            return Ok(self.intern(&short[..n]));
        }
        let mut bytes = self.try_vec(total)?;
        for &s in parts {
            bytes.extend_from_slice(self.part_bytes(s));
        }
        let p = self.outside(bytes);
        // SAFETY: a new string.
        unsafe { (*p).header.flags |= LuaString::CONCAT };
        Ok(p)
    }

    /// The bytes of a string that is flat, as all of at most [`FLAT_MAX`] bytes are.
    fn part_bytes<'a>(&mut self, s: *mut LuaString) -> &'a [u8] {
        // SAFETY: `s` is a live string; its bytes never change.
        unsafe {
            debug_assert!(!(*s).data.is_null());
            slice::from_raw_parts((*s).data, (*s).len)
        }
    }

    /// `a` followed by `parts` of `rest` bytes: in the buffer of `a` where it has room at its end,
    /// else in a new one with room to grow.
    ///
    /// # Safety
    /// All must be live strings, longer than a short one together.
    unsafe fn append(
        &mut self,
        a: *mut LuaString,
        parts: &[*mut LuaString],
        rest: usize,
    ) -> Result<*mut LuaString, OutOfMemory> {
        // SAFETY: the caller's contract; what is needed of the parts is flat before it is copied.
        unsafe {
            for &part in parts {
                self.try_bytes(part)?;
            }
            let length = (*a).len;
            let mut buffer = ptr::null_mut();
            if (*a).header.flags & LuaString::SHARED != 0 {
                let b = LuaString::buffer(a);
                if (*b).used == length && (*b).capacity - length >= rest {
                    buffer = b;
                }
            }
            if buffer.is_null() {
                let bytes = self.try_bytes(a)?;
                buffer = self.new_buffer(length + rest)?;
                Buffer::push(buffer, bytes);
            }
            for &part in parts {
                Buffer::push(buffer, self.part_bytes(part));
            }
            Ok(self.shared(buffer))
        }
    }

    /// A rope of two strings.
    ///
    /// # Safety
    /// Both must be live strings.
    unsafe fn rope(
        &mut self,
        a: *mut LuaString,
        b: *mut LuaString,
    ) -> Result<*mut LuaString, OutOfMemory> {
        // SAFETY: the caller's contract.
        if self.is_beyond(unsafe { (*a).len + (*b).len }) {
            return Err(OutOfMemory);
        }
        let p: *mut LuaString = self.alloc(Kind::String, OUTSIDE_SIZE);
        // SAFETY: the cell has room for a head and two words; the operands are live.
        unsafe {
            (*p).len = (*a).len + (*b).len;
            (*p).data = ptr::null();
            (*p).hash = 0;
            (*p).depth = 1 + (*a).depth.max((*b).depth);
            *(&raw mut (*p).tail).cast::<[*mut LuaString; 2]>() = [a, b];
            if (*p).depth > ROPE_DEPTH {
                self.flatten(p)?;
            }
        }
        Ok(p)
    }
}

impl LuaString {
    /// The buffer of a `SHARED` string.
    ///
    /// # Safety
    /// `this` must be one.
    pub(crate) unsafe fn buffer(this: *mut LuaString) -> *mut Buffer {
        // SAFETY: the word behind the head holds it.
        ptr::with_exposed_provenance_mut(unsafe { *LuaString::word(this) })
    }

    /// Bytes that the string holds outside of its cell, and the address of a shared buffer or 0.
    ///
    /// # Safety
    /// `this` must be a live string.
    pub(crate) unsafe fn outside_bytes(this: *mut LuaString) -> (usize, usize) {
        // SAFETY: the flags say what the word behind the head is.
        unsafe {
            if (*this).header.flags & LuaString::OUTSIDE != 0 {
                (*LuaString::word(this), 0)
            } else if (*this).header.flags & LuaString::SHARED != 0 {
                let buffer = LuaString::buffer(this);
                (size_of::<Buffer>() + (*buffer).capacity, buffer.addr())
            } else {
                (0, 0)
            }
        }
    }
}

/// Appends the bytes of a rope, iteratively.
///
/// # Safety
/// `s` must be a live string.
unsafe fn append_rope(s: *mut LuaString, out: &mut Vec<u8>) {
    let mut todo = vec![s];
    while let Some(s) = todo.pop() {
        // SAFETY: what a live rope refers to is live.
        unsafe {
            match (*s).flat_bytes() {
                Some(bytes) => out.extend_from_slice(bytes),
                None => {
                    let [left, right] = LuaString::halves(s);
                    todo.push(right);
                    todo.push(left);
                }
            }
        }
    }
}

/// The header's size is part of every object's layout.
const _: () = assert!(size_of::<Header>() == 8);

#[cfg(test)]
mod tests {
    use super::*;

    fn text(heap: &mut Heap, s: *mut LuaString) -> Vec<u8> {
        heap.str_bytes(s).to_vec()
    }

    #[test]
    fn short_strings_are_interned() {
        let mut heap = Heap::new(42);
        let a = heap.new_string(b"hello");
        let b = heap.new_string(b"hello");
        assert_eq!(a, b);
        let parts = [heap.new_string(b"hel"), heap.new_string(b"lo")];
        assert_eq!(heap.concat(parts[0], parts[1]).unwrap(), a);
        for n in 0..=LuaString::MAX_SHORT {
            let bytes = vec![b'x'; n];
            let s = heap.new_string(&bytes);
            assert_eq!(text(&mut heap, s), bytes);
            assert_eq!(heap.string_from_vec(bytes), s);
        }
    }

    #[test]
    fn long_strings_compare_by_content() {
        let mut heap = Heap::new(42);
        for n in [41, 100, 480, 481, 5000] {
            let bytes: Vec<u8> = (0..n).map(|i| i as u8).collect();
            let a = heap.new_string(&bytes);
            let b = heap.string_from_vec(bytes.clone());
            assert_ne!(a, b);
            assert!(heap.str_eq(a, b));
            assert_eq!(heap.str_hash(a), heap.str_hash(b));
            let half = n / 2;
            let left = heap.new_string(&bytes[..half]);
            let right = heap.new_string(&bytes[half..]);
            let c = heap.concat(left, right).unwrap();
            assert!(heap.str_eq(a, c));
            assert_eq!(heap.str_hash(a), heap.str_hash(c));
            assert_eq!(heap.str_cmp(a, c), Ordering::Equal);
        }
    }

    #[test]
    fn appending_shares_and_stays_right() {
        let mut heap = Heap::new(1);
        let mut s = heap.new_string(b"");
        let mut expected = Vec::new();
        let mut kept = Vec::new();
        for i in 0..3000 {
            let piece = format!("{i},");
            let p = heap.new_string(piece.as_bytes());
            s = heap.concat(s, p).unwrap();
            expected.extend_from_slice(piece.as_bytes());
            if i % 100 == 0 {
                kept.push((s, expected.len()));
                // A second append to the same string must not disturb the first.
                let other = heap.concat(s, p).unwrap();
                let got = text(&mut heap, other);
                assert_eq!(got[..expected.len()], expected[..]);
                assert_eq!(&got[expected.len()..], piece.as_bytes());
            }
        }
        assert_eq!(text(&mut heap, s), expected);
        for (s, n) in kept {
            assert_eq!(text(&mut heap, s), expected[..n]);
        }
    }

    #[test]
    fn prepending_and_nesting() {
        let mut heap = Heap::new(1);
        let mut s = heap.new_string(b"end");
        let mut expected = b"end".to_vec();
        for i in 0..10_000 {
            let piece = format!("{i};");
            let p = heap.new_string(piece.as_bytes());
            s = heap.concat(p, s).unwrap();
            expected.splice(0..0, piece.bytes());
        }
        assert_eq!(text(&mut heap, s), expected);
        let (open, close) = (heap.new_string(b"("), heap.new_string(b")"));
        for _ in 0..2000 {
            s = heap.concat_many(&[open, s, close]).unwrap();
            expected.insert(0, b'(');
            expected.push(b')');
        }
        assert_eq!(text(&mut heap, s), expected);
    }

    #[test]
    fn many_parts() {
        let mut heap = Heap::new(1);
        for n in 0..12 {
            let mut expected = Vec::new();
            let parts: Vec<_> = (0..n)
                .map(|i| {
                    let bytes = vec![b'a' + i as u8; (i * 97) % 700];
                    expected.extend_from_slice(&bytes);
                    heap.new_string(&bytes)
                })
                .collect();
            let s = heap.concat_many(&parts).unwrap();
            assert_eq!(text(&mut heap, s), expected);
        }
    }
}
