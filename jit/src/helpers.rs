//! The table of everything in Rust that compiled code calls.
//!
//! Three conventions:
//!
//! * `Tail`: generic entries, reached by call or tail call: `(vm, base, x) -> (count, first)`.
//! * `Keep`: `preserve_all (vm)`, for slow paths that rejoin. Operands are in `Vm::scratch`, from 0;
//!   so is the result. The signature in the table lists those operands and results.
//! * `Native`: the C convention.
//!
//! *Status* results are 0 for success and 1 for a throw, after which the code calls `Throw`. No
//! helper lets a panic out: it is kept, answered as a throw, and resumed behind the protected entry.

use cranelift_codegen::ir::{AbiParam, Signature, Type, types};
use cranelift_codegen::isa::CallConv;

use crate::calls::rt_native;
use crate::compile::native_convention;
use crate::entry::throw;
use crate::generic::*;
use crate::keep_entry::*;
use crate::tail_entry::*;

/// How a helper is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// A generic entry.
    Tail,
    /// Keeps all registers; operands in `Vm::scratch`.
    Keep,
    /// The C convention.
    Native,
}

/// The table: `Name, convention, (operands) -> (results), function, "meaning"`.
#[macro_export]
macro_rules! for_each_helper {
    ($m:ident) => {
        $m! {
            Interpret,    Tail, (I64, I64, I64) -> (I64, I64), tail_interpret, "(vm, base, nargs): entry of functions that are not compiled";
            Native,       Tail, (I64, I64, I64) -> (I64, I64), tail_native, "(vm, base, nargs): entry of native functions";
            Deopt,        Tail, (I64, I64, I64) -> (I64, I64), tail_exit, "(vm, base, exit): finishes the frame in the interpreter";
            DeoptInt,     Tail, (I64, I64, I64) -> (I64, I64), tail_exit_int, "(vm, base, exit): as Deopt, of a typed unit with an integer; (result, kind)";
            DeoptFloat,   Tail, (I64, I64, I64) -> (F64, I64), tail_exit_float, "(vm, base, exit): as Deopt, of a typed unit with a float; (result, kind)";
            DeoptAny,     Tail, (I64, I64, I64) -> (I64, I64), tail_exit_any, "(vm, base, exit): as Deopt, of a typed unit with any result; (result, kind)";

            Poll,         Keep, (I64, I64) -> (I64), keep_poll, "(base, exit): safepoint; may throw; 0 = go on, else the exit to leave by (slots are values already)";
            BoxInt,       Keep, (I64) -> (I64), keep_box_int, "(integer): its value";
            GetInt,       Keep, (I64, I64) -> (I64), keep_get_int, "(table, integer): raw element";
            SetInt,       Keep, (I64, I64, I64) -> (), keep_set_int, "(table, integer, value bits): raw store";
            StringChar,   Keep, (I64) -> (I64), keep_string_char, "(byte): the address of the string of one byte";
            RareFloatMod, Keep, (I64, I64) -> (I64), keep_float_mod, "(float bits, float bits): a % b, where that is rare";
            CloseUpvalues, Keep, (I64) -> (), keep_close_upvalues, "(slot): upvalues at this slot and above leave the stack";
            Barrier,      Keep, (I64) -> (), keep_barrier, "(object): a black object is to be scanned again";
            BarrierForward, Keep, (I64, I64) -> (), keep_barrier_forward, "(object, value bits): marks the value if the object is black";
            AllocTable,   Keep, (I64, I64, I64) -> (I64), keep_alloc_table, "(shape or 0, array size, record slots): a new table's address";

            Throw,        Native, (I64) -> (), throw, "(vm): does not return";
            Step,         Native, (I64, I64, I64) -> (I64), rt_step, "(vm, base, pc): executes an instruction that neither jumps, calls nor returns; status";
            StepTest,     Native, (I64, I64, I64) -> (I64), rt_step_test, "(vm, base, pc): the condition of a test, or whether a loop goes on; 2 = threw";
            CallNative,   Native, (I64, I64, I64) -> (I64), rt_native, "(vm, base, nargs): calls the native function of that frame; number of results, the first in scratch[0], or -1";
            StepCall,     Native, (I64, I64, I64) -> (I64), rt_step_call, "(vm, base, pc): executes a call; number of results or -1";
            VarargPrep,   Native, (I64, I64, I64) -> (I64), rt_vararg_prep, "(vm, base, nargs): the moved base, or 0 for a throw";
            Close,        Native, (I64, I64, I64, I64, I64) -> (I64), rt_close, "(vm, base, pc, level, end): closes variables from level up, slots below end are kept; status";
            SetMetatable, Native, (I64, I64, I64) -> (I64), rt_set_metatable, "(vm, table, metatable): gives a table without metatable one; 1 if it was done";
            StringSub,    Native, (I64, I64, I64, I64) -> (I64), rt_string_sub, "(vm, string, from, to): string.sub, the string's address";
            TableRemove,  Native, (I64, I64) -> (I64), rt_table_remove, "(vm, table): removes the last element of a table without metatable; its value bits";
            GetString,    Native, (I64, I64, I64) -> (I64), rt_get_string, "(vm, table, string): the value at the string";
            SetString,    Native, (I64, I64, I64, I64) -> (I64), rt_set_string, "(vm, table, string, value bits): sets the value at the string; 0 when there is no room";
            MoveValues,   Native, (I64, I64, I64) -> (I64), rt_move_values, "(vm, from, to): moves the values from `from` up to the top, nil if there is none; their number";
            NextKey,      Native, (I64, I64, I64, I64) -> (I64), rt_next_key, "(vm, table, key, position hint): the next key; its value in scratch[1]";
            IntValue,     Native, (I64, I64) -> (I64), rt_int_value, "(vm, integer): its value, wide or not";
            FloatMod,     Native, (F64, F64) -> (F64), rt_float_mod, "a % b";
            FloatPow,     Native, (F64, F64) -> (F64), rt_float_pow, "a ^ b";
            FloatSin,     Native, (F64) -> (F64), rt_float_sin, "sine";
            FloatCos,     Native, (F64) -> (F64), rt_float_cos, "cosine";
            FloatTan,     Native, (F64) -> (F64), rt_float_tan, "tangent";
            FloatExp,     Native, (F64) -> (F64), rt_float_exp, "e ^ a";
            FloatLog,     Native, (F64) -> (F64), rt_float_log, "natural logarithm";
            FloatAsin,    Native, (F64) -> (F64), rt_float_asin, "arc sine";
            FloatAcos,    Native, (F64) -> (F64), rt_float_acos, "arc cosine";
            FloatAtan2,   Native, (F64, F64) -> (F64), rt_float_atan2, "arc tangent of a / b";
            FloatFmod,    Native, (F64, F64) -> (F64), rt_float_fmod, "rest of a / b, with the sign of a";
        }
    };
}

