//! The metamethods: their names, and the interned form of those names.
//!
//! `Shape::absent` has one bit per [`Metamethod`], so there can be at most 32 of them.

use crate::heap::Heap;
use crate::object::LuaString;
use crate::value::Type;

macro_rules! metamethods {
    ($($name:ident $text:literal;)*) => {
        /// A metatable field with a meaning to the engine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Metamethod { $(#[doc = concat!("`", $text, "`")] $name,)* }

        impl Metamethod {
            /// All of them, in order of their numbers.
            pub const ALL: &'static [Metamethod] = &[$(Metamethod::$name,)*];

            /// The field's name, with its two underscores.
            pub const fn name(self) -> &'static str {
                match self { $(Metamethod::$name => $text,)* }
            }
        }
    };
}

metamethods! {
    Index "__index";
    NewIndex "__newindex";
    Gc "__gc";
    Mode "__mode";
    Len "__len";
    Eq "__eq";
    Add "__add";
    Sub "__sub";
    Mul "__mul";
    Mod "__mod";
    Pow "__pow";
    Div "__div";
    IDiv "__idiv";
    BAnd "__band";
    BOr "__bor";
    BXor "__bxor";
    Shl "__shl";
    Shr "__shr";
    Unm "__unm";
    BNot "__bnot";
    Lt "__lt";
    Le "__le";
    Concat "__concat";
    Call "__call";
    Close "__close";
    ToString "__tostring";
    Name "__name";
    Pairs "__pairs";
    Metatable "__metatable";
}

const _: () = assert!(Metamethod::ALL.len() <= 32);

impl Metamethod {
    /// The name without the underscores: what error messages call the event.
    pub fn event(self) -> &'static str {
        &self.name()[2..]
    }

    /// The bit of `Shape::absent`.
    #[inline(always)]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// The interned names of types, in the order of [`Type::NAMES`]. The heap keeps them as roots.
#[derive(Clone, Copy, Debug)]
pub struct TypeNames(pub [*mut LuaString; Type::NAMES.len()]);

impl TypeNames {
    /// Interns all names.
    pub fn intern(heap: &mut Heap) -> TypeNames {
        TypeNames(Type::NAMES.map(|name| heap.intern(name.as_bytes())))
    }

    /// The name of `ty`.
    pub fn get(&self, ty: Type) -> *mut LuaString {
        self.0[ty.name_number()]
    }
}

/// The interned metamethod names, indexed by [`Metamethod`]. The heap keeps them as roots.
#[derive(Clone, Copy, Debug)]
pub struct MetaNames(pub [*mut LuaString; Metamethod::ALL.len()]);

impl MetaNames {
    /// Interns all names.
    pub fn intern(heap: &mut Heap) -> MetaNames {
        let mut names = [std::ptr::null_mut(); Metamethod::ALL.len()];
        for m in Metamethod::ALL {
            names[*m as usize] = heap.intern(m.name().as_bytes());
        }
        MetaNames(names)
    }

    /// The name of `m`.
    #[inline(always)]
    pub fn get(&self, m: Metamethod) -> *mut LuaString {
        self.0[m as usize]
    }
}
