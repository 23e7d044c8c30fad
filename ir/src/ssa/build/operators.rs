//! Operators on tables: metamethods, called directly or inlined.
//!
//! The operand's shape and the method epoch say which function handles the operator. It is called in a
//! window above all registers of the frame, with a link to the operator's instruction: whoever returns
//! there knows from the instruction where the result goes (`runtime::interp::operators`).

use smallvec::SmallVec;

use crate::bytecode::Op;
use crate::encoding;
use crate::profile::OperatorCase;

use super::ops::Operands;
use super::*;

impl Builder<'_> {
    /// The result of the operator at hand on `x` and `y`, by the metamethod that the profile shows;
    /// `None` where it shows none.
    pub(super) fn operator(&mut self, o: Operands, x: Value, y: Value) -> Option<Value> {
        let (case, types) = self.single_handler()?;
        let (operand, other) = if case.operand == 0 { (x, y) } else { (y, x) };
        // An operand before the one with the metamethod must have none.
        let plain = case.operand == 0 || self.is_plain_number(other);
        if !self.may_be_table(operand) || !plain {
            return None;
        }
        if case.operand == 1 && self.ty(other) == Type::Any {
            let set = (types::INT | types::FLOAT) as u32;
            let number = self.emit(Opcode::IsType, Type::Bool, &[other], 0, set);
            self.guard(Opcode::GuardTrue, Type::None, &[number], 0, ExitReason::TypeGuard);
        }
        self.guard_handler(operand, &case);
        self.call_handler(o, &case, &[x, y], types)
    }

    /// The one metamethod that was seen at the instruction, with the types of its results.
    fn single_handler(&self) -> Option<(OperatorCase, u16)> {
        let frame = self.frame();
        let site = frame.profile.operators.get(&(frame.pc as u32))?;
        let [case] = &site.cases[..] else { return None };
        let usable = !self.is_memory(frame.profile.function.max_stack as usize)
            && !self.blocked(ExitReason::TypeGuard)
            && !self.blocked(ExitReason::ShapeGuard)
            && !self.blocked(ExitReason::EpochGuard);
        usable.then(|| (case.clone(), site.types))
    }

    fn may_be_table(&self, v: Value) -> bool {
        self.expected(v) & !types::TABLE == 0 && matches!(self.ty(v), Type::Any | Type::Table)
    }

    /// Leaves unless `operand` is a table whose metamethod is that of `case`. The table.
    fn guard_handler(&mut self, operand: Value, case: &OperatorCase) -> Value {
        let t = self.table_pointer(operand);
        let shape = self.op(Opcode::TableShape, Type::Raw, &[t]);
        self.guard(Opcode::GuardRaw, Type::None, &[shape], case.shape, ExitReason::ShapeGuard);
        self.guard_epoch();
        if self.inlined_handler(case).is_none() {
            self.guard(Opcode::GuardDepth, Type::None, &[], 0, ExitReason::Stack);
        }
        t
    }

    /// The access to `key`, absent in `recv`, by the function that `__index` or (with a `value`)
    /// `__newindex` was seen to be; its result. `None` where that was not seen.
    pub(super) fn access_handler(
        &mut self,
        o: Operands,
        recv: Value,
        key: Value,
        value: Option<Value>,
    ) -> Option<Value> {
        let (case, types) = self.single_handler()?;
        let key_types = self.expected(key);
        // The shape says that there is no such field; other keys are looked for.
        let named = matches!(o.op, Op::GetField | Op::SelfField | Op::SetField);
        let known = named || matches!(key_types, types::INT | types::STRING);
        if !self.may_be_table(recv) || !known || self.blocked(ExitReason::ValueGuard) {
            return None;
        }
        let t = self.guard_handler(recv, &case);
        if !named {
            let there = if key_types == types::INT {
                let i = self.integer_key(key)?;
                self.element_anywhere(t, i)
            } else {
                let key = self.string_pointer(key, ExitReason::TypeGuard);
                self.op(Opcode::GetString, Type::Any, &[t, key])
            };
            let why = ExitReason::ValueGuard;
            self.guard(Opcode::GuardBits, Type::None, &[there], encoding::NIL, why);
        }
        let operands: SmallVec<[Value; 3]> = [recv, key].into_iter().chain(value).collect();
        if o.op == Op::SelfField {
            self.set(o.a + 2, recv);
        }
        self.call_handler(o, &case, &operands, types)
    }

    /// A call of a table, by the function that `__call` was seen to be: with the table as first argument.
    /// False where that was not seen.
    pub(super) fn call_table(&mut self, o: Operands, site: &Site) -> bool {
        let fixed = o.b != 0 && matches!(o.c, 1 | 2);
        let Some((case, _)) = self.single_handler().filter(|_| fixed && !self.is_memory(o.a))
        else {
            return false;
        };
        let f = self.get(o.a);
        if self.expected(f) != types::TABLE && self.expected(f) != 0 {
            return false;
        }
        self.guard_handler(f, &case);
        let args: SmallVec<[Value; 8]> =
            (o.a + 2..o.a + 1 + o.b).map(|reg| self.get(reg)).collect();
        self.make_room(o.a + 2 + o.b);
        let handler = self.bits(case.handler);
        self.set(o.a, handler);
        self.set(o.a + 2, f);
        for (i, &v) in args.iter().enumerate() {
            self.set(o.a + 3 + i, v);
        }
        self.call_case(Operands { b: o.b + 1, ..o }, handler, &case);
        if self.open && o.c == 2 {
            let result = self.get(o.a);
            self.call_result(o, result, site.types);
        }
        true
    }

    /// Room in the frame for registers below `end`, which may lie above its own.
    fn make_room(&mut self, end: usize) {
        let end = self.slot_of(end);
        self.graph.frame_slots = self.graph.frame_slots.max(end as u32);
        let size = Self::index(end);
        if self.state.slots.len() < size {
            self.state.slots.resize(size, None);
            self.state.mem.resize(size, None);
        }
    }

    /// The metamethod's profile, if it is to be inlined. Not one that calls metamethods itself: a recursion
    /// of them ends in an error sooner than others, and inlined ones do not count.
    fn inlined_handler(&self, case: &OperatorCase) -> Option<Arc<Profile>> {
        let profile = case.profile.as_ref()?;
        (profile.operators.is_empty() && self.inlinable(profile)).then(|| profile.clone())
    }

    /// Calls the metamethod whose window is complete, inlined if it can be.
    fn call_case(&mut self, call: Operands, handler: Value, case: &OperatorCase) {
        let address = case.handler << 16 >> 16;
        let pointer = self.emit(Opcode::ConstRaw, Type::Func, &[], address, 0);
        match self.inlined_handler(case) {
            Some(profile) => self.inline_body(call, pointer, profile),
            None => {
                self.emit(Opcode::AddDepth, Type::None, &[], 1, 0);
                self.call_pointer(call, handler, Some(pointer));
                self.emit(Opcode::AddDepth, Type::None, &[], -1i64 as u64, 0);
            }
        }
    }

    /// Register `A` gets the result of an operator's call: what comes next does not call again.
    pub(super) fn set_result(&mut self, o: Operands, v: Value) {
        self.set(o.a, v);
        self.go_behind(o.next);
        let seen = self.expected(v);
        let v = self.narrow(v, seen);
        self.set(o.a, v);
    }

    fn is_plain_number(&self, v: Value) -> bool {
        let expected = self.expected(v);
        expected != 0 && expected & !(types::INT | types::FLOAT) == 0
    }

    /// Calls the metamethod in the window above the frame's registers. `None` when it never returns.
    fn call_handler(
        &mut self,
        o: Operands,
        case: &OperatorCase,
        operands: &[Value],
        types: u16,
    ) -> Option<Value> {
        let window = self.frame().profile.function.max_stack as usize;
        self.make_room(window + 2 + operands.len());
        let handler = self.bits(case.handler);
        self.set(window, handler);
        for (i, &v) in operands.iter().enumerate() {
            self.set(window + 2 + i, v);
        }
        let call = Operands { a: window, b: 1 + operands.len(), c: 2, ..o };
        self.call_case(call, handler, case);
        let slot = self.slot_of(window);
        let result = self.state.slots[Self::index(slot)];
        self.clobber_from(slot);
        let result = result.filter(|_| self.open)?;
        if self.expected(result) == 0 {
            self.expect.insert(result, types);
        }
        Some(result)
    }
}
