//! A snapshot of what the interpreter has seen of a function: plain data that the SSA builder reads.
//!
//! Addresses are numbers here. Whoever makes a profile keeps the objects behind them alive for as
//! long as code compiled from it exists.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::bytecode::Function;
use crate::exits::ExitReason;

/// The place of a guard that may not be emitted in the whole function.
pub const ANYWHERE: u32 = u32::MAX;

/// What is known of one function of one state.
#[derive(Debug)]
pub struct Profile {
    /// The bytecode.
    pub function: Arc<Function>,
    /// Address of the prototype.
    pub proto: u64,
    /// The constants as value bits, same indices as in `function`.
    pub constants: Vec<u64>,
    /// One per feedback cell.
    pub sites: Vec<Site>,
    /// The variable behind each upvalue.
    pub upvalues: Vec<Variable>,
    /// Registers that closures of nested functions capture, and the variable of each.
    pub captured: Vec<(u8, Variable)>,
    /// Observed types of the parameters ([`crate::encoding::types`]).
    pub arg_types: Vec<u16>,
    /// Guards that failed too often: the builder must not emit these again, at this word index or
    /// [`ANYWHERE`].
    pub blocked: FxHashSet<(u32, ExitReason)>,
    /// Shapes of the table templates, and how many slots each has.
    pub templates: Vec<(u64, u32)>,
    /// `Vm::method_epoch` when the profile was taken.
    pub method_epoch: u32,
    /// Operators that called metamethods, by word index.
    pub operators: FxHashMap<u32, OperatorSite>,
    /// What holds for all functions of the state.
    pub library: Library,
}

/// A captured variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its number in the state.
    pub number: u32,
    /// Nothing assigns it once it is captured, so far: code that takes it for constant says so.
    pub constant: bool,
}

/// What was seen at an operator that called metamethods.
#[derive(Clone, Debug, Default)]
pub struct OperatorSite {
    /// Types of the results.
    pub types: u16,
    /// Who handled it; empty when nothing usable was seen.
    pub cases: Vec<OperatorCase>,
}

/// A metamethod of an operator: valid for operands of the shape while the method epoch stands.
#[derive(Clone, Debug)]
pub struct OperatorCase {
    /// The shape of the operand whose metamethod it is.
    pub shape: u64,
    /// Which operand: 0 or 1. An operand before it has no metamethod.
    pub operand: u32,
    /// The function value's bits.
    pub handler: u64,
    /// Its profile; absent beyond the inlining depth.
    pub profile: Option<Arc<Profile>>,
}

/// Facts about a state's library.
#[derive(Clone, Copy, Debug, Default)]
pub struct Library {
    /// Address of the table that the methods of strings are found in, or 0; it is so while the
    /// method epoch stands.
    pub string_methods: u64,
    /// Address of the code that all native functions have.
    pub native_code: u64,
    /// Address of the shape of tables without fields and metatable.
    pub plain_shape: u64,
    /// The value bits of the names of types, in the order of [`LUA_TYPES`].
    pub type_names: [u64; LUA_TYPES.len()],
}

/// The types as `type` names them, each with its set ([`crate::encoding::types`]). Userdata and
/// threads, which share a set, are not among them.
pub const LUA_TYPES: [(u16, &str); 6] = {
    use crate::encoding::types::{FALSE, FLOAT, FUNCTION, INT, NIL, STRING, TABLE, TRUE};
    [
        (NIL, "nil"),
        (FALSE | TRUE, "boolean"),
        (INT | FLOAT, "number"),
        (STRING, "string"),
        (TABLE, "table"),
        (FUNCTION, "function"),
    ]
};

/// What was seen at one feedback cell.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Types of the results (gets, calls, upvalues) or of the values stored (sets).
    pub types: u16,
    /// See `runtime::object::Feedback::sites`.
    pub flags: u8,
    /// How field accesses were resolved; empty when nothing usable was seen.
    pub fields: Vec<FieldCase>,
    /// True when `fields` does not cover what was seen.
    pub megamorphic: bool,
    /// Who was called.
    pub callee: Callee,
    /// Address of the cell's slot number, where an iteration by `next` keeps its position.
    pub hint: u64,
}

/// One way in which a field access was resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCase {
    /// The receiver's shape.
    pub shape: u64,
    /// Whether that shape has a metatable.
    pub has_meta: bool,
    /// How.
    pub access: FieldAccess,
}

/// See [`FieldCase`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldAccess {
    /// The receiver's own slot.
    Own {
        /// Slot number.
        slot: u32,
    },
    /// Inherited: slot of another table, valid while the method epoch stands.
    Holder {
        /// Address of the table.
        holder: u64,
        /// Slot number.
        slot: u32,
        /// The value bits found there when the profile was taken.
        value: u64,
    },
    /// Neither there nor inherited, while the method epoch stands.
    Absent,
    /// A new key: the shape changes.
    Add {
        /// The next shape.
        next: u64,
        /// Slot number.
        slot: u32,
    },
}

/// The function seen at a call site.
#[derive(Clone, Debug, Default)]
pub enum Callee {
    /// The site has not run.
    #[default]
    Never,
    /// Always the same native function.
    Native {
        /// The function value's bits.
        bits: u64,
        /// Its intrinsic number, see [`crate::intrinsic`].
        intrinsic: u32,
        /// The bits of its first upvalue, 0 if it has none: what `pairs` and `ipairs` answer.
        upvalue: u64,
    },
    /// Always closures of the same prototype.
    Lua {
        /// The last closure's value bits.
        bits: u64,
        /// Always the same closure.
        single: bool,
        /// Its profile; absent beyond the inlining depth.
        profile: Option<Arc<Profile>>,
        /// Address of the prototype.
        proto: u64,
    },
    /// Functions of two or three prototypes: their profiles.
    Several(Vec<Arc<Profile>>),
    /// Anything else.
    Mixed,
}

impl Profile {
    /// The site of a feedback index; the empty site for `NO_FEEDBACK`.
    pub fn site(&self, index: u16) -> &Site {
        const EMPTY: &Site = &Site {
            types: 0,
            flags: 0,
            fields: Vec::new(),
            megamorphic: false,
            callee: Callee::Never,
            hint: 0,
        };
        self.sites.get(index as usize).unwrap_or(EMPTY)
    }

    /// Whether the guard `reason` at `pc` may not be emitted again.
    pub fn is_blocked(&self, pc: u32, reason: ExitReason) -> bool {
        self.blocked.contains(&(pc, reason)) || self.blocked.contains(&(ANYWHERE, reason))
    }
}
