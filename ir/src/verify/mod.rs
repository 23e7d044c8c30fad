//! The bytecode verifier.
//!
//! Recomputes from the instruction table what the interpreter and the JIT take
//! for granted, trusting nothing but the encoding: every operand in range for
//! its kind, windows within the frame, jumps to instruction starts and in the
//! permitted direction, "up to top" consumers directly behind their producer,
//! loops of the shape the table describes, a feedback cell for each instruction
//! of its own, no way to run off the end, and no return that leaves a captured or
//! to-be-closed variable open.
//! It does not track what registers hold: a register always holds some value.
//!
//! Time and memory are linear in the size of the code, and counted by a [`Meter`]:
//! a few bytes for each word, and up to some hundred looks at an instruction in
//! a loop that was made for that.

mod open;

use std::fmt;

use crate::budget::{Meter, Refusal};
use crate::bytecode::{
    Constant, Extra, Format, Function, MAX_REGISTERS, NO_FEEDBACK, NO_TEMPLATE, Op, Operand, Word,
};

/// Why a function is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// It breaks a rule.
    Broken {
        /// The word index of the instruction, when one is to blame.
        pc: Option<usize>,
        /// The rule.
        message: String,
    },
    /// The budget refused what the check takes.
    Refused(Refusal),
}

impl From<Refusal> for VerifyError {
    fn from(refusal: Refusal) -> VerifyError {
        VerifyError::Refused(refusal)
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VerifyError::Broken { pc: Some(pc), message } => write!(f, "at {pc}: {message}"),
            VerifyError::Broken { pc: None, message } => f.write_str(message),
            VerifyError::Refused(refusal) => write!(f, "not verified: {refusal:?}"),
        }
    }
}

impl std::error::Error for VerifyError {}

type Result<T = ()> = std::result::Result<T, VerifyError>;

/// Verifies a function and all functions in it.
///
/// # Errors
/// The first rule that is broken, or a refusal of the meter's budget.
pub fn verify(function: &Function, meter: &mut Meter) -> Result {
    let mut pending = Vec::new();
    meter.push(&mut pending, function)?;
    while let Some(function) = pending.pop() {
        verify_one(function, meter)?;
        for inner in &function.functions {
            meter.push(&mut pending, &**inner)?;
        }
    }
    meter.free(pending);
    Ok(())
}

/// Verifies a function, and of the functions in it only where they find their
/// upvalues.
///
/// # Errors
/// The first rule that is broken, or a refusal of the meter's budget.
pub fn verify_one(function: &Function, meter: &mut Meter) -> Result {
    let outside = meter.used();
    let verifier = Verifier { function, starts: starts(function, meter)?, pc: 0 };
    verifier.header(meter)?;
    verifier.instructions(meter)?;
    meter.settle(outside);
    Ok(())
}

fn fail<T>(pc: Option<usize>, message: impl Into<String>) -> Result<T> {
    Err(VerifyError::Broken { pc, message: message.into() })
}

/// For each word, whether an instruction starts there.
fn starts(function: &Function, meter: &mut Meter) -> Result<Vec<bool>> {
    let mut starts = meter.filled(false, function.code.len())?;
    let mut pc = 0;
    while pc < function.code.len() {
        let Some(op) = Op::decode(function.code[pc]) else {
            return fail(Some(pc), "unknown operation");
        };
        meter.step()?;
        starts[pc] = true;
        pc += op.words();
    }
    if pc != function.code.len() {
        return fail(Some(pc - 2), "second word missing");
    }
    Ok(starts)
}

struct Verifier<'f> {
    function: &'f Function,
    starts: Vec<bool>,
    pc: usize,
}

