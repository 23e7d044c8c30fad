//! What errors of conversions say: expected and actual type in Lua's terms, and where the value was.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use perilune_runtime::value::Value as Raw;

use crate::error::Error;
use crate::lua::Lua;
use crate::value::Value;

/// The type of a value (of this state) as messages name it: by the `__name` of its metatable, if there is one.
pub(crate) fn type_of(value: &Value, lua: &Lua) -> Cow<'static, str> {
    let named = matches!(value, Value::Table(_) | Value::UserData(_))
        .then(|| {
            lua.with(|vm| {
                let raw = lua.push_in(vm, value);
                vm.type_name_meta(raw)
            })
        })
        .flatten();
    match named {
        Some(name) => String::from_utf8_lossy(&name).into_owned().into(),
        None if matches!(value, Value::LightUserData(_)) => "light userdata".into(),
        None => value.lua_type().into(),
    }
}

/// The error for a value (of this state) that is not a `to`.
#[cold]
pub(crate) fn mismatch(value: &Value, lua: &Lua, to: impl Into<Cow<'static, str>>) -> Error {
    Error::FromLuaConversion { from: type_of(value, lua), to: to.into(), message: None }
}

/// The error for an integer beyond the limits of a type.
#[cold]
pub(crate) fn out_of_range(found: i64, least: impl Display, greatest: impl Display) -> Error {
    let greatest = greatest.to_string();
    // Only types without a sign refuse integers though they have greater ones.
    let to = match greatest.parse::<i64>() {
        Ok(_) => format!("integer from {least} to {greatest}"),
        Err(_) => "non-negative integer".to_owned(),
    };
    Error::FromLuaConversion {
        from: found.to_string().into(),
        to: to.into(),
        message: Some("out of range".to_owned()),
    }
}

/// The error for a number, or a string with one, that is no integer.
#[cold]
pub(crate) fn no_integer(value: &Value) -> Error {
    let from = match value {
        Value::Number(x) => {
            let digits = perilune_runtime::metamethod::print_number(Raw::float(*x));
            String::from_utf8_lossy(digits.as_bytes()).into_owned().into()
        }
        other => Cow::Borrowed(other.lua_type()),
    };
    Error::FromLuaConversion {
        from,
        to: "integer".into(),
        message: Some("number has no integer representation".to_owned()),
    }
}

/// The name of a host type: in this state's Lua code, or else in Rust, without paths.
pub(crate) fn host_type<T: 'static>(lua: &Lua) -> String {
    let known = lua.0.metatables.borrow().get(&TypeId::of::<T>()).copied();
    let named = known.and_then(|id| {
        lua.with(|vm| {
            let meta = vm.heap.handles.get(id)?;
            let name = vm.get_field_raw(meta.ptr(), "__name").as_string()?;
            Some(String::from_utf8_lossy(vm.heap.str_bytes(name)).into_owned())
        })
    });
    named.unwrap_or_else(short_name::<T>)
}

/// The name of a Rust type without the paths in it.
pub(crate) fn short_name<T: ?Sized>() -> String {
    let mut short = String::new();
    for part in std::any::type_name::<T>().split("::") {
        let path = short.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
        short.truncate(path.len());
        short.push_str(part);
    }
    short
}

/// A key as a part of a path.
fn step(key: &Value) -> String {
    match key {
        Value::String(name) => {
            let text = name.to_string_lossy();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !text.is_empty()
                && text.chars().all(plain)
                && !text.starts_with(|c: char| c.is_ascii_digit())
            {
                text.into_owned()
            } else {
                format!("[{text:?}]")
            }
        }
        Value::Integer(i) => format!("[{i}]"),
        Value::Number(x) => format!("[{x:?}]"),
        Value::Boolean(b) => format!("[{b}]"),
        other => format!("[{}]", other.lua_type()),
    }
}

impl Error {
    /// Whether it says that a value is not what was asked for.
    pub(crate) fn is_conversion(&self) -> bool {
        matches!(self, Error::FromLuaConversion { .. } | Error::BadField { .. })
    }

    /// The error for a value that was read at this key of a table.
    #[cold]
    pub(crate) fn at_key(self, key: &Value) -> Error {
        match self {
            cause @ Error::FromLuaConversion { .. } => {
                Error::BadField { path: step(key), cause: Arc::new(cause) }
            }
            Error::BadField { path, cause } => {
                let dot = if path.starts_with('[') { "" } else { "." };
                Error::BadField { path: format!("{}{dot}{path}", step(key)), cause }
            }
            other => other,
        }
    }

    /// The error for an argument, by its number.
    #[cold]
    pub(crate) fn at_position(self, position: usize) -> Error {
        match self {
            Error::FromLuaConversion { .. } | Error::BadField { .. } => {
                Error::BadArgument { position, cause: Arc::new(self) }
            }
            other => other,
        }
    }

    /// The error for a list of arguments that begins behind `before` others.
    pub(crate) fn moved(self, before: usize) -> Error {
        match self {
            Error::BadArgument { position, cause } => {
                Error::BadArgument { position: position + before, cause }
            }
            other => other,
        }
    }

    /// The error for a list of values that are not arguments but results.
    pub(crate) fn of_results(self) -> Error {
        match self {
            Error::BadArgument { position, cause } => Error::BadResult { position, cause },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_paths() {
        assert_eq!(short_name::<Value>(), "Value");
        assert_eq!(short_name::<Vec<Option<String>>>(), "Vec<Option<String>>");
        assert_eq!(short_name::<std::collections::HashMap<u8, Value>>(), "HashMap<u8, Value>");
        assert_eq!(short_name::<(i32, &str)>(), "(i32, &str)");
    }
}
