//! The typed SSA: what a compilation unit looks like between bytecode and Cranelift.
//!
//! A [`Graph`] is a list of blocks with parameters; instructions are values. Integers, floats,
//! booleans and heap pointers are unboxed; [`Type::Any`] is a boxed 8-byte value.
//!
//! A guard carries a [`SnapshotId`]: where the interpreter resumes (re-executing the instruction at
//! `pc`) and which VM stack slots hold something else than memory says. Inlined frames are merely
//! more slots: their callee and link words stand in the snapshot like registers.

pub mod build;
mod ops;
pub mod passes;
mod print;
mod verify;

pub use ops::Opcode;
pub use verify::verify;

use smallvec::SmallVec;

use crate::exits::ExitReason;

/// Alias classes of memory.
pub mod effect {
    /// Nothing.
    pub const NONE: u16 = 0;
    /// VM stack slots.
    pub const STACK: u16 = 1;
    /// Shapes of tables.
    pub const SHAPE: u16 = 2;
    /// Record slots' contents.
    pub const RECORD: u16 = 4;
    /// Record slots' address.
    pub const RECPTR: u16 = 8;
    /// Array elements.
    pub const ELEM: u16 = 16;
    /// Array address and length.
    pub const ARR: u16 = 32;
    /// Element kinds.
    pub const KIND: u16 = 64;
    /// How many elements there are, of which kind.
    pub const LENGTH: u16 = ARR | KIND;
    /// Upvalues.
    pub const UPVAL: u16 = 128;
    /// Method epoch.
    pub const EPOCH: u16 = 256;
    /// The array part of tables.
    pub const ALL_TABLE: u16 = ELEM | ARR | KIND;
    /// Any part of tables, and what depends on their keys.
    pub const ANY_TABLE: u16 = META | RECORD | RECPTR | ALL_TABLE;
    /// A stack slot that is an upvalue of closures.
    pub const SHARED: u16 = STACK | UPVAL;
    /// What a change of metatable may change.
    pub const META: u16 = SHAPE | EPOCH | KIND;
    /// Everything.
    pub const ALL: u16 = 0x1FF;
    /// Number of classes.
    pub const COUNT: usize = 9;
}

macro_rules! id {
    ($name:ident, $prefix:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}
id!(Value, "v", "An instruction and its result.");
id!(Block, "b", "A basic block.");
id!(SnapshotId, "s", "A point where the interpreter can take over.");

/// Machine-level type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// No result.
    None,
    /// A boxed value.
    Any,
    /// A 64-bit integer.
    Int,
    /// A float.
    Float,
    /// A boolean.
    Bool,
    /// Pointer to a table.
    Table,
    /// Pointer to a string.
    Str,
    /// Pointer to a function.
    Func,
    /// A machine word that Lua does not see.
    Raw,
}

impl Type {
    /// Whether a slot that holds such a value must be seen by the collector.
    pub const fn is_collectable(self) -> bool {
        match self {
            Type::Any | Type::Table | Type::Str | Type::Func => true,
            Type::None | Type::Int | Type::Float | Type::Bool | Type::Raw => false,
        }
    }
}

/// Comparison conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Cond {
    /// `==`
    Eq,
    /// `~=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `<`, unsigned
    Below,
}

impl Cond {
    /// All, in the order of their numbers.
    pub const ALL: [Cond; 7] =
        [Cond::Eq, Cond::Ne, Cond::Lt, Cond::Le, Cond::Gt, Cond::Ge, Cond::Below];
}

/// Float functions called out of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum MathFn {
    /// `x % y` as Lua does on floats
    Mod,
    /// `x ^ y`
    Pow,
    /// `sin`
    Sin,
    /// `cos`
    Cos,
    /// `tan`
    Tan,
    /// `exp`
    Exp,
    /// natural `log`
    Log,
    /// `asin`
    Asin,
    /// `acos`
    Acos,
    /// `atan` of y and x
    Atan2,
    /// C's `fmod`
    Fmod,
}

impl MathFn {
    /// All, in the order of their numbers.
    pub const ALL: [MathFn; 11] = [
        MathFn::Mod,
        MathFn::Pow,
        MathFn::Sin,
        MathFn::Cos,
        MathFn::Tan,
        MathFn::Exp,
        MathFn::Log,
        MathFn::Asin,
        MathFn::Acos,
        MathFn::Atan2,
        MathFn::Fmod,
    ];
}

