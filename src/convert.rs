//! Conversions between Rust and Lua values.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use crate::error::{Error, Result};
use crate::function::Function;
use crate::lua::Lua;
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
            Error::FromLuaConversion { from: "nil", to, message } => {
                Error::FromLuaConversion { from: "no value", to, message }
            }
            other => other,
        })
    }
}

fn mismatch(value: &Value, to: &'static str) -> Error {
    Error::FromLuaConversion { from: value.lua_type(), to, message: None }
}

impl IntoLua for Value {
    fn into_lua(self, _: &Lua) -> Result<Value> {
        Ok(self)
    }
}

impl FromLua for Value {
    fn from_lua(value: Value, _: &Lua) -> Result<Value> {
        Ok(value)
    }
}

impl IntoLua for &Value {
    fn into_lua(self, _: &Lua) -> Result<Value> {
        Ok(self.clone())
    }
}

/// The types that are a variant of [`Value`] themselves.
macro_rules! variants {
    ($($ty:ident $variant:ident $name:literal;)*) => {$(
        impl IntoLua for $ty {
            fn into_lua(self, _: &Lua) -> Result<Value> {
                Ok(Value::$variant(self))
            }
        }
        impl IntoLua for &$ty {
            fn into_lua(self, _: &Lua) -> Result<Value> {
                Ok(Value::$variant(self.clone()))
            }
        }
        impl FromLua for $ty {
            fn from_lua(value: Value, _: &Lua) -> Result<$ty> {
                match value {
                    Value::$variant(v) => Ok(v),
                    other => Err(mismatch(&other, $name)),
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
    fn into_lua(self, _: &Lua) -> Result<Value> {
        Ok(Value::String(self))
    }
}

impl IntoLua for &LuaString {
    fn into_lua(self, _: &Lua) -> Result<Value> {
        Ok(Value::String(self.clone()))
    }
}

impl FromLua for LuaString {
    /// Strings, and numbers as their text.
    fn from_lua(value: Value, lua: &Lua) -> Result<LuaString> {
        match value {
            Value::String(s) => Ok(s),
            Value::Integer(_) | Value::Number(_) => {
                let text = value.to_display_string(lua)?;
                lua.create_string(text)
            }
            other => Err(mismatch(&other, "string")),
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
            Value::Integer(_) | Value::Number(_) => value.to_display_string(lua),
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
    fn from_lua(value: Value, _: &Lua) -> Result<bool> {
        Ok(!matches!(value, Value::Nil | Value::Boolean(false)))
    }
}

/// The number in a value, strings converted as Lua's arithmetic does.
fn number(value: Value, lua: &Lua) -> Result<Value> {
    match value {
        Value::Integer(_) | Value::Number(_) => Ok(value),
        Value::String(ref s) => {
            let found = lua.with(|vm| {
                let raw = s.0.raw(vm);
                vm.to_number(raw).map(|n| lua.pull(vm, n))
            });
            found.ok_or_else(|| mismatch(&value, "number"))
        }
        other => Err(mismatch(&other, "number")),
    }
}

fn out_of_range(from: &'static str) -> Error {
    Error::FromLuaConversion {
        from,
        to: "number",
        message: Some("number has no integer representation".to_owned()),
    }
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
                match number(value, lua)? {
                    Value::Integer(i) => $ty::try_from(i).map_err(|_| out_of_range("integer")),
                    Value::Number(x) => perilune_runtime::table::float_to_int(x)
                        .and_then(|i| $ty::try_from(i).ok())
                        .ok_or_else(|| out_of_range("float")),
                    other => Err(mismatch(&other, "number")),
                }
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
                match number(value, lua)? {
                    Value::Integer(i) => Ok(i as $ty),
                    Value::Number(x) => Ok(x as $ty),
                    other => Err(mismatch(&other, "number")),
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

fn sequence<T: IntoLua>(lua: &Lua, values: impl IntoIterator<Item = T>) -> Result<Value> {
    let table = lua.create_table()?;
    for (i, value) in values.into_iter().enumerate() {
        table.raw_set(i as i64 + 1, value)?;
    }
    Ok(Value::Table(table))
}

impl<T: IntoLua> IntoLua for Vec<T> {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        sequence(lua, self)
    }
}

impl<T: IntoLua + Clone> IntoLua for &[T] {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        sequence(lua, self.iter().cloned())
    }
}

impl<T: IntoLua, const N: usize> IntoLua for [T; N] {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        sequence(lua, self)
    }
}

impl<T: FromLua> FromLua for Vec<T> {
    fn from_lua(value: Value, lua: &Lua) -> Result<Vec<T>> {
        Table::from_lua(value, lua)?.sequence_values().collect()
    }
}

impl<T: FromLua, const N: usize> FromLua for [T; N] {
    fn from_lua(value: Value, lua: &Lua) -> Result<[T; N]> {
        let values: Vec<T> = Vec::from_lua(value, lua)?;
        let found = values.len();
        values.try_into().map_err(|_| Error::FromLuaConversion {
            from: "table",
            to: "array",
            message: Some(format!("{N} elements expected, got {found}")),
        })
    }
}

fn record<K: IntoLua, V: IntoLua>(
    lua: &Lua,
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<Value> {
    let table = lua.create_table()?;
    for (key, value) in pairs {
        table.raw_set(key, value)?;
    }
    Ok(Value::Table(table))
}

impl<K: IntoLua, V: IntoLua, S> IntoLua for HashMap<K, V, S> {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        record(lua, self)
    }
}

impl<K: FromLua + Eq + Hash, V: FromLua, S: BuildHasher + Default> FromLua for HashMap<K, V, S> {
    fn from_lua(value: Value, lua: &Lua) -> Result<HashMap<K, V, S>> {
        Table::from_lua(value, lua)?.pairs().collect()
    }
}

impl<K: IntoLua, V: IntoLua> IntoLua for BTreeMap<K, V> {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        record(lua, self)
    }
}

impl<K: FromLua + Ord, V: FromLua> FromLua for BTreeMap<K, V> {
    fn from_lua(value: Value, lua: &Lua) -> Result<BTreeMap<K, V>> {
        Table::from_lua(value, lua)?.pairs().collect()
    }
}

impl<K: IntoLua, S> IntoLua for HashSet<K, S> {
    /// A table with the elements as keys and `true` as values.
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        record(lua, self.into_iter().map(|key| (key, true)))
    }
}

impl<K: FromLua + Eq + Hash, S: BuildHasher + Default> FromLua for HashSet<K, S> {
    /// The keys of a table.
    fn from_lua(value: Value, lua: &Lua) -> Result<HashSet<K, S>> {
        let table = Table::from_lua(value, lua)?;
        table.pairs::<K, Value>().map(|pair| pair.map(|(key, _)| key)).collect()
    }
}

impl<K: IntoLua> IntoLua for BTreeSet<K> {
    /// A table with the elements as keys and `true` as values.
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        record(lua, self.into_iter().map(|key| (key, true)))
    }
}

impl<K: FromLua + Ord> FromLua for BTreeSet<K> {
    /// The keys of a table.
    fn from_lua(value: Value, lua: &Lua) -> Result<BTreeSet<K>> {
        let table = Table::from_lua(value, lua)?;
        table.pairs::<K, Value>().map(|pair| pair.map(|(key, _)| key)).collect()
    }
}
