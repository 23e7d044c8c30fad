//! Arguments of a host function where they stand, on the VM stack, and what it answers.

use std::marker::PhantomData;

use perilune_runtime::value::Value as Raw;

use crate::lua::Lua;
use crate::multi::MultiValue;
use crate::value::Value;

/// The arguments of a running host function that are not taken yet.
///
/// They stay on the stack, and alive, until the function returns: whatever Lua code runs meanwhile uses
/// the stack above. They are read one by one, for `debug.setlocal` may replace one.
pub struct Arguments<'a> {
    lua: &'a Lua,
    first: *const Raw,
    taken: usize,
    count: usize,
    frame: PhantomData<&'a [Raw]>,
}

impl<'a> Arguments<'a> {
    /// Those of the running function.
    pub(crate) fn new(lua: &'a Lua, raws: &'a [Raw]) -> Arguments<'a> {
        let (first, count) = (raws.as_ptr(), raws.len());
        Arguments { lua, first, taken: 0, count, frame: PhantomData }
    }

    /// The state.
    pub(crate) fn lua(&self) -> &'a Lua {
        self.lua
    }

    /// Arguments taken so far.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// Takes the next one.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Value> {
        if self.taken == self.count {
            return None;
        }
        // SAFETY: within the slice that `new` got, which is the running function's frame.
        let raw = unsafe { self.first.add(self.taken).read() };
        self.taken += 1;
        Some(match raw.as_float() {
            Some(x) => Value::Number(x),
            None if raw.is_small_int() => Value::Integer(raw.small_int_payload()),
            None => self.lua.with(|vm| self.lua.pull(vm, raw)),
        })
    }

    /// Takes all that are left.
    pub(crate) fn rest(&mut self) -> MultiValue {
        let mut values = MultiValue::new();
        while let Some(value) = self.take() {
            values.push_back(value);
        }
        values
    }
}

/// What a host function answers, written by it in place: moved around it would cost as much as the
/// rest of a call.
pub enum Results {
    /// Nothing yet.
    None,
    /// A single value, the frequent case.
    One(Value),
    /// Any number.
    Many(MultiValue),
}

impl Results {
    /// The values.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[Value] {
        match self {
            Results::None => &[],
            Results::One(value) => std::slice::from_ref(value),
            Results::Many(values) => values.as_slice(),
        }
    }
}
