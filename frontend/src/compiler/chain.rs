//! Chains: what grows to the left without nesting in the source, such as
//! `a.b[c](d):e(f)` and `a + b - c < d`.
//!
//! A chain is a base and a row of steps, each of which has the value so far as
//! its left operand. That value is a local's register (the base only), an
//! upvalue (the base only), or one temporary, `work`, which every step but the
//! last reuses as its result. A call needs its callee at the top of the stack:
//! `work` is the top whenever a step starts.

use perilune_ir::bytecode::{Op, Word};

use super::{Compiler, Reg, Result};
use crate::ast::{BinOp, Expr, ExprId, List};

/// What a chain's last step does with its result.
enum Goal {
    /// One value to a register.
    Register(Reg),
    /// A call with this operand C, its results from the current top on.
    Results(u8),
    /// A tail call.
    TailCall,
}

/// The value so far.
#[derive(Clone, Copy)]
enum Left {
    Register(Reg),
    Upvalue(u8),
}

/// A key of an indexing instruction.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// A string constant.
    Field(u16),
    /// A small integer.
    Int(u8),
    Register(Reg),
}

impl BinOp {
    pub(super) fn is_comparison(self) -> bool {
        matches!(self, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge)
    }

    /// The instruction for registers and the one with a constant on the right,
    /// for arithmetic and bitwise operators.
    fn instructions(self) -> Option<(Op, Op)> {
        Some(match self {
            BinOp::Add => (Op::Add, Op::AddK),
            BinOp::Sub => (Op::Sub, Op::SubK),
            BinOp::Mul => (Op::Mul, Op::MulK),
            BinOp::Div => (Op::Div, Op::DivK),
            BinOp::Mod => (Op::Mod, Op::ModK),
            BinOp::Pow => (Op::Pow, Op::PowK),
            BinOp::IDiv => (Op::IDiv, Op::IDivK),
            BinOp::BAnd => (Op::BAnd, Op::BAndK),
            BinOp::BOr => (Op::BOr, Op::BOrK),
            BinOp::BXor => (Op::BXor, Op::BXorK),
            BinOp::Shl => (Op::Shl, Op::ShlK),
            BinOp::Shr => (Op::Shr, Op::ShrK),
            BinOp::Concat
            | BinOp::Eq
            | BinOp::Ne
            | BinOp::Lt
            | BinOp::Le
            | BinOp::Gt
            | BinOp::Ge
            | BinOp::And
            | BinOp::Or => return None,
        })
    }
}

impl Compiler<'_, '_> {
    /// One value of a chain to `dst`.
    pub(super) fn chain_to(&mut self, id: ExprId, dst: Reg) -> Result<()> {
        self.chain(id, Goal::Register(dst))
    }

    /// A call whose results go to the registers from the current top on, as
    /// many as operand C of `CALL` says.
    pub(super) fn call(&mut self, id: ExprId, results: u8) -> Result<()> {
        self.chain(id, Goal::Results(results))
    }

    pub(super) fn tail_call(&mut self, id: ExprId) -> Result<()> {
        self.chain(id, Goal::TailCall)
    }

    fn chain(&mut self, id: ExprId, goal: Goal) -> Result<()> {
        let saved = self.free;
        let mut steps = Vec::new();
        let mut base = id;
        loop {
            let left = match self.ast.expr(base) {
                Expr::Index { object, .. } => object,
                Expr::Call { callee, .. } => callee,
                Expr::Method { object, .. } => object,
                Expr::Binary(op, left, _) if op.is_comparison() || op.instructions().is_some() => {
                    left
                }
                Expr::Paren(inner) if base != id => {
                    base = inner;
                    continue;
                }
                _ => break,
            };
            self.meter.step()?;
            self.meter.push(&mut steps, base)?;
            base = left;
        }

        // The destination serves as `work` when it is the top already.
        let mut work = match goal {
            Goal::Register(dst) if self.is_temporary(dst) && usize::from(dst) + 1 == self.free => {
                Some(dst)
            }
            _ => None,
        };
        let mut left = match self.ast.expr(base) {
            Expr::Local(local) => Left::Register(self.register(local)),
            Expr::Upvalue(index) => Left::Upvalue(index),
            _ => {
                let register = self.work(&mut work, base)?;
                self.expr_to(base, register)?;
                Left::Register(register)
            }
        };
        while let Some(step) = steps.pop() {
            let is_last = steps.is_empty();
            let top = self.free;
            left = match (self.ast.expr(step), &goal) {
                (Expr::Call { .. } | Expr::Method { .. }, _) => {
                    let (op, results) = match goal {
                        Goal::Results(results) if is_last => (Op::Call, results),
                        Goal::TailCall if is_last => (Op::TailCall, 0),
                        _ => (Op::Call, 2),
                    };
                    let window = self.work(&mut work, step)?;
                    self.call_step(step, left, window, op, results)?;
                    if is_last && let Goal::Register(dst) = goal {
                        self.move_to(dst, window, self.ast.line(step))?;
                    }
                    Left::Register(window)
                }
                (_, &Goal::Register(dst)) if is_last => {
                    self.value_step(step, left, dst)?;
                    Left::Register(dst)
                }
                _ => {
                    // The result comes after the operands: the left one may be
                    // a local's register, and `work` its own left operand.
                    let target = self.work(&mut work, step)?;
                    self.value_step(step, left, target)?;
                    Left::Register(target)
                }
            };
            if let Some(&next) = steps.last()
                && matches!(self.ast.expr(step), Expr::Index { .. })
                && matches!(self.ast.expr(next), Expr::Binary(..))
            {
                // An operand is fetched when its operator is known.
                self.index_on_line(self.ast.line(next));
            }
            // Operands are done with; `work` stays.
            self.free = top.max(work.map_or(0, |w| usize::from(w) + 1));
        }
        self.free = saved;
        self.meter.free(steps);
        Ok(())
    }

