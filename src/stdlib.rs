//! Which parts of the standard library a state has.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, BitXor, Not};

/// Parts of the standard library, for [`Lua::new_with`](crate::Lua::new_with); combined by `|`. The basic
/// functions (`print`, `pairs`, `load`, …) are always there.
///
/// # Examples
///
/// ```
/// use perilune::{Lua, LuaOptions, StdLib};
///
/// let lua = Lua::new_with(StdLib::STRING | StdLib::TABLE, LuaOptions::default()).unwrap();
/// assert!(lua.load("table.concat({ 'a', 'b' }):upper() == 'AB' and io == nil").eval::<bool>().unwrap());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StdLib(u32);

/// One row for each part: constant, bit, name in Lua.
macro_rules! libraries {
    ($($(#[$doc:meta])* $name:ident $bit:literal $lua:literal;)*) => {
        impl StdLib {
            $($(#[$doc])* pub const $name: StdLib = StdLib(1 << $bit);)*

            /// All of them: what the command line has.
            pub const ALL: StdLib = StdLib(0 $(| 1 << $bit)*);

            /// Names and parts.
            const NAMES: &[(&str, StdLib)] = &[$(($lua, StdLib::$name)),*];
        }
    };
}

libraries! {
    /// `coroutine`
    COROUTINE 0 "coroutine";
    /// `table`
    TABLE 1 "table";
    /// `io`: files and other processes.
    IO 2 "io";
    /// `os`: other processes, files, the environment, the end of this process.
    OS 3 "os";
    /// `string`, and the methods of strings.
    STRING 4 "string";
    /// `utf8`
    UTF8 5 "utf8";
    /// `math`
    MATH 6 "math";
    /// `package` and `require`.
    PACKAGE 7 "package";
    /// `debug`. It cannot harm memory, but nothing that scripts keep from each other: it reads and changes local
    /// variables and upvalues of any function that it gets hold of, and the metatables of all values, those of
    /// the host's types and of strings among them.
    DEBUG 8 "debug";
}

impl StdLib {
    /// The basic functions only.
    pub const NONE: StdLib = StdLib(0);

    /// All but `debug`: what [`Lua::new`](crate::Lua::new) has.
    pub const ALL_SAFE: StdLib = StdLib(StdLib::ALL.0 & !StdLib::DEBUG.0);

    /// Whether all of `other` are among these.
    pub fn contains(self, other: StdLib) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the library with this name is one of these.
    pub(crate) fn has(self, name: &str) -> bool {
        StdLib::NAMES.iter().any(|&(known, part)| known == name && self.contains(part))
    }
}

impl BitOr for StdLib {
    type Output = StdLib;
    fn bitor(self, other: StdLib) -> StdLib {
        StdLib(self.0 | other.0)
    }
}

impl BitOrAssign for StdLib {
    fn bitor_assign(&mut self, other: StdLib) {
        self.0 |= other.0;
    }
}

impl BitAnd for StdLib {
    type Output = StdLib;
    fn bitand(self, other: StdLib) -> StdLib {
        StdLib(self.0 & other.0)
    }
}

impl BitXor for StdLib {
    type Output = StdLib;
    fn bitxor(self, other: StdLib) -> StdLib {
        StdLib(self.0 ^ other.0)
    }
}

impl Not for StdLib {
    type Output = StdLib;
    fn not(self) -> StdLib {
        StdLib(StdLib::ALL.0 & !self.0)
    }
}

impl fmt::Debug for StdLib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = StdLib::NAMES.iter().filter(|(_, part)| self.contains(*part));
        f.write_str("StdLib(")?;
        for (i, (name, _)) in names.enumerate() {
            f.write_str(if i == 0 { "" } else { " | " })?;
            f.write_str(name)?;
        }
        f.write_str(")")
    }
}
