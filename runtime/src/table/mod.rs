//! Tables: record slots, array part and hash part under one set of raw operations.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | creation, release, access by any key |
//! | [`array`] | keys `1 ..= arr_cap`: growth, shrinking, shifting |
//! | [`record`] | short string keys: slots by shape, dictionary mode |
//! | [`hash`] | everything else, in insertion order |
//! | [`traverse`] | `next` |
//! | [`metatable`] | metatables, metamethod lookup, what writes to methods invalidate |
//! | [`cache`] | resolution of field accesses for inline caches |
//!
//! All operations are raw (no metamethods), none collects. What finds no room for a key changes nothing
//! and notes that ([`Heap::refuse`]): it becomes an error where the caller asks, at the next safepoint at the
//! latest. Invariants beyond those at [`Table`]:
//!
//! * The hash part holds neither an integer key in `1 ..= arr_cap` nor `arr_len + 1`, and array slots
//!   from `arr_len` on are nil; so `arr_len` is always a border. (Except in a table that found no room for a
//!   larger array: `arr_len + 1` may then stay in the hash part.)
//! * A short string is a key of the hash part only if the shape is a dictionary, and then it is in no
//!   slot.
//! * `header.aux` covers the kinds of all elements, and `HOLES` if one below `arr_len` is nil.
//! * `header.extra` counts the record keys that were added by computed index.

// Pointers to heap objects are valid until the next safepoint, wherever they come from.
#![allow(clippy::not_unsafe_ptr_arg_deref)]

pub mod array;
pub mod cache;
pub mod hash;
pub mod metatable;
pub mod record;
pub mod traverse;

#[cfg(test)]
mod tests;

use std::ptr;

use crate::heap::Heap;
use crate::object::{Kind, LuaString, Shape, Table, element_kind};
use crate::value::{TAG_IMMEDIATE, TAG_INT, TAG_OTHER, TAG_STRING, Value};
use hash::HashPart;

/// Why a key cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The key is nil.
    Nil,
    /// The key is a NaN.
    Nan,
    /// The table cannot have more keys.
    Overflow,
    /// There is no memory for another key.
    Memory,
}

impl KeyError {
    /// The message of the Lua error.
    pub fn message(self) -> &'static str {
        match self {
            KeyError::Nil => "table index is nil",
            KeyError::Nan => "table index is NaN",
            KeyError::Overflow => "table overflow",
            KeyError::Memory => "not enough memory",
        }
    }
}

/// The most values placed behind a new table's struct.
pub const MAX_INLINE: usize = 32;
/// Slots of a table created empty.
pub const EMPTY_INLINE: usize = 3;

/// The bit of [`element_kind`] for a value that is not nil.
#[inline(always)]
pub fn kind_of(v: Value) -> u8 {
    if v.is_float() {
        element_kind::FLOAT
    } else if v.tag() == TAG_INT {
        element_kind::INT
    } else {
        element_kind::OTHER
    }
}

/// The integer equal to a float, if there is one.
#[inline]
pub fn float_to_int(f: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (f.floor() == f && (-LIMIT..LIMIT).contains(&f)).then_some(f as i64)
}

/// How a new table lies in its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InlineLayout {
    /// Values behind the struct: record slots, then elements.
    pub values: usize,
    /// How many of them are record slots.
    pub slot_cap: usize,
    /// Bytes of struct and values.
    pub size: usize,
}

impl InlineLayout {
    /// For a shape of `slots` keys and `elements`; `None` where that is too much for a cell.
    pub const fn of(slots: usize, elements: usize) -> Option<InlineLayout> {
        let n = slots + elements;
        if n > MAX_INLINE {
            return None;
        }
        // Cells come in steps of two values, with the struct being seven long.
        let values = if n == 0 { EMPTY_INLINE } else { n | 1 };
        let slot_cap = if elements == 0 { values } else { slots };
        Some(InlineLayout { values, slot_cap, size: size_of::<Table>() + values * 8 })
    }
}

