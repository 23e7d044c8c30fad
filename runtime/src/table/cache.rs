//! Inline caches of field accesses with a constant key.
//!
//! The interpreter tests the first entry of its [`Feedback`] cell itself, and calls here when that
//! misses: [`get_field`], [`set_field`]. These look at the further entries, resolve the access, and
//! remember how. What an entry means, and until when it holds, is told at [`CacheKind`].
//!
//! A cached set must not be used when the receiver is flagged `CACHED_METHODS` and the set adds or
//! removes a key: an entry describes the shape, the flag is the table's.

use std::ptr;

use super::Table;
use super::metatable::{is_event_name, metamethod};
use crate::heap::Heap;
use crate::meta::Metamethod;
use crate::object::{CacheKind, Feedback, FieldEntry, LuaString, Shape, table_flags};
use crate::value::Value;

/// Tables on an `__index` chain beyond which an access is not cached.
const MAX_CACHED_CHAIN: usize = 16;
/// Replacements after which a site counts as megamorphic.
const MAX_MISSES: u8 = 100;

impl FieldEntry {
    /// Holds nothing.
    pub const EMPTY: FieldEntry = FieldEntry {
        shape: ptr::null_mut(),
        holder: ptr::null_mut(),
        next_shape: ptr::null_mut(),
        slot: 0,
        epoch: 0,
        cache: CacheKind::Empty,
    };
}

impl Feedback {
    /// An empty cell.
    pub fn new() -> Feedback {
        use std::cell::Cell;
        Feedback {
            shape: Cell::new(ptr::null_mut()),
            holder: Cell::new(ptr::null_mut()),
            next_shape: Cell::new(ptr::null_mut()),
            slot: Cell::new(0),
            epoch: Cell::new(0),
            types: Cell::new(0),
            cache: Cell::new(CacheKind::Empty),
            sites: Cell::new(0),
            misses: Cell::new(0),
            more: Cell::new(ptr::null_mut()),
        }
    }

    /// The first entry.
    #[inline]
    pub fn first(&self) -> FieldEntry {
        FieldEntry {
            shape: self.shape.get(),
            holder: self.holder.get(),
            next_shape: self.next_shape.get(),
            slot: self.slot.get(),
            epoch: self.epoch.get(),
            cache: self.cache.get(),
        }
    }

    fn set_first(&self, e: FieldEntry) {
        self.shape.set(e.shape);
        self.holder.set(e.holder);
        self.next_shape.set(e.next_shape);
        self.slot.set(e.slot);
        self.epoch.set(e.epoch);
        self.cache.set(e.cache);
    }

    /// The further entries.
    pub fn further(&self) -> &[FieldEntry] {
        // SAFETY: null or a box owned by this cell; entries are only replaced by `remember`, which
        // holds no reference from here.
        unsafe { self.more.get().as_ref().map_or(&[], |m| &m[..]) }
    }

    /// The entry for a shape.
    #[inline]
    fn entry(&self, shape: *mut Shape) -> Option<FieldEntry> {
        if self.shape.get() == shape {
            return Some(self.first());
        }
        self.further().iter().find(|e| e.shape == shape).copied()
    }

    /// Remembers how an access was resolved.
    fn remember(&self, entry: FieldEntry) {
        if self.cache.get() == CacheKind::Megamorphic {
            return;
        }
        self.misses.set(self.misses.get().saturating_add(1));
        if self.misses.get() > MAX_MISSES {
            return self.give_up();
        }
        if self.shape.get().is_null() || self.shape.get() == entry.shape {
            return self.set_first(entry);
        }
        if self.more.get().is_null() {
            self.more.set(Box::into_raw(Box::new([FieldEntry::EMPTY; 7])));
        }
        // SAFETY: a box owned by this cell; no other reference to it exists now.
        let more = unsafe { &mut *self.more.get() };
        let place = more
            .iter()
            .position(|e| e.shape == entry.shape)
            .or_else(|| more.iter().position(|e| e.shape.is_null()));
        match place {
            Some(i) => more[i] = entry,
            None => self.give_up(),
        }
    }

