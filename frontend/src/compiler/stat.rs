//! Statements.

use perilune_ir::bytecode::{Op, Word};

use super::chain::Key;
use super::{Compiler, Jumps, LoopState, Reg, Result};
use crate::ast::{
    Attrib, Block, Branches, Expr, ExprId, GenericFor, LabelId, LocalId, NumericFor, Stat, StatKind,
};
use crate::fold;

/// A variable that is assigned to, with its operands evaluated.
#[derive(Clone, Copy)]
enum Target {
    Local(Reg),
    Upvalue(u8),
    /// A field of an upvalue: a global.
    UpvalueField(u8, u16),
    Index(Reg, Key),
}

/// The lines of a generic `for`: of its calls, its `do` and its `end`.
struct ForLines {
    call: u32,
    start: u32,
    end: u32,
}

/// Where a forward jump leads.
#[derive(Clone, Copy)]
enum Destination {
    LoopExit,
    Label(LabelId),
}

impl Compiler<'_, '_> {
    pub(super) fn statements(&mut self, block: &Block) -> Result<()> {
        for stat in self.ast.statements(block.statements) {
            self.statement(stat)?;
            debug_assert_eq!(self.free, self.active_regs);
        }
        Ok(())
    }

    /// A block with its own scope.
    fn block(&mut self, block: &Block) -> Result<()> {
        let active = self.active.len();
        self.statements(block)?;
        self.leave_scope(active, block)?;
        Ok(())
    }

    /// Ends the scope of the variables of `block`, closing them if control can
    /// reach its end.
    fn leave_scope(&mut self, active: usize, block: &Block) -> Result<()> {
        if !self.ends_in_jump(block) {
            self.emit_close(active, block.end_line)?;
        }
        self.deactivate(active);
        Ok(())
    }

    fn statement(&mut self, stat: &Stat) -> Result<()> {
        let line = stat.line;
        let ast = self.ast;
        self.meter.step()?;
        match stat.kind {
            StatKind::Call(call) => self.call(call, 1),
            StatKind::Assign { targets, values } => {
                self.assign(ast.list(targets), ast.list(values), line)
            }
            StatKind::Local { first, count, values } => {
                self.local_statement(first, count, ast.list(values), line)
            }
            StatKind::LocalFunction { local, function } => {
                let register = self.reserve(1, line)?;
                self.activate(local, 1)?;
                self.expr_to(function, register)?;
                // Debug information sees the variable once it has its value.
                let pc = self.pc() as u32;
                if let Some(&index) = self.active_debug.last() {
                    self.debug_locals[index].start_pc = pc;
                }
                Ok(())
            }
            StatKind::Function { target, function } => {
                let target = self.target(target)?;
                self.assign_one(target, function, line)
            }
            StatKind::Do(block) => self.block(&block),
            StatKind::While { condition, body } => self.while_loop(condition, &body, line),
            StatKind::Repeat { body, condition } => self.repeat_loop(&body, condition, line),
            StatKind::If(index) => self.if_statement(ast.branches[index as usize]),
            StatKind::ForNum(index) => {
                let NumericFor { state, start, limit, step, body, do_line } =
                    ast.numeric_fors[index as usize];
                self.expr_next(start)?;
                self.expr_next(limit)?;
                match step {
                    Some(step) => {
                        self.expr_next(step)?;
                    }
                    None => {
                        let register = self.reserve(1, line)?;
                        self.load_constant(Expr::Int(1), register, line)?;
                    }
                }
                self.numeric_for(state, &body, line, do_line)
            }
            StatKind::ForIn(index) => {
                let GenericFor { state, count, values, body, do_line, end_line } =
                    ast.generic_fors[index as usize];
                self.adjusted(ast.list(values), 4, line)?;
                let lines = ForLines { call: line, start: do_line, end: end_line };
                self.generic_for(state, count, &body, lines)
            }
            StatKind::Return(values) => self.return_statement(ast.list(values), line),
            StatKind::Break => self.break_statement(line),
            StatKind::Goto(index) => self.goto(self.function.gotos[index as usize], line),
            StatKind::Label(label) => {
                let state = &mut self.labels[label.0 as usize];
                state.position = Some(self.code.len() as u32);
                let pending = std::mem::take(&mut state.pending);
                self.patch_here(pending)
            }
        }
    }

    fn local_statement(
        &mut self,
        first: LocalId,
        count: u32,
        values: &[ExprId],
        line: u32,
    ) -> Result<()> {
        let last = self.local(LocalId(first.0 + count - 1));
        if last.value.is_some() {
            // A compile-time constant needs no code and no register.
            self.adjusted(&values[..values.len() - 1], count as usize - 1, line)?;
        } else {
            self.adjusted(values, count as usize, line)?;
        }
        self.activate(first, count)?;
        for id in (first.0..first.0 + count).map(LocalId) {
            if self.local(id).attrib == Attrib::Close {
                let register = self.register(id);
                self.emit_abc(Op::Tbc, register, 0, 0, line)?;
            }
        }
        Ok(())
    }