/// The operands of an instruction.
pub type Args = SmallVec<[Value; 4]>;

/// An instruction.
#[derive(Clone, Debug)]
pub struct Inst {
    /// What it does.
    pub op: Opcode,
    /// Type of its result.
    pub ty: Type,
    /// Operands.
    pub args: Args,
    /// First immediate.
    pub imm: u64,
    /// Second immediate.
    pub aux: u32,
    /// Where to go when the guard fails.
    pub snapshot: Option<SnapshotId>,
}

impl Default for Inst {
    /// The integer 0.
    fn default() -> Inst {
        let (op, ty) = (Opcode::ConstInt, Type::Int);
        Inst { op, ty, args: Args::new(), imm: 0, aux: 0, snapshot: None }
    }
}

/// A jump target with the values for the block's parameters.
#[derive(Clone, Debug)]
pub struct Target {
    /// The block.
    pub block: Block,
    /// Its parameters' values.
    pub args: Vec<Value>,
}

/// How a block ends.
#[derive(Clone, Debug)]
pub enum Terminator {
    /// Not yet known (only while building).
    Open,
    /// Go on there.
    Jump(Target),
    /// Two ways; `unlikely` names the arm that is rarely taken, if known.
    Branch {
        /// A boolean.
        cond: Value,
        /// When it holds.
        then: Target,
        /// When it does not.
        other: Target,
    },
    /// Return these values (boxed, or as the unit's return type says).
    Return(Vec<Value>),
    /// Tail call: callee pointer, callee boxed, boxed arguments.
    TailCall {
        /// The function, boxed.
        callee: Value,
        /// Its pointer.
        pointer: Value,
        /// The arguments, boxed.
        args: Vec<Value>,
    },
    /// Return the values from this slot up to `Vm::top`.
    ReturnOpen(i32),
    /// Tail call with the arguments from slot `from` up to `Vm::top`.
    TailCallOpen {
        /// The function, boxed.
        callee: Value,
        /// Its pointer.
        pointer: Value,
        /// Slot of the first argument.
        from: i32,
    },
    /// Leave to the interpreter.
    Exit(SnapshotId),
}

/// What is stored for one slot of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotValue {
    /// A value of the graph.
    Value(Value),
    /// A constant word.
    Bits(u64),
}

/// See the module's head.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// Slots (relative to the unit's base) that differ from memory.
    pub slots: Vec<(i32, SlotValue)>,
    /// Word index of the instruction to execute next, in the innermost frame.
    pub pc: u32,
    /// Base of the innermost frame, relative to the unit's.
    pub base: i32,
    /// Address of the innermost frame's prototype.
    pub proto: u64,
    /// The end of open results, where `pc` takes "all results" of the call before it.
    pub top: Option<i32>,
    /// Why one leaves here.
    pub reason: ExitReason,
    /// The instruction whose assumption failed, which may have been hoisted: what is to be blocked.
    pub site_pc: u32,
    /// The prototype of that instruction.
    pub site_proto: u64,
}

/// A basic block.
#[derive(Clone, Debug)]
pub struct BlockData {
    /// Parameters.
    pub params: Vec<Value>,
    /// Instructions.
    pub insts: Vec<Value>,
    /// The end.
    pub terminator: Terminator,
    /// True for blocks that are rarely reached.
    pub cold: bool,
    /// For loop headers: the snapshot of the state on entry, at which hoisted guards leave.
    pub entry_snapshot: Option<SnapshotId>,
    /// For loop headers: the block that jumps in.
    pub preheader: Option<Block>,
}

/// How a unit is entered.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// From the start, by a generic call.
    Function,
    /// From the start; parameters and result are unboxed as given.
    Typed {
        /// Types of the parameters.
        params: Vec<Type>,
        /// Type of the one result.
        result: Type,
    },
    /// At the loop header `pc`, by on-stack replacement.
    Loop {
        /// The header.
        pc: u32,
    },
}

