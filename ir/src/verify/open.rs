//! The part of the verifier that follows open variables.
//!
//! A captured register or a to-be-closed variable must be closed before its
//! frame goes away or its register is someone else's. The returns that close
//! nothing, and tail calls, say that nothing is open; here that is checked, by
//! a forward data-flow analysis over the lowest register that may be open.

use super::{Result, Verifier, fail};
use crate::budget::Meter;
use crate::bytecode::{Op, Word};

/// No register is open.
const NONE: u16 = u16::MAX;

/// The lowest register that may be open at a point.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Open {
    /// As an upvalue of a closure.
    upvalue: u16,
    /// As a to-be-closed variable.
    to_close: u16,
}

impl Open {
    fn join(self, other: Open) -> Open {
        Open {
            upvalue: self.upvalue.min(other.upvalue),
            to_close: self.to_close.min(other.to_close),
        }
    }
}

impl Verifier<'_> {
    /// Checks every reachable return and tail call.
    pub(super) fn open_variables(&self, meter: &mut Meter) -> Result {
        // The lowest register that a closure of each inner function captures.
        let mut captured = Vec::new();
        meter.reserve(&mut captured, self.function.functions.len())?;
        for inner in &self.function.functions {
            meter.steps(1 + inner.upvalues.len() / 8)?;
            let registers = inner.upvalues.iter().filter(|upvalue| upvalue.in_stack);
            captured.push(registers.map(|upvalue| u16::from(upvalue.index)).min().unwrap_or(NONE));
        }
        let mut states: Vec<Option<Open>> = meter.filled(None, self.starts.len())?;
        let mut pending = Vec::new();
        meter.push(&mut pending, 0)?;
        states[0] = Some(Open { upvalue: NONE, to_close: NONE });
        while let Some(pc) = pending.pop() {
            let (Some(before), Some(op)) = (states[pc], self.op(pc)) else {
                continue;
            };
            meter.step()?;
            let after = self.step(pc, op, before, &captured)?;
            let next = falls_through(op).then_some(pc + op.words());
            for successor in [next, self.target(pc)].into_iter().flatten() {
                let Some(state) = states.get_mut(successor) else {
                    continue;
                };
                let joined = state.map_or(after, |state| state.join(after));
                if *state != Some(joined) {
                    *state = Some(joined);
                    meter.push(&mut pending, successor)?;
                }
            }
        }
        Ok(())
    }

    /// What is open after the instruction at `pc`.
    fn step(&self, pc: usize, op: Op, mut open: Open, captured: &[u16]) -> Result<Open> {
        let word = Word(self.function.code[pc]);
        let a = u16::from(word.a());
        let fail = |message: &str| fail(Some(pc), message);
        match op {
            Op::Closure => {
                open.upvalue = open.upvalue.min(captured[usize::from(word.d())]);
            }
            Op::Tbc => open.to_close = open.to_close.min(a),
            Op::TForPrep => open.to_close = open.to_close.min(a + 3),
            Op::Close => {
                open.upvalue = if open.upvalue >= a { NONE } else { open.upvalue };
                open.to_close = if open.to_close >= a { NONE } else { open.to_close };
            }
            Op::TailCall if open.to_close != NONE => {
                return fail("tail call while a variable is to be closed");
            }
            Op::Return0 | Op::Return1 if (open.upvalue, open.to_close) != (NONE, NONE) => {
                return fail("return leaves variables open");
            }
            Op::Return if word.c() == 0 && (open.upvalue, open.to_close) != (NONE, NONE) => {
                return fail("return leaves variables open");
            }
            _ => {}
        }
        Ok(open)
    }
}

/// Whether control can go on to the following instruction.
fn falls_through(op: Op) -> bool {
    !matches!(
        op,
        Op::Jmp
            | Op::Loop
            | Op::LFalseSkip
            | Op::TForPrep
            | Op::TailCall
            | Op::Return
            | Op::Return0
            | Op::Return1
    )
}