    // ---- assignment ----

    /// Evaluates the operands of a variable that will be assigned to.
    fn target(&mut self, id: ExprId) -> Result<Target> {
        Ok(match self.ast.expr(id) {
            Expr::Local(local) => Target::Local(self.register(local)),
            Expr::Upvalue(index) => Target::Upvalue(index),
            Expr::Index { object, key } => {
                if let (Expr::Upvalue(index), Expr::Str(name)) =
                    (self.ast.expr(object), self.ast.expr(key))
                    && let Some(name) = self.constant16(name)?
                {
                    return Ok(Target::UpvalueField(index, name));
                }
                let object = self.expr_any(object)?;
                Target::Index(object, self.key(key)?)
            }
            other => unreachable!("{other:?} is no variable"),
        })
    }

    fn store(&mut self, target: Target, value: Reg, line: u32) -> Result<()> {
        match target {
            Target::Local(register) => self.move_to(register, value, line),
            Target::Upvalue(index) => self.emit_abc(Op::SetUpval, value, index, 0, line),
            Target::UpvalueField(index, name) => {
                let extra = self.feedback_word(name);
                self.emit_extra(Word::abc(Op::SetTabUp, index, value, 0), extra, line)
            }
            Target::Index(object, key) => self.store_index(object, key, value, line),
        }
    }

    /// `target = value`, after which no temporary is in use.
    fn assign_one(&mut self, target: Target, value: ExprId, line: u32) -> Result<()> {
        match target {
            Target::Local(register) => self.expr_to(value, register)?,
            Target::Upvalue(_) | Target::UpvalueField(..) | Target::Index(..) => {
                let value = self.expr_any(value)?;
                self.store(target, value, line)?;
            }
        }
        self.free = self.active_regs;
        Ok(())
    }

    fn assign(&mut self, targets: &[ExprId], values: &[ExprId], line: u32) -> Result<()> {
        if let ([target], [value]) = (targets, values) {
            let target = self.target(*target)?;
            return self.assign_one(target, *value, line);
        }
        // The parser has limited their number.
        let mut prepared = Vec::with_capacity(targets.len());
        for &target in targets {
            let mut target = self.target(target)?;
            self.protect(&mut target, targets, line)?;
            prepared.push(target);
        }
        if values.len() == targets.len() {
            // The last value goes straight to its variable, the others wait.
            let (&last, firsts) = values.split_last().expect("an assignment has values");
            let first = self.free as Reg;
            for &value in firsts {
                self.expr_next(value)?;
            }
            match prepared[firsts.len()] {
                Target::Local(register) => self.expr_to(last, register)?,
                other => {
                    let value = self.expr_any(last)?;
                    self.store(other, value, line)?;
                }
            }
            for index in (0..firsts.len()).rev() {
                self.store(prepared[index], first + index as Reg, line)?;
            }
        } else {
            let first = self.adjusted(values, targets.len(), line)?;
            for (index, &target) in prepared.iter().enumerate().rev() {
                self.store(target, first + index as Reg, line)?;
            }
        }
        self.free = self.active_regs;
        Ok(())
    }

    /// In a multiple assignment, copies operands of `target` that another
    /// target overwrites: all operands are evaluated before any assignment.
    fn protect(&mut self, target: &mut Target, targets: &[ExprId], line: u32) -> Result<()> {
        let assigned = |compiler: &Self, register: Reg| {
            targets.iter().any(|&other| match compiler.ast.expr(other) {
                Expr::Local(local) => compiler.register(local) == register,
                _ => false,
            })
        };
        match target {
            Target::Index(object, key) => {
                let key_register = match key {
                    Key::Register(register) => Some(register),
                    Key::Field(_) | Key::Int(_) => None,
                };
                for operand in [Some(object), key_register].into_iter().flatten() {
                    if assigned(self, *operand) {
                        let copy = self.reserve(1, line)?;
                        self.move_to(copy, *operand, line)?;
                        *operand = copy;
                    }
                }
            }
            Target::UpvalueField(index, name) => {
                if targets.iter().any(|&other| self.ast.expr(other) == Expr::Upvalue(*index)) {
                    let copy = self.reserve(1, line)?;
                    let extra = self.feedback_word(0);
                    self.emit_extra(Word::abc(Op::GetUpval, copy, *index, 0), extra, line)?;
                    *target = Target::Index(copy, Key::Field(*name));
                }
            }
            Target::Local(_) | Target::Upvalue(_) => {}
        }
        Ok(())
    }

    // ---- control ----