macro_rules! define_helpers {
    ($($name:ident, $convention:ident, ($($param:ident),*) -> ($($ret:ident),*), $function:path, $doc:literal;)*) => {
        /// A helper. See [`for_each_helper!`](crate::for_each_helper) for the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Helper { $(#[doc = $doc] $name,)* }

        impl Helper {
            /// Every helper.
            pub const ALL: &'static [Helper] = &[$(Helper::$name,)*];

            /// How it is called.
            pub const fn convention(self) -> Convention {
                match self { $(Helper::$name => Convention::$convention,)* }
            }
            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Helper::$name => stringify!($name),)* }
            }
            /// What it does.
            pub const fn meaning(self) -> &'static str {
                match self { $(Helper::$name => $doc,)* }
            }
            /// Types of its operands (for `Keep`: in scratch).
            pub const fn operands(self) -> &'static [Type] {
                match self { $(Helper::$name => &[$(types::$param),*],)* }
            }
            /// Types of its results (for `Keep`: in scratch).
            pub const fn results(self) -> &'static [Type] {
                match self { $(Helper::$name => &[$(types::$ret),*],)* }
            }
            /// The address to call.
            pub(crate) fn address(self) -> usize {
                match self { $(Helper::$name => $function as *const () as usize,)* }
            }
        }
    };
}

for_each_helper!(define_helpers);

impl Helper {
    /// The signature of the function at its address.
    pub fn signature(self) -> Signature {
        match self.convention() {
            Convention::Tail => self.signature_of(CallConv::Tail),
            Convention::Keep => {
                let mut signature = Signature::new(CallConv::PreserveAll);
                signature.params.push(AbiParam::new(types::I64));
                signature
            }
            Convention::Native => self.signature_of(native_convention()),
        }
    }

    fn signature_of(self, convention: CallConv) -> Signature {
        let mut signature = Signature::new(convention);
        signature.params.extend(self.operands().iter().map(|&t| AbiParam::new(t)));
        signature.returns.extend(self.results().iter().map(|&t| AbiParam::new(t)));
        signature
    }
}
