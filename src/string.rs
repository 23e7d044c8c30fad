//! Strings.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use perilune_runtime::value::Value as Raw;

use crate::error::{Error, Result};
use crate::state::Handle;

/// A Lua string: bytes, not necessarily UTF-8.
///
/// # Examples
///
/// ```
/// use perilune::{Lua, LuaString};
///
/// let lua = Lua::new();
/// let s: LuaString = lua.load(r#""caf\xC3\xA9""#).eval().unwrap();
/// assert_eq!(s.to_str().unwrap(), "café");
/// assert_eq!(s.as_bytes().len(), 5);
/// ```
#[derive(Clone)]
pub struct LuaString(pub(crate) Handle);

impl LuaString {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.lua.with(|vm| {
            let raw: Raw = self.0.raw(vm);
            match raw.as_string() {
                // Rooted as long as `self` is borrowed; a string's bytes neither move nor change.
                Some(s) => vm.heap.str_bytes(s),
                None => &[],
            }
        })
    }

    /// The string as UTF-8.
    ///
    /// # Errors
    /// [`Error::FromLuaConversion`] when it is not.
    pub fn to_str(&self) -> Result<&str> {
        std::str::from_utf8(self.as_bytes()).map_err(|e| Error::FromLuaConversion {
            from: "string".into(),
            to: "UTF-8 string".into(),
            message: Some(e.to_string()),
        })
    }

    /// The string as UTF-8, with replacement characters for what is not.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }
}

impl fmt::Display for LuaString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}

impl fmt::Debug for LuaString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for LuaString {
    fn eq(&self, other: &T) -> bool {
        self.as_bytes() == other.as_ref()
    }
}

impl Eq for LuaString {}

impl AsRef<[u8]> for LuaString {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialOrd for LuaString {
    fn partial_cmp(&self, other: &LuaString) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LuaString {
    fn cmp(&self, other: &LuaString) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for LuaString {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}