    /// Remembers that `handler` handles an operator for operands of `shape`, operand `number` of
    /// it being asked.
    pub fn note_handler(
        &self,
        heap: &Heap,
        shape: *mut Shape,
        number: u32,
        handler: *mut crate::object::LuaClosure,
    ) {
        let epoch = heap.method_epoch.get();
        let known = self
            .entry(shape)
            .is_some_and(|e| e.holder.cast() == handler && e.slot == number && e.epoch == epoch);
        if !known {
            self.remember(FieldEntry {
                shape,
                holder: handler.cast(),
                slot: number,
                epoch,
                cache: CacheKind::Holder,
                ..FieldEntry::EMPTY
            });
        }
    }

    /// Makes the cell megamorphic.
    fn give_up(&self) {
        self.release();
        self.set_first(FieldEntry { cache: CacheKind::Megamorphic, ..FieldEntry::EMPTY });
    }

    /// Frees the further entries.
    pub fn release(&self) {
        let more = self.more.replace(ptr::null_mut());
        if !more.is_null() {
            // SAFETY: made by `remember`, owned by this cell.
            drop(unsafe { Box::from_raw(more) });
        }
    }
}

impl Default for Feedback {
    fn default() -> Self {
        Feedback::new()
    }
}

/// How `table[key]` is found. `CacheKind::Empty`: not cacheable.
pub fn resolve_get(heap: &mut Heap, table: *mut Table, key: *mut LuaString) -> FieldEntry {
    // SAFETY: `table` and what is reached from it are live; `key` is a live string.
    unsafe {
        let shape = (*table).shape;
        if (*shape).is_dictionary() || !(*key).is_interned() {
            return FieldEntry::EMPTY;
        }
        let entry = FieldEntry { shape, epoch: heap.method_epoch.get(), ..FieldEntry::EMPTY };
        if let Some(slot) = (*shape).slot_of(key) {
            return FieldEntry { slot, cache: CacheKind::Own, ..entry };
        }
        let mut at = table;
        for _ in 0..MAX_CACHED_CHAIN {
            let index = metamethod(heap, (*at).shape(), Metamethod::Index);
            if index.is_nil() {
                // Promotions on the way may have bumped the epoch.
                let epoch = heap.method_epoch.get();
                return FieldEntry { cache: CacheKind::Absent, epoch, ..entry };
            }
            let Some(holder) = index.as_table() else { return FieldEntry::EMPTY };
            if !(*holder).promote(heap) {
                return FieldEntry::EMPTY;
            }
            (*holder).header.flags |= table_flags::CACHED_METHODS;
            if let Some(slot) = (*holder).shape().slot_of(key)
                && !(*(*holder).slots.add(slot as usize)).is_nil()
            {
                let epoch = heap.method_epoch.get();
                return FieldEntry { holder, slot, epoch, cache: CacheKind::Holder, ..entry };
            }
            at = holder;
        }
        FieldEntry::EMPTY
    }
}

/// How `table[key] = v` is done. `CacheKind::Empty`: not cacheable.
pub fn resolve_set(heap: &mut Heap, table: *mut Table, key: *mut LuaString) -> FieldEntry {
    // SAFETY: as in `resolve_get`.
    unsafe {
        let shape = (*table).shape;
        if (*shape).is_dictionary() || !(*key).is_interned() || is_event_name(key) {
            return FieldEntry::EMPTY;
        }
        let entry = FieldEntry { shape, epoch: heap.method_epoch.get(), ..FieldEntry::EMPTY };
        if let Some(slot) = (*shape).slot_of(key) {
            return FieldEntry { slot, cache: CacheKind::Own, ..entry };
        }
        if !metamethod(heap, &*shape, Metamethod::NewIndex).is_nil() {
            return FieldEntry::EMPTY;
        }
        match (*table).cacheable_next_shape(heap, key) {
            Some(next_shape) => {
                FieldEntry { next_shape, slot: (*shape).len, cache: CacheKind::Add, ..entry }
            }
            None => FieldEntry::EMPTY,
        }
    }
}

