//! The array part.
//!
//! A key up to `arr_cap` always lives here. Appending doubles; a gap within the capacity makes holes.
//! Integer keys beyond go to the hash part until that must grow: then the integer keys of both parts
//! are counted, and the array takes the largest power of two of which more than half would be in
//! use. An array with holes that must grow is counted likewise, so that a queue which moves upwards
//! does not keep its past.

use std::ptr;

use super::{KeyError, Table, kind_of};
use crate::heap::Heap;
use crate::object::element_kind;
use crate::value::Value;

/// Larger keys are never in an array.
pub const MAX_ARRAY: usize = 1 << 30;
/// Elements of the first array that is not inline.
const FIRST_ARRAY: usize = 4;

/// Number of integer keys `k` with `2^(b-1) < k <= 2^b`, by `b`.
struct Census {
    counts: [u32; 31],
    total: u32,
}

impl Census {
    fn add(&mut self, key: i64) {
        if (1..=MAX_ARRAY as i64).contains(&key) {
            self.counts[64 - ((key - 1) as u64).leading_zeros() as usize] += 1;
            self.total += 1;
        }
    }

    /// The largest power of two of which more than half is in use, or 0.
    fn best_size(&self) -> usize {
        let (mut below, mut best) = (0, 0);
        for (b, count) in self.counts.iter().enumerate() {
            if self.total as usize <= (1 << b) / 2 {
                break;
            }
            below += *count as usize;
            if below > (1 << b) / 2 {
                best = 1 << b;
            }
        }
        best
    }
}

impl Table {
    /// Sets an integer key.
    #[inline]
    pub fn set_int(&mut self, heap: &mut Heap, i: i64, value: Value) {
        let at = (i as u64).wrapping_sub(1);
        if at < self.arr_len as u64 && !value.is_nil() {
            // SAFETY: below `arr_len`.
            unsafe { *self.arr.add(at as usize) = value };
            self.header.aux |= kind_of(value);
            self.barrier(heap);
        } else if at == self.arr_len as u64 && at + 1 < self.arr_cap as u64 && !value.is_nil() {
            // SAFETY: within the capacity.
            unsafe { *self.arr.add(at as usize) = value };
            self.arr_len += 1;
            self.header.aux |= kind_of(value);
            self.barrier(heap);
        } else {
            self.set_int_slow(heap, i, value);
        }
    }

    #[inline(never)]
    fn set_int_slow(&mut self, heap: &mut Heap, i: i64, value: Value) {
        let at = (i as u64).wrapping_sub(1);
        if value.is_nil() {
            if at < self.arr_len as u64 {
                self.clear_element(at as usize);
            } else if at >= self.arr_cap as u64
                && let Some(hash) = self.hash_mut()
                && hash.has_int_keys
                && let Some(e) = hash.find_int(i)
            {
                hash.store(e, Value::NIL);
            }
        } else if at == self.arr_len as u64 {
            self.append(heap, value);
        } else if at < self.arr_cap as u64 {
            self.store_element(heap, at as usize, value);
        } else {
            self.set_int_hash(heap, i, value);
        }
    }

    /// Sets element `arr_len` (from 0), which is absent, to a value that is not nil.
    #[inline]
    pub fn append(&mut self, heap: &mut Heap, value: Value) {
        let at = self.arr_len as usize;
        if at == self.arr_cap as usize {
            if !self.grow_for_append(heap) {
                return;
            }
            if at >= self.arr_cap as usize {
                // Too sparse: the array shrank.
                return self.set_int_hash(heap, at as i64 + 1, value);
            }
        }
        self.store_element(heap, at, value);
    }

    /// Stores a value that is not nil within the capacity.
    #[inline]
    fn store_element(&mut self, heap: &mut Heap, at: usize, value: Value) {
        // SAFETY: within the capacity.
        unsafe { *self.arr.add(at) = value };
        self.header.aux |= kind_of(value);
        if at >= self.arr_len as usize {
            if at > self.arr_len as usize {
                self.header.aux |= element_kind::HOLES;
            }
            self.arr_len = at as u32 + 1;
            self.absorb_behind(heap);
        }
        self.barrier(heap);
    }