/// A new table with all slots of `shape` (nil) and room for `narr` elements.
#[inline]
pub fn new_table(heap: &mut Heap, narr: usize, shape: *mut Shape) -> *mut Table {
    new_table_with(heap, 0, narr, shape)
}

/// The same with room for `slots` record slots, if the shape has fewer.
#[inline]
pub fn new_table_with(heap: &mut Heap, slots: usize, narr: usize, shape: *mut Shape) -> *mut Table {
    // SAFETY: shapes passed around are live.
    let slots = slots.max(unsafe { (*shape).len } as usize);
    let Some(InlineLayout { values: n, slot_cap, size }) = InlineLayout::of(slots, narr) else {
        return new_large_table(heap, slots, narr, shape);
    };
    let table: *mut Table = heap.alloc(Kind::Table, size);
    // SAFETY: a fresh cell of that size, whose header `alloc` wrote.
    unsafe {
        let inline = table.add(1).cast::<Value>();
        (*table).shape = shape;
        (*table).slots = inline;
        (*table).arr = inline.add(slot_cap);
        (*table).arr_len = 0;
        // Exactly what was asked for: `next` rejects keys beyond it.
        (*table).arr_cap = narr as u32;
        (*table).hash = ptr::null_mut();
        (*table).slot_cap = slot_cap as u32;
        (*table).inline_values = n as u32;
        for i in 0..n {
            inline.add(i).write(Value::NIL);
        }
    }
    table
}

#[cold]
fn new_large_table(heap: &mut Heap, slots: usize, narr: usize, shape: *mut Shape) -> *mut Table {
    let plain = heap.shapes.plain;
    let table = new_table(heap, 0, plain);
    // SAFETY: `shape` and the new table are live.
    unsafe {
        // Whoever makes a table relies on its shape.
        (*table).make_slots(heap, slots);
        (*table).shape = shape;
        (*table).reserve_array(heap, narr);
    }
    table
}

/// A new empty table without metatable.
pub fn new_empty(heap: &mut Heap) -> *mut Table {
    let plain = heap.shapes.plain;
    new_table(heap, 0, plain)
}

impl Heap {
    /// A new table without metatable, with room for `narr` elements and `nslots` fields.
    pub fn new_table(&mut self, narr: usize, nslots: usize) -> *mut Table {
        let plain = self.shapes.plain;
        new_table_with(self, nslots, narr, plain)
    }
}

/// Frees what a dead table holds outside of its cell, and takes it off the heap's account.
///
/// # Safety
/// `table` is dead and not used afterwards.
pub unsafe fn release(heap: &mut Heap, table: *mut Table) {
    // SAFETY: the caller's promise; parts that are not inline come from `alloc_values`.
    unsafe {
        let t = &mut *table;
        if t.slot_cap != 0 && !t.is_inline(t.slots) {
            heap.free_values(t.slots, t.slot_cap as usize);
        }
        if t.arr_cap != 0 && !t.is_inline(t.arr) {
            heap.free_values(t.arr, t.arr_cap as usize);
        }
        t.slot_cap = 0;
        t.arr_cap = 0;
        t.arr_len = 0;
        if !t.hash.is_null() {
            let bytes = (*t.hash).outside_bytes();
            heap.account(-(bytes as isize));
            drop(Box::from_raw(t.hash));
            heap.note_freed(bytes);
            t.hash = ptr::null_mut();
        }
    }
}

impl Table {
    /// Whether a part lies behind the struct.
    #[inline]
    fn is_inline(&self, part: *mut Value) -> bool {
        (part as usize).wrapping_sub(self.inline.as_ptr() as usize)
            < self.inline_values as usize * 8
    }

    /// Bytes that the table holds outside of its cell.
    pub fn outside_bytes(&self) -> usize {
        let mut bytes = self.hash().map_or(0, HashPart::outside_bytes);
        if self.slot_cap != 0 && !self.is_inline(self.slots) {
            bytes += self.slot_cap as usize * 8;
        }
        if self.arr_cap != 0 && !self.is_inline(self.arr) {
            bytes += self.arr_cap as usize * 8;
        }
        bytes
    }

