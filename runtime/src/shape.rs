//! Shapes: the hidden classes of string-keyed records.
//!
//! A shape says which interned key lives in which slot, and names the metatable. Shapes form trees:
//! each metatable has a root without keys, and `add_key` leads from a shape to the one with one key
//! more. Adding the same keys in the same order under the same metatable always gives the same shape,
//! whether the metatable was set first or last.
//!
//! The keys live in a [`KeyTable`] shared along a path of the tree:
//!
//! ```text
//!   {} ──x──▶ {x} ──y──▶ {x,y} ──z──▶ {x,y,z}      one KeyTable: [x, y, z, …], each shape sees
//!                 └─w──▶ {x,w}                     its first `len` keys; a branch copies
//! ```
//!
//! Invariant: a shape whose `len` equals its key table's length is the tip, and only a tip appends;
//! so every key that a living shape can see is kept alive by it, and entries beyond a shape's `len`
//! (which may name dead strings) are never looked at.
//!
//! Invariant: keys are interned strings, so that addresses tell them apart; a longer string is a key of the
//! hash part. [`for_keys`] leaves long ones out, all other keys come from [`Table::set_short`]'s callers, which
//! ask first.
//!
//! Children are weak: after marking and before anything is swept, the collector calls
//! [`drop_dead_children`] for every living shape; so a child that is found is never dead.

// Pointers to heap objects are valid until the next safepoint, wherever they come from.
#![allow(clippy::not_unsafe_ptr_arg_deref)]

use std::cell::Cell;
use std::rc::Rc;

use crate::hash::{AddressMap, Multiplier};
use crate::heap::Heap;
use crate::object::{Header, Kind, LuaString, Shape, Table};

/// Shapes with more keys than this have an index.
const LINEAR_KEYS: usize = 8;

/// Keys in slot order with room to grow, and their index.
pub struct KeyTable {
    keys: Box<[Cell<*mut LuaString>]>,
    len: Cell<u32>,
    /// Open addressing by key address: slot + 1, or 0. Empty for small tables.
    index: Box<[Cell<u32>]>,
    /// What the index hashes with.
    multiplier: Multiplier,
}

impl KeyTable {
    /// A table for at least `cap` keys, starting with `keys`.
    fn new(heap: &Heap, keys: &[*mut LuaString], cap: usize) -> Rc<KeyTable> {
        let cap = cap.max(keys.len()).max(4).next_power_of_two();
        let index = if cap > LINEAR_KEYS { cap * 2 } else { 0 };
        let table = KeyTable {
            keys: vec![Cell::new(std::ptr::null_mut()); cap].into_boxed_slice(),
            len: Cell::new(0),
            index: vec![Cell::new(0); index].into_boxed_slice(),
            multiplier: heap.multiplier(),
        };
        for key in keys {
            table.push(*key);
        }
        Rc::new(table)
    }

    fn shift(&self) -> u32 {
        64 - self.index.len().max(1).trailing_zeros()
    }

    /// Appends a key; there must be room.
    fn push(&self, key: *mut LuaString) {
        let slot = self.len.get();
        self.keys[slot as usize].set(key);
        self.len.set(slot + 1);
        if !self.index.is_empty() {
            let mut at = index_position(key, self.multiplier, self.shift());
            while self.index[at].get() != 0 {
                at = (at + 1) & (self.index.len() - 1);
            }
            self.index[at].set(slot + 1);
        }
    }
}

#[inline(always)]
fn index_position(key: *mut LuaString, multiplier: Multiplier, shift: u32) -> usize {
    (multiplier.product(key as u64) >> shift) as usize
}

/// The parts of a shape that only the runtime reads.
pub struct ShapeDetail {
    keys: Rc<KeyTable>,
    /// Key address → child shape. Weak.
    adds: AddressMap<*mut Shape>,
    /// Metatable address (0 = none) → shape with the same keys. Weak.
    metas: AddressMap<*mut Shape>,
}

impl Shape {
    /// The keys in slot order.
    #[inline]
    pub fn keys(&self) -> &[Cell<*mut LuaString>] {
        // SAFETY: `keys` points to the key table that `detail` owns, which holds at least `len` keys.
        unsafe { std::slice::from_raw_parts(self.keys, self.len as usize) }
    }