/// The value that an entry gives for a table of its shape; `None`: it does not hold (any more), or
/// an own field is nil and there is a metatable to ask.
#[inline(always)]
pub fn read_entry(heap: &Heap, e: &FieldEntry, table: &Table) -> Option<Value> {
    // SAFETY: the entry was resolved for this shape, so the slots exist; a holder's entry holds while
    // the epoch stands.
    unsafe {
        match e.cache {
            CacheKind::Own => {
                let v = *table.slots.add(e.slot as usize);
                (!v.is_nil() || table.meta().is_null()).then_some(v)
            }
            CacheKind::Holder if e.epoch == heap.method_epoch.get() => {
                Some(*(*e.holder).slots.add(e.slot as usize))
            }
            CacheKind::Absent if e.epoch == heap.method_epoch.get() => Some(Value::NIL),
            CacheKind::Holder
            | CacheKind::Absent
            | CacheKind::Empty
            | CacheKind::Add
            | CacheKind::Megamorphic => None,
        }
    }
}

/// Stores by an entry into a table of its shape; false: the entry does not apply.
#[inline(always)]
pub fn write_entry(heap: &mut Heap, e: &FieldEntry, table: &mut Table, value: Value) -> bool {
    let watched = table.header.flags & table_flags::CACHED_METHODS != 0;
    match e.cache {
        CacheKind::Own => {
            // SAFETY: the entry was resolved for this shape, so the slot exists.
            let slot = unsafe { &mut *table.slots.add(e.slot as usize) };
            if slot.is_nil() && (watched || !table.meta().is_null()) || value.is_nil() && watched {
                return false;
            }
            *slot = value;
            table.barrier(heap);
            true
        }
        CacheKind::Add if e.epoch == heap.method_epoch.get() && !watched && !value.is_nil() => {
            table.add_slot(heap, e.next_shape, value);
            true
        }
        CacheKind::Add
        | CacheKind::Holder
        | CacheKind::Absent
        | CacheKind::Empty
        | CacheKind::Megamorphic => false,
    }
}

/// Accesses of sites that see too many shapes for their own entries, by shape and key. Emptied at the
/// end of every marking, since shapes and keys are not kept alive by it.
pub struct SharedCache {
    gets: Box<[SharedEntry]>,
    sets: Box<[SharedEntry]>,
    used: bool,
}

#[derive(Clone, Copy)]
struct SharedEntry {
    key: *mut LuaString,
    entry: FieldEntry,
}

/// Entries of each kind; a power of two.
const SHARED: usize = 256;

