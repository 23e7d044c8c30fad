//! Generic `for` over `ipairs` and `next`, without calls.
//!
//! `TFORCALL` is followed by `TFORLOOP`: both are translated at once.

use crate::encoding;

use super::ops::Operands;
use super::*;

impl Builder<'_> {
    /// Guards the iterator function and returns where the loop goes on and where it ends.
    fn iteration(&mut self, o: Operands, bits: u64) -> (usize, usize) {
        let f = self.get(o.a);
        let f = self.boxed(f);
        self.guard(Opcode::GuardBits, Type::None, &[f], bits, ExitReason::CalleeGuard);
        self.poll();
        let function = self.frame().profile.function.clone();
        let back = jump_target(&function, o.next).expect("TFORLOOP follows TFORCALL");
        (back, o.next + 2)
    }

    /// Ends the block: `more` decides between the next turn with `key` and `value`, and the end.
    fn next_turn(
        &mut self,
        o: Operands,
        more: Value,
        (key, value): (Value, Value),
        seen: u16,
        (back, end): (usize, usize),
    ) {
        // The interpreter notes the type of the value where there is one.
        self.expect.insert(if o.c >= 2 { value } else { key }, seen);
        let (turn, done) = self.fork(more);
        let state = self.state.clone();
        self.enter(turn);
        self.set(o.a + 2, key);
        let window = self.slot_of(o.a + 4);
        self.clobber_from(window);
        for i in 0..o.c {
            let v = match i {
                0 => key,
                1 => value,
                _ => self.bits(encoding::NIL),
            };
            self.set(o.a + 4 + i, v);
        }
        self.jump_to(back);
        self.state = state;
        self.enter(done);
        self.jump_to(end);
    }

    fn is_not_nil(&mut self, v: Value) -> Value {
        let nil = self.bits(encoding::NIL);
        let is_nil = self.op(Opcode::BitsEq, Type::Bool, &[v, nil]);
        self.op(Opcode::BNot, Type::Bool, &[is_nil])
    }

    pub(super) fn ipairs_step(
        &mut self,
        o: Operands,
        bits: u64,
        (t, control): (Value, Value),
        site: &Site,
    ) {
        let ways = self.iteration(o, bits);
        let i = match self.ty(control) {
            Type::Int => control,
            _ => self.guard(Opcode::GuardInt, Type::Int, &[control], 0, ExitReason::TypeGuard),
        };
        let t = self.table_pointer(t);
        self.guard_no_metatable(t);
        let one = self.int(1);
        let key = self.op(Opcode::IAdd, Type::Int, &[i, one]);
        let len = self.op(Opcode::TableArrLen, Type::Int, &[t]);
        let inside = self.emit(Opcode::ICmp, Type::Bool, &[i, len], 0, Cond::Below as u32);
        let value = self.element_or_absent(t, i, key, inside);
        let more = self.is_not_nil(value);
        self.next_turn(o, more, (key, value), site.types, ways);
    }

    /// The pair after key `control` in table `t`; leaves when the table has no such key.
    pub(super) fn next_pair(
        &mut self,
        t: Value,
        control: Value,
        hint: u64,
        why: ExitReason,
    ) -> (Value, Value) {
        let key = self.emit(Opcode::NextKey, Type::Any, &[t, control], hint, 0);
        let value = self.emit(Opcode::Scratch, Type::Any, &[], 0, 1);
        let failed = self.bits(encoding::NEXT_FAILED);
        let failed = self.op(Opcode::BitsEq, Type::Bool, &[key, failed]);
        let fine = self.op(Opcode::BNot, Type::Bool, &[failed]);
        self.guard(Opcode::GuardTrue, Type::None, &[fine], 0, why);
        (key, value)
    }

    pub(super) fn next_step(
        &mut self,
        o: Operands,
        bits: u64,
        (t, control): (Value, Value),
        site: &Site,
    ) {
        let ways = self.iteration(o, bits);
        let t = self.table_pointer(t);
        let control = self.boxed(control);
        let (key, value) = self.next_pair(t, control, site.hint, ExitReason::Cold);
        let more = self.is_not_nil(key);
        self.next_turn(o, more, (key, value), site.types, ways);
    }
}