    fn if_statement(&mut self, branches: Branches) -> Result<()> {
        let Branches { arms, otherwise } = branches;
        let arms = self.ast.arms(arms);
        let mut done = Jumps::new();
        for (index, arm) in arms.iter().enumerate() {
            let condition = self.ast.expr(arm.condition);
            if condition.is_constant() && !fold::truthy(condition) {
                // Nothing to decide, but line hooks see the line.
                let here = self.jump(arm.then_line)?;
                self.patch_one(here)?;
                continue;
            }
            if let Some(destination) = self.lone_jump(&arm.block) {
                let mut jumps = Jumps::new();
                self.jump_if(arm.condition, true, &mut jumps)?;
                self.decide_at(arm.then_line);
                self.wait_for(destination, jumps)?;
                continue;
            }
            let mut next = Jumps::new();
            self.jump_if(arm.condition, false, &mut next)?;
            self.decide_at(arm.then_line);
            self.block(&arm.block)?;
            if condition.is_constant() {
                return self.patch_here(done); // the other arms are never reached
            }
            let has_more = index + 1 < arms.len() || otherwise.is_some();
            if has_more && !self.ends_in_jump(&arm.block) {
                let at = self.jump(arm.block.end_line)?;
                self.wait(&mut done, at)?;
            }
            self.patch_here(next)?;
        }
        if let Some(block) = otherwise {
            self.block(&block)?;
        }
        self.patch_here(done)
    }

    /// Where `block` leads when all it does is a forward jump that closes
    /// nothing.
    fn lone_jump(&self, block: &Block) -> Option<Destination> {
        let [Stat { kind, .. }] = self.ast.statements(block.statements) else {
            return None;
        };
        match *kind {
            StatKind::Break => {
                let innermost = self.loops.last()?;
                let closes =
                    !innermost.closes_at_exit && self.close_from(innermost.active).is_some();
                (!closes).then_some(Destination::LoopExit)
            }
            StatKind::Goto(index) => {
                let label = self.function.gotos[index as usize];
                let active = self.function.labels[label.0 as usize].active as usize;
                let bound = self.labels[label.0 as usize].position.is_some();
                (!bound && self.close_from(active).is_none()).then_some(Destination::Label(label))
            }
            _ => None,
        }
    }

    /// Lets jumps wait for `destination`.
    fn wait_for(&mut self, destination: Destination, jumps: Jumps) -> Result<()> {
        let pending = match destination {
            Destination::LoopExit => &mut self.loops.last_mut().expect("a loop is open").breaks,
            Destination::Label(label) => &mut self.labels[label.0 as usize].pending,
        };
        self.meter.extend(pending, &jumps)?;
        self.meter.free(jumps);
        Ok(())
    }

    fn wait_one(&mut self, destination: Destination, at: u32) -> Result<()> {
        let pending = match destination {
            Destination::LoopExit => &mut self.loops.last_mut().expect("a loop is open").breaks,
            Destination::Label(label) => &mut self.labels[label.0 as usize].pending,
        };
        Ok(self.meter.push(pending, at)?)
    }

    fn open_loop(&mut self, active: usize, closes_at_exit: bool) -> Result<()> {
        let state = LoopState { breaks: Jumps::new(), active, closes_at_exit };
        Ok(self.meter.push(&mut self.loops, state)?)
    }

    fn close_loop(&mut self) -> Result<()> {
        let state = self.loops.pop().expect("a loop is open");
        self.patch_here(state.breaks)
    }

    fn while_loop(&mut self, condition: ExprId, body: &Block, line: u32) -> Result<()> {
        let start = self.pc();
        let mut exit = Jumps::new();
        self.jump_if(condition, false, &mut exit)?;
        self.open_loop(self.active.len(), false)?;
        self.block(body)?;
        if !self.ends_in_jump(body) {
            self.loop_to(start, line)?;
        }
        self.patch_here(exit)?;
        self.close_loop()
    }

    fn repeat_loop(&mut self, body: &Block, condition: ExprId, line: u32) -> Result<()> {
        let start = self.pc();
        let active = self.active.len();
        self.open_loop(active, false)?;
        self.statements(body)?;
        let value = self.ast.expr(condition);
        if self.ends_in_jump(body) {
            // The condition is never reached.
            self.deactivate(active);
        } else if value.is_constant() {
            self.emit_close(active, line)?;
            self.deactivate(active);
            if !fold::truthy(value) {
                self.loop_to(start, line)?;
            }
        } else {
            let mut exit = Jumps::new();
            self.jump_if(condition, true, &mut exit)?;
            self.emit_close(active, line)?;
            self.loop_to(start, line)?;
            self.patch_here(exit)?;
            self.emit_close(active, line)?;
            self.deactivate(active);
        }
        self.close_loop()
    }

