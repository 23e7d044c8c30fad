//! Short string keys: record slots, and the change to dictionary mode.
//!
//! A table becomes a dictionary when it has very many fields, or when it is used as a map: many keys
//! added by computed index, or computed keys leading from one shape to very many. A dictionary that
//! turns out to hold methods is made a record again ([`Table::promote`]).

use std::ptr;

use super::{KeyError, Table};
use crate::heap::{Heap, fill_nil};
use crate::object::{LuaString, Shape, table_flags};
use crate::shape;
use crate::value::Value;

/// Record keys beyond this number make a dictionary.
const MAX_FIELDS: u32 = 512;
/// Record keys added by computed index beyond this number make a dictionary.
const MAX_COMPUTED: u32 = 16;
/// A shape with more children than this gets no further ones by computed index.
const MAX_FAN_OUT: usize = 32;
/// The largest dictionary that is made a record again.
const MAX_PROMOTED: usize = 256;

use table_flags::WATCHED;

impl Table {
    /// The value of an interned string key.
    #[inline]
    pub fn get_short(&self, key: *mut LuaString) -> Value {
        let shape = self.shape();
        if let Some(slot) = shape.slot_of(key) {
            // SAFETY: slots of the shape exist.
            return unsafe { *self.slots.add(slot as usize) };
        }
        if shape.is_dictionary()
            && let Some(hash) = self.hash()
            && let Some(e) = hash.find_bits(Value::string(key))
        {
            return hash.value(e);
        }
        Value::NIL
    }

    /// Sets an interned string key; `computed` tells keys that do not stand in the program.
    #[inline]
    pub fn set_short(
        &mut self,
        heap: &mut Heap,
        key: *mut LuaString,
        value: Value,
        computed: bool,
    ) {
        if self.header.flags & WATCHED != 0 {
            self.note_method_write(heap, key, value);
        }
        if self.shape().is_dictionary() {
            if let Some(hash) = self.hash_mut()
                && let Some(e) = hash.find_bits(Value::string(key))
            {
                hash.store(e, value);
                self.barrier(heap);
                return;
            }
        } else if let Some(slot) = self.shape().slot_of(key) {
            // SAFETY: slots of the shape exist.
            unsafe { *self.slots.add(slot as usize) = value };
            self.barrier(heap);
            return;
        }
        if !value.is_nil() {
            self.add_short(heap, key, value, computed);
        }
    }

    /// Adds an interned string key that is not there.
    #[inline(never)]
    fn add_short(&mut self, heap: &mut Heap, key: *mut LuaString, value: Value, computed: bool) {
        if !self.shape().is_dictionary()
            && let Some(next) = self.next_shape(heap, key, computed)
        {
            return self.add_slot(heap, next, value);
        }
        if self.make_dictionary(heap) {
            self.insert_hash(heap, Value::string(key), value);
        }
    }

    /// The shape after adding `key`, or `None` when the table should become a dictionary.
    fn next_shape(
        &mut self,
        heap: &mut Heap,
        key: *mut LuaString,
        computed: bool,
    ) -> Option<*mut Shape> {
        if computed {
            self.header.extra += 1;
            if self.header.extra > MAX_COMPUTED {
                return None;
            }
            if self.shape().fan_out() >= MAX_FAN_OUT {
                return shape::known_child(self.shape, key);
            }
        }
        (self.shape().len < MAX_FIELDS).then(|| shape::add_key(heap, self.shape, key))
    }

    /// The shape that a field added by the program leads to; `None` when it may not be cached.
    pub(super) fn cacheable_next_shape(
        &mut self,
        heap: &mut Heap,
        key: *mut LuaString,
    ) -> Option<*mut Shape> {
        if self.shape().is_dictionary() { None } else { self.next_shape(heap, key, false) }
    }

    /// Goes to `next`, a child of the shape, with `value` in the new slot.
    #[inline(always)]
    pub fn add_slot(&mut self, heap: &mut Heap, next: *mut Shape, value: Value) {
        let slot = self.shape().len;
        if slot >= self.slot_cap && !self.grow_slots(heap, slot + 1) {
            return;
        }
        // SAFETY: below `slot_cap`.
        unsafe { *self.slots.add(slot as usize) = value };
        self.shape = next;
        self.barrier(heap);
    }

