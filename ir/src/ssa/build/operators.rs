//! Operators on tables: metamethods, called directly or inlined.
//!
//! The operand's shape and the method epoch say which function handles the operator. It is called in a
//! window above all registers of the frame, with a link to the operator's instruction: whoever returns
//! there knows from the instruction where the result goes (`runtime::interp::operators`).

use crate::profile::OperatorCase;

use super::ops::Operands;
use super::*;

impl Builder<'_> {
    /// The result of the operator at hand on `x` and `y`, by the metamethod that the profile shows;
    /// `None` where it shows none.
    pub(super) fn operator(&mut self, o: Operands, x: Value, y: Value) -> Option<Value> {
        let site = self.frame().profile.operators.get(&(self.frame().pc as u32))?.clone();
        let [case] = &site.cases[..] else { return None };
        let (operand, other) = if case.operand == 0 { (x, y) } else { (y, x) };
        let window = self.frame().profile.function.max_stack as usize;
        let usable = self.expected(operand) & !types::TABLE == 0
            && matches!(self.ty(operand), Type::Any | Type::Table)
            && !self.is_memory(window)
            && !self.blocked(ExitReason::TypeGuard)
            && !self.blocked(ExitReason::ShapeGuard)
            && !self.blocked(ExitReason::EpochGuard);
        // An operand before the one with the metamethod must have none.
        let plain = case.operand == 0 || self.is_plain_number(other);
        if !usable || !plain {
            return None;
        }
        if case.operand == 1 && self.ty(other) == Type::Any {
            let set = (types::INT | types::FLOAT) as u32;
            let number = self.emit(Opcode::IsType, Type::Bool, &[other], 0, set);
            self.guard(Opcode::GuardTrue, Type::None, &[number], 0, ExitReason::TypeGuard);
        }
        let t = self.table_pointer(operand);
        let shape = self.op(Opcode::TableShape, Type::Raw, &[t]);
        self.guard(Opcode::GuardRaw, Type::None, &[shape], case.shape, ExitReason::ShapeGuard);
        self.guard_epoch();
        let result = self.call_handler(o, window, case, [x, y])?;
        if self.expected(result) == 0 {
            self.expect.insert(result, site.types);
        }
        Some(result)
    }

    fn is_plain_number(&self, v: Value) -> bool {
        let expected = self.expected(v);
        expected != 0 && expected & !(types::INT | types::FLOAT) == 0
    }

    /// Calls the metamethod in the window at register `window`. `None` when it never returns.
    fn call_handler(
        &mut self,
        o: Operands,
        window: usize,
        case: &OperatorCase,
        operands: [Value; 2],
    ) -> Option<Value> {
        let end = self.slot_of(window + 4);
        self.graph.frame_slots = self.graph.frame_slots.max(end as u32);
        let size = Self::index(end);
        if self.state.slots.len() < size {
            self.state.slots.resize(size, None);
            self.state.mem.resize(size, None);
        }
        let handler = self.bits(case.handler);
        self.set(window, handler);
        for (i, v) in operands.into_iter().enumerate() {
            self.set(window + 2 + i, v);
        }
        let call = Operands { a: window, b: 3, c: 2, ..o };
        let address = case.handler << 16 >> 16;
        let pointer = self.emit(Opcode::ConstRaw, Type::Func, &[], address, 0);
        match &case.profile {
            Some(profile) if self.inlinable(profile) => {
                self.inline_body(call, pointer, profile.clone());
            }
            _ => {
                self.call_pointer(call, handler, Some(pointer));
            }
        }
        let slot = self.slot_of(window);
        let result = self.state.slots[Self::index(slot)];
        self.clobber_from(slot);
        result.filter(|_| self.open)
    }
}