impl Verifier<'_> {
    fn check(&self, holds: bool, message: &str) -> Result {
        if holds { Ok(()) } else { fail(Some(self.pc), message) }
    }

    fn header(&self, meter: &mut Meter) -> Result {
        let f = self.function;
        let require = |holds: bool, message: &str| if holds { Ok(()) } else { fail(None, message) };
        let max_stack = usize::from(f.max_stack);
        require(!f.code.is_empty(), "no code")?;
        require((2..=MAX_REGISTERS).contains(&max_stack), "frame size out of range")?;
        require(f.num_params <= f.max_stack, "more parameters than registers")?;
        require(f.upvalues.len() <= MAX_REGISTERS, "too many upvalues")?;
        require(
            f.lines.is_empty() || f.lines.len() == f.code.len(),
            "line table of another length",
        )?;
        let prepares = Op::decode(f.code[0]) == Some(Op::VarargPrep);
        require(prepares == f.is_vararg, "VARARGPREP and the vararg flag disagree")?;
        for template in &f.templates {
            meter.steps(1 + template.len() / 8)?;
            require(
                template.iter().all(|&key| self.is_string(usize::from(key))),
                "template key is no string",
            )?;
        }
        for local in &f.locals {
            meter.step()?;
            let extent = local.start_pc <= local.end_pc && local.end_pc as usize <= f.code.len();
            require(extent && local.register < f.max_stack, "local variable out of range")?;
        }
        for upvalue in f.functions.iter().flat_map(|inner| &inner.upvalues) {
            meter.step()?;
            let bound = if upvalue.in_stack { max_stack } else { f.upvalues.len() };
            require(usize::from(upvalue.index) < bound, "captured variable out of range")?;
        }
        Ok(())
    }

    fn instructions(mut self, meter: &mut Meter) -> Result {
        let code = &self.function.code;
        // The register from which the previous instruction left its results open.
        let mut open: Option<u8> = None;
        let mut last = None;
        let targets = self.jump_targets(meter)?;
        let mut cells = meter.filled(false, usize::from(self.function.feedback_count))?;
        while self.pc < code.len() {
            let op = self.op(self.pc).expect("the starts are decoded");
            let word = Word(code[self.pc]);
            meter.step()?;
            self.operands(op, word)?;
            self.extra(op)?;
            // What a cell holds depends on the instruction.
            if matches!(op.info().extra, Extra::KeyFeedback | Extra::Feedback)
                && let Some(used) = cells.get_mut((code[self.pc + 1] >> 16) as usize)
            {
                let shared = std::mem::replace(used, true);
                self.check(!shared, "feedback cell of another instruction")?;
            }
            self.windows(op, word)?;
            self.shape(op, word)?;
            let base = self.open_base(op, word);
            match (open, base) {
                (None, None) => {}
                (Some(from), Some(base)) => {
                    self.check(base <= u32::from(from), "open values start below their consumer")?;
                    self.check(!targets[self.pc], "jump between open values and their consumer")?;
                }
                (None, Some(_)) => {
                    return fail(Some(self.pc), "no open values before this instruction");
                }
                (Some(_), None) => return fail(Some(self.pc), "open values are not consumed"),
            }
            open = produces_open(op, word).then(|| word.a());
            last = Some(op);
            self.pc += op.words();
        }
        let ends =
            matches!(last, Some(Op::Return | Op::Return0 | Op::Return1 | Op::TailCall | Op::Loop));
        if !ends {
            return fail(None, "control runs off the end");
        }
        self.open_variables(meter)
    }

    fn op(&self, pc: usize) -> Option<Op> {
        if *self.starts.get(pc)? { Op::decode(self.function.code[pc]) } else { None }
    }

    /// For each word, whether a jump leads there (out of range ones are left
    /// to the checks of the jump itself).
    fn jump_targets(&self, meter: &mut Meter) -> Result<Vec<bool>> {
        let mut targets = meter.filled(false, self.starts.len())?;
        for pc in 0..self.starts.len() {
            meter.step()?;
            if let Some(target) = self.target(pc)
                && let Some(slot) = targets.get_mut(target)
            {
                *slot = true;
            }
        }
        Ok(targets)
    }

    /// Where the jump instruction at `pc` leads, if it is one.
    fn target(&self, pc: usize) -> Option<usize> {
        let op = self.op(pc)?;
        let distance = match (op.info().format, op.info().extra) {
            (Format::Sj, _) => i64::from(Word(self.function.code[pc]).j()),
            (_, Extra::Jump) => i64::from(self.function.code[pc + 1] as i32),
            _ if op == Op::LFalseSkip => 1,
            _ => return None,
        };
        usize::try_from((pc + op.words()) as i64 + distance).ok()
    }

    fn is_string(&self, index: usize) -> bool {
        matches!(self.function.constants.get(index), Some(Constant::Str(_)))
    }

    fn is_number(&self, index: usize) -> bool {
        matches!(self.function.constants.get(index), Some(Constant::Int(_) | Constant::Float(_)))
    }

    fn operands(&self, op: Op, word: Word) -> Result {
        let info = op.info();
        let values = match info.format {
            Format::Abc => [u32::from(word.a()), u32::from(word.b()), u32::from(word.c())],
            Format::Ad => [u32::from(word.a()), u32::from(word.d()), 0],
            Format::Sj => [0, 0, 0],
        };
        let function = self.function;
        for (kind, value) in info.operands.into_iter().zip(values) {
            let index = value as usize;
            match kind {
                Operand::None => self.check(value == 0, "unused operand is not zero")?,
                Operand::Def | Operand::Use | Operand::Window => {
                    self.check(value < u32::from(function.max_stack), "register out of range")?;
                }
                Operand::Up => {
                    self.check(index < function.upvalues.len(), "upvalue out of range")?
                }
                Operand::K => {
                    self.check(index < function.constants.len(), "constant out of range")?
                }
                Operand::Imm | Operand::SImm => {}
                Operand::Flag => self.check(value <= 1, "flag is neither 0 nor 1")?,
                Operand::Func => {
                    self.check(index < function.functions.len(), "function out of range")?
                }
            }
        }
        Ok(())
    }

    fn extra(&self, op: Op) -> Result {
        let function = self.function;
        let word = || function.code[self.pc + 1];
        let low = || word() as u16;
        let high = || (word() >> 16) as u16;
        let feedback = || high() == NO_FEEDBACK || high() < function.feedback_count;
        match op.info().extra {
            Extra::None | Extra::Word => Ok(()),
            Extra::Jump => self.jump(op),
            Extra::KeyFeedback => {
                self.check(self.is_string(usize::from(low())), "key is no string constant")?;
                self.check(feedback(), "feedback index out of range")
            }
            Extra::Feedback => {
                self.check(low() == 0, "unused half word is not zero")?;
                self.check(feedback(), "feedback index out of range")
            }
            Extra::Table => {
                let known = high() == NO_TEMPLATE || usize::from(high()) < function.templates.len();
                self.check(known, "template out of range")
            }
        }
    }

    /// A jump's direction and target.
    fn jump(&self, op: Op) -> Result {
        let target = self.target(self.pc);
        let is_start = target.and_then(|target| self.starts.get(target)) == Some(&true);
        self.check(is_start, "jump to no instruction")?;
        let back = target.is_some_and(|target| target <= self.pc);
        let is_back_edge = matches!(op, Op::Loop | Op::ForLoop | Op::TForLoop);
        self.check(back == is_back_edge, "jump in the wrong direction")
    }

    /// The registers of a window lie in the frame, and numeric constants are
    /// numbers.
    fn windows(&self, op: Op, word: Word) -> Result {
        let (a, b, c) = (u32::from(word.a()), u32::from(word.b()), u32::from(word.c()));
        let size = u32::from(self.function.max_stack);
        let numeric =
            |index: u8| self.check(self.is_number(usize::from(index)), "constant is no number");
        // The first register behind the window.
        let end = match op {
            Op::LoadNil => a + b + 1,
            Op::SelfField => a + 3,
            Op::Concat => {
                self.check(b >= 2, "concatenation of fewer than two values")?;
                a + b
            }
            Op::Call => (a + 2).max(a + b + 1).max(a + c.saturating_sub(1)),
            Op::TailCall => (a + 2).max(a + b + 1),
            Op::Return => a + b.saturating_sub(1),
            Op::ForPrep | Op::ForLoop => a + 4,
            Op::TForPrep => a + 4,
            Op::TForCall => {
                self.check(c >= 1, "iteration without variables")?;
                (a + 8).max(a + 4 + c)
            }
            Op::TForLoop => a + 5,
            Op::SetList => a + b + 1,
            Op::Vararg => {
                self.check(self.function.is_vararg, "VARARG in a function with fixed parameters")?;
                self.check(c != 1, "VARARG without results")?;
                a + c.saturating_sub(1)
            }
            Op::AddK
            | Op::SubK
            | Op::MulK
            | Op::DivK
            | Op::ModK
            | Op::PowK
            | Op::IDivK
            | Op::BAndK
            | Op::BOrK
            | Op::BXorK
            | Op::ShlK
            | Op::ShrK => return numeric(word.c()),
            Op::LtK | Op::LeK | Op::GtK | Op::GeK => return numeric(word.b()),
            Op::Move
            | Op::LoadI
            | Op::LoadK
            | Op::LoadKX
            | Op::LoadFalse
            | Op::LFalseSkip
            | Op::LoadTrue
            | Op::GetUpval
            | Op::SetUpval
            | Op::GetTabUp
            | Op::SetTabUp
            | Op::GetTable
            | Op::GetI
            | Op::GetField
            | Op::SetTable
            | Op::SetI
            | Op::SetField
            | Op::NewTable
            | Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Mod
            | Op::Pow
            | Op::IDiv
            | Op::BAnd
            | Op::BOr
            | Op::BXor
            | Op::Shl
            | Op::Shr
            | Op::Unm
            | Op::BNot
            | Op::Not
            | Op::Len
            | Op::Close
            | Op::Tbc
            | Op::Jmp
            | Op::Loop
            | Op::Eq
            | Op::Lt
            | Op::Le
            | Op::EqK
            | Op::Test
            | Op::TestSet
            | Op::Return0
            | Op::Return1
            | Op::Closure
            | Op::VarargPrep => return Ok(()),
        };
        self.check(end <= size, "window out of the frame")
    }

    /// What involves more than one instruction, and second words.
    fn shape(&self, op: Op, word: Word) -> Result {
        let next = self.pc + op.words();
        match op {
            Op::Jmp | Op::Loop => self.jump(op),
            Op::LoadKX => {
                let index = self.function.code[self.pc + 1] as usize;
                self.check(index < self.function.constants.len(), "constant out of range")
            }
            Op::LFalseSkip => {
                let one_word = self.op(next).is_some_and(|op| op.words() == 1);
                self.check(one_word && self.op(next + 1).is_some(), "skips no one-word instruction")
            }
            Op::VarargPrep => {
                self.check(self.pc == 0, "VARARGPREP is not first")?;
                self.check(
                    word.a() == self.function.num_params,
                    "VARARGPREP disagrees about the parameters",
                )
            }
            Op::ForPrep => {
                // … FORLOOP (to behind FORPREP), then the target.
                let target = self.target(self.pc).unwrap_or(0);
                let back = target.saturating_sub(Op::ForLoop.words());
                let matches =
                    self.is_op(back, Op::ForLoop, word.a()) && self.target(back) == Some(next);
                self.check(matches, "FORPREP without its FORLOOP")
            }
            Op::TForPrep => {
                // The target: TFORCALL, TFORLOOP (to behind TFORPREP).
                let call = self.target(self.pc).unwrap_or(0);
                let back = call + Op::TForCall.words();
                let matches = self.is_op(call, Op::TForCall, word.a())
                    && self.is_op(back, Op::TForLoop, word.a())
                    && self.target(back) == Some(next);
                self.check(matches, "TFORPREP without its TFORCALL and TFORLOOP")
            }
            // Their counterparts check the way here; this is the way back.
            Op::ForLoop => {
                let prep = self.target(self.pc).and_then(|t| t.checked_sub(Op::ForPrep.words()));
                let matches = prep.is_some_and(|prep| {
                    self.is_op(prep, Op::ForPrep, word.a()) && self.target(prep) == Some(next)
                });
                self.check(matches, "FORLOOP without its FORPREP")
            }
            Op::TForLoop => {
                let prep = self.target(self.pc).and_then(|t| t.checked_sub(Op::TForPrep.words()));
                let call = self.pc.checked_sub(Op::TForCall.words());
                let matches = prep.is_some_and(|prep| {
                    self.is_op(prep, Op::TForPrep, word.a()) && self.target(prep) == call
                });
                self.check(matches, "TFORLOOP without its TFORPREP")
            }
            Op::TForCall => {
                self.check(self.is_op(next, Op::TForLoop, word.a()), "TFORCALL without TFORLOOP")
            }
            _ => Ok(()),
        }
    }

    fn is_op(&self, pc: usize, op: Op, a: u8) -> bool {
        self.op(pc) == Some(op) && Word(self.function.code[pc]).a() == a
    }

    /// The lowest register at which open values may start, when the
    /// instruction takes values "up to top".
    fn open_base(&self, op: Op, word: Word) -> Option<u32> {
        let a = u32::from(word.a());
        match op {
            Op::Call | Op::TailCall if word.b() == 0 => Some(a + 2),
            Op::Return if word.b() == 0 => Some(a),
            Op::SetList if word.b() == 0 => Some(a + 1),
            _ => None,
        }
    }
}