    /// The slot of an interned key.
    #[inline]
    pub fn slot_of(&self, key: *mut LuaString) -> Option<u32> {
        if self.index.is_null() {
            return self.keys().iter().position(|k| k.get() == key).map(|i| i as u32);
        }
        let mask = (1usize << (64 - self.index_shift)) - 1;
        let mut at = index_position(key, self.multiplier, self.index_shift);
        loop {
            // SAFETY: the index has `mask + 1` entries and is owned by the key table; an entry
            // is at most the key table's length.
            unsafe {
                let entry = (*self.index.add(at)).get();
                if entry == 0 {
                    return None;
                }
                if (*self.keys.add(entry as usize - 1)).get() == key {
                    return (entry <= self.len).then_some(entry - 1);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// Whether string keys live in the hash part.
    #[inline(always)]
    pub fn is_dictionary(&self) -> bool {
        self.header.flags & Shape::DICTIONARY != 0
    }

    /// Number of shapes reached from here by adding a key.
    pub fn fan_out(&self) -> usize {
        self.detail.adds.len()
    }
}

/// The shapes without a parent that every table starts from; part of the heap, kept as roots.
#[derive(Clone, Copy, Debug)]
pub struct ShapeRoots {
    /// No keys, no metatable.
    pub plain: *mut Shape,
    /// Dictionary, no metatable.
    pub dictionary: *mut Shape,
}

impl ShapeRoots {
    /// Makes both.
    pub fn new(heap: &mut Heap) -> ShapeRoots {
        let null = std::ptr::null_mut();
        let (keys, no_keys) = (KeyTable::new(heap, &[], 4), KeyTable::new(heap, &[], 4));
        ShapeRoots {
            plain: allocate(heap, keys, 0, null, NO_PARENT, 0),
            dictionary: allocate(heap, no_keys, 0, null, NO_PARENT, Shape::DICTIONARY),
        }
    }
}

/// Parent and last key of a shape without parent.
const NO_PARENT: (*mut Shape, *mut LuaString) = (std::ptr::null_mut(), std::ptr::null_mut());

/// A new shape of the first `len` keys.
fn allocate(
    heap: &mut Heap,
    keys: Rc<KeyTable>,
    len: u32,
    meta: *mut Table,
    (parent, key): (*mut Shape, *mut LuaString),
    flags: u8,
) -> *mut Shape {
    let multiplier = heap.multiplier();
    let shape = heap.alloc::<Shape>(Kind::Shape, size_of::<Shape>());
    // SAFETY: a fresh cell of that size; the header was written by `alloc`.
    unsafe {
        let header = Header { flags, ..(*shape).header };
        shape.write(Shape {
            header,
            meta,
            len,
            absent: Cell::new(0),
            parent,
            key,
            absent_epoch: Cell::new(0),
            index_shift: keys.shift(),
            multiplier,
            keys: keys.keys.as_ptr(),
            index: if keys.index.is_empty() { std::ptr::null() } else { keys.index.as_ptr() },
            last_meta: Cell::new(std::ptr::null_mut()),
            last_child: Cell::new(std::ptr::null_mut()),
            detail: Box::new(ShapeDetail {
                keys,
                adds: AddressMap::with_hasher(multiplier),
                metas: AddressMap::with_hasher(multiplier),
            }),
        });
    }
    shape
}

/// The shape that extends `shape` (not a dictionary, without `key`) by `key`.
pub fn add_key(heap: &mut Heap, shape: *mut Shape, key: *mut LuaString) -> *mut Shape {
    // SAFETY: shapes passed around are live until the next safepoint.
    unsafe {
        debug_assert!(!(*shape).is_dictionary() && (*shape).slot_of(key).is_none());
        debug_assert!((*key).is_interned(), "record keys are interned strings");
        if let Some(child) = (*shape).detail.adds.get(&(key as usize)).copied() {
            return child;
        }
        let len = (*shape).len;
        let shared = &(*shape).detail.keys;
        let keys = if shared.len.get() == len && (len as usize) < shared.keys.len() {
            Rc::clone(shared)
        } else {
            let own: Vec<_> = (*shape).keys().iter().map(Cell::get).collect();
            KeyTable::new(heap, &own, own.len() + 1)
        };
        keys.push(key);
        let child = allocate(heap, keys, len + 1, (*shape).meta, (shape, key), 0);
        (*shape).detail.adds.insert(key as usize, child);
        child
    }
}

/// Whether the transition by `key` exists already.
#[inline]
pub fn known_child(shape: *mut Shape, key: *mut LuaString) -> Option<*mut Shape> {
    // SAFETY: as for `add_key`.
    unsafe { (*shape).detail.adds.get(&(key as usize)).copied() }
}

/// The shape for the interned ones of `keys` (in slot order; repeats are ignored) under no metatable:
/// the template of a table constructor. Other strings are keys of the hash part.
pub fn for_keys(heap: &mut Heap, keys: &[*mut LuaString]) -> *mut Shape {
    let plain = heap.shapes.plain;
    // SAFETY: keys passed around are live.
    let record: Vec<_> = keys.iter().copied().filter(|k| unsafe { (**k).is_interned() }).collect();
    with_keys(heap, plain, &record)
}

/// The most keys for which [`for_keys`] walks the tree; beyond, it makes a shape without parent.
const PATH_KEYS: usize = 64;

fn with_keys(heap: &mut Heap, root: *mut Shape, keys: &[*mut LuaString]) -> *mut Shape {
    if keys.len() <= PATH_KEYS {
        let mut shape = root;
        for key in keys {
            // SAFETY: as for `add_key`.
            if unsafe { (*shape).slot_of(*key) }.is_none() {
                shape = add_key(heap, shape, *key);
            }
        }
        return shape;
    }
    let mut seen = AddressMap::with_hasher(heap.multiplier());
    let unique: Vec<_> =
        keys.iter().copied().filter(|k| seen.insert(*k as usize, ()).is_none()).collect();
    // SAFETY: as for `add_key`.
    let meta = unsafe { (*root).meta };
    unshared(heap, &unique, meta)
}

/// A shape of its own for `keys` (distinct): the layout of a promoted dictionary.
pub fn unshared(heap: &mut Heap, keys: &[*mut LuaString], meta: *mut Table) -> *mut Shape {
    let len = keys.len() as u32;
    let keys = KeyTable::new(heap, keys, keys.len());
    allocate(heap, keys, len, meta, NO_PARENT, 0)
}

/// Metatables beyond this number that are all in use at once get dictionary shapes: a program that
/// makes a metatable per object would otherwise make every shape per object.
const MANY_METATABLES: usize = 256;

/// The shape with the keys of `shape` under another metatable (null = none). It is a dictionary if
/// `shape` is one, or (only if `shape` has no keys) when very many metatables are in use.
pub fn with_metatable(heap: &mut Heap, shape: *mut Shape, meta: *mut Table) -> *mut Shape {
    // SAFETY: as for `add_key`; the roots are always live.
    unsafe {
        if (*shape).meta == meta {
            return shape;
        }
        if (*shape).last_meta.get() == meta && !meta.is_null() {
            return (*shape).last_child.get();
        }
        if let Some(other) = (*shape).detail.metas.get(&(meta as usize)).copied() {
            note_child(shape, meta, other);
            return other;
        }
        let dictionary = (*shape).is_dictionary();
        let root = if dictionary { heap.shapes.dictionary } else { heap.shapes.plain };
        let other = if (*shape).len == 0 {
            if meta.is_null() {
                root
            } else if shape != root {
                with_metatable(heap, root, meta)
            } else {
                let crowded = (*root).detail.metas.len() >= MANY_METATABLES;
                let flags = if dictionary || crowded { Shape::DICTIONARY } else { 0 };
                let keys = KeyTable::new(heap, &[], 4);
                allocate(heap, keys, 0, meta, NO_PARENT, flags)
            }
        } else {
            let plain = heap.shapes.plain;
            let mut base = with_metatable(heap, plain, meta);
            if (*base).is_dictionary() {
                // Keys must stay in slots: a root of its own.
                let none = KeyTable::new(heap, &[], 4);
                base = allocate(heap, none, 0, meta, NO_PARENT, 0);
            }
            let keys: Vec<_> = (*shape).keys().iter().map(Cell::get).collect();
            with_keys(heap, base, &keys)
        };
        (*shape).detail.metas.insert(meta as usize, other);
        note_child(shape, meta, other);
        other
    }
}

/// Remembers the shape that follows by `meta`, for tables that get their first metatable.
///
/// # Safety
/// `shape` is live.
unsafe fn note_child(shape: *mut Shape, meta: *mut Table, child: *mut Shape) {
    // SAFETY: the caller's promise.
    unsafe {
        if (*shape).meta.is_null() {
            (*shape).last_meta.set(meta);
            (*shape).last_child.set(child);
        }
    }
}

/// The dictionary shape with the metatable of `shape`.
pub fn dictionary_of(heap: &mut Heap, shape: *mut Shape) -> *mut Shape {
    // SAFETY: as for `add_key`.
    unsafe {
        if (*shape).is_dictionary() {
            return shape;
        }
        let root = heap.shapes.dictionary;
        with_metatable(heap, root, (*shape).meta)
    }
}

/// Marks what the shape keeps alive: metatable, parent and keys.
///
/// # Safety
/// `shape` is a live shape.
pub unsafe fn trace(shape: *mut Shape, mut mark: impl FnMut(*mut Header)) {
    // SAFETY: the caller's promise; what a live shape refers to is live.
    unsafe {
        if !(*shape).meta.is_null() {
            mark((*shape).meta.cast());
        }
        if !(*shape).parent.is_null() {
            mark((*shape).parent.cast());
        }
        for key in (*shape).keys() {
            mark(key.get().cast());
        }
    }
}

/// Forgets the transitions to shapes that are about to be freed.
///
/// # Safety
/// `shape` is a live shape; `is_dead` must answer for every shape that was ever a child of it and
/// is not yet freed.
pub unsafe fn drop_dead_children(shape: *mut Shape, mut is_dead: impl FnMut(*mut Shape) -> bool) {
    // SAFETY: the caller's promise.
    let detail = unsafe { &mut (*shape).detail };
    if !detail.adds.is_empty() {
        detail.adds.retain(|_, child| !is_dead(*child));
    }
    if !detail.metas.is_empty() {
        detail.metas.retain(|_, child| !is_dead(*child));
        // SAFETY: as above. The last child is among them.
        unsafe {
            (*shape).last_meta.set(std::ptr::null_mut());
            (*shape).last_child.set(std::ptr::null_mut());
        }
    }
}

/// Frees what the shape owns outside its cell.
///
/// # Safety
/// `shape` is dead and not used afterwards.
pub unsafe fn release(shape: *mut Shape) {
    // SAFETY: the caller's promise.
    unsafe { std::ptr::drop_in_place(&mut (*shape).detail) }
}
