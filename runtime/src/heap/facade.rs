//! The heap's services under the names that library code uses, on [`Vm`].

use crate::object::LuaString;
use crate::value::Value;
use crate::vm::Vm;

impl Vm {
    /// The bytes of a string (a rope is flattened).
    ///
    /// # Safety
    /// `s` must be live, and stay reachable as long as the slice is used.
    #[inline(always)]
    pub unsafe fn string_bytes<'a>(&mut self, s: *mut LuaString) -> &'a [u8] {
        self.heap.str_bytes(s)
    }

    /// A new string value (interned when short).
    #[inline]
    pub fn string(&mut self, bytes: &[u8]) -> Value {
        self.heap.str_value(bytes)
    }

    /// An integer value.
    #[inline(always)]
    pub fn int(&mut self, i: i64) -> Value {
        self.heap.int(i)
    }

    /// To be called after storing values into a table, userdata or native function.
    ///
    /// # Safety
    /// `parent` must be a live heap object.
    #[inline(always)]
    pub unsafe fn barrier_back<T>(&mut self, parent: *mut T) {
        // SAFETY: the caller's contract.
        unsafe { self.heap.barrier_back(parent) }
    }
}