    /// The shape.
    #[inline(always)]
    pub fn shape(&self) -> &Shape {
        // SAFETY: a live table's shape is live.
        unsafe { &*self.shape }
    }

    /// The metatable or null.
    #[inline(always)]
    pub fn meta(&self) -> *mut Table {
        self.shape().meta
    }

    /// The hash part.
    #[inline(always)]
    fn hash(&self) -> Option<&HashPart> {
        // SAFETY: null or owned by this table.
        unsafe { self.hash.as_ref() }
    }

    /// The hash part.
    #[inline(always)]
    fn hash_mut(&mut self) -> Option<&mut HashPart> {
        // SAFETY: null or owned by this table.
        unsafe { self.hash.as_mut() }
    }

    /// To be called after a store into the table.
    #[inline(always)]
    fn barrier(&mut self, heap: &mut Heap) {
        // SAFETY: `self` is a live object.
        unsafe { heap.barrier_back(ptr::from_mut(self)) }
    }

    /// The length: a border. O(1).
    #[inline(always)]
    pub fn len(&self) -> i64 {
        self.arr_len as i64
    }

    /// Whether the length is 0 (the table may have other keys; see [`Table::has_no_entries`]).
    pub fn is_empty(&self) -> bool {
        self.arr_len == 0
    }

    /// Whether the table has no key at all.
    pub fn has_no_entries(&mut self) -> bool {
        self.next_from(0).is_none()
    }

    /// The value of a key, nil if absent.
    #[inline]
    pub fn get(&self, heap: &mut Heap, key: Value) -> Value {
        match key.tag() {
            TAG_INT => self.get_int(key.small_int_payload()),
            TAG_STRING => self.get_str(heap, key.ptr()),
            _ => self.get_other(heap, key),
        }
    }

    fn get_other(&self, heap: &mut Heap, key: Value) -> Value {
        match key.tag() {
            TAG_IMMEDIATE if key.is_nil() => return Value::NIL,
            TAG_OTHER => {
                if let Some(i) = key.as_wide_int() {
                    return self.get_int(i);
                }
            }
            _ => {
                if let Some(i) = key.as_float().and_then(float_to_int) {
                    return self.get_int(i);
                }
            }
        }
        self.get_hash(heap, key)
    }

    /// The value of a key in the hash part.
    fn get_hash(&self, heap: &mut Heap, key: Value) -> Value {
        match self.hash() {
            Some(hash) => hash.find(heap, key).map_or(Value::NIL, |e| hash.value(e)),
            None => Value::NIL,
        }
    }

    /// The value of an integer key.
    #[inline(always)]
    pub fn get_int(&self, i: i64) -> Value {
        let at = (i as u64).wrapping_sub(1);
        if at < self.arr_len as u64 {
            // SAFETY: below `arr_len`.
            return unsafe { *self.arr.add(at as usize) };
        }
        self.get_int_outside(i)
    }

    /// The value of an inline integer key.
    #[inline(always)]
    pub fn get_small_int(&self, key: Value) -> Value {
        let at = (key.small_int_payload() as u64).wrapping_sub(1);
        if at < self.arr_len as u64 {
            // SAFETY: below `arr_len`.
            return unsafe { *self.arr.add(at as usize) };
        }
        match self.hash() {
            Some(hash) if hash.has_int_keys => {
                hash.find_small_int(key).map_or(Value::NIL, |e| hash.value(e))
            }
            _ => Value::NIL,
        }
    }

    #[inline(never)]
    fn get_int_outside(&self, i: i64) -> Value {
        match self.hash() {
            Some(hash) if hash.has_int_keys => {
                hash.find_int(i).map_or(Value::NIL, |e| hash.value(e))
            }
            _ => Value::NIL,
        }
    }

    /// The value of a string key.
    #[inline]
    pub fn get_str(&self, heap: &mut Heap, key: *mut LuaString) -> Value {
        // SAFETY: a live string.
        if unsafe { (*key).is_interned() } {
            self.get_short(key)
        } else {
            self.get_hash(heap, Value::string(key))
        }
    }