    /// The temporary of a chain, taken on first use.
    fn work(&mut self, work: &mut Option<Reg>, id: ExprId) -> Result<Reg> {
        match *work {
            Some(register) => Ok(register),
            None => {
                let register = self.reserve(1, self.ast.line(id))?;
                *work = Some(register);
                Ok(register)
            }
        }
    }

    /// An indexing or operator step to `target`.
    fn value_step(&mut self, step: ExprId, left: Left, target: Reg) -> Result<()> {
        match self.ast.expr(step) {
            Expr::Index { key, .. } => self.index_step(step, left, key, target),
            Expr::Binary(op, _, right) => match op.instructions() {
                Some((plain, with_constant)) => {
                    let line = self.ast.line(step);
                    let left = self.left_register(left, target, line)?;
                    let right_expr = self.ast.expr(right);
                    if matches!(right_expr, Expr::Int(_) | Expr::Float(_))
                        && let Some(index) = self.constant8(right_expr)?
                    {
                        self.emit_abc(with_constant, target, left, index, line)?;
                    } else {
                        let right = self.expr_any(right)?;
                        self.emit_abc(plain, target, left, right, line)?;
                    }
                    Ok(())
                }
                None => {
                    let left = self.left_register(left, target, self.ast.line(step))?;
                    let jump = self.compare_registers(step, op, left, right, true)?;
                    self.booleans(vec![jump], target, self.ast.line(step))
                }
            },
            other => unreachable!("{other:?} is no step of a chain"),
        }
    }

    /// The left operand in a register: an upvalue is loaded, to `target` if
    /// that is a temporary.
    fn left_register(&mut self, left: Left, target: Reg, line: u32) -> Result<Reg> {
        match left {
            Left::Register(register) => Ok(register),
            Left::Upvalue(index) => {
                let register =
                    if self.is_temporary(target) { target } else { self.reserve(1, line)? };
                let extra = self.feedback_word(0);
                self.emit_extra(Word::abc(Op::GetUpval, register, index, 0), extra, line)?;
                Ok(register)
            }
        }
    }

    fn index_step(&mut self, step: ExprId, left: Left, key: ExprId, target: Reg) -> Result<()> {
        let line = self.ast.line(step);
        if let (Left::Upvalue(index), Expr::Str(name)) = (left, self.ast.expr(key))
            && let Some(name) = self.constant16(name)?
        {
            let extra = self.feedback_word(name);
            self.emit_extra(Word::abc(Op::GetTabUp, target, index, 0), extra, line)?;
            return Ok(());
        }
        let object = self.left_register(left, target, line)?;
        let key = self.key(key)?;
        let word = match key {
            Key::Field(name) => {
                let extra = self.feedback_word(name);
                self.emit_extra(Word::abc(Op::GetField, target, object, 0), extra, line)?;
                return Ok(());
            }
            Key::Int(value) => Word::abc(Op::GetI, target, object, value),
            Key::Register(register) => Word::abc(Op::GetTable, target, object, register),
        };
        let extra = self.feedback_word(0);
        self.emit_extra(word, extra, line)?;
        Ok(())
    }

    /// A key in its cheapest form.
    pub(super) fn key(&mut self, key: ExprId) -> Result<Key> {
        match self.ast.expr(key) {
            Expr::Str(name) => {
                if let Some(index) = self.constant16(name)? {
                    return Ok(Key::Field(index));
                }
            }
            Expr::Int(value) => {
                if let Ok(value) = u8::try_from(value) {
                    return Ok(Key::Int(value));
                }
            }
            _ => {}
        }
        Ok(Key::Register(self.expr_any(key)?))
    }

    /// A call whose window starts at `window`, the topmost register in use.
    fn call_step(
        &mut self,
        step: ExprId,
        left: Left,
        window: Reg,
        op: Op,
        results: u8,
    ) -> Result<()> {
        debug_assert_eq!(usize::from(window) + 1, self.free);
        let line = self.ast.line(step);
        let (args, fixed) = match self.ast.expr(step) {
            Expr::Call { args, .. } => {
                match left {
                    Left::Register(register) => self.move_to(window, register, line)?,
                    Left::Upvalue(_) => {
                        self.left_register(left, window, line)?;
                    }
                }
                self.reserve(1, line)?; // the frame link
                (args, 0)
            }
            Expr::Method { name, args, .. } => {
                let object = self.left_register(left, window, line)?;
                let link = self.reserve(2, line)?;
                match self.constant16(name)? {
                    Some(index) => {
                        let extra = self.feedback_word(index);
                        self.emit_extra(Word::abc(Op::SelfField, window, object, 0), extra, line)?;
                    }
                    None => {
                        self.move_to(link + 1, object, line)?;
                        self.load_constant(Expr::Str(name), link, line)?;
                        let extra = self.feedback_word(0);
                        self.emit_extra(
                            Word::abc(Op::GetTable, window, object, link),
                            extra,
                            line,
                        )?;
                    }
                }
                (args, 1)
            }
            other => unreachable!("{other:?} is no call"),
        };
        let count = self.arguments(args)?;
        let count = count.map_or(0, |count| (count + fixed + 1) as u8);
        let extra = self.feedback_word(0);
        self.emit_extra(Word::abc(op, window, count, results), extra, line)?;
        Ok(())
    }

    fn arguments(&mut self, args: List) -> Result<Option<usize>> {
        let ast = self.ast;
        self.open_list(ast.list(args))
    }
}