    /// Removes an element below `arr_len`.
    fn clear_element(&mut self, at: usize) {
        // SAFETY: below `arr_len`.
        unsafe { *self.arr.add(at) = Value::NIL };
        if at + 1 == self.arr_len as usize {
            self.trim();
        } else {
            self.header.aux |= element_kind::HOLES;
        }
    }

    /// Lowers `arr_len` to the last element that is not nil.
    fn trim(&mut self) {
        // SAFETY: below `arr_len`.
        while self.arr_len > 0 && unsafe { (*self.arr.add(self.arr_len as usize - 1)).is_nil() } {
            self.arr_len -= 1;
        }
        if self.arr_len == 0 {
            self.header.aux = element_kind::EMPTY;
        }
    }

    /// Sets an integer key beyond the capacity.
    fn set_int_hash(&mut self, heap: &mut Heap, i: i64, value: Value) {
        if let Some(hash) = self.hash_mut() {
            if hash.has_int_keys
                && let Some(e) = hash.find_int(i)
            {
                hash.store(e, value);
                return self.barrier(heap);
            }
            if hash.is_full() {
                let size = self.census(i).best_size();
                if size > self.arr_cap as usize {
                    return match self.set_capacity(heap, size) {
                        Ok(()) => self.set_int(heap, i, value),
                        Err(error) => heap.refuse(error),
                    };
                }
            }
        }
        let key = heap.int(i);
        self.insert_hash(heap, key, value);
    }

    /// Counts all integer keys, and `extra`.
    fn census(&self, extra: i64) -> Census {
        let mut census = Census { counts: [0; 31], total: 0 };
        census.add(extra);
        for (at, v) in self.elements().iter().enumerate() {
            if !v.is_nil() {
                census.add(at as i64 + 1);
            }
        }
        if let Some(hash) = self.hash()
            && hash.has_int_keys
        {
            for (k, v) in &hash.entries {
                if k.is_small_int() && !v.is_nil() {
                    census.add(k.small_int_payload());
                }
            }
        }
        census
    }

    /// False, and [`Heap::refuse`]d, when there is no room.
    #[inline(never)]
    fn grow_for_append(&mut self, heap: &mut Heap) -> bool {
        let cap = self.arr_cap as usize;
        let mut size = (cap * 2).max(FIRST_ARRAY);
        if self.header.aux & element_kind::HOLES != 0 {
            let best = self.census(cap as i64 + 1).best_size();
            // Where the array would end, there must be a border.
            let element = |at: usize| self.elements().get(at).is_some_and(|v| !v.is_nil());
            if best < cap && !(best > 0 && element(best - 1) && element(best)) {
                size = best;
            }
        }
        self.set_capacity(heap, size).map_err(|error| heap.refuse(error)).is_ok()
    }

    /// Grows the array (taking keys from the hash part) or shrinks it (giving keys to it). On an error
    /// nothing has changed.
    fn set_capacity(&mut self, heap: &mut Heap, size: usize) -> Result<(), KeyError> {
        let old = self.arr_cap as usize;
        if size == old {
            return Ok(());
        }
        if size > heap.max_table {
            return Err(KeyError::Overflow);
        }
        let mut removed = Vec::new();
        let count = self.elements().iter().skip(size).filter(|v| !v.is_nil()).count();
        if count > 0 {
            // Given back at once.
            heap.admit(count * size_of::<(usize, Value)>())?;
            removed.try_reserve_exact(count).map_err(|_| KeyError::Memory)?;
            let elements = self.elements().iter().copied().enumerate().skip(size);
            removed.extend(elements.filter(|(_, v)| !v.is_nil()));
            self.make_hash_room(heap, count)?;
        }
        // SAFETY: the old part has `old` values, is inline or from `alloc_values`, and is replaced.
        unsafe {
            if old == 0 || self.is_inline(self.arr) {
                let new = heap.alloc_values(size)?;
                ptr::copy_nonoverlapping(self.arr, new, (self.arr_len as usize).min(size));
                self.arr = new;
            } else {
                self.arr = heap.resize_values(self.arr, old, size)?;
            }
        }
        self.arr_cap = size as u32;
        if size < old {
            if self.arr_len as usize > size {
                self.arr_len = size as u32;
                self.trim();
            }
            for (at, v) in removed {
                // The key may have a removed entry there.
                self.set_hash(heap, Value::small_int(at as i64 + 1), v);
            }
        } else {
            self.absorb_range(heap, old);
            self.absorb_behind(heap);
        }
        Ok(())
    }

