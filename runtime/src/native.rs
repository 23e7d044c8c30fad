//! Writing functions in Rust: arguments, argument checks, results, registration.
//!
//! A native function gets its frame as [`Args`]: arguments at `base[0 .. count]`, the callee below.
//! Argument numbers count from 1, as in messages. Values read from arguments stay valid while the
//! function runs (they are in its frame); values made by it stay valid until it calls back into
//! Lua or returns (see "Safepoints" in [`crate::vm`]): push what must survive with [`Vm::push`].
//!
//! ```text
//!   base[-2]  base[-1]  base[0] … base[count-1]  | vm.top: pushed values, call windows
//!   callee    link      arguments
//!   results are delivered from base[-2] upwards
//! ```

use crate::object::{Kind, LuaString, NativeFn, NativeFunction, Table, Userdata};
use crate::value::{Type, Value};
use crate::vm::{Args, Results, Throw, Vm};

impl Args {
    /// Number of arguments.
    #[inline(always)]
    pub fn count(self) -> usize {
        self.count as usize
    }

    /// Argument `n` (from 1), nil where there is none.
    #[inline(always)]
    pub fn get(self, n: usize) -> Value {
        if n <= self.count as usize {
            // SAFETY: the call machinery makes `Args` with `count` initialised values at `base`.
            unsafe { *self.base.add(n - 1) }
        } else {
            Value::NIL
        }
    }

    /// Overwrites argument `n`, which must be present.
    #[inline(always)]
    pub fn set(self, n: usize, v: Value) {
        assert!(n >= 1 && n <= self.count as usize);
        // SAFETY: within the arguments, just checked.
        unsafe { *self.base.add(n - 1) = v }
    }

    /// Whether argument `n` is absent.
    #[inline(always)]
    pub fn is_none(self, n: usize) -> bool {
        n > self.count as usize
    }

    /// Whether argument `n` is absent or nil.
    #[inline(always)]
    pub fn is_none_or_nil(self, n: usize) -> bool {
        self.get(n).is_nil()
    }

    /// All arguments. Valid while the function runs.
    #[inline(always)]
    pub fn slice<'a>(self) -> &'a [Value] {
        // SAFETY: as in `get`; the frame stands while the function runs.
        unsafe { std::slice::from_raw_parts(self.base, self.count as usize) }
    }

    /// The called function itself.
    #[inline(always)]
    pub fn callee(self) -> *mut NativeFunction {
        // SAFETY: a native frame's callee is a native function.
        unsafe { (*self.base.sub(2)).ptr() }
    }

    /// Number of upvalues of the called function.
    #[inline]
    pub fn upvalue_count(self) -> usize {
        // SAFETY: the callee is live (it is in the frame).
        unsafe { (*self.callee()).header.extra as usize }
    }

    /// Upvalue `i` (from 0) of the called function.
    #[inline]
    pub fn upvalue(self, i: usize) -> Value {
        let f = self.callee();
        // SAFETY: the callee is live (it is in the frame) and `i` is checked against its count.
        unsafe {
            assert!(i < (*f).header.extra as usize);
            *(&raw const (*f).upvalues).cast::<Value>().add(i)
        }
    }

    /// Replaces upvalue `i` (from 0) of the called function.
    pub fn set_upvalue(self, vm: &mut Vm, i: usize, v: Value) {
        let f = self.callee();
        // SAFETY: as in `upvalue`; the barrier follows the store.
        unsafe {
            assert!(i < (*f).header.extra as usize);
            *(&raw mut (*f).upvalues).cast::<Value>().add(i) = v;
            vm.barrier_back(f);
        }
    }

    // --- results ---

    /// Returns nothing.
    #[inline(always)]
    pub fn ret0(self) -> Result<u32, Throw> {
        // SAFETY: the callee slot lies below every native frame.
        unsafe { *self.base.sub(2) = Value::NIL };
        Ok(0)
    }

    /// Returns one value.
    #[inline(always)]
    pub fn ret1(self, v: Value) -> Result<u32, Throw> {
        // SAFETY: as in `ret0`.
        unsafe { *self.base.sub(2) = v };
        Ok(1)
    }

    /// Returns two values.
    #[inline(always)]
    pub fn ret2(self, a: Value, b: Value) -> Result<u32, Throw> {
        // SAFETY: callee and link slot lie below every native frame.
        unsafe {
            *self.base.sub(2) = a;
            *self.base.sub(1) = b;
        }
        Ok(2)
    }

    /// Returns three values.
    #[inline(always)]
    pub fn ret3(self, a: Value, b: Value, c: Value) -> Result<u32, Throw> {
        // SAFETY: two header slots, and `call` guarantees slots above every native frame's base.
        unsafe {
            *self.base.sub(2) = a;
            *self.base.sub(1) = b;
            *self.base = c;
        }
        Ok(3)
    }

