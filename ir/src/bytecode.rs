//! The bytecode: one table of instructions, their encoding, and the compiled function.
//!
//! # Machine model
//!
//! A function runs in a *frame* of at most 255 registers `R[0] .. R[max_stack-1]` on the VM stack.
//! Two header slots lie below `R[0]`: the callee and the frame link.
//!
//! ```text
//!   caller's registers …  R[A]     R[A+1]   R[A+2] …
//!                         callee   link     arg 1, arg 2, …      (call layout)
//!   callee's view         base[-2] base[-1] base[0] …            (its registers)
//! ```
//!
//! A call window therefore is `R[A] = function`, `R[A+1]` reserved, arguments from `R[A+2]`;
//! results are delivered from `R[A]` upwards. "Up to top" (`B = 0`, `C = 0`) means that the number
//! of values is dynamic: the previous open call or `VARARG` left it in the frame's *top*.
//!
//! # Encoding
//!
//! An instruction is one 32-bit word, `op:8 A:8 B:8 C:8` (low byte first), `op:8 A:8 D:16` or
//! `op:8 J:24`, followed by one more word where the table says so. Jumps are relative to the
//! following instruction. **Backward jumps exist only in `LOOP`, `FORLOOP` and `TFORLOOP`**: these are
//! the only places that poll for interrupts, collect garbage, and count towards on-stack replacement.
//! Constants are addressed by 8 bits in `K8` operands and 16 bits elsewhere; a function with more
//! loads them by `LOADKX`. A feedback index of [`NO_FEEDBACK`] means an uncached site.

/// How the bytes of the first word are read, one kind per operand position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Not used; must be zero.
    None,
    /// A register that is written.
    Def,
    /// A register that is read.
    Use,
    /// The first register of a window whose extent the instruction's description gives.
    Window,
    /// An upvalue index.
    Up,
    /// A constant index (8 bits in A, B or C; 16 bits in D).
    K,
    /// An unsigned number.
    Imm,
    /// A signed 16-bit number (D only).
    SImm,
    /// A condition: 0 or 1.
    Flag,
    /// A nested function index (D only).
    Func,
}

/// What the second word of an instruction holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// There is no second word.
    None,
    /// A signed jump distance from the following instruction.
    Jump,
    /// Low half: constant index (a string). High half: feedback index.
    KeyFeedback,
    /// Low half: zero. High half: feedback index.
    Feedback,
    /// `NEWTABLE`: low half: array size hint; high half: template index or [`NO_TEMPLATE`].
    Table,
    /// A plain unsigned number.
    Word,
}

/// How the first word is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `op A B C`
    Abc,
    /// `op A D`
    Ad,
    /// `op J` (signed 24 bits)
    Sj,
}

/// No inline cache at this site.
pub const NO_FEEDBACK: u16 = 0xFFFF;
/// A `NEWTABLE` without a record template.
pub const NO_TEMPLATE: u16 = 0xFFFF;
/// Registers per frame, at most.
pub const MAX_REGISTERS: usize = 255;
/// Slots below `R[0]`: callee and frame link.
pub const FRAME_HEADER: usize = 2;

