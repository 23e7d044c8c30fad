//! Signatures of functions under construction, so that library code can be written against them.
#![allow(clippy::unimplemented, unused_variables)]

use crate::object::{LuaString, NativeFn, NativeFunction, Table};
use crate::value::Value;
use crate::vm::{Results, Throw, Vm};

impl Vm {
    /// Throws `message` with the position of the calling Lua function in front
    /// (`chunk:line: message`).
    #[cold]
    pub fn error(&mut self, message: &str) -> Throw {
        self.error_bytes(message.as_bytes())
    }
    /// As [`Vm::error`], for messages that need not be UTF-8.
    #[cold]
    pub fn error_bytes(&mut self, message: &[u8]) -> Throw {
        unimplemented!()
    }
    /// Throws `value` as it is; runs the message handler, if one is set.
    #[cold]
    pub fn throw(&mut self, value: Value) -> Throw {
        unimplemented!()
    }
    /// Throws `bad argument #n to 'function' (message)` for the running native function.
    #[cold]
    pub fn argument_error(&mut self, n: usize, message: &[u8]) -> Throw {
        unimplemented!()
    }
    /// The `__name` of a value's metatable, if it is a string.
    pub fn type_name_meta(&mut self, v: Value) -> Option<Vec<u8>> {
        unimplemented!()
    }
    /// A number, or a string that reads as one, as number.
    pub fn to_number(&mut self, v: Value) -> Option<Value> {
        unimplemented!()
    }
    /// The integer equal to a number, or to the number that a string reads as.
    pub fn to_integer(&mut self, v: Value) -> Option<i64> {
        unimplemented!()
    }
    /// A number as `tostring` prints it.
    pub fn number_to_string(&mut self, v: Value) -> Result<*mut LuaString, Throw> {
        unimplemented!()
    }
    /// A new native function.
    pub fn new_native(
        &mut self,
        function: NativeFn,
        intrinsic: u32,
        upvalues: &[Value],
    ) -> *mut NativeFunction {
        unimplemented!()
    }
    /// `table[name] = value`, raw.
    pub fn set_field_raw(&mut self, table: *mut Table, name: &str, value: Value) {
        unimplemented!()
    }
    /// `table[name]`, raw.
    pub fn get_field_raw(&mut self, table: *mut Table, name: &str) -> Value {
        unimplemented!()
    }
    /// Makes sure that `n` slots and some more can be written from `from` upwards.
    ///
    /// # Errors
    /// `stack overflow`
    pub fn ensure_stack(&mut self, from: *mut Value, n: usize) -> Result<(), Throw> {
        unimplemented!()
    }
    /// Puts a value into the running native function's frame, so that it survives calls back into
    /// Lua. A frame has room for 32 pushed values; [`Vm::ensure_stack`] makes more.
    pub fn push(&mut self, v: Value) -> *mut Value {
        unimplemented!()
    }
    /// Calls any value from Rust with the given arguments, all results.
    ///
    /// # Errors
    /// What the function throws.
    pub fn call(&mut self, f: Value, args: &[Value]) -> Result<Results, Throw> {
        unimplemented!()
    }
    /// Calls and keeps the first result only (nil if there is none).
    ///
    /// # Errors
    /// What the function throws.
    pub fn call1(&mut self, f: Value, args: &[Value]) -> Result<Value, Throw> {
        unimplemented!()
    }
    /// Calls and catches errors: `Err` holds the error value.
    pub fn pcall(&mut self, f: Value, args: &[Value]) -> Result<Results, Value> {
        unimplemented!()
    }
    /// Runs what is due: a collector step, finalizers, an interrupt. Long library loops call it
    /// now and then when `poll` is not zero; it may collect and call Lua.
    ///
    /// # Errors
    /// An interrupt throws.
    pub fn safepoint(&mut self) -> Result<(), Throw> {
        unimplemented!()
    }
    /// `t[k]` with metamethods.
    ///
    /// # Errors
    /// As the operation.
    pub fn index(&mut self, t: Value, k: Value) -> Result<Value, Throw> {
        unimplemented!()
    }
    /// `t[k] = v` with metamethods.
    ///
    /// # Errors
    /// As the operation.
    pub fn set_index(&mut self, t: Value, k: Value, v: Value) -> Result<(), Throw> {
        unimplemented!()
    }
    /// `a == b` with metamethods.
    ///
    /// # Errors
    /// As the metamethod.
    pub fn equals(&mut self, a: Value, b: Value) -> Result<bool, Throw> {
        unimplemented!()
    }
    /// `a < b` with metamethods.
    ///
    /// # Errors
    /// As the operation.
    pub fn less_than(&mut self, a: Value, b: Value) -> Result<bool, Throw> {
        unimplemented!()
    }
    /// `a <= b` with metamethods.
    ///
    /// # Errors
    /// As the operation.
    pub fn less_equal(&mut self, a: Value, b: Value) -> Result<bool, Throw> {
        unimplemented!()
    }
    /// `#v` with metamethods, as a value.
    ///
    /// # Errors
    /// As the operation.
    pub fn length(&mut self, v: Value) -> Result<Value, Throw> {
        unimplemented!()
    }
    /// What `tostring` answers: `__tostring`, `__name`, or the plain form.
    ///
    /// # Errors
    /// As the metamethod, or `'__tostring' must return a string`.
    pub fn to_display(&mut self, v: Value) -> Result<*mut LuaString, Throw> {
        unimplemented!()
    }
    /// The metatable of any value, or null.
    pub fn metatable(&self, v: Value) -> *mut Table {
        unimplemented!()
    }
}
