//! Traversal: array, then record slots, then hash part, each in order.
//!
//! A position counts through the three parts; it is the place from which the search for the next
//! entry goes on:
//!
//! ```text
//!   0 … arr_cap | arr_cap … + shape.len | … + hash.entries.len()
//! ```
//!
//! Assigning to existing fields, nil included, moves nothing: positions stay right, and so does the
//! search from a key whose entry was removed meanwhile.

use super::Table;
use crate::heap::Heap;
use crate::value::Value;

/// The key given to `next` is not in the table: `invalid key to 'next'`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

impl InvalidKey {
    /// The message of the Lua error.
    pub const MESSAGE: &'static str = "invalid key to 'next'";
}

impl Table {
    /// The first entry at or after `position`, with the position after it.
    #[inline]
    pub fn next_from(&mut self, position: u32) -> Option<(u32, Value, Value)> {
        let mut at = position as usize;
        let len = self.arr_len as usize;
        while at < len {
            // SAFETY: below `arr_len`.
            let v = unsafe { *self.arr.add(at) };
            at += 1;
            if !v.is_nil() {
                return Some((at as u32, Value::small_int(at as i64), v));
            }
        }
        self.next_after_array(at)
    }

    fn next_after_array(&mut self, at: usize) -> Option<(u32, Value, Value)> {
        let cap = self.arr_cap as usize;
        let shape = self.shape();
        let fields = shape.len as usize;
        for slot in at.saturating_sub(cap)..fields {
            // SAFETY: slots of the shape exist.
            let v = unsafe { *self.slots.add(slot) };
            if !v.is_nil() {
                let key = Value::string(shape.keys()[slot].get());
                return Some(((cap + slot + 1) as u32, key, v));
            }
        }
        let hash = self.hash_mut()?;
        let e = hash.next_live(at.saturating_sub(cap + fields))?;
        let (k, v) = hash.entries[e];
        Some(((cap + fields + e + 1) as u32, k, v))
    }

    /// The position after a key.
    ///
    /// # Errors
    /// The key is not in the table.
    pub fn position_after(&self, heap: &mut Heap, key: Value) -> Result<u32, InvalidKey> {
        if key.is_nil() {
            return Ok(0);
        }
        let cap = self.arr_cap as usize;
        // A float with integer value is no table's key: a traversal never gives one.
        if let Some(i) = key.as_int()
            && i >= 1
            && i as u64 <= cap as u64
        {
            return Ok(i as u32);
        }
        let shape = self.shape();
        if let Some(s) = key.as_string()
            && let Some(slot) = shape.slot_of(s)
        {
            return Ok((cap + slot as usize + 1) as u32);
        }
        let e = self.hash().and_then(|h| h.find(heap, key)).ok_or(InvalidKey)?;
        Ok((cap + shape.len as usize + e + 1) as u32)
    }

    /// The entry after `key` (nil: the first), as `next` answers.
    ///
    /// # Errors
    /// The key is not in the table.
    pub fn next(
        &mut self,
        heap: &mut Heap,
        key: Value,
    ) -> Result<Option<(Value, Value)>, InvalidKey> {
        let position = self.position_after(heap, key)?;
        Ok(self.next_from(position).map(|(_, k, v)| (k, v)))
    }

    /// As [`Table::next`], with the position after `key` as hint; answers the position after the new
    /// key. A wrong hint costs a search.
    ///
    /// # Errors
    /// The key is not in the table.
    #[inline]
    pub fn next_hinted(
        &mut self,
        heap: &mut Heap,
        key: Value,
        hint: u32,
    ) -> Result<Option<(u32, Value, Value)>, InvalidKey> {
        let position = if key.is_nil() {
            0
        } else if self.is_position_after(key, hint) {
            hint
        } else {
            self.position_after(heap, key)?
        };
        Ok(self.next_from(position))
    }

    #[inline]
    fn is_position_after(&self, key: Value, hint: u32) -> bool {
        let Some(at) = (hint as usize).checked_sub(1) else { return false };
        let cap = self.arr_cap as usize;
        if at < cap {
            return key == Value::small_int(i64::from(hint));
        }
        let shape = self.shape();
        let fields = shape.len as usize;
        if at < cap + fields {
            return key.as_string() == Some(shape.keys()[at - cap].get());
        }
        self.hash().is_some_and(|h| h.entries.get(at - cap - fields).is_some_and(|e| e.0 == key))
    }
}