/// The table of instructions: `Name, mnemonic, format, [A, B|D, C], second word, "semantics"`.
///
/// Notation: `R[x]` register, `K[x]` constant, `U[x]` upvalue, `D` unsigned or signed 16 bits,
/// `X` the second word (`X.k` its constant index), `pc` already points to the following instruction.
#[macro_export]
macro_rules! for_each_op {
    ($m:ident) => {
        $m! {
            Move,      "MOVE",      Abc, [Def, Use, None],   None, "R[A] := R[B]";
            LoadI,     "LOADI",     Ad,  [Def, SImm, None],  None, "R[A] := (integer) sD";
            LoadK,     "LOADK",     Ad,  [Def, K, None],     None, "R[A] := K[D]";
            LoadKX,    "LOADKX",    Abc, [Def, None, None],  Word, "R[A] := K[X]";
            LoadNil,   "LOADNIL",   Abc, [Window, Imm, None],None, "R[A], …, R[A+B] := nil";
            LoadFalse, "LOADFALSE", Abc, [Def, None, None],  None, "R[A] := false";
            LFalseSkip,"LFALSESKIP",Abc, [Def, None, None],  None, "R[A] := false; pc++ (over a one-word instruction)";
            LoadTrue,  "LOADTRUE",  Abc, [Def, None, None],  None, "R[A] := true";
            GetUpval,  "GETUPVAL",  Abc, [Def, Up, None],    Feedback, "R[A] := U[B]";
            SetUpval,  "SETUPVAL",  Abc, [Use, Up, None],    None, "U[B] := R[A]";
            GetTabUp,  "GETTABUP",  Abc, [Def, Up, None],    KeyFeedback, "R[A] := U[B][K[X.k]] (globals)";
            SetTabUp,  "SETTABUP",  Abc, [Up, Use, None],    KeyFeedback, "U[A][K[X.k]] := R[B]";
            GetTable,  "GETTABLE",  Abc, [Def, Use, Use],    Feedback, "R[A] := R[B][R[C]]";
            GetI,      "GETI",      Abc, [Def, Use, Imm],    Feedback, "R[A] := R[B][C]";
            GetField,  "GETFIELD",  Abc, [Def, Use, None],   KeyFeedback, "R[A] := R[B][K[X.k]]";
            SetTable,  "SETTABLE",  Abc, [Use, Use, Use],    Feedback, "R[A][R[B]] := R[C]";
            SetI,      "SETI",      Abc, [Use, Imm, Use],    Feedback, "R[A][B] := R[C]";
            SetField,  "SETFIELD",  Abc, [Use, Use, None],   KeyFeedback, "R[A][K[X.k]] := R[B]";
            NewTable,  "NEWTABLE",  Abc, [Def, None, None],  Table, "R[A] := {} (sized by X)";
            SelfField, "SELF",      Abc, [Window, Use, None],KeyFeedback, "R[A+2] := R[B]; R[A] := R[B][K[X.k]]";
            Add,       "ADD",       Abc, [Def, Use, Use],    None, "R[A] := R[B] + R[C]";
            Sub,       "SUB",       Abc, [Def, Use, Use],    None, "R[A] := R[B] - R[C]";
            Mul,       "MUL",       Abc, [Def, Use, Use],    None, "R[A] := R[B] * R[C]";
            Div,       "DIV",       Abc, [Def, Use, Use],    None, "R[A] := R[B] / R[C]";
            Mod,       "MOD",       Abc, [Def, Use, Use],    None, "R[A] := R[B] % R[C]";
            Pow,       "POW",       Abc, [Def, Use, Use],    None, "R[A] := R[B] ^ R[C]";
            IDiv,      "IDIV",      Abc, [Def, Use, Use],    None, "R[A] := R[B] // R[C]";
            BAnd,      "BAND",      Abc, [Def, Use, Use],    None, "R[A] := R[B] & R[C]";
            BOr,       "BOR",       Abc, [Def, Use, Use],    None, "R[A] := R[B] | R[C]";
            BXor,      "BXOR",      Abc, [Def, Use, Use],    None, "R[A] := R[B] ~ R[C]";
            Shl,       "SHL",       Abc, [Def, Use, Use],    None, "R[A] := R[B] << R[C]";
            Shr,       "SHR",       Abc, [Def, Use, Use],    None, "R[A] := R[B] >> R[C]";
            AddK,      "ADDK",      Abc, [Def, Use, K],      None, "R[A] := R[B] + K[C] (K numeric, in all …K arithmetic)";
            SubK,      "SUBK",      Abc, [Def, Use, K],      None, "R[A] := R[B] - K[C]";
            MulK,      "MULK",      Abc, [Def, Use, K],      None, "R[A] := R[B] * K[C]";
            DivK,      "DIVK",      Abc, [Def, Use, K],      None, "R[A] := R[B] / K[C]";
            ModK,      "MODK",      Abc, [Def, Use, K],      None, "R[A] := R[B] % K[C]";
            PowK,      "POWK",      Abc, [Def, Use, K],      None, "R[A] := R[B] ^ K[C]";
            IDivK,     "IDIVK",     Abc, [Def, Use, K],      None, "R[A] := R[B] // K[C]";
            BAndK,     "BANDK",     Abc, [Def, Use, K],      None, "R[A] := R[B] & K[C]";
            BOrK,      "BORK",      Abc, [Def, Use, K],      None, "R[A] := R[B] | K[C]";
            BXorK,     "BXORK",     Abc, [Def, Use, K],      None, "R[A] := R[B] ~ K[C]";
            ShlK,      "SHLK",      Abc, [Def, Use, K],      None, "R[A] := R[B] << K[C]";
            ShrK,      "SHRK",      Abc, [Def, Use, K],      None, "R[A] := R[B] >> K[C]";
            Unm,       "UNM",       Abc, [Def, Use, None],   None, "R[A] := -R[B]";
            BNot,      "BNOT",      Abc, [Def, Use, None],   None, "R[A] := ~R[B]";
            Not,       "NOT",       Abc, [Def, Use, None],   None, "R[A] := not R[B]";
            Len,       "LEN",       Abc, [Def, Use, None],   None, "R[A] := #R[B]";
            Concat,    "CONCAT",    Abc, [Window, Imm, None],None, "R[A] := R[A] .. … .. R[A+B-1] (B >= 2; right associative)";
            Close,     "CLOSE",     Abc, [Use, None, None],  None, "close all upvalues and to-be-closed variables >= R[A]";
            Tbc,       "TBC",       Abc, [Use, None, None],  None, "mark R[A] to be closed (nil and false are ignored)";
            Jmp,       "JMP",       Sj,  [None, None, None], None, "pc += sJ (sJ >= 0)";
            Loop,      "LOOP",      Sj,  [None, None, None], None, "pc += sJ (sJ < 0); a back-edge: poll, count";
            Eq,        "EQ",        Abc, [Use, Use, Flag],   Jump, "if (R[A] == R[B]) == C then pc += X";
            Lt,        "LT",        Abc, [Use, Use, Flag],   Jump, "if (R[A] < R[B]) == C then pc += X";
            Le,        "LE",        Abc, [Use, Use, Flag],   Jump, "if (R[A] <= R[B]) == C then pc += X";
            EqK,       "EQK",       Abc, [Use, K, Flag],     Jump, "if (R[A] == K[B]) == C then pc += X (any constant, raw equality)";
            LtK,       "LTK",       Abc, [Use, K, Flag],     Jump, "if (R[A] < K[B]) == C then pc += X (K numeric)";
            LeK,       "LEK",       Abc, [Use, K, Flag],     Jump, "if (R[A] <= K[B]) == C then pc += X (K numeric)";
            GtK,       "GTK",       Abc, [Use, K, Flag],     Jump, "if (R[A] > K[B]) == C then pc += X (K numeric; as K[B] < R[A])";
            GeK,       "GEK",       Abc, [Use, K, Flag],     Jump, "if (R[A] >= K[B]) == C then pc += X (K numeric; as K[B] <= R[A])";
            Test,      "TEST",      Abc, [Use, None, Flag],  Jump, "if truthy(R[A]) == C then pc += X";
            TestSet,   "TESTSET",   Abc, [Def, Use, Flag],   Jump, "if truthy(R[B]) == C then { R[A] := R[B]; pc += X }";
            Call,      "CALL",      Abc, [Window, Imm, Imm], Feedback, "R[A], …, R[A+C-2] := R[A](R[A+2], …, R[A+B]); B-1 arguments (B = 0: up to top), C-1 results (C = 0: all, sets top)";
            TailCall,  "TAILCALL",  Abc, [Window, Imm, None],Feedback, "return R[A](R[A+2], …, R[A+B]) in this frame's place; B as in CALL (never in the scope of a to-be-closed variable; upvalues are closed by it)";
            Return,    "RETURN",    Abc, [Window, Imm, Flag],None, "return R[A], …, R[A+B-2]; B = 0: up to top; C = 1: close upvalues and to-be-closed variables first";
            Return0,   "RETURN0",   Abc, [None, None, None], None, "return (nothing to close)";
            Return1,   "RETURN1",   Abc, [Use, None, None],  None, "return R[A] (nothing to close)";
            ForPrep,   "FORPREP",   Abc, [Window, None, None],Jump, "check and prepare R[A] (start), R[A+1] (limit), R[A+2] (step); if the loop does not run pc += X (past FORLOOP), else R[A+3] := R[A]. Integer loop: R[A+1] becomes the last value the variable takes. Float loop: all three floats";
            ForLoop,   "FORLOOP",   Abc, [Window, None, None],Jump, "integer: if R[A] ~= R[A+1] then R[A] += R[A+2]; R[A+3] := R[A]; pc += X. float: R[A] += R[A+2]; if within R[A+1] then R[A+3] := R[A]; pc += X. A back-edge";
            TForPrep,  "TFORPREP",  Abc, [Window, None, None],Jump, "R[A] iterator, R[A+1] state, R[A+2] control, R[A+3] closing value: mark R[A+3] to be closed; pc += X (to TFORCALL)";
            TForCall,  "TFORCALL",  Abc, [Window, None, Imm],Feedback, "R[A+4], …, R[A+3+C] := R[A](R[A+1], R[A+2]) (the call window is R[A+4]: function, link, state, control)";
            TForLoop,  "TFORLOOP",  Abc, [Window, None, None],Jump, "if R[A+4] ~= nil then R[A+2] := R[A+4]; pc += X. A back-edge";
            SetList,   "SETLIST",   Abc, [Window, Imm, None],Word, "R[A][X+i] := R[A+i], 1 <= i <= B (B = 0: up to top); R[A] is a fresh table";
            Closure,   "CLOSURE",   Ad,  [Def, Func, None],  None, "R[A] := closure(functions[D])";
            Vararg,    "VARARG",    Abc, [Window, None, Imm],None, "R[A], …, R[A+C-2] := vararg; C = 0: all, sets top";
            VarargPrep,"VARARGPREP",Abc, [Imm, None, None],  None, "first instruction of a vararg function: A parameters stay, the frame moves above the extra arguments";
        }
    };
}

