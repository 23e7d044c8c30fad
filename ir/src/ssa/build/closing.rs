//! The ends of blocks, loops and functions: variables to close, upvalues that leave the stack.

use super::*;

impl Builder<'_> {
    /// Closes what is captured of registers from `from` on, where no variable is to be closed; false
    /// when that was seen not to hold.
    pub(super) fn close(&mut self, from: usize) -> bool {
        let fine = self.guard_closed(from);
        if fine {
            self.close_upvalues(from);
        }
        fine
    }

    /// Leaves when a variable in the registers from `from` on is to be closed; false where that happens.
    pub(super) fn guard_closed(&mut self, from: usize) -> bool {
        let fine = !self.blocked(ExitReason::ValueGuard);
        if fine {
            let slot = self.slot_of(from) as u32;
            let guard = self.guard(Opcode::GuardClosed, Type::None, &[], 0, ExitReason::ValueGuard);
            self.graph.insts[guard.0 as usize].aux = slot;
        }
        fine
    }

    /// Upvalues in the registers from `from` on leave the stack, if there may be any.
    pub(super) fn close_upvalues(&mut self, from: usize) {
        let analysis = &self.frame().analysis;
        let captured = [&analysis.memory, &analysis.write_through];
        if analysis.irreducible || captured.iter().any(|set| set.iter().any(|reg| reg >= from)) {
            let slot = self.slot_of(from) as u32;
            self.emit(Opcode::CloseUpvalues, Type::None, &[], 0, slot);
        }
    }
}