    /// Moves integer keys in `old + 1 ..= arr_cap` from the hash part into the array.
    fn absorb_range(&mut self, heap: &mut Heap, old: usize) {
        let cap = self.arr_cap as usize;
        let arr = self.arr;
        let Some(hash) = self.hash_mut() else { return };
        if !hash.has_int_keys {
            return;
        }
        let (mut kinds, mut count, mut end) = (0, 0, 0);
        let mut take = |at: usize, v: Value| {
            // SAFETY: within the capacity.
            unsafe { *arr.add(at) = v };
            kinds |= kind_of(v);
            count += 1;
            end = end.max(at + 1);
        };
        if hash.entries.len() < cap - old {
            for e in 0..hash.entries.len() {
                let (k, v) = hash.entries[e];
                if k.is_small_int() && !v.is_nil() {
                    let at = k.small_int_payload().wrapping_sub(1) as u64;
                    if (old as u64..cap as u64).contains(&at) {
                        hash.store(e, Value::NIL);
                        take(at as usize, v);
                    }
                }
            }
        } else {
            for at in old..cap {
                if let Some(e) = hash.find_int(at as i64 + 1) {
                    let v = hash.value(e);
                    if !v.is_nil() {
                        hash.store(e, Value::NIL);
                        take(at, v);
                    }
                }
            }
        }
        if count > 0 {
            if self.arr_len as usize + count != end {
                kinds |= element_kind::HOLES;
            }
            self.arr_len = end as u32;
            self.header.aux |= kinds;
            self.barrier(heap);
        }
    }

    /// When the array is full, takes the keys that follow from the hash part.
    #[inline(always)]
    fn absorb_behind(&mut self, heap: &mut Heap) {
        if self.arr_len == self.arr_cap && !self.hash.is_null() {
            self.absorb_following(heap);
        }
    }

    #[inline(never)]
    fn absorb_following(&mut self, heap: &mut Heap) {
        let next = self.arr_len as i64 + 1;
        if self.arr_len != self.arr_cap || self.get_int(next).is_nil() {
            return;
        }
        let size = (self.arr_cap as usize * 2).max(FIRST_ARRAY);
        // This comes back here if the array is full again. Without room the keys stay where they are.
        if self.set_capacity(heap, size).is_err() {
            heap.kept_in_hash = true;
        }
    }

    /// Makes room for `n` elements. False, and [`Heap::refuse`]d, when there is none.
    pub fn reserve_array(&mut self, heap: &mut Heap, n: usize) -> bool {
        n <= self.arr_cap as usize
            || self.set_capacity(heap, n).map_err(|error| heap.refuse(error)).is_ok()
    }

    /// All elements of the array part, holes included.
    #[inline(always)]
    pub fn elements(&self) -> &[Value] {
        if self.arr_len == 0 {
            return &[];
        }
        // SAFETY: the array has `arr_len` elements.
        unsafe { std::slice::from_raw_parts(self.arr, self.arr_len as usize) }
    }