macro_rules! define_ops {
    ($($name:ident, $mnemonic:literal, $format:ident, [$a:ident, $b:ident, $c:ident], $extra:ident, $doc:literal;)*) => {
        /// An instruction's operation. See [`for_each_op!`] for the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op { $(#[doc = $doc] $name,)* }

        impl Op {
            /// Every operation, in encoding order.
            pub const ALL: &'static [Op] = &[$(Op::$name,)*];

            /// The static description of this operation.
            pub const fn info(self) -> &'static OpInfo { &INFO[self as usize] }
        }

        static INFO: &[OpInfo] = &[$(OpInfo {
            mnemonic: $mnemonic,
            format: Format::$format,
            operands: [Operand::$a, Operand::$b, Operand::$c],
            extra: Extra::$extra,
            doc: $doc,
        },)*];
    };
}

/// One row of the instruction table.
#[derive(Debug)]
pub struct OpInfo {
    /// The name in listings.
    pub mnemonic: &'static str,
    /// Layout of the first word.
    pub format: Format,
    /// Operand kinds of A, B (or D) and C.
    pub operands: [Operand; 3],
    /// What the second word holds.
    pub extra: Extra,
    /// The semantics.
    pub doc: &'static str,
}

for_each_op!(define_ops);

impl Op {
    /// The operation of an encoded first word, or `None` where the byte names no operation.
    pub fn decode(word: u32) -> Option<Op> {
        Op::ALL.get((word & 0xFF) as usize).copied()
    }