    /// Returns the given values, which lie elsewhere than on the stack: it is written while they are borrowed (see
    /// [`Args::ret_stack`]).
    ///
    /// # Errors
    /// `stack overflow` when they do not fit.
    pub fn ret_slice(self, vm: &mut Vm, values: &[Value]) -> Result<u32, Throw> {
        // SAFETY: a slice is readable.
        unsafe { self.ret_stack(vm, values.as_ptr(), values.len()) }
    }

    /// Returns the `count` values from `first` on, which may lie in this frame or above it, where the results go. No
    /// reference to them may be a parameter of a running function: the compiler takes the copy for one without
    /// overlap then.
    ///
    /// # Safety
    /// The values are readable, and not below their place.
    ///
    /// # Errors
    /// `stack overflow` when they do not fit.
    #[inline]
    pub unsafe fn ret_stack(
        self,
        vm: &mut Vm,
        first: *const Value,
        count: usize,
    ) -> Result<u32, Throw> {
        // SAFETY: the caller's contract; room is made before, and `copy` allows overlap.
        unsafe {
            vm.ensure_stack(self.base, count)?;
            std::ptr::copy(first, self.base.sub(2), count);
            if count == 0 {
                *self.base.sub(2) = Value::NIL;
            }
        }
        Ok(count as u32)
    }

    /// Returns the results of a call that was made in this frame.
    ///
    /// # Errors
    /// `stack overflow` when they do not fit.
    pub fn ret_results(self, vm: &mut Vm, results: Results) -> Result<u32, Throw> {
        // SAFETY: the call delivered them above this frame.
        unsafe { self.ret_stack(vm, results.first, results.count()) }
    }

    /// Returns arguments `n ..`.
    pub fn ret_args_from(self, vm: &mut Vm, n: usize) -> Result<u32, Throw> {
        let skipped = (n.max(1) - 1).min(self.count as usize);
        // SAFETY: arguments of this frame, whose results go below them.
        unsafe { self.ret_stack(vm, self.base.add(skipped), self.count as usize - skipped) }
    }

    // --- checks ---

    /// The error `bad argument #n to 'function' (message)`.
    #[cold]
    pub fn error(self, vm: &mut Vm, n: usize, message: &str) -> Throw {
        vm.argument_error(n, message.as_bytes())
    }

    /// The error `bad argument #n to 'function' (expected expected, got …)`.
    #[cold]
    pub fn type_error(self, vm: &mut Vm, n: usize, expected: &str) -> Throw {
        let mut message = expected.as_bytes().to_vec();
        message.extend_from_slice(b" expected, got ");
        if self.is_none(n) {
            message.extend_from_slice(b"no value");
        } else if let Some(name) = vm.type_name_meta(self.get(n)) {
            message.extend_from_slice(&name);
        } else if self.get(n).ty() == Type::LightUserdata {
            message.extend_from_slice(b"light userdata");
        } else {
            message.extend_from_slice(self.get(n).ty().name().as_bytes());
        }
        vm.argument_error(n, &message)
    }

    /// Argument `n`, which must be present (nil will do).
    pub fn check_any(self, vm: &mut Vm, n: usize) -> Result<Value, Throw> {
        if self.is_none(n) {
            return Err(self.error(vm, n, "value expected"));
        }
        Ok(self.get(n))
    }

    /// Argument `n` as an integer; floats with integer value and numeric strings are converted.
    #[inline]
    pub fn check_int(self, vm: &mut Vm, n: usize) -> Result<i64, Throw> {
        let v = self.get(n);
        if v.is_small_int() { Ok(v.small_int_payload()) } else { self.check_int_slow(vm, n) }
    }

    #[cold]
    fn check_int_slow(self, vm: &mut Vm, n: usize) -> Result<i64, Throw> {
        let v = self.get(n);
        match vm.to_number(v).and_then(|v| vm.to_integer(v)) {
            Some(i) => Ok(i),
            None if vm.to_number(v).is_some() => {
                Err(self.error(vm, n, "number has no integer representation"))
            }
            None => Err(self.type_error(vm, n, "number")),
        }
    }

    /// Argument `n` as an integer, `default` where it is absent or nil.
    pub fn opt_int(self, vm: &mut Vm, n: usize, default: i64) -> Result<i64, Throw> {
        if self.is_none_or_nil(n) { Ok(default) } else { self.check_int(vm, n) }
    }

    /// Argument `n` as a float; integers and numeric strings are converted.
    #[inline]
    pub fn check_float(self, vm: &mut Vm, n: usize) -> Result<f64, Throw> {
        let v = self.get(n);
        if let Some(x) = v.as_float() {
            return Ok(x);
        }
        if v.is_small_int() {
            return Ok(v.small_int_payload() as f64);
        }
        match vm.to_number(v).and_then(Value::to_float) {
            Some(x) => Ok(x),
            None => Err(self.type_error(vm, n, "number")),
        }
    }