    /// The loop over the three values at the top of the stack.
    fn numeric_for(&mut self, state: LocalId, body: &Block, line: u32, do_line: u32) -> Result<()> {
        let outer = self.active.len();
        self.activate(state, 3)?;
        let base = self.register(state);
        self.open_loop(self.active.len(), false)?;
        let prepare = self.branch(Word::abc(Op::ForPrep, base, 0, 0), do_line)?;
        let start = self.pc();
        self.reserve(1, line)?;
        let active = self.active.len();
        self.activate(LocalId(state.0 + 3), 1)?;
        self.loop_body(active, body)?;
        self.back_edge(Op::ForLoop, base, start, line)?;
        self.patch_one(prepare)?;
        self.deactivate(outer);
        self.close_loop()
    }

    /// The loop over the four values at the top of the stack.
    fn generic_for(
        &mut self,
        state: LocalId,
        count: u32,
        body: &Block,
        lines: ForLines,
    ) -> Result<()> {
        let outer = self.active.len();
        self.activate(state, 4)?;
        let base = self.register(state);
        self.open_loop(self.active.len(), true)?;
        let prepare = self.branch(Word::abc(Op::TForPrep, base, 0, 0), lines.start)?;
        let start = self.pc();
        // The iterator's call window is where the variables are.
        self.require(usize::from(base) + 8, lines.call)?;
        self.reserve(count as usize, lines.call)?;
        let active = self.active.len();
        self.activate(LocalId(state.0 + 4), count)?;
        self.loop_body(active, body)?;
        self.patch_one(prepare)?;
        let extra = self.feedback_word(0);
        self.emit_extra(Word::abc(Op::TForCall, base, 0, count as u8), extra, lines.call)?;
        self.back_edge(Op::TForLoop, base, start, lines.call)?;
        self.close_loop()?;
        self.emit_close(outer, lines.end)?;
        self.deactivate(outer);
        Ok(())
    }

    /// The body of a `for`, whose variables from `active` on are in its scope.
    fn loop_body(&mut self, active: usize, body: &Block) -> Result<()> {
        self.statements(body)?;
        self.leave_scope(active, body)?;
        Ok(())
    }

    fn back_edge(&mut self, op: Op, base: Reg, target: usize, line: u32) -> Result<()> {
        let distance = self.pc() + 2 - target;
        self.emit_extra(Word::abc(op, base, 0, 0), (distance as u32).wrapping_neg(), line)
    }

    fn break_statement(&mut self, line: u32) -> Result<()> {
        let innermost = self.loops.last().expect("the parser found the loop");
        if !innermost.closes_at_exit {
            self.emit_close(innermost.active, line)?;
        }
        let at = self.jump(line)?;
        self.wait_one(Destination::LoopExit, at)
    }

    fn goto(&mut self, label: LabelId, line: u32) -> Result<()> {
        let active = self.function.labels[label.0 as usize].active as usize;
        self.emit_close(active, line)?;
        match self.labels[label.0 as usize].position {
            Some(position) => self.loop_to(position as usize, line),
            None => {
                let at = self.jump(line)?;
                self.wait_one(Destination::Label(label), at)
            }
        }
    }

    fn return_statement(&mut self, values: &[ExprId], line: u32) -> Result<()> {
        let closes = self.close_from(0).is_some();
        match values {
            [] => {
                if closes {
                    self.emit_abc(Op::Return, 0, 1, 1, line)?;
                } else {
                    self.emit_abc(Op::Return0, 0, 0, 0, line)?;
                }
            }
            [call] if self.is_call(*call) && !self.inside_close() => self.tail_call(*call)?,
            [value] if !self.ast.expr(*value).is_multi() => {
                let register = self.expr_any(*value)?;
                if closes {
                    self.emit_abc(Op::Return, register, 2, 1, line)?;
                } else {
                    self.emit_abc(Op::Return1, register, 0, 0, line)?;
                }
            }
            _ => {
                let first = self.free as Reg;
                let count = self.open_list(values)?.map_or(0, |count| (count + 1) as u8);
                self.emit_abc(Op::Return, first, count, u8::from(closes), line)?;
            }
        }
        self.free = self.active_regs;
        Ok(())
    }

    fn is_call(&self, id: ExprId) -> bool {
        matches!(self.ast.expr(id), Expr::Call { .. } | Expr::Method { .. })
    }

    /// Whether a to-be-closed variable is active.
    fn inside_close(&self) -> bool {
        self.active.iter().any(|&id| self.local(id).attrib == Attrib::Close)
    }

    /// Whether control never reaches the end of `block`, for a plain reason.
    fn ends_in_jump(&self, block: &Block) -> bool {
        let last = self.ast.statements(block.statements).last().map(|stat| stat.kind);
        matches!(last, Some(StatKind::Return(_) | StatKind::Break | StatKind::Goto(_)))
    }
}
