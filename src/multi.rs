//! Lists of values: arguments and results.

use std::ops::{Deref, DerefMut};

use crate::convert::{FromLua, IntoLua};
use crate::error::{Error, Result};
use crate::lua::Lua;
use crate::value::Value;

/// Arguments or results: any number of values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MultiValue(Vec<Value>);

impl MultiValue {
    /// No values.
    pub fn new() -> MultiValue {
        MultiValue::default()
    }
    /// Puts a value in front.
    pub fn push_front(&mut self, value: Value) {
        self.0.insert(0, value);
    }
    /// Puts a value at the end.
    pub fn push_back(&mut self, value: Value) {
        self.0.push(value);
    }
    /// The values.
    pub fn as_slice(&self) -> &[Value] {
        &self.0
    }
    /// Number of values.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The values in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.0.iter()
    }
}

impl FromIterator<Value> for MultiValue {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> MultiValue {
        MultiValue(values.into_iter().collect())
    }
}

impl IntoIterator for MultiValue {
    type Item = Value;
    type IntoIter = std::vec::IntoIter<Value>;

    fn into_iter(self) -> std::vec::IntoIter<Value> {
        self.0.into_iter()
    }
}

/// What can be arguments of a Lua function, or results of a host function: any [`IntoLua`] value,
/// tuples of them, and [`Variadic`].
pub trait IntoLuaMulti {
    /// Converts.
    ///
    /// # Errors
    /// A value cannot become a Lua value.
    fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue>;
}

/// What can be made of a Lua function's results, or of the arguments of a host function: any
/// [`FromLua`] type, tuples of them, and [`Variadic`]. Missing values are nil, extra ones ignored.
pub trait FromLuaMulti: Sized {
    /// Converts.
    ///
    /// # Errors
    /// A value has the wrong type: [`Error::BadArgument`] says which.
    fn from_lua_multi(values: MultiValue, lua: &Lua) -> Result<Self>;
}

impl IntoLuaMulti for MultiValue {
    fn into_lua_multi(self, _: &Lua) -> Result<MultiValue> {
        Ok(self)
    }
}

impl FromLuaMulti for MultiValue {
    fn from_lua_multi(values: MultiValue, _: &Lua) -> Result<MultiValue> {
        Ok(values)
    }
}

impl<T: IntoLua> IntoLuaMulti for T {
    fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue> {
        Ok(MultiValue(vec![self.into_lua(lua)?]))
    }
}

impl<T: FromLua> FromLuaMulti for T {
    fn from_lua_multi(values: MultiValue, lua: &Lua) -> Result<T> {
        one(values.into_iter().next(), 1, lua)
    }
}

/// The value at a position.
fn one<T: FromLua>(value: Option<Value>, position: usize, lua: &Lua) -> Result<T> {
    let value = match value {
        Some(value) => T::from_lua(value, lua),
        None => T::from_nothing(lua),
    };
    value.map_err(|cause| match cause {
        Error::FromLuaConversion { .. } => {
            Error::BadArgument { position, cause: std::sync::Arc::new(cause) }
        }
        other => other,
    })
}

/// The remaining arguments or results, of one type.
///
/// # Examples
///
/// ```
/// use perilune::{Lua, Variadic};
///
/// let lua = Lua::new();
/// let sum = lua.create_function(|_, all: Variadic<i64>| Ok(all.iter().sum::<i64>())).unwrap();
/// assert_eq!(sum.call::<i64>((1, 2, 3)).unwrap(), 6);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variadic<T>(Vec<T>);

impl<T> Variadic<T> {
    /// None.
    pub fn new() -> Variadic<T> {
        Variadic(Vec::new())
    }
    /// As a vector.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T> Deref for Variadic<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for Variadic<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T> From<Vec<T>> for Variadic<T> {
    fn from(values: Vec<T>) -> Variadic<T> {
        Variadic(values)
    }
}

impl<T> FromIterator<T> for Variadic<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Variadic<T> {
        Variadic(values.into_iter().collect())
    }
}

impl<T> IntoIterator for Variadic<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> std::vec::IntoIter<T> {
        self.0.into_iter()
    }
}

impl<T: IntoLua> IntoLuaMulti for Variadic<T> {
    fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue> {
        self.0.into_iter().map(|v| v.into_lua(lua)).collect::<Result<_>>().map(MultiValue)
    }
}

impl<T: FromLua> FromLuaMulti for Variadic<T> {
    fn from_lua_multi(values: MultiValue, lua: &Lua) -> Result<Variadic<T>> {
        let convert = |(i, v)| one(Some(v), i + 1, lua);
        values.into_iter().enumerate().map(convert).collect::<Result<_>>().map(Variadic)
    }
}

/// `Ok` as its value, `Err` as nil and the error's message: what library functions return.
impl<T: IntoLuaMulti, E: std::fmt::Display> IntoLuaMulti for std::result::Result<T, E> {
    fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue> {
        match self {
            Ok(value) => value.into_lua_multi(lua),
            Err(error) => (Value::Nil, error.to_string()).into_lua_multi(lua),
        }
    }
}

impl IntoLuaMulti for () {
    fn into_lua_multi(self, _: &Lua) -> Result<MultiValue> {
        Ok(MultiValue::new())
    }
}

impl FromLuaMulti for () {
    fn from_lua_multi(_: MultiValue, _: &Lua) -> Result<()> {
        Ok(())
    }
}

/// Tuples: all but the last are single values; the last may be a list ([`Variadic`],
/// [`MultiValue`]).
macro_rules! tuple {
    ($count:literal: $($name:ident)* ; $last:ident) => {
        impl<$($name: IntoLua,)* $last: IntoLuaMulti> IntoLuaMulti for ($($name,)* $last,) {
            #[allow(non_snake_case, reason = "type names stand for values too")]
            fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue> {
                let ($($name,)* $last,) = self;
                let mut values = Vec::with_capacity($count);
                $(values.push($name.into_lua(lua)?);)*
                values.extend($last.into_lua_multi(lua)?);
                Ok(MultiValue(values))
            }
        }

        impl<$($name: FromLua,)* $last: FromLuaMulti> FromLuaMulti for ($($name,)* $last,) {
            #[allow(non_snake_case, reason = "type names stand for values too")]
            #[allow(unused_mut, unused_variables, unused_assignments, reason = "the smallest")]
            fn from_lua_multi(values: MultiValue, lua: &Lua) -> Result<Self> {
                let mut values = values.into_iter();
                let mut position = 0;
                $(
                    position += 1;
                    let $name = one(values.next(), position, lua)?;
                )*
                let $last = $last::from_lua_multi(values.collect(), lua).map_err(|error| {
                    match error {
                        Error::BadArgument { position: i, cause } => {
                            Error::BadArgument { position: position + i, cause }
                        }
                        other => other,
                    }
                })?;
                Ok(($($name,)* $last,))
            }
        }
    };
}

tuple!(1: ; A);
tuple!(2: A; B);
tuple!(3: A B; C);
tuple!(4: A B C; D);
tuple!(5: A B C D; E);
tuple!(6: A B C D E; F);
tuple!(7: A B C D E F; G);
tuple!(8: A B C D E F G; H);
