//! Variables that the unit takes for constant, since no instruction assigns them once they are captured:
//! upvalues that are read once, and captured registers whose values are known.
//!
//! `debug.setupvalue` and `debug.upvaluejoin` can change them all the same. Then the unit's *mark* is set. They
//! run within calls and steps only, so the unit looks at its mark behind these (`guard_fresh`), wherever it reads
//! such a variable later. A typed unit that left for that reason answers its callers with a result of the wrong
//! kind, which makes them leave: calls of itself are followed by no check.

use super::*;

impl Builder<'_> {
    /// Whether code of the program may run in `op`, after which nothing else is looked at.
    pub(super) fn may_change_variables(&self, op: Opcode) -> bool {
        match op {
            Opcode::Step
            | Opcode::StepTest
            | Opcode::StepCall
            | Opcode::CallFunction
            | Opcode::CallMulti => true,
            // Results of any kind do not say that the callee left.
            Opcode::CallSelf => self.self_entry.as_ref().is_some_and(|e| e.1 == Type::Any),
            _ => false,
        }
    }

    /// Notes that a variable is read here as a constant.
    pub(super) fn rely(&mut self, variable: Option<u32>) {
        let Some(variable) = variable else { return };
        if !self.graph.relied.contains(&variable) {
            self.graph.relied.push(variable);
        }
        let at = self.graph.blocks[self.cur.0 as usize].insts.len();
        self.relied_at.push((self.cur, at));
    }

    /// Whether the slot is a register that closures read: memory has its value, and may have got another one
    /// from outside.
    pub(super) fn is_written_through(&self, slot: i32) -> bool {
        // Functions that make closures are not inlined.
        usize::try_from(slot).is_ok_and(|reg| self.frames[0].analysis.write_through.contains(reg))
            && self.frames.get(1).is_none_or(|inlined| slot < inlined.base - 2)
    }

    /// Looks at the mark if something ran that may have set it; leaves to the instruction at `pc`.
    pub(super) fn check_mark(&mut self, pc: usize) {
        if !std::mem::take(&mut self.state.called) {
            return;
        }
        let Some(mark) = self.options.mark else { return };
        let snapshot = self.snapshot_at(pc, ExitReason::Poll);
        let v = self.emit(Opcode::GuardFresh, Type::None, &[], 0, u32::from(mark));
        self.graph.insts[v.0 as usize].snapshot = Some(snapshot);
    }

    /// Takes out the checks behind which no such variable is read.
    pub(super) fn drop_idle_checks(&mut self) {
        let is_check = |graph: &Graph, v: Value| graph.inst(v).op == Opcode::GuardFresh;
        if !self.graph.insts.iter().any(|inst| inst.op == Opcode::GuardFresh) {
            return;
        }
        let blocks = self.graph.blocks.len();
        let mut last_read: Vec<Option<usize>> = vec![None; blocks];
        for &(block, at) in &self.relied_at {
            let last = &mut last_read[block.0 as usize];
            *last = (*last).max(Some(at));
        }
        // Callers of a typed unit rely on what it relies on.
        let typed =
            matches!(self.graph.entry, Entry::Typed { .. }) && !self.graph.relied.is_empty();
        // Blocks from whose start a read is reached.
        let mut reaches: Vec<bool> = last_read.iter().map(Option::is_some).collect();
        let successors: Vec<SmallVec<[u32; 2]>> = (0..blocks as u32)
            .map(|b| self.graph.successors(Block(b)).map(|target| target.block.0).collect())
            .collect();
        let mut changed = true;
        while changed {
            changed = false;
            for b in (0..blocks).rev() {
                let any = successors[b].iter().any(|&s| s != u32::MAX && reaches[s as usize]);
                changed |= any && !reaches[b];
                reaches[b] |= any;
            }
        }
        for b in 0..blocks {
            let later = successors[b].iter().any(|&s| s != u32::MAX && reaches[s as usize]);
            if typed || later {
                continue;
            }
            let insts = std::mem::take(&mut self.graph.blocks[b].insts);
            let kept = insts.into_iter().enumerate().filter(|&(at, v)| {
                !is_check(&self.graph, v) || last_read[b].is_some_and(|last| last > at)
            });
            let kept = kept.map(|(_, v)| v).collect();
            self.graph.blocks[b].insts = kept;
        }
    }
}
