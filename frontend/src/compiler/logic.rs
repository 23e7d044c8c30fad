//! Conditions and the operators that jump: `and`, `or`, `not`, comparisons.

use perilune_ir::bytecode::{Op, Word};

use super::{Compiler, Jumps, Reg, Result};
use crate::ast::{BinOp, Expr, ExprId, UnOp};
use crate::fold;

/// Jumps out of an `and`/`or` expression whose value is wanted.
#[derive(Default)]
struct Exits {
    /// The value is in its register.
    done: Jumps,
    /// The value is `true`.
    on_true: Jumps,
    /// The value is `false`.
    on_false: Jumps,
}

impl Compiler<'_, '_> {
    /// Whether `id` is compiled to jumps rather than to a value.
    pub(super) fn is_condition(&self, id: ExprId) -> bool {
        match self.ast.expr(id) {
            Expr::Binary(op, ..) => op.is_comparison() || matches!(op, BinOp::And | BinOp::Or),
            Expr::Unary(UnOp::Not, operand) => self.is_condition(operand),
            _ => false,
        }
    }

    /// The operands of a left-associative row of `op`, in order.
    fn operands(&mut self, op: BinOp, id: ExprId) -> Result<Vec<ExprId>> {
        let mut operands = Vec::new();
        let mut rest = id;
        while let Expr::Binary(found, left, right) = self.ast.expr(rest) {
            if found != op {
                break;
            }
            self.meter.step()?;
            self.meter.push(&mut operands, right)?;
            rest = left;
        }
        self.meter.push(&mut operands, rest)?;
        operands.reverse();
        Ok(operands)
    }

    /// Jumps when the truth of `id` is `on`; otherwise control falls through.
    pub(super) fn jump_if(&mut self, id: ExprId, on: bool, jumps: &mut Jumps) -> Result<()> {
        let line = self.ast.line(id);
        match self.ast.expr(id) {
            value if value.is_constant() => {
                if fold::truthy(value) == on {
                    let at = self.jump(line)?;
                    self.wait(jumps, at)?;
                }
                Ok(())
            }
            Expr::Unary(UnOp::Not, operand) => self.jump_if(operand, !on, jumps),
            Expr::Binary(op @ (BinOp::And | BinOp::Or), ..) => {
                let operands = self.operands(op, id)?;
                // `and` is decided by a false operand, `or` by a true one.
                let decides = op == BinOp::Or;
                if decides == on {
                    return operands
                        .into_iter()
                        .try_for_each(|operand| self.jump_if(operand, on, jumps));
                }
                let mut through = Jumps::new();
                let (&last, firsts) = operands.split_last().expect("an operator has operands");
                for &operand in firsts {
                    self.jump_if(operand, decides, &mut through)?;
                }
                self.jump_if(last, on, jumps)?;
                self.patch_here(through)
            }
            Expr::Binary(op, left, right) if op.is_comparison() => {
                let at = self.compare(id, op, left, right, on)?;
                self.wait(jumps, at)?;
                Ok(())
            }
            _ => {
                let saved = self.free;
                let register = self.expr_any(id)?;
                self.free = saved;
                let at = self.branch(Word::abc(Op::Test, register, 0, u8::from(on)), line)?;
                self.wait(jumps, at)?;
                Ok(())
            }
        }
    }

    /// A jump taken when the comparison's result is `on`.
    fn compare(
        &mut self,
        id: ExprId,
        op: BinOp,
        left: ExprId,
        right: ExprId,
        on: bool,
    ) -> Result<u32> {
        let saved = self.free;
        let left_expr = self.ast.expr(left);
        // A constant on the left changes sides.
        let mirrored = match op {
            BinOp::Lt => BinOp::Gt,
            BinOp::Le => BinOp::Ge,
            BinOp::Gt => BinOp::Lt,
            BinOp::Ge => BinOp::Le,
            other => other,
        };
        if self.comparison_constant(mirrored, left_expr)?.is_some()
            && !self.ast.expr(right).is_constant()
        {
            let register = self.expr_any(right)?;
            let jump = self.compare_registers(id, mirrored, register, left, on);
            self.free = saved;
            return jump;
        }
        let register = self.expr_any(left)?;
        let jump = self.compare_registers(id, op, register, right, on);
        self.free = saved;
        jump
    }

    /// The constant operand for a comparison with `value`, if it can have one.
    fn comparison_constant(&mut self, op: BinOp, value: Expr) -> Result<Option<u8>> {
        let fits = match op {
            BinOp::Eq | BinOp::Ne => value.is_constant(),
            _ => matches!(value, Expr::Int(_) | Expr::Float(_)),
        };
        if fits { self.constant8(value) } else { Ok(None) }
    }

