//! The heap's services under the names that library code uses, on [`Vm`].

use super::{OutOfMemory, out_of_memory};
use crate::object::LuaString;
use crate::value::Value;
use crate::vm::{Throw, Vm};

impl Vm {
    /// The bytes of a string (a rope is flattened).
    ///
    /// # Safety
    /// `s` must be live, and stay reachable as long as the slice is used.
    ///
    /// # Errors
    /// `not enough memory`
    #[inline(always)]
    pub unsafe fn string_bytes<'a>(&mut self, s: *mut LuaString) -> Result<&'a [u8], Throw> {
        match self.heap.try_bytes(s) {
            Ok(bytes) => Ok(bytes),
            Err(OutOfMemory) => Err(out_of_memory(self)),
        }
    }

    /// A new string value (interned when short), of a length that the program does not decide: without
    /// memory it is another string, and the error comes soon (see [`super::door`]).
    #[inline]
    pub fn string(&mut self, bytes: &[u8]) -> Value {
        self.heap.str_value(bytes)
    }

    /// A new string value of any length.
    ///
    /// # Errors
    /// `not enough memory`
    #[inline]
    pub fn try_string(&mut self, bytes: &[u8]) -> Result<Value, Throw> {
        match self.heap.try_string(bytes) {
            Ok(s) => Ok(Value::string(s)),
            Err(OutOfMemory) => Err(out_of_memory(self)),
        }
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