/// Whether the instruction leaves its results open.
fn produces_open(op: Op, word: Word) -> bool {
    matches!(op, Op::Call | Op::Vararg) && word.c() == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Unlimited;
    use crate::bytecode::UpvalueDesc;

    fn verify(function: &Function) -> Result {
        super::verify(function, &mut Meter::new(&mut Unlimited))
    }

    fn function(code: &[u32]) -> Function {
        Function {
            code: code.into(),
            constants: [Constant::Str((*b"x").into()), Constant::Int(1)].into(),
            functions: [].into(),
            upvalues: [UpvalueDesc {
                name: (*b"_ENV").into(),
                in_stack: true,
                index: 0,
                constant: true,
            }]
            .into(),
            templates: [].into(),
            lines: [].into(),
            locals: [].into(),
            source: (*b"=x").into(),
            line_defined: 0,
            last_line_defined: 0,
            num_params: 0,
            is_vararg: false,
            max_stack: 4,
            feedback_count: 1,
        }
    }

    fn abc(op: Op, a: u8, b: u8, c: u8) -> u32 {
        Word::abc(op, a, b, c).0
    }

    fn error(code: &[u32]) -> String {
        match verify(&function(code)).unwrap_err() {
            VerifyError::Broken { message, .. } => message,
            VerifyError::Refused(refusal) => panic!("{refusal:?}"),
        }
    }

    #[test]
    fn accepts() {
        let ret = abc(Op::Return0, 0, 0, 0);
        verify(&function(&[ret])).unwrap();
        let call = [abc(Op::Call, 0, 1, 0), 0, abc(Op::Return, 0, 0, 0), ret];
        verify(&function(&call)).unwrap();
        let loops = [abc(Op::ForPrep, 0, 0, 0), 2, abc(Op::ForLoop, 0, 0, 0), -2i32 as u32, ret];
        verify(&function(&loops)).unwrap();
    }

    #[test]
    fn rejects() {
        let ret = abc(Op::Return0, 0, 0, 0);
        assert_eq!(error(&[]), "no code");
        assert_eq!(error(&[0xFF]), "unknown operation");
        assert_eq!(error(&[abc(Op::Move, 0, 1, 0)]), "control runs off the end");
        assert_eq!(error(&[abc(Op::Move, 4, 1, 0), ret]), "register out of range");
        assert_eq!(error(&[abc(Op::Move, 0, 1, 1), ret]), "unused operand is not zero");
        assert_eq!(error(&[ret, abc(Op::Test, 0, 0, 0)]), "second word missing");
        assert_eq!(error(&[abc(Op::GetUpval, 0, 1, 0), 0, ret]), "upvalue out of range");
        assert_eq!(
            error(&[abc(Op::GetUpval, 0, 0, 0), 1 << 16, ret]),
            "feedback index out of range"
        );
        assert_eq!(error(&[abc(Op::GetField, 0, 0, 0), 1, ret]), "key is no string constant");
        assert_eq!(error(&[abc(Op::AddK, 0, 0, 0), ret]), "constant is no number");
        assert_eq!(error(&[abc(Op::AddK, 0, 0, 2), ret]), "constant out of range");
        assert_eq!(error(&[Word::sj(Op::Jmp, 5).0, ret]), "jump to no instruction");
        assert_eq!(error(&[Word::sj(Op::Jmp, -1).0, ret]), "jump in the wrong direction");
        assert_eq!(
            error(&[Word::sj(Op::Jmp, 1).0, abc(Op::Test, 0, 0, 0), 0, ret]),
            "jump to no instruction"
        );
        assert_eq!(
            error(&[abc(Op::Test, 0, 0, 0), -2i32 as u32, ret]),
            "jump in the wrong direction"
        );
        assert_eq!(error(&[abc(Op::Call, 2, 3, 1), 0, ret]), "window out of the frame");
        assert_eq!(
            error(&[abc(Op::Call, 0, 0, 1), 0, ret]),
            "no open values before this instruction"
        );
        assert_eq!(error(&[abc(Op::Call, 0, 1, 0), 0, ret]), "open values are not consumed");
        assert_eq!(
            error(&[abc(Op::Vararg, 0, 0, 2), ret]),
            "VARARG in a function with fixed parameters"
        );
        assert_eq!(
            error(&[abc(Op::VarargPrep, 0, 0, 0), ret]),
            "VARARGPREP and the vararg flag disagree"
        );
        assert_eq!(error(&[abc(Op::ForPrep, 0, 0, 0), 0, ret]), "FORPREP without its FORLOOP");
        let back = -2i32 as u32;
        assert_eq!(error(&[ret, abc(Op::ForLoop, 0, 0, 0), back]), "FORLOOP without its FORPREP");
        let cell = abc(Op::GetField, 0, 0, 0);
        assert_eq!(error(&[cell, 0, cell, 0, ret]), "feedback cell of another instruction");
        assert_eq!(error(&[abc(Op::LFalseSkip, 0, 0, 0), ret]), "skips no one-word instruction");
        let tbc = abc(Op::Tbc, 1, 0, 0);
        assert_eq!(error(&[tbc, ret]), "return leaves variables open");
        assert_eq!(error(&[tbc, abc(Op::Close, 2, 0, 0), ret]), "return leaves variables open");
        assert_eq!(
            error(&[tbc, abc(Op::TailCall, 1, 1, 0), 0]),
            "tail call while a variable is to be closed"
        );
        verify(&function(&[tbc, abc(Op::Close, 1, 0, 0), ret])).unwrap();
        verify(&function(&[tbc, abc(Op::Return, 0, 1, 1)])).unwrap();
    }
}