    /// Words that the instruction takes: 1 or 2.
    pub const fn words(self) -> usize {
        match self.info().extra {
            Extra::None => 1,
            Extra::Jump | Extra::KeyFeedback | Extra::Feedback | Extra::Table | Extra::Word => 2,
        }
    }
}

/// An encoded first word, with its fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Word(pub u32);

impl Word {
    /// Encodes `op A B C`.
    pub const fn abc(op: Op, a: u8, b: u8, c: u8) -> Word {
        Word(op as u32 | (a as u32) << 8 | (b as u32) << 16 | (c as u32) << 24)
    }
    /// Encodes `op A D`.
    pub const fn ad(op: Op, a: u8, d: u16) -> Word {
        Word(op as u32 | (a as u32) << 8 | (d as u32) << 16)
    }
    /// Encodes `op J`; `j` must fit 24 bits.
    pub const fn sj(op: Op, j: i32) -> Word {
        Word(op as u32 | (j as u32) << 8)
    }
    /// Operand A.
    pub const fn a(self) -> u8 {
        (self.0 >> 8) as u8
    }
    /// Operand B.
    pub const fn b(self) -> u8 {
        (self.0 >> 16) as u8
    }
    /// Operand C.
    pub const fn c(self) -> u8 {
        (self.0 >> 24) as u8
    }
    /// Operand D, unsigned.
    pub const fn d(self) -> u16 {
        (self.0 >> 16) as u16
    }
    /// Operand D, signed.
    pub const fn sd(self) -> i16 {
        (self.0 >> 16) as i16
    }
    /// Operand J.
    pub const fn j(self) -> i32 {
        (self.0 as i32) >> 8
    }
    /// Packs a [`Extra::KeyFeedback`], [`Extra::Feedback`] or [`Extra::Table`] second word.
    pub const fn pair(low: u16, high: u16) -> u32 {
        low as u32 | (high as u32) << 16
    }
}

