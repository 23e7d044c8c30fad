//! The table of SSA operations.
//!
//! A row: name, mnemonic, what it reads, what it writes (alias classes, see [`super::effect`]), whether
//! it is a guard (may leave by its snapshot, else has no effect), and its meaning. `x`, `y` … are the
//! operands; `imm` and `aux` the immediates.

/// Calls the macro `$m` with every SSA operation.
#[macro_export]
macro_rules! for_each_ssa_op {
    ($m:ident) => {
        $m! {
            Param,        "param",        NONE,   NONE,   false, "a block parameter";
            ConstInt,     "int",          NONE,   NONE,   false, "the integer imm";
            ConstFloat,   "float",        NONE,   NONE,   false, "the float with bits imm";
            ConstBool,    "bool",         NONE,   NONE,   false, "imm != 0";
            ConstBits,    "value",        NONE,   NONE,   false, "the boxed value with bits imm";
            ConstRaw,     "raw",          NONE,   NONE,   false, "the machine word imm";
            LoadSlot,     "load_slot",    STACK,  NONE,   false, "VM stack slot aux (relative to the unit's base)";
            StoreSlot,    "store_slot",   NONE,   STACK,  false, "slot aux := x";
            LoadShared,   "load_shared",  SHARED, NONE,   false, "VM stack slot aux, a variable that closures share";
            StoreShared,  "store_shared", NONE,   SHARED, false, "slot aux, a variable that closures share, := x";
            GuardInt,     "guard_int",    NONE,   NONE,   true,  "x as integer; leaves unless x is an inline integer; imm: see passes::RELIED_ON";
            GuardFloat,   "guard_float",  NONE,   NONE,   true,  "x as float";
            GuardTable,   "guard_table",  NONE,   NONE,   true,  "x as table pointer";
            GuardString,  "guard_str",    NONE,   NONE,   true,  "x as string pointer";
            GuardFunction,"guard_func",   NONE,   NONE,   true,  "x as function pointer (Lua or native)";
            GuardBool,    "guard_bool",   NONE,   NONE,   true,  "x as boolean";
            GuardNumber,  "guard_number", NONE,   NONE,   true,  "x, a float or an inline integer, as float; an integer only where y, if given, is a float";
            GuardBits,    "guard_bits",   NONE,   NONE,   true,  "leaves unless the boxed x has the bits imm";
            GuardRaw,     "guard_raw",    NONE,   NONE,   true,  "leaves unless the machine word x equals imm";
            GuardNotNil,  "guard_notnil", NONE,   NONE,   true,  "leaves when x is nil";
            GuardTrue,    "guard",        NONE,   NONE,   true,  "leaves unless the boolean x holds";
            GuardBounds,  "guard_bounds", NONE,   NONE,   true,  "leaves unless x <u y";
            GuardInt48,   "guard_int48",  NONE,   NONE,   true,  "leaves unless the integer x fits 48 bits";
            GuardKind,    "guard_kind",   NONE,   NONE,   true,  "leaves unless (x & aux) == imm";
            FloatToInt,   "ftoi",         NONE,   NONE,   true,  "the integer equal to the float x; leaves when there is none";
            UnboxInt,     "unbox_int",    NONE,   NONE,   false, "the integer in x, an inline integer";
            BAnd,         "and",          NONE,   NONE,   false, "both booleans";
            Box,          "box",          NONE,   NONE,   false, "x as boxed value";
            IntToFloat,   "itof",         NONE,   NONE,   false, "x as float";
            IAdd,         "iadd",         NONE,   NONE,   false, "x + y, wrapping";
            ISub,         "isub",         NONE,   NONE,   false, "x - y, wrapping";
            IMul,         "imul",         NONE,   NONE,   false, "x * y, wrapping";
            INeg,         "ineg",         NONE,   NONE,   false, "-x, wrapping";
            IDiv,         "idiv",         NONE,   NONE,   false, "floor(x / y); y is not 0";
            IMod,         "imod",         NONE,   NONE,   false, "x - floor(x / y) * y; y is not 0";
            IAnd,         "iand",         NONE,   NONE,   false, "x & y";
            IOr,          "ior",          NONE,   NONE,   false, "x | y";
            IXor,         "ixor",         NONE,   NONE,   false, "x ~ y";
            INot,         "inot",         NONE,   NONE,   false, "~x";
            IShl,         "ishl",         NONE,   NONE,   false, "x << y as Lua does (any y)";
            IShr,         "ishr",         NONE,   NONE,   false, "x >> y as Lua does (logical, any y)";
            IMin,         "imin",         NONE,   NONE,   false, "the smaller";
            IMax,         "imax",         NONE,   NONE,   false, "the greater";
            FAdd,         "fadd",         NONE,   NONE,   false, "x + y";
            FMin,         "fmin",         NONE,   NONE,   false, "y if y < x, else x";
            FMax,         "fmax",         NONE,   NONE,   false, "y if y > x, else x";
            FSub,         "fsub",         NONE,   NONE,   false, "x - y";
            FMul,         "fmul",         NONE,   NONE,   false, "x * y";
            FDiv,         "fdiv",         NONE,   NONE,   false, "x / y";
            FNeg,         "fneg",         NONE,   NONE,   false, "-x";
            FAbs,         "fabs",         NONE,   NONE,   false, "|x|";
            FSqrt,        "fsqrt",        NONE,   NONE,   false, "square root";
            FFloor,       "ffloor",       NONE,   NONE,   false, "floor, as float";
            FCeil,        "fceil",        NONE,   NONE,   false, "ceiling, as float";
            FMath,        "fmath",        NONE,   NONE,   false, "library function aux (super::MathFn) of x (and y)";
            ICmp,         "icmp",         NONE,   NONE,   false, "signed comparison aux (super::Cond) of integers";
            FCmp,         "fcmp",         NONE,   NONE,   false, "ordered comparison aux of floats (Ne: unordered or unequal)";
            BitsEq,       "bits_eq",      NONE,   NONE,   false, "equal bits of two boxed values or two machine words";
            Truthy,       "truthy",       NONE,   NONE,   false, "neither nil nor false";
            IsType,       "is_type",      NONE,   NONE,   false, "the boxed x has one of the types in the set aux (not WIDE integers)";
            BNot,         "bnot",         NONE,   NONE,   false, "not x";
            TableShape,   "shape",        SHAPE,  NONE,   false, "the shape of table x";
            TableSlots,   "slots",        RECPTR, NONE,   false, "address of the record slots of table x";
            TableArr,     "arr",          ARR,    NONE,   false, "address of the array part of table x";
            TableArrLen,  "arr_len",      ARR,    NONE,   false, "length of the array part of table x";
            TableKind,    "kind",         KIND,   NONE,   false, "element kind of table x";
            TableHash,    "hash",         ARR,    NONE,   false, "hash part of table x or 0";
            TableLen,     "table_len",    ARR,    NONE,   true,  "length of table x; leaves when the array part is empty and the hash part is not";
            TableFlags,   "flags",        KIND,   NONE,   false, "flags of table x (runtime::object::table_flags)";
            ShapeMeta,    "meta",         NONE,   NONE,   false, "metatable of shape x or 0";
            StringLen,    "str_len",      NONE,   NONE,   false, "length of string x";
            StringByte,   "str_byte",     NONE,   NONE,   true,  "byte y (from 0, in bounds) of string x; leaves for a rope";
            FuncProto,    "proto",        NONE,   NONE,   false, "address of the code of function x";
            LoadUpval,    "upval",        UPVAL,  NONE,   false, "upvalue aux of the closure x";
            LoadConstUpval,"const_upval", NONE,   NONE,   false, "upvalue aux, never assigned, of the closure x";
            StoreUpval,   "set_upval",    NONE,   UPVAL,  false, "upvalue aux of the closure x := y (with barrier)";
            LoadEpoch,    "epoch",        EPOCH,  NONE,   false, "the method epoch";
            LoadRecord,   "record",       RECORD, NONE,   false, "record slot aux at address x; valid because of the guard y";
            LoadRecordHere,"record_here", RECORD, NONE,   false, "as record, not to be moved: a branch proved it valid";
            StoreRecord,  "set_record",   NONE,   RECORD, false, "record slot aux at address x := y";
            LoadElem,     "elem",         ELEM,   NONE,   false, "element y (from 0) at address x; valid because of the guard z";
            LoadElemHere, "elem_here",    ELEM,   NONE,   false, "as elem, not to be moved: a branch proved it valid";
            StoreElem,    "set_elem",     NONE,   ELEM,   false, "element y at address x := z";
            NewTable,     "new_table",    NONE,   NONE,   false, "a new table with the shape imm, which has aux >> 16 record slots, and room for aux & 0xFFFF elements";
            FillArray,    "fill_array",   NONE,   LENGTH, false, "table x, new until now, has imm elements of kind aux";
            SetMetatable, "set_meta",     META,   META,   false, "metatable of table x := table y where that needs no more than a change of shape; whether it was done";
            StringSub,    "str_sub",      NONE,   NONE,   false, "bytes y to z of string x, as string.sub counts";
            StringChar,   "str_char",     NONE,   NONE,   false, "the string of the one byte x, which is below 256";
            TableRemove,  "remove",       ALL_TABLE, ALL_TABLE, false, "the last element of table x, removed (nil when there is none); x has no metatable";
            VarargCount,  "vararg_count", NONE,   NONE,   false, "number of the frame's extra arguments; aux parameters";
            VarargLoad,   "vararg",       NONE,   NONE,   false, "extra argument x (from 0) of the frame, or nil; aux parameters";
            VarargAll,    "vararg_all",   STACK,  STACK,  false, "all extra arguments to slot aux and above, where open results then end; imm: the instruction and, from bit 32 on, the parameters";
            StoreShape,   "set_shape",    NONE,   SHAPE,  false, "shape of table x := imm";
            HasSlot,      "has_slot",     RECPTR, NONE,   false, "table x has room for record slot aux";
            Barrier,      "barrier",      NONE,   NONE,   false, "table x was written a collectable value";
            AppendElem,   "append",       ALL_TABLE, ALL_TABLE, false, "table x: element y (from 1) := z, in place or by growing; x has no metatable";
            GetIndex,     "get_index",    ALL,    NONE,   false, "element y of table x, which is not in its array part; nil when absent";
            GetString,    "get_string",   ALL,    NONE,   false, "the value at the string y in table x, nil when absent; x has no metatable";
            SetString,    "set_string",   ANY_TABLE, ANY_TABLE, true, "table x: the value at the string y := z, new or not; leaves when there is no room; x has no metatable";
            NextKey,      "next_key",     ALL,    NONE,   false, "the key after y in table x, nil at the end, or NEXT_FAILED; its value is left for scratch; imm: address of the position hint";
            Scratch,      "scratch",      ALL,    NONE,   false, "the word that the instruction before left in scratch cell aux";
            GuardClosed,  "guard_closed", ALL,    NONE,   true,  "leaves when a variable at slot aux or above is to be closed";
            GuardFresh,   "guard_fresh",  ALL,    NONE,   true,  "leaves when the unit's mark aux is set: a variable that it takes for constant was changed";
            GuardDepth,   "guard_depth",  ALL,    NONE,   true,  "leaves when one more metamethod would be called too deep in others";
            AddDepth,     "add_depth",    STACK,  STACK,  false, "imm, 1 or -1, more such calls";
            CloseUpvalues,"close_upvals", SHARED, SHARED, false, "upvalues at slot aux and above leave the stack";
            SetTop,       "set_top",      STACK,  STACK,  false, "open results end at slot aux";
            MarkTail,     "mark_tail",    STACK,  STACK,  false, "set the tail-call bit of the frame link";
            VarargPrep,   "vararg_prep",  ALL,    ALL,    false, "move the frame above its extra arguments; aux parameters stay";
            Poll,         "poll",         NONE,   NONE,   true,  "a safepoint; leaves when something ran that could be observed";
            LoadPoll,     "poll_word",    ALL,    NONE,   false, "the word that says what a safepoint has to do";
            StackCheck,   "stack_check",  NONE,   NONE,   true,  "leaves unless VM stack for the unit's frames and native stack are left";
            Step,         "step",         ALL,    ALL,    false, "interpret the instruction at imm of the frame at slot aux; operands are in their slots";
            StepTest,     "step_test",    ALL,    ALL,    false, "the comparison at imm of the frame at slot aux, as boolean (before its flag)";
            StepCall,     "step_call",    ALL,    ALL,    false, "the call at imm of the frame at slot aux, by the interpreter; count of results";
            CallFunction, "call",         ALL,    ALL,    false, "call the function pointer x, or without x the native function in the window; callee, link and imm arguments are in the window at slot aux; first result";
            CallMulti,    "call_multi",   ALL,    ALL,    false, "as call; results in the window, the answer is their count";
            PadResults,   "pad_results",  ALL,    ALL,    false, "behind call_multi, whose count is x: the results in the window at slot aux are filled up with nil to imm, which is not 0";
            CallSelf,     "call_self",    ALL,    ALL,    true,  "direct call of this unit with unboxed arguments; callee and link are in the window at slot aux; leaves (its result in slot aux) when the result has another type";
        }
    };
}

