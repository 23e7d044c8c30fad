//! Metatables: installing them, and finding metamethods fast where there are none.
//!
//! The metatable is part of the shape, so the absence of a metamethod is cached per shape
//! (`Shape::absent`). That cache, and every cache of an inherited field, holds for one value of
//! `Heap::method_epoch`, which is bumped when
//!
//! * a metatable's field whose name starts with `__` is written;
//! * a table that caches were resolved through (`CACHED_METHODS`) gains or loses a string key, changes
//!   between record and dictionary, or gets another metatable.

use super::record::bump;
use super::{Table, record};
use crate::heap::Heap;
use crate::meta::Metamethod;
use crate::object::{Shape, table_flags};
use crate::shape;
use crate::value::Value;

/// The metamethod `m` of tables of `shape`; nil when there is none.
#[inline(always)]
pub fn metamethod(heap: &mut Heap, shape: &Shape, m: Metamethod) -> Value {
    if shape.meta.is_null() {
        return Value::NIL;
    }
    if shape.absent.get() & m.bit() != 0 && shape.absent_epoch.get() == heap.method_epoch.get() {
        return Value::NIL;
    }
    metamethod_slow(heap, shape, m)
}

#[inline(never)]
fn metamethod_slow(heap: &mut Heap, shape: &Shape, m: Metamethod) -> Value {
    let epoch = heap.method_epoch.get();
    if shape.absent_epoch.get() != epoch {
        shape.absent.set(0);
        shape.absent_epoch.set(epoch);
    }
    // SAFETY: a live shape's metatable is live.
    let value = unsafe { (*shape.meta).get_short(heap.meta_names.get(m)) };
    if value.is_nil() {
        shape.absent.set(shape.absent.get() | m.bit());
    }
    value
}

/// The field `m` of any metatable (null allowed), uncached: for userdata and basic types.
#[inline]
pub fn metatable_field(heap: &Heap, meta: *mut Table, m: Metamethod) -> Value {
    if meta.is_null() {
        return Value::NIL;
    }
    // SAFETY: metatables passed around are live.
    unsafe { (*meta).get_short(heap.meta_names.get(m)) }
}

/// Notes that `meta` is a metatable from now on, so that writes to its metamethods are watched. For
/// metatables of userdata and basic types; tables get it from [`Table::set_metatable`].
pub fn mark_metatable(meta: *mut Table) {
    if !meta.is_null() {
        // SAFETY: as above.
        unsafe { (*meta).header.flags |= table_flags::IS_METATABLE };
    }
}

impl Table {
    /// Installs a metatable (null: none). Returns true when it asks for finalization (has `__gc`) and
    /// the table is not yet registered: the caller then calls `Heap::register_finalizer`.
    #[must_use]
    pub fn set_metatable(&mut self, heap: &mut Heap, meta: *mut Table) -> bool {
        if self.meta() != meta {
            if self.header.flags & table_flags::CACHED_METHODS != 0 {
                bump(heap);
            }
            mark_metatable(meta);
            self.shape = shape::with_metatable(heap, self.shape, meta);
            self.barrier(heap);
        }
        if meta.is_null() {
            self.header.flags &= !(table_flags::WEAK_KEYS | table_flags::WEAK_VALUES);
            return false;
        }
        self.update_weak_mode(heap);
        self.header.flags & table_flags::FINALIZER == 0
            && !metamethod(heap, self.shape(), Metamethod::Gc).is_nil()
    }

    /// Sets the weakness flags from the metatable's `__mode` (there must be a metatable).
    #[inline]
    pub fn update_weak_mode(&mut self, heap: &mut Heap) {
        let mut weak = 0;
        if let Some(mode) = metamethod(heap, self.shape(), Metamethod::Mode).as_string() {
            let mode = heap.str_bytes(mode);
            if mode.contains(&b'k') {
                weak |= table_flags::WEAK_KEYS;
            }
            if mode.contains(&b'v') {
                weak |= table_flags::WEAK_VALUES;
            }
        }
        let kept = self.header.flags & !(table_flags::WEAK_KEYS | table_flags::WEAK_VALUES);
        self.header.flags = kept | weak;
    }

    /// A field through the chain of `__index` tables; `Err` holds the first `__index` that is not a
    /// table without the key, and the table that has it.
    ///
    /// # Errors
    /// A metamethod (or a value of another type) must be asked.
    pub fn get_inherited(
        &self,
        heap: &mut Heap,
        key: *mut crate::object::LuaString,
    ) -> Result<Value, (Value, *const Table)> {
        let mut table: *const Table = self;
        for _ in 0..MAX_CHAIN {
            // SAFETY: `self`, or a table reached from it.
            let t = unsafe { &*table };
            let value = t.get_str(heap, key);
            if !value.is_nil() {
                return Ok(value);
            }
            let index = metamethod(heap, t.shape(), Metamethod::Index);
            match index.as_table() {
                Some(next) => table = next,
                None if index.is_nil() => return Ok(Value::NIL),
                None => return Err((index, table)),
            }
        }
        Err((Value::NIL, table))
    }
}

/// `__index` steps after which a lookup fails as a loop.
pub const MAX_CHAIN: usize = 2000;

/// Whether the name of a metamethod; re-exported for caches.
pub(super) use record::is_event_name;