    /// The elements with keys `from .. from + n`, where all are below `arr_len`.
    pub fn element_range(&self, from: i64, n: usize) -> Option<&[Value]> {
        let at = usize::try_from(from.checked_sub(1)?).ok()?;
        self.elements().get(at..at.checked_add(n)?)
    }

    /// `table.move` within one table: copies `n` elements from key `from` to key `to` (both at least
    /// 1; the ranges may overlap). False, and nothing done, unless the source lies in the array and the
    /// target in it or right behind it.
    pub fn copy_elements(&mut self, heap: &mut Heap, from: i64, n: usize, to: i64) -> bool {
        let (src, dst, len) = (from as usize - 1, to as usize - 1, self.arr_len as usize);
        if n == 0 {
            return true;
        }
        if src.saturating_add(n) > len || dst > len || dst.saturating_add(n) > MAX_ARRAY {
            return false;
        }
        if !self.reserve_array(heap, dst + n) {
            return false;
        }
        // SAFETY: both ranges are within the capacity.
        unsafe { ptr::copy(self.arr.add(src), self.arr.add(dst), n) };
        if dst + n >= self.arr_len as usize {
            self.arr_len = (dst + n) as u32;
            self.trim();
            self.absorb_behind(heap);
        }
        self.barrier(heap);
        true
    }

    /// Sets keys `first ..` to `values` (`first >= 1`, no part of this table): constructors,
    /// `table.pack`, `table.move`.
    pub fn set_range(&mut self, heap: &mut Heap, first: i64, values: &[Value]) {
        let at = first as u64 as usize - 1;
        let end = at.saturating_add(values.len());
        if at > self.arr_len as usize || end > MAX_ARRAY {
            for (i, v) in values.iter().enumerate() {
                self.set_int(heap, first.wrapping_add(i as i64), *v);
            }
            return;
        }
        if !self.reserve_array(heap, end) {
            return;
        }
        let mut kinds = 0;
        for v in values {
            kinds |= if v.is_nil() { element_kind::HOLES } else { kind_of(*v) };
        }
        // SAFETY: within the capacity; `values` is no part of this array.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.arr.add(at), values.len()) };
        self.header.aux |= kinds;
        if end >= self.arr_len as usize {
            self.arr_len = end as u32;
            self.trim();
            self.absorb_behind(heap);
        }
        self.barrier(heap);
    }

    /// `table.insert(t, pos, value)` for `1 <= pos <= len + 1`.
    pub fn insert_element(&mut self, heap: &mut Heap, pos: i64, value: Value) {
        let (at, len) = (pos as usize - 1, self.arr_len as usize);
        debug_assert!(at <= len);
        if at == len {
            return self.set_int(heap, pos, value);
        }
        // SAFETY: `at < len`.
        let last = unsafe { *self.arr.add(len - 1) };
        self.append(heap, last);
        if heap.has_refused() {
            return;
        }
        if (self.arr_len as usize) <= len {
            // Too sparse for an array: one by one.
            for i in (at..len).rev() {
                let v = self.get_int(i as i64 + 1);
                self.set_int(heap, i as i64 + 2, v);
                if heap.has_refused() {
                    return;
                }
            }
            return self.set_int(heap, pos, value);
        }
        // SAFETY: `len` elements and one more are in the array.
        unsafe { ptr::copy(self.arr.add(at), self.arr.add(at + 1), len - 1 - at) };
        if value.is_nil() {
            self.clear_element(at);
        } else {
            self.store_element(heap, at, value);
        }
    }

    /// `table.remove(t, pos)` for `1 <= pos <= len`: returns the element, moves the others down.
    pub fn remove_element(&mut self, pos: i64) -> Value {
        let (at, len) = (pos as usize - 1, self.arr_len as usize);
        debug_assert!(at < len);
        // SAFETY: `at < len`.
        unsafe {
            let removed = *self.arr.add(at);
            ptr::copy(self.arr.add(at + 1), self.arr.add(at), len - 1 - at);
            self.clear_element(len - 1);
            removed
        }
    }
}