macro_rules! define {
    ($($name:ident, $mnemonic:literal, $reads:ident, $writes:ident, $guard:literal, $doc:literal;)*) => {
        /// An SSA operation. See [`for_each_ssa_op!`] for the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Opcode { $(#[doc = $doc] $name,)* }

        impl Opcode {
            /// The name in dumps.
            pub const fn mnemonic(self) -> &'static str { match self { $(Opcode::$name => $mnemonic,)* } }
            /// Alias classes that it reads.
            pub const fn reads(self) -> u16 { match self { $(Opcode::$name => super::effect::$reads,)* } }
            /// Alias classes that it writes.
            pub const fn writes(self) -> u16 { match self { $(Opcode::$name => super::effect::$writes,)* } }
            /// Whether it may leave through its snapshot.
            pub const fn is_guard(self) -> bool { match self { $(Opcode::$name => $guard,)* } }
        }
    };
}

for_each_ssa_op!(define);

impl Opcode {
    /// Whether the instruction makes an object whenever it runs.
    pub const fn allocates(self) -> bool {
        matches!(self, Opcode::NewTable | Opcode::StringSub)
    }

    /// Whether the instruction must stay even when its value is unused. Allocations do: a loop may wait
    /// for the collection that they bring about.
    pub const fn is_pinned(self) -> bool {
        self.is_guard()
            || self.writes() != 0
            || self.allocates()
            || matches!(self, Opcode::Barrier | Opcode::StackCheck | Opcode::Param)
    }

    /// Whether an equal earlier instruction can stand for this one: loads while their alias classes
    /// are not written, guards and pure operations for good.
    pub const fn is_shareable(self) -> bool {
        self.writes() == 0
            && !self.allocates()
            && !matches!(
                self,
                Opcode::Param
                    | Opcode::Barrier
                    | Opcode::StackCheck
                    | Opcode::Poll
                    | Opcode::CallSelf
                    | Opcode::StringChar
                    | Opcode::GetIndex
                    | Opcode::GetString
                    | Opcode::NextKey
                    | Opcode::Scratch
            )
    }
}