/// A compilation unit.
#[derive(Clone, Debug)]
pub struct Graph {
    /// How it is entered.
    pub entry: Entry,
    /// Instructions; a [`Value`] is an index.
    pub insts: Vec<Inst>,
    /// Blocks; block 0 is the entry.
    pub blocks: Vec<BlockData>,
    /// Snapshots.
    pub snapshots: Vec<Snapshot>,
    /// Slots needed above the base, inlined frames included.
    pub frame_slots: u32,
    /// Address of the unit's own prototype.
    pub proto: u64,
    /// For typed units: the constant upvalue that holds the function itself, as the generic entry
    /// checks; calls of itself need not check again.
    pub own_upvalue: Option<u32>,
    /// Addresses of prototypes inlined into it.
    pub inlined: Vec<u64>,
    /// Variables that it takes for constant, by number.
    pub relied: Vec<u32>,
}

impl Graph {
    /// The instruction behind a value.
    pub fn inst(&self, v: Value) -> &Inst {
        &self.insts[v.0 as usize]
    }
    /// A new instruction, which is in no block yet.
    pub fn new_inst(&mut self, op: Opcode, ty: Type, args: &[Value], imm: u64, aux: u32) -> Value {
        self.insts.push(Inst { op, ty, args: Args::from_slice(args), imm, aux, snapshot: None });
        Value(self.insts.len() as u32 - 1)
    }
    /// A new, empty block.
    pub fn new_block(&mut self) -> Block {
        self.blocks.push(BlockData {
            params: vec![],
            insts: vec![],
            terminator: Terminator::Open,
            cold: false,
            entry_snapshot: None,
            preheader: None,
        });
        Block(self.blocks.len() as u32 - 1)
    }
    /// The type of a value.
    pub fn ty(&self, v: Value) -> Type {
        self.insts[v.0 as usize].ty
    }
    /// The blocks that control can reach from `block`, with their arguments.
    pub fn successors(&self, block: Block) -> impl DoubleEndedIterator<Item = &Target> {
        let targets = match &self.blocks[block.0 as usize].terminator {
            Terminator::Jump(t) => [Some(t), None],
            Terminator::Branch { then, other, .. } => [Some(then), Some(other)],
            Terminator::Open
            | Terminator::Return(_)
            | Terminator::ReturnOpen(_)
            | Terminator::TailCall { .. }
            | Terminator::TailCallOpen { .. }
            | Terminator::Exit(_) => [None, None],
        };
        targets.into_iter().flatten()
    }
    /// `(root, k)` with `v = root + k`, for small `k`.
    pub fn offset(&self, v: Value) -> (Value, i64) {
        const LARGEST: i64 = 1 << 24;
        let (mut root, mut sum) = (v, 0i64);
        loop {
            let inst = self.inst(root);
            let sign = match inst.op {
                Opcode::IAdd => 1,
                Opcode::ISub => -1,
                _ => return (root, sum),
            };
            let k = self.inst(inst.args[1]);
            let by = sum.wrapping_add((k.imm as i64).wrapping_mul(sign));
            if k.op != Opcode::ConstInt || !(-LARGEST..=LARGEST).contains(&by) {
                return (root, sum);
            }
            (root, sum) = (inst.args[0], by);
        }
    }
    /// Calls `f` on every operand of `block`'s terminator, in place.
    pub fn map_terminator(&mut self, block: Block, mut f: impl FnMut(Value) -> Value) {
        let mut each = |v: &mut Value| *v = f(*v);
        match &mut self.blocks[block.0 as usize].terminator {
            Terminator::Jump(t) => t.args.iter_mut().for_each(each),
            Terminator::Branch { cond, then, other } => {
                each(cond);
                then.args.iter_mut().for_each(&mut each);
                other.args.iter_mut().for_each(each);
            }
            Terminator::Return(values) => values.iter_mut().for_each(each),
            Terminator::TailCall { callee, pointer, args } => {
                each(callee);
                each(pointer);
                args.iter_mut().for_each(each);
            }
            Terminator::TailCallOpen { callee, pointer, .. } => {
                each(callee);
                each(pointer);
            }
            Terminator::Open | Terminator::ReturnOpen(_) | Terminator::Exit(_) => {}
        }
    }
    /// The snapshot that `block`'s terminator leaves by, if it does.
    pub fn terminator_snapshot(&self, block: Block) -> Option<SnapshotId> {
        match self.blocks[block.0 as usize].terminator {
            Terminator::Exit(s) => Some(s),
            Terminator::Open
            | Terminator::Jump(_)
            | Terminator::Branch { .. }
            | Terminator::Return(_)
            | Terminator::ReturnOpen(_)
            | Terminator::TailCall { .. }
            | Terminator::TailCallOpen { .. } => None,
        }
    }
}