    /// As [`Compiler::compare`], with the left operand in a register.
    pub(super) fn compare_registers(
        &mut self,
        id: ExprId,
        op: BinOp,
        left: Reg,
        right: ExprId,
        on: bool,
    ) -> Result<u32> {
        let line = self.ast.line(id);
        let flag = u8::from(on != (op == BinOp::Ne));
        let right_expr = self.ast.expr(right);
        if let Some(index) = self.comparison_constant(op, right_expr)? {
            let op = match op {
                BinOp::Lt => Op::LtK,
                BinOp::Le => Op::LeK,
                BinOp::Gt => Op::GtK,
                BinOp::Ge => Op::GeK,
                _ => Op::EqK,
            };
            return self.branch(Word::abc(op, left, index, flag), line);
        }
        let right = self.expr_any(right)?;
        let word = match op {
            BinOp::Lt => Word::abc(Op::Lt, left, right, flag),
            BinOp::Le => Word::abc(Op::Le, left, right, flag),
            BinOp::Gt => Word::abc(Op::Lt, right, left, flag),
            BinOp::Ge => Word::abc(Op::Le, right, left, flag),
            _ => Word::abc(Op::Eq, left, right, flag),
        };
        self.branch(word, line)
    }

    /// A condition's truth, as a boolean in `dst`.
    pub(super) fn condition_to(&mut self, id: ExprId, dst: Reg) -> Result<()> {
        let mut on_true = Jumps::new();
        self.jump_if(id, true, &mut on_true)?;
        self.booleans(on_true, dst, self.ast.line(id))
    }

    /// Falling in gives `dst` false, the jumps give it true.
    pub(super) fn booleans(&mut self, on_true: Jumps, dst: Reg, line: u32) -> Result<()> {
        self.emit_abc(Op::LFalseSkip, dst, 0, 0, line)?;
        self.patch_here(on_true)?;
        self.emit_abc(Op::LoadTrue, dst, 0, 0, line)?;
        Ok(())
    }

    /// The value of an `and`/`or` expression to `dst`.
    pub(super) fn logic_to(&mut self, id: ExprId, dst: Reg) -> Result<()> {
        let line = self.ast.line(id);
        let mut exits = Exits::default();
        let has_value = self.final_operand(id, dst, &mut exits)?;
        if !has_value || !exits.on_true.is_empty() || !exits.on_false.is_empty() {
            if has_value {
                let at = self.jump(line)?;
                self.wait(&mut exits.done, at)?;
            }
            self.patch_here(exits.on_false)?;
            self.booleans(exits.on_true, dst, line)?;
        }
        self.patch_here(exits.done)
    }

    /// An operand that gives the value if control reaches it. The result is
    /// whether it is in `dst`; if not, falling through means `false`.
    fn final_operand(&mut self, id: ExprId, dst: Reg, exits: &mut Exits) -> Result<bool> {
        match self.ast.expr(id) {
            Expr::Binary(op @ (BinOp::And | BinOp::Or), ..) => {
                let operands = self.operands(op, id)?;
                let (&last, firsts) = operands.split_last().expect("an operator has operands");
                for &operand in firsts {
                    self.value_if(operand, op == BinOp::Or, dst, exits)?;
                }
                self.final_operand(last, dst, exits)
            }
            _ if self.is_condition(id) => {
                self.jump_if(id, true, &mut exits.on_true)?;
                Ok(false)
            }
            _ => {
                self.expr_to(id, dst)?;
                Ok(true)
            }
        }
    }

    /// If the truth of `id` is `on`, its value goes to `dst` and control to an
    /// exit; otherwise control falls through.
    fn value_if(&mut self, id: ExprId, on: bool, dst: Reg, exits: &mut Exits) -> Result<()> {
        let line = self.ast.line(id);
        match self.ast.expr(id) {
            value if value.is_constant() => {
                if fold::truthy(value) == on {
                    self.load_constant(value, dst, line)?;
                    let at = self.jump(line)?;
                    self.wait(&mut exits.done, at)?;
                }
                Ok(())
            }
            Expr::Binary(op @ (BinOp::And | BinOp::Or), ..) => {
                let operands = self.operands(op, id)?;
                let decides = op == BinOp::Or;
                if decides == on {
                    return operands
                        .into_iter()
                        .try_for_each(|operand| self.value_if(operand, on, dst, exits));
                }
                let mut through = Jumps::new();
                let (&last, firsts) = operands.split_last().expect("an operator has operands");
                for &operand in firsts {
                    self.jump_if(operand, decides, &mut through)?;
                }
                self.value_if(last, on, dst, exits)?;
                self.patch_here(through)
            }
            Expr::Unary(UnOp::Not, _) => {
                self.jump_if(id, on, if on { &mut exits.on_true } else { &mut exits.on_false })
            }
            _ if self.is_condition(id) => {
                self.jump_if(id, on, if on { &mut exits.on_true } else { &mut exits.on_false })
            }
            _ => {
                let saved = self.free;
                let register = match self.local_register(id) {
                    Some(register) => register,
                    None if self.is_temporary(dst) => {
                        self.expr_to(id, dst)?;
                        dst
                    }
                    None => self.expr_next(id)?,
                };
                self.free = saved;
                let flag = u8::from(on);
                let word = if register == dst {
                    Word::abc(Op::Test, dst, 0, flag)
                } else {
                    Word::abc(Op::TestSet, dst, register, flag)
                };
                let at = self.branch(word, line)?;
                self.wait(&mut exits.done, at)?;
                Ok(())
            }
        }
    }
}
