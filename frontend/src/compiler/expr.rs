//! Expressions to registers.

use perilune_ir::bytecode::{Op, Word};

use super::{Compiler, Reg, Result};
use crate::ast::{BinOp, Expr, ExprId, FuncId, UnOp};

impl Compiler<'_, '_> {
    /// Compiles `id` to a new temporary.
    pub(super) fn expr_next(&mut self, id: ExprId) -> Result<Reg> {
        let register = self.reserve(1, self.ast.line(id))?;
        self.expr_to(id, register)?;
        Ok(register)
    }

    /// Compiles `id` to wherever it is cheapest: a local variable stays in its
    /// own register, all else takes a new temporary.
    pub(super) fn expr_any(&mut self, id: ExprId) -> Result<Reg> {
        match self.local_register(id) {
            Some(register) => Ok(register),
            None => self.expr_next(id),
        }
    }

    /// The register of `id` when it is a local variable.
    pub(super) fn local_register(&self, id: ExprId) -> Option<Reg> {
        match self.ast.expr(id) {
            Expr::Local(local) => Some(self.register(local)),
            Expr::Paren(inner) => match self.ast.expr(inner) {
                Expr::Local(local) => Some(self.register(local)),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn move_to(&mut self, to: Reg, from: Reg, line: u32) -> Result<()> {
        if to != from {
            self.emit_abc(Op::Move, to, from, 0, line)?;
        }
        Ok(())
    }

    /// Compiles one value of `id` to `dst`: a temporary, or a variable that is
    /// being assigned to.
    pub(super) fn expr_to(&mut self, id: ExprId, dst: Reg) -> Result<()> {
        let line = self.ast.line(id);
        match self.ast.expr(id) {
            value @ (Expr::Nil | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_)) => {
                self.load_constant(value, dst, line)?;
            }
            Expr::Vararg => self.emit_abc(Op::Vararg, dst, 0, 2, line)?,
            Expr::Function(function) => self.closure(function, dst, line)?,
            Expr::Local(local) => {
                let from = self.register(local);
                self.move_to(dst, from, line)?;
            }
            Expr::Upvalue(index) => {
                let extra = self.feedback_word(0);
                self.emit_extra(Word::abc(Op::GetUpval, dst, index, 0), extra, line)?;
            }
            Expr::Paren(inner) => self.expr_to(inner, dst)?,
            Expr::Table(index) => self.table(index, dst, line)?,
            Expr::Unary(op, operand) => self.unary(op, operand, id, dst)?,
            Expr::Binary(BinOp::And | BinOp::Or, ..) => self.logic_to(id, dst)?,
            Expr::Binary(BinOp::Concat, ..) => self.concat(id, dst)?,
            Expr::Binary(op, left, _)
                if op.is_comparison() && !matches!(self.ast.expr(left), Expr::Binary(..)) =>
            {
                self.condition_to(id, dst)?;
            }
            Expr::Binary(..) | Expr::Index { .. } | Expr::Call { .. } | Expr::Method { .. } => {
                self.chain_to(id, dst)?;
            }
        }
        Ok(())
    }

    pub(super) fn load_constant(&mut self, value: Expr, dst: Reg, line: u32) -> Result<()> {
        match value {
            Expr::Nil => self.emit_abc(Op::LoadNil, dst, 0, 0, line),
            Expr::Bool(true) => self.emit_abc(Op::LoadTrue, dst, 0, 0, line),
            Expr::Bool(false) => self.emit_abc(Op::LoadFalse, dst, 0, 0, line),
            Expr::Int(number) if i16::try_from(number).is_ok() => {
                self.emit(Word::ad(Op::LoadI, dst, number as i16 as u16), line)
            }
            _ => {
                let index = self.constant(value)?;
                match u16::try_from(index) {
                    Ok(index) => self.emit(Word::ad(Op::LoadK, dst, index), line),
                    Err(_) => self.emit_extra(Word::abc(Op::LoadKX, dst, 0, 0), index, line),
                }
            }
        }
    }

    pub(super) fn load_nils(&mut self, first: Reg, count: usize, line: u32) -> Result<()> {
        if count > 0 {
            self.emit_abc(Op::LoadNil, first, (count - 1) as u8, 0, line)?;
        }
        Ok(())
    }

    fn closure(&mut self, id: FuncId, dst: Reg, line: u32) -> Result<()> {
        let Ok(index) = u16::try_from(self.children.len()) else {
            return Err(self.error("too many functions (limit is 65536)", line));
        };
        self.meter.push(&mut self.children, id)?;
        self.emit(Word::ad(Op::Closure, dst, index), line)?;
        Ok(())
    }

    fn unary(&mut self, op: UnOp, operand: ExprId, id: ExprId, dst: Reg) -> Result<()> {
        let op = match op {
            UnOp::Not if self.is_condition(operand) => return self.condition_to(id, dst),
            UnOp::Not => Op::Not,
            UnOp::Minus => Op::Unm,
            UnOp::BNot => Op::BNot,
            UnOp::Len => Op::Len,
        };
        let line = self.ast.line(id);
        let saved = self.free;
        let from = match self.local_register(operand) {
            Some(from) => from,
            None if self.is_temporary(dst) => {
                self.expr_to(operand, dst)?;
                dst
            }
            None => self.expr_next(operand)?,
        };
        self.free = saved;
        self.emit_abc(op, dst, from, 0, line)?;
        Ok(())
    }

    /// A concatenation with all the operands that the next ones on its right
    /// join: they take consecutive registers.
    fn concat(&mut self, id: ExprId, dst: Reg) -> Result<()> {
        let mut line = self.ast.line(id);
        let saved = self.free;
        let mut window = dst;
        let mut rest = id;
        let mut count = 0;
        loop {
            let (operand, more) = match self.ast.expr(rest) {
                Expr::Binary(BinOp::Concat, left, right) => (left, Some(right)),
                _ => (rest, None),
            };
            if count == 0 && self.is_temporary(dst) && usize::from(dst) + 1 == self.free {
                self.expr_to(operand, dst)?;
            } else {
                let register = self.expr_next(operand)?;
                window = if count == 0 { register } else { window };
            }
            count += 1;
            match more {
                Some(right) => {
                    // The last operator's line counts.
                    line = self.ast.line(rest);
                    if matches!(self.ast.expr(operand), Expr::Index { .. }) {
                        self.index_on_line(line);
                    }
                    rest = right;
                }
                None => break,
            }
        }
        self.free = saved;
        self.emit_abc(Op::Concat, window, count, 0, line)?;
        self.move_to(dst, window, line)?;
        Ok(())
    }

    /// Compiles `values` to exactly `want` new registers. The last one, when
    /// it can give any number of values, gives as many as are missing.
    pub(super) fn adjusted(&mut self, values: &[ExprId], want: usize, line: u32) -> Result<Reg> {
        let first = self.free as Reg;
        for (index, &value) in values.iter().enumerate() {
            let is_last = index + 1 == values.len();
            if is_last && self.ast.expr(value).is_multi() {
                let missing = want.saturating_sub(index);
                self.multi(value, Some(missing))?;
                self.reserve(missing, line)?;
                return Ok(first);
            }
            self.expr_next(value)?;
            if index >= want {
                self.free -= 1; // evaluated for its effects only
            }
        }
        if values.len() < want {
            let missing = want - values.len();
            let from = self.reserve(missing, line)?;
            self.load_nils(from, missing, line)?;
        }
        Ok(first)
    }

    /// Compiles `values` to the next registers, all values of the last one
    /// with it. The result is how many there are, or `None` when the last one
    /// leaves that open.
    pub(super) fn open_list(&mut self, values: &[ExprId]) -> Result<Option<usize>> {
        for (index, &value) in values.iter().enumerate() {
            if index + 1 == values.len() && self.ast.expr(value).is_multi() {
                self.multi(value, None)?;
                return Ok(None);
            }
            self.expr_next(value)?;
        }
        Ok(Some(values.len()))
    }

    /// Compiles a call or `...` so that its values, `count` or all, are in the
    /// registers from the current top on, which are not yet reserved.
    pub(super) fn multi(&mut self, id: ExprId, count: Option<usize>) -> Result<()> {
        let line = self.ast.line(id);
        if let Some(count) = count {
            self.require(self.free + count, line)?;
        }
        let operand = count.map_or(0, |count| (count + 1) as u8);
        match self.ast.expr(id) {
            Expr::Vararg => {
                if count != Some(0) {
                    let first = self.free as Reg;
                    self.require(self.free + 1, line)?;
                    self.emit_abc(Op::Vararg, first, 0, operand, line)?;
                }
                Ok(())
            }
            _ => self.call(id, operand),
        }
    }
}
