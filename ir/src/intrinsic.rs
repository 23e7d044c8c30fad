//! Library functions that the interpreter and the compiler know by number.
//!
//! One table: each row is a variant of [`Intrinsic`] with the library's name of the function. The
//! runtime registers a function with its number (`NativeFunction::intrinsic`); who sees a callee with
//! that number may replace the call by code of its own with the same meaning, and must fall back to
//! the call for argument types it does not handle. Number 0 is every other function.

/// Calls a macro with all rows: `Variant "library name"`.
#[macro_export]
macro_rules! for_each_intrinsic {
    ($m:ident) => {
        $m! {
            MathFloor "math.floor",
            MathCeil "math.ceil",
            MathAbs "math.abs",
            MathSqrt "math.sqrt",
            MathMax "math.max",
            MathMin "math.min",
            MathSin "math.sin",
            MathCos "math.cos",
            MathTan "math.tan",
            MathAsin "math.asin",
            MathAcos "math.acos",
            MathAtan "math.atan",
            MathExp "math.exp",
            MathLog "math.log",
            MathPow "math.pow",
            MathFmod "math.fmod",
            MathModf "math.modf",
            MathTointeger "math.tointeger",
            MathType "math.type",
            MathRandom "math.random",
            MathUlt "math.ult",
            Type "type",
            Select "select",
            Next "next",
            Pairs "pairs",
            Ipairs "ipairs",
            IpairsStep "ipairs iterator",
            RawGet "rawget",
            RawSet "rawset",
            RawEqual "rawequal",
            RawLen "rawlen",
            Tostring "tostring",
            Tonumber "tonumber",
            Assert "assert",
            Setmetatable "setmetatable",
            Getmetatable "getmetatable",
            Pcall "pcall",
            StringByte "string.byte",
            StringChar "string.char",
            StringSub "string.sub",
            StringLen "string.len",
            TableInsert "table.insert",
            TableRemove "table.remove",
            TableUnpack "table.unpack",
        }
    };
}

macro_rules! define_intrinsics {
    ($($variant:ident $name:literal,)*) => {
        /// A library function known by number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Intrinsic {
            /// No intrinsic: an ordinary native function.
            None = 0,
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
        }

        impl Intrinsic {
            /// All intrinsics, in order of their numbers; `None` first.
            pub const ALL: &'static [Intrinsic] = &[Intrinsic::None, $(Intrinsic::$variant,)*];

            /// The library's name of the function.
            pub const fn name(self) -> &'static str {
                match self {
                    Intrinsic::None => "none",
                    $(Intrinsic::$variant => $name,)*
                }
            }
        }
    };
}
for_each_intrinsic!(define_intrinsics);

impl Intrinsic {
    /// The number as registered with a native function.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The intrinsic with this number; `None` for a number that is none.
    pub fn from_number(number: u32) -> Intrinsic {
        Intrinsic::ALL.get(number as usize).copied().unwrap_or(Intrinsic::None)
    }

    /// How many results a call with `args` arguments has where compiled code replaces it; `None`: that
    /// depends.
    pub const fn results(self, args: usize) -> Option<usize> {
        match self {
            // One less at the end of the table.
            Intrinsic::Next => None,
            Intrinsic::Assert => Some(args),
            Intrinsic::TableInsert => Some(0),
            Intrinsic::Pairs | Intrinsic::Ipairs => Some(3),
            _ => Some(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_indices() {
        for (i, intrinsic) in Intrinsic::ALL.iter().enumerate() {
            assert_eq!(intrinsic.number() as usize, i);
            assert_eq!(Intrinsic::from_number(i as u32), *intrinsic);
        }
        assert_eq!(Intrinsic::from_number(9999), Intrinsic::None);
        assert_eq!(Intrinsic::StringByte.name(), "string.byte");
    }
}