    /// Makes room for `n` slots. False, and [`Heap::refuse`]d, when there is none.
    #[inline(never)]
    pub fn grow_slots(&mut self, heap: &mut Heap, n: u32) -> bool {
        let old = self.slot_cap as usize;
        if n as usize <= old {
            return true;
        }
        let size = (n as usize).max(old * 2).next_multiple_of(4);
        // SAFETY: the old part has `old` values, is inline or from `alloc_values`, and is replaced.
        unsafe {
            if old == 0 || self.is_inline(self.slots) {
                let Ok(new) = heap.alloc_values(size) else {
                    heap.refuse(KeyError::Memory);
                    return false;
                };
                ptr::copy_nonoverlapping(self.slots, new, old);
                self.slots = new;
            } else {
                let Ok(new) = heap.resize_values(self.slots, old, size) else {
                    heap.refuse(KeyError::Memory);
                    return false;
                };
                self.slots = new;
            }
        }
        self.slot_cap = size as u32;
        true
    }

    /// Makes `n` slots of a new table, in any case: as many as a constructor of the program has keys.
    pub(super) fn make_slots(&mut self, heap: &mut Heap, n: usize) {
        if n > self.slot_cap as usize {
            self.slots = heap.alloc_values_small(n);
            self.slot_cap = n as u32;
        }
    }

    /// Moves all record slots into the hash part. False, and nothing done, when there is no room.
    #[inline(never)]
    pub fn make_dictionary(&mut self, heap: &mut Heap) -> bool {
        let shape = self.shape;
        if self.shape().is_dictionary() {
            return true;
        }
        if !self.reserve_hash(heap, self.shape().len as usize + 1) {
            return false;
        }
        if self.header.flags & WATCHED != 0 {
            bump(heap);
        }
        // SAFETY: the shape is live until the next safepoint; it has `len` slots.
        unsafe {
            self.shape = shape::dictionary_of(heap, shape);
            for (i, key) in (*shape).keys().iter().enumerate() {
                let value = *self.slots.add(i);
                if !value.is_nil() {
                    self.insert_hash(heap, Value::string(key.get()), value);
                }
            }
            if self.is_inline(self.slots) {
                fill_nil(self.slots, self.slot_cap as usize);
            } else {
                heap.free_values(self.slots, self.slot_cap as usize);
                self.slots = self.inline.as_mut_ptr();
                self.slot_cap = 0;
            }
        }
        self.barrier(heap);
        true
    }

    /// Makes a dictionary a record again, because lookups of methods through it should be cached.
    /// Not done (false) when it is large, has other keys, or a traversal might notice.
    pub fn promote(&mut self, heap: &mut Heap) -> bool {
        if !self.shape().is_dictionary() {
            return true;
        }
        let mut keys = Vec::new();
        if let Some(hash) = self.hash() {
            // Removed entries take part in positions; a traversal must not be shifted.
            if hash.live as usize != hash.entries.len() || hash.entries.len() > MAX_PROMOTED {
                return false;
            }
            for (k, _) in &hash.entries {
                match k.as_string() {
                    // SAFETY: keys of live entries are live.
                    Some(s) if unsafe { (*s).is_interned() } => keys.push(s),
                    _ => return false,
                }
            }
        }
        let mut shape = shape::unshared(heap, &keys, self.meta());
        if !self.grow_slots(heap, keys.len() as u32) {
            return false;
        }
        if let Some(hash) = self.hash() {
            for (i, (_, v)) in hash.entries.iter().enumerate() {
                // SAFETY: there is a slot for each key.
                unsafe { *self.slots.add(i) = *v };
            }
            heap.account(-(hash.outside_bytes() as isize));
            // SAFETY: owned by this table, and not used any more.
            drop(unsafe { Box::from_raw(self.hash) });
            self.hash = ptr::null_mut();
        }
        std::mem::swap(&mut self.shape, &mut shape);
        self.header.extra = 0;
        self.barrier(heap);
        bump(heap);
        true
    }

    /// A watched table is about to be written: invalidates what relies on its keys.
    #[cold]
    #[inline(never)]
    fn note_method_write(&mut self, heap: &mut Heap, key: *mut LuaString, value: Value) {
        let flags = self.header.flags;
        if flags & table_flags::IS_METATABLE != 0 && is_event_name(key)
            || flags & table_flags::CACHED_METHODS != 0
                && self.get_short(key).is_nil() != value.is_nil()
        {
            bump(heap);
        }
    }
}

/// Invalidates all caches of inherited fields and absent metamethods.
pub(super) fn bump(heap: &mut Heap) {
    heap.method_epoch.set(heap.method_epoch.get().wrapping_add(1));
}

/// Whether an interned string starts with two underscores, as metamethod names do.
#[inline]
pub fn is_event_name(key: *mut LuaString) -> bool {
    // SAFETY: a live interned string is flat.
    unsafe { (*key).flat_bytes().is_some_and(|b| b.starts_with(b"__")) }
}