/// A constant of a function.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// `nil` (for `EQK`).
    Nil,
    /// A boolean (for `EQK`).
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float; never NaN.
    Float(f64),
    /// A string.
    Str(std::sync::Arc<[u8]>),
}

/// Where a closure finds an upvalue when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpvalueDesc {
    /// The variable's name, empty when stripped.
    pub name: std::sync::Arc<[u8]>,
    /// True: register `index` of the enclosing function; false: its upvalue `index`.
    pub in_stack: bool,
    /// See `in_stack`.
    pub index: u8,
    /// True when no assignment to the variable exists after its initialisation, in any function:
    /// its value never changes once the closure exists.
    pub constant: bool,
}

/// A local variable's name and extent, for messages and `debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalVar {
    /// The name.
    pub name: std::sync::Arc<[u8]>,
    /// First word index at which the variable is active.
    pub start_pc: u32,
    /// First word index at which it no longer is.
    pub end_pc: u32,
    /// Its register.
    pub register: u8,
}

/// One compiled function: immutable, shareable between states and threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// The instructions.
    pub code: Box<[u32]>,
    /// The constants.
    pub constants: Box<[Constant]>,
    /// Nested functions.
    pub functions: Box<[std::sync::Arc<Function>]>,
    /// Upvalue descriptors. The main chunk has one: `_ENV`.
    pub upvalues: Box<[UpvalueDesc]>,
    /// Record templates of table constructors: constant indices of their string keys, in order.
    pub templates: Box<[Box<[u16]>]>,
    /// The line of each word of `code`; empty when stripped.
    pub lines: Box<[u32]>,
    /// Local variables in order of `start_pc`; empty when stripped.
    pub locals: Box<[LocalVar]>,
    /// The chunk's name as given to the loader (`@file`, `=name` or the source itself).
    pub source: std::sync::Arc<[u8]>,
    /// First line; 0 for a main chunk.
    pub line_defined: u32,
    /// Last line.
    pub last_line_defined: u32,
    /// Fixed parameters.
    pub num_params: u8,
    /// Whether it takes `...`.
    pub is_vararg: bool,
    /// Registers used: 2 at least, 255 at most.
    pub max_stack: u8,
    /// Feedback cells used by the code.
    pub feedback_count: u16,
}

impl Function {
    /// The operation at word index `pc`, which must be the start of an instruction of verified code.
    ///
    /// # Panics
    /// When `pc` is out of range or the byte there names no operation.
    pub fn op(&self, pc: usize) -> Op {
        Op::decode(self.code[pc]).expect("verified bytecode")
    }

    /// The word index of the instruction before the one at `pc`, `None` for the first.
    pub fn before(&self, pc: usize) -> Option<usize> {
        let mut at = 0;
        while at < pc {
            let next = at + self.op(at).words();
            if next >= pc {
                return (next == pc).then_some(at);
            }
            at = next;
        }
        None
    }

    /// Bytes of its lists; neither its strings nor the functions in it.
    pub fn size(&self) -> usize {
        size_of_val(&*self.code)
            + size_of_val(&*self.constants)
            + size_of_val(&*self.functions)
            + size_of_val(&*self.upvalues)
            + size_of_val(&*self.templates)
            + self.templates.iter().map(|keys| size_of_val(&**keys)).sum::<usize>()
            + size_of_val(&*self.lines)
            + size_of_val(&*self.locals)
    }

    /// Bytes that it takes with its strings, but without the functions in it. What functions of a chunk share
    /// counts for each, except the source, which counts for the main one.
    pub fn footprint(&self) -> usize {
        let constant = |constant: &Constant| match constant {
            Constant::Str(text) => text.len(),
            Constant::Nil | Constant::Bool(_) | Constant::Int(_) | Constant::Float(_) => 0,
        };
        let source = if self.line_defined == 0 { self.source.len() } else { 0 };
        size_of::<Function>()
            + self.size()
            + source
            + self.constants.iter().map(constant).sum::<usize>()
            + self.locals.iter().map(|local| local.name.len()).sum::<usize>()
            + self.upvalues.iter().map(|upvalue| upvalue.name.len()).sum::<usize>()
    }

    /// The source line of word index `pc`, 0 when stripped.
    pub fn line(&self, pc: usize) -> u32 {
        self.lines.get(pc).copied().unwrap_or(0)
    }
}
