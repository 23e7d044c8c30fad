//! Weak tables, decided at the atomic end of marking.
//!
//! * Weak values: entries whose value is dead go.
//! * Weak keys (ephemerons): a value is marked once its key is; entries whose key is dead go.
//! * Both: entries with either dead go.
//!
//! Strings and wide integers are values to Lua, not objects: they are never removed, so they are marked.
//!
//! Removed entries of hash parts stand (with value nil) until the table is rebuilt. The key of
//! such an entry is not marked; when it dies it becomes [`DEAD_KEY`], so that nothing dangles.

use std::cell::Cell;

use super::{GRAY, Heap, Roots};
use crate::object::{Header, Kind, Table, element_kind, table_flags};
use crate::value::{TAG_IMMEDIATE, TAG_SHIFT, Value};

/// Stands in for the dead key of a removed entry; equal to no value that Lua can have.
pub const DEAD_KEY: Value = Value(TAG_IMMEDIATE << TAG_SHIFT | 7);

/// An entry of an ephemeron table whose key is not marked yet.
pub(crate) struct Ephemeron {
    key: *mut Header,
    value: Value,
}

/// True for objects that weak tables drop when nothing else refers to them.
///
/// # Safety
/// `v` must be a valid value.
unsafe fn is_unmarked(v: Value) -> bool {
    // SAFETY: the caller's contract.
    v.is_heap() && unsafe { (*v.header()).color < GRAY }
}

/// True for unmarked objects that Lua sees as objects.
///
/// # Safety
/// `v` must be a valid value.
unsafe fn is_dead(v: Value) -> bool {
    // SAFETY: the caller's contract.
    unsafe { is_unmarked(v) && !matches!((*v.header()).kind, Kind::String | Kind::WideInt) }
}

impl Heap {
    /// Marks strings and wide integers, which are never weak; true when `v` is another, unmarked object.
    ///
    /// # Safety
    /// `v` must be a valid value.
    unsafe fn still_weak(&mut self, v: Value) -> bool {
        // SAFETY: the caller's contract.
        unsafe {
            if !is_unmarked(v) {
                return false;
            }
            if matches!((*v.header()).kind, Kind::String | Kind::WideInt) {
                self.mark_value(v);
                return false;
            }
            true
        }
    }

    /// Scans a weak table in the atomic phase.
    ///
    /// # Safety
    /// `t` must be live.
    pub(super) unsafe fn scan_weak(&mut self, t: *mut Table) -> usize {
        // SAFETY: the caller's contract; the table's invariants bound its parts.
        unsafe {
            let flags = (*t).header.flags;
            let weak_keys = flags & table_flags::WEAK_KEYS != 0;
            let weak_values = flags & table_flags::WEAK_VALUES != 0;
            let (slots, length) = ((*(*t).shape).len as usize, (*t).arr_len as usize);
            for i in 0..slots {
                self.mark_weak_value(*(*t).slots.add(i), weak_values);
            }
            for i in 0..length {
                self.mark_weak_value(*(*t).arr.add(i), weak_values);
            }
            let mut entries = 0;
            if !(*t).hash.is_null() {
                entries = (*(*t).hash).entries.len();
                for i in 0..entries {
                    let (k, v) = (&(*(*t).hash).entries)[i];
                    if v.is_nil() {
                        continue;
                    }
                    if !weak_keys {
                        self.mark_value(k);
                        self.mark_weak_value(v, weak_values);
                    } else if weak_values {
                        // See `mark_kept_strings`.
                    } else if self.still_weak(k) {
                        self.ephemerons.push(Ephemeron { key: k.header(), value: v });
                    } else {
                        self.mark_value(v);
                    }
                }
            }
            self.weak_tables.push(t);
            size_of::<Table>() + (slots + length + 2 * entries) * 8
        }
    }

    /// # Safety
    /// `v` must be a valid value.
    unsafe fn mark_weak_value(&mut self, v: Value, weak: bool) {
        // SAFETY: the caller's contract.
        unsafe {
            if weak {
                self.still_weak(v);
            } else {
                self.mark_value(v);
            }
        }
    }