    /// Sets a key; nil removes it.
    ///
    /// # Errors
    /// The key is nil or NaN, or cannot be added.
    #[inline]
    pub fn set(&mut self, heap: &mut Heap, key: Value, value: Value) -> Result<(), KeyError> {
        match key.tag() {
            TAG_INT => self.set_int(heap, key.small_int_payload(), value),
            TAG_STRING => self.set_str(heap, key.ptr(), value),
            _ => self.set_other(heap, key, value)?,
        }
        heap.settled()
    }

    fn set_other(&mut self, heap: &mut Heap, key: Value, value: Value) -> Result<(), KeyError> {
        if key.is_nil() {
            return Err(KeyError::Nil);
        }
        if let Some(f) = key.as_float() {
            if f.is_nan() {
                return Err(KeyError::Nan);
            }
            if let Some(i) = float_to_int(f) {
                self.set_int(heap, i, value);
                return Ok(());
            }
        } else if let Some(i) = key.as_wide_int() {
            self.set_int(heap, i, value);
            return Ok(());
        }
        self.set_hash(heap, key, value);
        Ok(())
    }

    /// Sets a string key by computed index: many different ones make the table a dictionary. See
    /// [`Table::set_field`] for keys that stand in the program.
    #[inline]
    pub fn set_str(&mut self, heap: &mut Heap, key: *mut LuaString, value: Value) {
        // SAFETY: a live string.
        if unsafe { (*key).is_interned() } {
            self.set_short(heap, key, value, true);
        } else {
            self.set_hash(heap, Value::string(key), value);
        }
    }

    /// Sets a string key that stands in the program (or is one of a fixed few of a host).
    #[inline]
    pub fn set_field(&mut self, heap: &mut Heap, key: *mut LuaString, value: Value) {
        // SAFETY: a live string.
        if unsafe { (*key).is_interned() } {
            self.set_short(heap, key, value, false);
        } else {
            self.set_hash(heap, Value::string(key), value);
        }
    }

    /// Sets a key of the hash part.
    fn set_hash(&mut self, heap: &mut Heap, key: Value, value: Value) {
        if let Some(hash) = self.hash_mut()
            && let Some(e) = hash.find(heap, key)
        {
            hash.store(e, value);
            self.barrier(heap);
        } else if !value.is_nil() {
            self.insert_hash(heap, key, value);
        }
    }

    /// Adds a key that is not there to the hash part.
    fn insert_hash(&mut self, heap: &mut Heap, key: Value, value: Value) {
        if let Some(s) = key.as_string()
            // SAFETY: a live string.
            && unsafe { (*s).data.is_null() }
            && heap.flatten(s).is_err()
        {
            // Its place is not known.
            return heap.refuse(KeyError::Memory);
        }
        if !self.reserve_hash(heap, 1) {
            return;
        }
        // SAFETY: just made or owned.
        unsafe { (*self.hash).insert(heap, key, value) };
        self.barrier(heap);
    }

    /// Makes room for `n` more keys in the hash part. False, and [`Heap::refuse`]d, when there is none.
    pub fn reserve_hash(&mut self, heap: &mut Heap, n: usize) -> bool {
        self.make_hash_room(heap, n).map_err(|error| heap.refuse(error)).is_ok()
    }

    /// Makes room for `n` more keys in the hash part. On an error nothing has changed.
    fn make_hash_room(&mut self, heap: &mut Heap, n: usize) -> Result<(), KeyError> {
        match self.hash_mut() {
            None => {
                let hash = HashPart::with_room(heap, n)?;
                heap.account(hash.outside_bytes() as isize);
                self.hash = Box::into_raw(Box::new(hash));
            }
            Some(hash) => {
                if hash.room() < n {
                    let before = hash.outside_bytes();
                    hash.rebuild(heap, n)?;
                    heap.account(hash.outside_bytes() as isize - before as isize);
                }
            }
        }
        Ok(())
    }
}
