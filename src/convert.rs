//! Conversions between Rust and Lua values: the traits, single values.
//!
//! Values of another state are refused wherever one is converted ([`Error::OtherState`]), in both directions:
//! to read one through this state's engine would read another heap. Lists of elements are in
//! `collections.rs`, what the errors say in `mismatch.rs`.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::function::Function;
use crate::lua::Lua;
use crate::mismatch::{mismatch, no_integer, out_of_range};
use crate::string::LuaString;
use crate::table::Table;
use crate::thread::Thread;
use crate::userdata::AnyUserData;
use crate::value::{LightUserData, Value};

/// What can become a Lua value.
///
/// # Examples
///
/// ```
/// use perilune::{IntoLua, Lua, Result, Value};
///
/// struct Point(f64, f64);
///
/// impl IntoLua for Point {
///     fn into_lua(self, lua: &Lua) -> Result<Value> {
///         let t = lua.create_table()?;
///         t.set("x", self.0)?;
///         t.set("y", self.1)?;
///         t.into_lua(lua)
///     }
/// }
///
/// let lua = Lua::new();
/// lua.globals().set("p", Point(1.0, 2.5)).unwrap();
/// assert_eq!(lua.load("p.x + p.y").eval::<f64>().unwrap(), 3.5);
/// ```
pub trait IntoLua: Sized {
    /// Converts.
    ///
    /// # Errors
    /// The value cannot become a Lua value, or memory is short.
    fn into_lua(self, lua: &Lua) -> Result<Value>;
}

/// What can be made of a Lua value.
///
/// # Examples
///
/// ```
/// use perilune::{FromLua, Lua, Result, Table, Value};
///
/// struct Point(f64, f64);
///
/// impl FromLua for Point {
///     fn from_lua(value: Value, lua: &Lua) -> Result<Point> {
///         let t = Table::from_lua(value, lua)?;
///         Ok(Point(t.get("x")?, t.get("y")?))
///     }
/// }
///
/// let lua = Lua::new();
/// let p: Point = lua.load("{ x = 1, y = 2 }").eval().unwrap();
/// assert_eq!((p.0, p.1), (1.0, 2.0));
/// ```
pub trait FromLua: Sized {
    /// Converts.
    ///
    /// # Errors
    /// The value is of another type.
    fn from_lua(value: Value, lua: &Lua) -> Result<Self>;

    /// Converts an argument that is absent: as nil, with `no value` in the message.
    ///
    /// # Errors
    /// Absence will not do.
    #[doc(hidden)]
    fn from_nothing(lua: &Lua) -> Result<Self> {
        Self::from_lua(Value::Nil, lua).map_err(|error| match error {
            Error::FromLuaConversion { to, message, .. } => {
                Error::FromLuaConversion { from: "no value".into(), to, message }
            }
            other => other,
        })
    }
}

impl IntoLua for Value {
    #[inline]
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        lua.check(&self)?;
        Ok(self)
    }
}

impl FromLua for Value {
    #[inline]
    fn from_lua(value: Value, lua: &Lua) -> Result<Value> {
        lua.check(&value)?;
        Ok(value)
    }
}

impl IntoLua for &Value {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        lua.check(self)?;
        Ok(self.clone())
    }
}

/// The types that are a variant of [`Value`] themselves.
macro_rules! variants {
    ($($ty:ident $variant:ident $name:literal;)*) => {$(
        impl IntoLua for $ty {
            #[inline]
            fn into_lua(self, lua: &Lua) -> Result<Value> {
                Value::$variant(self).into_lua(lua)
            }
        }
        impl IntoLua for &$ty {
            fn into_lua(self, lua: &Lua) -> Result<Value> {
                Value::$variant(self.clone()).into_lua(lua)
            }
        }
        impl FromLua for $ty {
            #[inline]
            fn from_lua(value: Value, lua: &Lua) -> Result<$ty> {
                lua.check(&value)?;
                match value {
                    Value::$variant(v) => Ok(v),
                    other => Err(mismatch(&other, lua, $name)),
                }
            }
        }
    )*};
}

variants! {
    Table Table "table";
    Function Function "function";
    Thread Thread "thread";
    AnyUserData UserData "userdata";
    LightUserData LightUserData "light userdata";
}

impl IntoLua for LuaString {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        Value::String(self).into_lua(lua)
    }
}

impl IntoLua for &LuaString {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        Value::String(self.clone()).into_lua(lua)
    }
}