    /// Marks values of ephemerons whose keys are marked, until nothing changes.
    pub(super) fn converge_ephemerons(&mut self, roots: &mut dyn Roots) {
        let mut changed = true;
        while changed {
            changed = false;
            // Chains are mostly built in order or in reverse: go both ways in turn.
            let mut list = std::mem::take(&mut self.ephemerons);
            list.reverse();
            list.retain(|e| {
                // SAFETY: keys and values of live tables are valid until the sweep.
                unsafe {
                    if (*e.key).color < GRAY {
                        return true;
                    }
                    self.mark_value(e.value);
                }
                self.propagate_all(roots);
                changed = true;
                false
            });
            // Tables reached meanwhile added theirs.
            list.append(&mut self.ephemerons);
            self.ephemerons = list;
        }
    }

    /// Removes entries of weak tables whose value (with `values`) or key (with `keys`) is dead.
    pub(super) fn clear_weak(&mut self, values: bool, keys: bool) {
        for i in 0..self.weak_tables.len() {
            let t = self.weak_tables[i];
            // SAFETY: weak tables in the list are live.
            unsafe {
                let flags = (*t).header.flags;
                let values = values && flags & table_flags::WEAK_VALUES != 0;
                let keys = keys && flags & table_flags::WEAK_KEYS != 0;
                if values || keys {
                    self.disturbances += 1;
                    clear_table(&self.method_epoch, t, values, keys);
                }
            }
        }
    }

    /// Marks the strings and wide integers in what is left of tables with weak keys and values: they
    /// were no reason to keep an entry, but stay with it.
    pub(super) fn mark_kept_strings(&mut self) {
        const BOTH: u8 = table_flags::WEAK_KEYS | table_flags::WEAK_VALUES;
        for i in 0..self.weak_tables.len() {
            let t = self.weak_tables[i];
            // SAFETY: weak tables in the list are live.
            unsafe {
                if (*t).header.flags & BOTH == BOTH && !(*t).hash.is_null() {
                    for &(k, v) in &(*(*t).hash).entries {
                        if !v.is_nil() {
                            self.mark_value(k);
                            self.mark_value(v);
                        }
                    }
                }
            }
        }
    }

    /// Replaces the dead keys of removed entries.
    pub(super) fn clear_removed_keys(&mut self) {
        let weak = std::mem::take(&mut self.weak_tables);
        let strong = std::mem::take(&mut self.removed_keys);
        for &t in weak.iter().chain(&strong) {
            // SAFETY: tables in the lists are live, their entries valid until the sweep.
            unsafe {
                if (*t).hash.is_null() {
                    continue;
                }
                for (k, v) in &mut (*(*t).hash).entries {
                    if v.is_nil() && is_unmarked(*k) {
                        *k = DEAD_KEY;
                    }
                }
            }
        }
    }
}

/// # Safety
/// `t` must be a live weak table.
unsafe fn clear_table(epoch: &Cell<u32>, t: *mut Table, values: bool, keys: bool) {
    // SAFETY: the caller's contract; the table's invariants bound its parts.
    unsafe {
        if values {
            for i in 0..(*(*t).shape).len as usize {
                let slot = (*t).slots.add(i);
                if is_dead(*slot) {
                    *slot = Value::NIL;
                    if (*t).header.flags & table_flags::CACHED_METHODS != 0 {
                        epoch.set(epoch.get().wrapping_add(1));
                    }
                }
            }
            for i in 0..(*t).arr_len as usize {
                let element = (*t).arr.add(i);
                if is_dead(*element) {
                    *element = Value::NIL;
                    (*t).header.aux |= element_kind::HOLES;
                }
            }
            while (*t).arr_len > 0 && (*(*t).arr.add((*t).arr_len as usize - 1)).is_nil() {
                (*t).arr_len -= 1;
            }
            if (*t).arr_len == 0 {
                (*t).header.aux = element_kind::EMPTY;
            }
        }
        if !(*t).hash.is_null() {
            let hash = &mut *(*t).hash;
            for (k, v) in &mut hash.entries {
                if !v.is_nil() && (values && is_dead(*v) || keys && is_dead(*k)) {
                    *v = Value::NIL;
                    hash.live -= 1;
                    if k.is_string() && (*t).header.flags & table_flags::CACHED_METHODS != 0 {
                        epoch.set(epoch.get().wrapping_add(1));
                    }
                }
            }
        }
    }
}