    /// Argument `n` as a float, `default` where it is absent or nil.
    pub fn opt_float(self, vm: &mut Vm, n: usize, default: f64) -> Result<f64, Throw> {
        if self.is_none_or_nil(n) { Ok(default) } else { self.check_float(vm, n) }
    }

    /// Argument `n` as a number value, integer or float; numeric strings are converted.
    pub fn check_number(self, vm: &mut Vm, n: usize) -> Result<Value, Throw> {
        let v = self.get(n);
        match vm.to_number(v) {
            Some(v) => Ok(v),
            None => Err(self.type_error(vm, n, "number")),
        }
    }

    /// Argument `n` as a string object; a number is converted and replaced in the frame.
    #[inline]
    pub fn check_str(self, vm: &mut Vm, n: usize) -> Result<*mut LuaString, Throw> {
        let v = self.get(n);
        if let Some(s) = v.as_string() {
            return Ok(s);
        }
        if v.is_number() {
            let s = vm.number_to_string(v)?;
            self.set(n, Value::string(s));
            return Ok(s);
        }
        Err(self.type_error(vm, n, "string"))
    }

    /// Argument `n` as bytes; a number is converted. Valid while the function runs and argument `n`
    /// is not overwritten.
    pub fn check_bytes<'a>(self, vm: &mut Vm, n: usize) -> Result<&'a [u8], Throw> {
        let s = self.check_str(vm, n)?;
        // SAFETY: the string is in the frame, so it lives as long as the function runs; strings
        // are immutable.
        unsafe { vm.string_bytes(s) }
    }

    /// Argument `n` as bytes, `None` where it is absent or nil.
    pub fn opt_bytes<'a>(self, vm: &mut Vm, n: usize) -> Result<Option<&'a [u8]>, Throw> {
        if self.is_none_or_nil(n) { Ok(None) } else { self.check_bytes(vm, n).map(Some) }
    }

    /// Argument `n`, which must be a table.
    #[inline]
    pub fn check_table(self, vm: &mut Vm, n: usize) -> Result<*mut Table, Throw> {
        match self.get(n).as_table() {
            Some(t) => Ok(t),
            None => Err(self.type_error(vm, n, "table")),
        }
    }

    /// Argument `n`, which must be a function.
    pub fn check_function(self, vm: &mut Vm, n: usize) -> Result<Value, Throw> {
        let v = self.get(n);
        if v.is_function() { Ok(v) } else { Err(self.type_error(vm, n, "function")) }
    }

    /// Argument `n`, which must be a full userdata whose metatable is `meta`, called `name` in
    /// messages.
    pub fn check_userdata(
        self,
        vm: &mut Vm,
        n: usize,
        meta: *mut Table,
        name: &str,
    ) -> Result<*mut Userdata, Throw> {
        if let Some(u) = self.get(n).as_userdata() {
            // SAFETY: the userdata is in the frame.
            if unsafe { (*u).meta } == meta {
                return Ok(u);
            }
        }
        Err(self.type_error(vm, n, name))
    }

    /// Argument `n` as one of `names` (the index is returned); `default` where it is absent or nil.
    pub fn check_option(
        self,
        vm: &mut Vm,
        n: usize,
        default: Option<&str>,
        names: &[&str],
    ) -> Result<usize, Throw> {
        let given = match default {
            Some(d) if self.is_none_or_nil(n) => d.as_bytes(),
            _ => self.check_bytes(vm, n)?,
        };
        match names.iter().position(|name| name.as_bytes() == given) {
            Some(i) => Ok(i),
            None => {
                let mut message = b"invalid option '".to_vec();
                message.extend_from_slice(given);
                message.push(b'\'');
                Err(vm.argument_error(n, &message))
            }
        }
    }
}

/// A function to register: name, function, and its number `Intrinsic::X.number()` (0 for most).
pub type Registration = (&'static str, NativeFn, u32);

impl Vm {
    /// Makes a native function value.
    pub fn native(&mut self, function: NativeFn) -> Value {
        self.native_with(function, 0, &[])
    }

    /// Makes a native function value with an intrinsic number and upvalues.
    pub fn native_with(&mut self, function: NativeFn, intrinsic: u32, upvalues: &[Value]) -> Value {
        let f = self.new_native(function, intrinsic, upvalues);
        debug_assert!(Value::native(f).kind() == Kind::NativeFunction);
        Value::native(f)
    }

    /// Stores native functions into a table.
    pub fn register(&mut self, table: *mut Table, functions: &[Registration]) {
        for &(name, function, intrinsic) in functions {
            let f = self.native_with(function, intrinsic, &[]);
            self.set_field_raw(table, name, f);
        }
    }
}