impl FromLua for LuaString {
    /// Strings, and numbers as their text.
    fn from_lua(value: Value, lua: &Lua) -> Result<LuaString> {
        lua.check(&value)?;
        match value {
            Value::String(s) => Ok(s),
            Value::Integer(_) | Value::Number(_) => {
                let text = value.plain_text(lua)?;
                lua.create_string(text)
            }
            other => Err(mismatch(&other, lua, "string")),
        }
    }
}

/// Texts: through a Lua string.
macro_rules! texts {
    ($($ty:ty)*) => {$(
        impl IntoLua for $ty {
            fn into_lua(self, lua: &Lua) -> Result<Value> {
                lua.create_string(self.as_bytes()).map(Value::String)
            }
        }
    )*};
}

texts! { &str String &String Cow<'_, str> Box<str> }

impl IntoLua for char {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        self.to_string().into_lua(lua)
    }
}

impl FromLua for String {
    fn from_lua(value: Value, lua: &Lua) -> Result<String> {
        match &value {
            Value::Integer(_) | Value::Number(_) => value.plain_text(lua),
            _ => Ok(LuaString::from_lua(value, lua)?.to_str()?.to_owned()),
        }
    }
}

impl IntoLua for bool {
    fn into_lua(self, _: &Lua) -> Result<Value> {
        Ok(Value::Boolean(self))
    }
}

impl FromLua for bool {
    /// As conditions do: nil and false are false, all else is true.
    fn from_lua(value: Value, lua: &Lua) -> Result<bool> {
        lua.check(&value)?;
        Ok(!matches!(value, Value::Nil | Value::Boolean(false)))
    }
}

/// The number in a value, strings converted as Lua's arithmetic does.
fn number(value: &Value, lua: &Lua) -> Result<Value> {
    lua.check(value)?;
    let found = match value {
        Value::Integer(_) | Value::Number(_) => return Ok(value.clone()),
        Value::String(s) => lua.with(|vm| {
            let raw = s.0.raw(vm);
            vm.to_number(raw).map(|n| lua.pull(vm, n))
        }),
        _ => None,
    };
    found.ok_or_else(|| mismatch(value, lua, "number"))
}

/// Integers that always fit, or may not.
macro_rules! integers {
    ($($ty:ident)*) => {$(
        impl IntoLua for $ty {
            /// Beyond 64 bits the value becomes a float.
            #[inline]
            fn into_lua(self, _: &Lua) -> Result<Value> {
                Ok(match i64::try_from(self) {
                    Ok(i) => Value::Integer(i),
                    Err(_) => Value::Number(self as f64),
                })
            }
        }
        impl FromLua for $ty {
            /// Integers in range, floats with such a value, and strings that are such numbers.
            #[inline]
            fn from_lua(value: Value, lua: &Lua) -> Result<$ty> {
                if let Value::Integer(i) = value
                    && let Ok(i) = $ty::try_from(i)
                {
                    return Ok(i);
                }
                let integer = match number(&value, lua)? {
                    Value::Integer(i) => Some(i),
                    Value::Number(x) => perilune_runtime::table::float_to_int(x),
                    _ => None,
                };
                let Some(integer) = integer else { return Err(no_integer(&value)) };
                $ty::try_from(integer).map_err(|_| out_of_range(integer, $ty::MIN, $ty::MAX))
            }
        }
    )*};
}

integers! { i8 u8 i16 u16 i32 u32 i64 u64 i128 u128 isize usize }

macro_rules! floats {
    ($($ty:ident)*) => {$(
        impl IntoLua for $ty {
            #[inline]
            fn into_lua(self, _: &Lua) -> Result<Value> {
                Ok(Value::Number(f64::from(self)))
            }
        }
        impl FromLua for $ty {
            #[inline]
            fn from_lua(value: Value, lua: &Lua) -> Result<$ty> {
                if let Value::Number(x) = value {
                    return Ok(x as $ty);
                }
                match number(&value, lua)? {
                    Value::Integer(i) => Ok(i as $ty),
                    Value::Number(x) => Ok(x as $ty),
                    other => Err(mismatch(&other, lua, "number")),
                }
            }
        }
    )*};
}

floats! { f32 f64 }

impl<T: IntoLua> IntoLua for Option<T> {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        match self {
            Some(value) => value.into_lua(lua),
            None => Ok(Value::Nil),
        }
    }
}

impl<T: FromLua> FromLua for Option<T> {
    fn from_lua(value: Value, lua: &Lua) -> Result<Option<T>> {
        match value {
            Value::Nil => Ok(None),
            value => T::from_lua(value, lua).map(Some),
        }
    }
}
