//! Conversions between lists of values (arguments and results) and Rust types.

use std::ops::{Deref, DerefMut};

use crate::arguments::{Arguments, Results};
use crate::convert::{FromLua, IntoLua};
use crate::error::Result;
use crate::lua::Lua;
use crate::value::Value;

pub use crate::multi_values::{IntoValues, MultiValue};

/// What can be arguments of a Lua function, or results of a host function: any [`IntoLua`] value,
/// tuples of them, and [`Variadic`].
pub trait IntoLuaMulti {
    /// Converts.
    ///
    /// # Errors
    /// A value cannot become a Lua value.
    fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue>;

    /// As results of a host function.
    ///
    /// # Errors
    /// As [`IntoLuaMulti::into_lua_multi`].
    #[doc(hidden)]
    fn into_results(self, lua: &Lua, results: &mut Results) -> Result<()>
    where
        Self: Sized,
    {
        *results = Results::Many(self.into_lua_multi(lua)?);
        Ok(())
    }
}

/// What can be made of a Lua function's results, or of the arguments of a host function: any
/// [`FromLua`] type, tuples of them, and [`Variadic`]. Missing values are nil, extra ones ignored.
pub trait FromLuaMulti: Sized {
    /// Converts.
    ///
    /// # Errors
    /// A value has the wrong type: [`Error::BadArgument`](crate::Error::BadArgument) says which.
    fn from_lua_multi(values: MultiValue, lua: &Lua) -> Result<Self>;

    /// From the arguments of a host function that are left.
    ///
    /// # Errors
    /// As [`FromLuaMulti::from_lua_multi`], with positions as the function's caller counts.
    #[doc(hidden)]
    fn from_arguments(arguments: &mut Arguments<'_>) -> Result<Self> {
        let (lua, before) = (arguments.lua(), arguments.taken());
        Self::from_lua_multi(arguments.rest(), lua).map_err(|error| error.moved(before))
    }
}

impl IntoLuaMulti for MultiValue {
    fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue> {
        lua.check_all(self.as_slice())?;
        Ok(self)
    }
}

impl FromLuaMulti for MultiValue {
    fn from_lua_multi(values: MultiValue, lua: &Lua) -> Result<MultiValue> {
        lua.check_all(values.as_slice())?;
        Ok(values)
    }
}

impl<T: IntoLua> IntoLuaMulti for T {
    fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue> {
        Ok(MultiValue::one(self.into_lua(lua)?))
    }

    #[inline]
    fn into_results(self, lua: &Lua, results: &mut Results) -> Result<()> {
        *results = Results::One(self.into_lua(lua)?);
        Ok(())
    }
}

impl<T: FromLua> FromLuaMulti for T {
    fn from_lua_multi(values: MultiValue, lua: &Lua) -> Result<T> {
        one(values.into_iter().next(), 1, lua)
    }

    #[inline]
    fn from_arguments(arguments: &mut Arguments<'_>) -> Result<T> {
        let position = arguments.taken() + 1;
        one(arguments.take(), position, arguments.lua())
    }
}

/// The value at a position.
#[inline]
fn one<T: FromLua>(value: Option<Value>, position: usize, lua: &Lua) -> Result<T> {
    let value = match value {
        Some(value) => T::from_lua(value, lua),
        None => T::from_nothing(lua),
    };
    value.map_err(|cause| cause.at_position(position))
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
        self.0.into_iter().map(|v| v.into_lua(lua)).collect()
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
    #[inline]
    fn into_results(self, _: &Lua, _: &mut Results) -> Result<()> {
        Ok(())
    }

    fn into_lua_multi(self, _: &Lua) -> Result<MultiValue> {
        Ok(MultiValue::new())
    }
}

impl FromLuaMulti for () {
    fn from_lua_multi(_: MultiValue, _: &Lua) -> Result<()> {
        Ok(())
    }

    fn from_arguments(_: &mut Arguments<'_>) -> Result<()> {
        Ok(())
    }
}

/// Tuples: all but the last are single values; the last may be a list ([`Variadic`],
/// [`MultiValue`]).
macro_rules! tuple {
    ($($name:ident)* ; $last:ident) => {
        impl<$($name: IntoLua,)* $last: IntoLuaMulti> IntoLuaMulti for ($($name,)* $last,) {
            #[allow(non_snake_case, reason = "type names stand for values too")]
            fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue> {
                let ($($name,)* $last,) = self;
                #[allow(unused_mut, reason = "the smallest")]
                let mut values = MultiValue::new();
                $(values.push_back($name.into_lua(lua)?);)*
                Ok(values.followed_by($last.into_lua_multi(lua)?))
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
                let $last = $last::from_lua_multi(values.collect(), lua)
                    .map_err(|error| error.moved(position))?;
                Ok(($($name,)* $last,))
            }

            #[allow(non_snake_case, reason = "type names stand for values too")]
            #[inline]
            fn from_arguments(arguments: &mut Arguments<'_>) -> Result<Self> {
                $(let $name = <$name as FromLuaMulti>::from_arguments(arguments)?;)*
                let $last = $last::from_arguments(arguments)?;
                Ok(($($name,)* $last,))
            }
        }
    };
}

tuple!(; A);
tuple!(A; B);
tuple!(A B; C);
tuple!(A B C; D);
tuple!(A B C D; E);
tuple!(A B C D E; F);
tuple!(A B C D E F; G);
tuple!(A B C D E F G; H);