impl SharedCache {
    /// An empty cache.
    pub fn new() -> SharedCache {
        let empty = SharedEntry { key: ptr::null_mut(), entry: FieldEntry::EMPTY };
        SharedCache {
            gets: vec![empty; SHARED].into_boxed_slice(),
            sets: vec![empty; SHARED].into_boxed_slice(),
            used: false,
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        if self.used {
            *self = SharedCache::new();
        }
    }

    #[inline]
    fn place(shape: *mut Shape, key: *mut LuaString) -> usize {
        let mixed = (shape as u64 >> 4).wrapping_mul(0x9E37_79B9) ^ key as u64 >> 4;
        (mixed ^ mixed >> 13) as usize & (SHARED - 1)
    }
}

impl Default for SharedCache {
    fn default() -> SharedCache {
        SharedCache::new()
    }
}

/// [`get_field`] at a megamorphic site.
fn get_shared(heap: &mut Heap, table: *mut Table, key: *mut LuaString) -> Option<Value> {
    // SAFETY: `table` is live; entries are of shapes that were live since the last marking.
    unsafe {
        let shape = (*table).shape;
        let at = SharedCache::place(shape, key);
        let known = &heap.shared_fields.gets[at];
        if known.key == key
            && known.entry.shape == shape
            && let Some(v) = read_entry(heap, &known.entry, &*table)
        {
            return Some(v);
        }
        let entry = resolve_get(heap, table, key);
        if entry.cache != CacheKind::Empty {
            heap.shared_fields.gets[at] = SharedEntry { key, entry };
            heap.shared_fields.used = true;
            return read_entry(heap, &entry, &*table);
        }
        None
    }
}

/// [`set_field`] at a megamorphic site.
fn set_shared(heap: &mut Heap, table: *mut Table, key: *mut LuaString, value: Value) -> bool {
    // SAFETY: as in `get_shared`.
    unsafe {
        let shape = (*table).shape;
        let at = SharedCache::place(shape, key);
        let known = heap.shared_fields.sets[at];
        if known.key == key
            && known.entry.shape == shape
            && write_entry(heap, &known.entry, &mut *table, value)
        {
            return true;
        }
        let entry = resolve_set(heap, table, key);
        if entry.cache != CacheKind::Empty {
            heap.shared_fields.sets[at] = SharedEntry { key, entry };
            heap.shared_fields.used = true;
            return write_entry(heap, &entry, &mut *table, value);
        }
        false
    }
}

/// `table[key]` for a constant key, when the first entry of the cell missed. `None`: an `__index`
/// that is not a table (or a loop) is in the way, and the general operation must be used.
pub fn get_field(
    heap: &mut Heap,
    feedback: &Feedback,
    table: *mut Table,
    key: *mut LuaString,
) -> Option<Value> {
    // SAFETY: `table` is live. `resolve_get` may write to it, so no reference is held across.
    unsafe {
        let shape = (*table).shape;
        for e in feedback.further() {
            if e.shape == shape {
                if let Some(v) = read_entry(heap, e, &*table) {
                    return Some(v);
                }
                break;
            }
        }
        if feedback.cache.get() == CacheKind::Megamorphic {
            if let Some(v) = get_shared(heap, table, key) {
                return Some(v);
            }
        } else {
            let known = feedback.entry(shape);
            if let Some(v) = known.and_then(|e| read_entry(heap, &e, &*table)) {
                return Some(v);
            }
            if known.is_none_or(|e| e.cache != CacheKind::Own) {
                let e = resolve_get(heap, table, key);
                if e.cache != CacheKind::Empty {
                    feedback.remember(e);
                    if let Some(v) = read_entry(heap, &e, &*table) {
                        return Some(v);
                    }
                }
            }
        }
        (*table).get_inherited(heap, key).ok()
    }
}

/// `table[key] = value` for a constant key, when the first entry of the cell missed. False: there is a
/// `__newindex` to ask, and nothing was done.
pub fn set_field(
    heap: &mut Heap,
    feedback: &Feedback,
    table: *mut Table,
    key: *mut LuaString,
    value: Value,
) -> bool {
    // SAFETY: as in `get_field`.
    unsafe {
        if feedback.cache.get() == CacheKind::Megamorphic {
            if set_shared(heap, table, key, value) {
                return true;
            }
        } else {
            let known = feedback.entry((*table).shape);
            if known.is_some_and(|e| write_entry(heap, &e, &mut *table, value)) {
                return true;
            }
            if known.is_none_or(|e| e.cache != CacheKind::Own) {
                let e = resolve_set(heap, table, key);
                if e.cache != CacheKind::Empty {
                    feedback.remember(e);
                    if write_entry(heap, &e, &mut *table, value) {
                        return true;
                    }
                }
            }
        }
    }
    // SAFETY: `table` is live, and metatables are other tables or only read.
    let t = unsafe { &mut *table };
    if !t.meta().is_null()
        && t.get_str(heap, key).is_nil()
        && !metamethod(heap, t.shape(), Metamethod::NewIndex).is_nil()
    {
        return false;
    }
    t.set_field(heap, key, value);
    true
}
