//! Extra arguments: `...` with a known number of values, and `select` of them.

use crate::bytecode::{Constant, Op, Word};
use crate::intrinsic::Intrinsic;
use crate::profile::Callee;

use super::ops::Operands;
use super::*;

impl Builder<'_> {
    /// `VARARG`.
    pub(super) fn vararg(&mut self, o: Operands) {
        if o.c == 0 {
            if self.select(o) {
                return;
            }
            self.flush(o.a);
            let from = self.slot_of(o.a);
            let pc = self.frame().pc as u64 | u64::from(self.params()) << 32;
            self.emit(Opcode::VarargAll, Type::None, &[], pc, from as u32);
            return self.clobber_from(from);
        }
        for i in 0..o.c - 1 {
            let index = self.int(i as i64);
            let v = self.extra_argument(index);
            self.set(o.a + i, v);
        }
    }

    fn params(&self) -> u32 {
        u32::from(self.frame().profile.function.num_params)
    }

    /// Extra argument `index` (from 0), or nil.
    fn extra_argument(&mut self, index: Value) -> Value {
        let params = self.params();
        self.emit(Opcode::VarargLoad, Type::Any, &[index], 0, params)
    }

    /// `select(n, ...)` and `select('#', ...)` without the list: the `VARARG` and the call behind it
    /// are translated at once.
    fn select(&mut self, o: Operands) -> bool {
        let function = self.frame().profile.function.clone();
        if function.op(o.next) != Op::Call || self.frame().analysis.block_at.contains_key(&o.next) {
            return false;
        }
        let word = Word(function.code[o.next]);
        let (a, b, c) = (word.a() as usize, word.b(), word.c() as usize);
        let site = self.site((function.code[o.next + 1] >> 16) as u16);
        let Callee::Native { bits, intrinsic, .. } = site.callee else { return false };
        let known = !self.blocked(ExitReason::CalleeGuard)
            && !self.blocked(ExitReason::TypeGuard)
            && !self.blocked(ExitReason::ValueGuard);
        if Intrinsic::from_number(intrinsic) != Intrinsic::Select
            || b != 0
            || c != 2
            || o.a != a + 3
            || !known
        {
            return false;
        }
        let selector = self.get(a + 2);
        let expected = self.expected(selector);
        let sharp = self.is_sharp(selector);
        if !sharp && expected != types::INT {
            return false;
        }
        let f = self.get(a);
        let f = self.boxed(f);
        self.guard(Opcode::GuardBits, Type::None, &[f], bits, ExitReason::CalleeGuard);
        let v = if sharp {
            let params = self.params();
            self.emit(Opcode::VarargCount, Type::Int, &[], 0, params)
        } else {
            let n = match self.ty(selector) {
                Type::Int => selector,
                _ => self.guard_int(selector, ExitReason::TypeGuard),
            };
            let one = self.int(1);
            let positive = self.emit(Opcode::ICmp, Type::Bool, &[n, one], 0, Cond::Ge as u32);
            self.guard(Opcode::GuardTrue, Type::None, &[positive], 0, ExitReason::ValueGuard);
            let index = self.op(Opcode::ISub, Type::Int, &[n, one]);
            self.extra_argument(index)
        };
        let window = self.slot_of(a);
        self.clobber_from(window);
        self.set(a, v);
        // From here on the interpreter would be behind the call.
        let next = o.next + Op::Call.words();
        self.go_behind(next);
        let v = self.narrow(v, site.types);
        self.set(a, v);
        self.go_on_at = Some(next);
        true
    }

    /// Whether `v` is the constant string "#".
    fn is_sharp(&self, v: Value) -> bool {
        let inst = self.graph.inst(v);
        let profile = &self.frame().profile;
        let sharp = |(k, bits): (&Constant, &u64)| {
            matches!(k, Constant::Str(s) if &**s == b"#") && *bits == inst.imm
        };
        inst.op == Opcode::ConstBits
            && profile.function.constants.iter().zip(&profile.constants).any(sharp)
    }
}
