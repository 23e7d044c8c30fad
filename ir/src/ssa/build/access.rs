//! Upvalues, fields, elements and table constructors.

use crate::bytecode::NO_TEMPLATE;
use crate::encoding;
use crate::profile::{FieldAccess, FieldCase};

use super::ops::Operands;
use super::*;

/// `runtime::object::Feedback::sites` bits for computed keys.
mod seen {
    pub const ARRAY: u8 = 1;
    pub const STRING_KEY: u8 = 2;
    pub const OTHER_KEY: u8 = 4;
    pub const BEYOND: u8 = 8;
    pub const NOT_TABLE: u8 = 16;
}

/// `runtime::object::element_kind` bits.
mod kind {
    pub const INT: u32 = 1;
    pub const FLOAT: u32 = 2;
    pub const OTHER: u32 = 4;
    pub const HOLES: u32 = 8;
}

/// `runtime::object::table_flags`: writes to string keys of such a table may invalidate caches.
const OBSERVED: u32 = 1 | 16;

impl Builder<'_> {
    pub(super) fn get_upvalue(&mut self, o: Operands) {
        let v = self.upvalue(o.b);
        let seen = self.site(o.feedback()).types;
        let v = self.narrow(v, seen);
        self.set(o.a, v);
    }

    /// Upvalue `index` of the innermost function.
    fn upvalue(&mut self, index: usize) -> Value {
        let frame = self.frame();
        let constant = frame.profile.upvalues[index].constant;
        let number = frame.profile.upvalues[index].number;
        let closure = frame.closure;
        self.rely(constant.then_some(number));
        let frame = self.frame();
        if self.graph.own_upvalue == Some(index as u32) && frame.callee == self.frames[0].callee {
            return frame.callee;
        }
        let op = if constant { Opcode::LoadConstUpval } else { Opcode::LoadUpval };
        self.emit(op, Type::Any, &[closure], 0, index as u32)
    }

    /// `v` as table pointer.
    pub(super) fn table_pointer(&mut self, v: Value) -> Value {
        if self.ty(v) == Type::Table {
            return v;
        }
        let v = self.boxed(v);
        self.guard(Opcode::GuardTable, Type::Table, &[v], 0, ExitReason::TypeGuard)
    }

    /// Leaves when `t` has a metatable.
    pub(super) fn guard_no_metatable(&mut self, t: Value) {
        let shape = self.op(Opcode::TableShape, Type::Raw, &[t]);
        let meta = self.op(Opcode::ShapeMeta, Type::Raw, &[shape]);
        self.guard(Opcode::GuardRaw, Type::None, &[meta], 0, ExitReason::MetaGuard);
    }

    /// Whether the site can be compiled to shape checks. A site that never ran ends the block.
    fn usable(&mut self, site: &Site, recv: Value) -> Option<bool> {
        if site.fields.is_empty() && !site.megamorphic && site.types == 0 {
            if !self.blocked(ExitReason::NotCompiled) {
                self.uncommon();
                return None;
            }
            return Some(false);
        }
        let table = matches!(self.ty(recv), Type::Any | Type::Table)
            && self.expected(recv) & !(types::TABLE | types::NIL) == 0;
        Some(
            !site.megamorphic
                && !site.fields.is_empty()
                && (table || self.has_string_methods(recv))
                && !self.blocked(ExitReason::TypeGuard),
        )
    }

    /// Whether `recv` is a string, whose fields are cached under the shape of the string library's
    /// table.
    fn has_string_methods(&self, recv: Value) -> bool {
        self.expected(recv) == types::STRING
            && self.frame().profile.library.string_methods != 0
            && !self.blocked(ExitReason::EpochGuard)
    }

    /// The table whose fields are cached for `recv`, and `recv` itself guarded.
    fn field_table(&mut self, recv: Value) -> Value {
        if !self.has_string_methods(recv) {
            return self.table_pointer(recv);
        }
        self.string_pointer(recv, ExitReason::TypeGuard);
        self.guard_epoch();
        let methods = self.frame().profile.library.string_methods;
        self.emit(Opcode::ConstRaw, Type::Table, &[], methods, 0)
    }

    /// Leaves when inherited fields may have changed since the profile was taken.
    pub(super) fn guard_epoch(&mut self) -> Value {
        let epoch = self.op(Opcode::LoadEpoch, Type::Raw, &[]);
        let now = self.frame().profile.method_epoch as u64;
        self.guard(Opcode::GuardRaw, Type::None, &[epoch], now, ExitReason::EpochGuard)
    }

    /// Whether [`Builder::narrow`] will guard a number, and so that the value is not nil.
    fn narrows(&self, seen: u16) -> bool {
        matches!(seen, types::INT | types::FLOAT) && !self.blocked(ExitReason::ResultGuard)
    }

    /// Reads the slot that `case` names of table `t`, whose shape is checked already.
    fn read_case(&mut self, t: Value, case: &FieldCase, seen: u16, check: Option<Value>) -> Value {
        match case.access {
            FieldAccess::Own { slot } | FieldAccess::Add { slot, .. } => {
                let slots = self.op(Opcode::TableSlots, Type::Raw, &[t]);
                let v = match check {
                    Some(check) => {
                        self.emit(Opcode::LoadRecord, Type::Any, &[slots, check], 0, slot)
                    }
                    None => self.emit(Opcode::LoadRecordHere, Type::Any, &[slots], 0, slot),
                };
                if case.has_meta && !self.narrows(seen) {
                    self.guard(Opcode::GuardNotNil, Type::None, &[v], 0, ExitReason::MetaGuard);
                }
                v
            }
            FieldAccess::Holder { holder, slot, .. } => {
                let valid = self.guard_epoch();
                let holder = self.emit(Opcode::ConstRaw, Type::Table, &[], holder, 0);
                let slots = self.op(Opcode::TableSlots, Type::Raw, &[holder]);
                self.emit(Opcode::LoadRecord, Type::Any, &[slots, valid], 0, slot)
            }
            FieldAccess::Absent => {
                if case.has_meta {
                    self.guard_epoch();
                }
                self.bits(encoding::NIL)
            }
        }
    }

    /// Reads a field through its cached shapes; `reg` is the receiver's register, if it is in one.
    /// Where unknown shapes are known to come, they are left to the interpreter. `None`: no fast
    /// path, or the block has ended.
    fn read_field(
        &mut self,
        o: Operands,
        recv: Value,
        reg: Option<usize>,
        site: &Site,
    ) -> Option<Value> {
        if !self.usable(site, recv)? {
            return None;
        }
        let blocked_meta = self.blocked(ExitReason::MetaGuard);
        let blocked_epoch = self.blocked(ExitReason::EpochGuard);
        for case in &site.fields {
            let inherits = matches!(case.access, FieldAccess::Holder { .. } | FieldAccess::Absent);
            if (case.has_meta && blocked_meta) || (inherits && case.has_meta && blocked_epoch) {
                return None;
            }
        }
        let t = self.field_table(recv);
        let shape = self.op(Opcode::TableShape, Type::Raw, &[t]);
        let why = ExitReason::ShapeGuard;
        let open_ended = self.blocked(why);
        if let ([case], false) = (&site.fields[..], open_ended) {
            let check = self.guard(Opcode::GuardRaw, Type::None, &[shape], case.shape, why);
            let v = self.read_case(t, case, site.types, Some(check));
            return Some(self.narrow(v, site.types));
        }
        let join = self.new_block();
        let param = self.param(join, Type::Any);
        let (last, rest) = match site.fields.split_last() {
            Some((last, rest)) if !open_ended => (Some(last), rest),
            _ => (None, &site.fields[..]),
        };
        self.try_shapes(shape, rest, join, |b, case| vec![b.read_case(t, case, 0, None)]);
        let v = match last {
            Some(last) => {
                let check = self.guard(Opcode::GuardRaw, Type::None, &[shape], last.shape, why);
                self.read_case(t, last, 0, Some(check))
            }
            None => self.read_by_step(o, reg),
        };
        self.terminate(Terminator::Jump(Target { block: join, args: vec![v] }));
        self.enter(join);
        if open_ended {
            // A guard here would leave to read again, and the interpreter may have called `__index`.
            self.expect.insert(param, site.types);
            return Some(param);
        }
        Some(self.narrow(param, site.types))
    }

    /// Tests for the shape of each of `cases` in turn; where it is that, `build` does what is to be done and
    /// answers what to pass to `join`. The block for another shape is entered.
    fn try_shapes(
        &mut self,
        shape: Value,
        cases: &[FieldCase],
        join: Block,
        mut build: impl FnMut(&mut Self, &FieldCase) -> Vec<Value>,
    ) {
        for case in cases {
            let expected = self.raw(case.shape);
            let hit = self.op(Opcode::BitsEq, Type::Bool, &[shape, expected]);
            let (yes, no) = self.fork(hit);
            self.enter(yes);
            let args = build(self, case);
            self.terminate(Terminator::Jump(Target { block: join, args }));
            self.enter(no);
        }
    }

    /// Has the interpreter read the field, on one of several ways: what it stores is known on
    /// none of the others.
    fn read_by_step(&mut self, o: Operands, reg: Option<usize>) -> Value {
        let block = self.cur.0 as usize;
        self.graph.blocks[block].cold = true;
        let before = self.state.clone();
        if let Some(reg) = reg {
            self.store_reg(reg);
        }
        self.step(256, &[], 0);
        let slot = self.slot_of(o.a);
        let v = self.emit(Opcode::LoadSlot, Type::Any, &[], 0, slot as u32);
        let after = std::mem::replace(&mut self.state, before);
        self.state.anchor = None;
        for (mine, slow) in self.state.mem.iter_mut().zip(&after.mem) {
            if *mine != *slow {
                *mine = None;
            }
        }
        for reg in [o.a, o.a + 2] {
            let i = Self::index(self.slot_of(reg));
            if let Some(mem) = self.state.mem.get_mut(i) {
                *mem = None;
            }
        }
        v
    }

    pub(super) fn get_global(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let env = self.upvalue(o.b);
        let v = self.read_field(o, env, None, &site);
        self.finish_get(o, v, site.types);
    }

    pub(super) fn get_field(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let recv = self.get(o.b);
        if self.field_handler(o, recv, &site) {
            return;
        }
        let v = self.read_field(o, recv, Some(o.b), &site);
        if v.is_none() && self.open {
            self.store_reg(o.b);
        }
        self.finish_get(o, v, site.types);
    }

    fn finish_get(&mut self, o: Operands, v: Option<Value>, seen: u16) {
        if !self.open {
            return;
        }
        match v {
            Some(v) => self.set(o.a, v),
            None => self.step(256, &[o.a], seen),
        }
    }

    /// `R[A] := recv[key]` where only functions of `__index` were seen to answer; false elsewhere.
    fn field_handler(&mut self, o: Operands, recv: Value, site: &Site) -> bool {
        if !site.fields.is_empty() {
            return false;
        }
        let key = self.constant(o.key());
        self.element_handler(o, recv, key)
    }

    pub(super) fn self_field(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let recv = self.get(o.b);
        if self.field_handler(o, recv, &site) {
            return;
        }
        let v = self.read_field(o, recv, Some(o.b), &site);
        if !self.open {
            return;
        }
        match v {
            Some(v) => {
                self.set(o.a + 2, recv);
                self.set(o.a, v);
            }
            None => {
                self.store_reg(o.b);
                self.step(256, &[o.a, o.a + 2], 0);
                self.expect_register(o.a, site.types);
                let recv_types = self.expected(recv);
                self.expect_register(o.a + 2, recv_types);
            }
        }
    }

    pub(super) fn set_global(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let env = self.upvalue(o.a);
        if !self.write_field(o, env, o.b, &site) && self.open {
            self.store_reg(o.b);
            self.step(256, &[], 0);
        }
    }

    pub(super) fn set_field(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let recv = self.get(o.a);
        if site.fields.is_empty() {
            let (key, v) = (self.constant(o.key()), self.get(o.b));
            if self.assignment_handler(o, recv, key, v) {
                return;
            }
        }
        if !self.write_field(o, recv, o.b, &site) && self.open {
            self.store_reg(o.a);
            self.store_reg(o.b);
            self.step(256, &[], 0);
        }
    }

    /// Writes register `value_reg` through the cached shape; false when there is no fast path.
    fn write_field(&mut self, o: Operands, recv: Value, value_reg: usize, site: &Site) -> bool {
        match self.usable(site, recv) {
            None => return true,
            Some(false) => return false,
            Some(true) => {}
        }
        if self.blocked(ExitReason::ShapeGuard) {
            return false;
        }
        let key = &self.frame().profile.function.constants[o.key()];
        if matches!(key, crate::bytecode::Constant::Str(s) if s.starts_with(b"__"))
            || self.expected(recv) == types::STRING
        {
            return false; // metamethods: caches depend on them
        }
        let [case] = &site.fields[..] else {
            return self.write_cases(recv, value_reg, &site.fields);
        };
        let adds = matches!(case.access, FieldAccess::Add { .. });
        if matches!(case.access, FieldAccess::Holder { .. } | FieldAccess::Absent)
            || (case.has_meta && self.blocked(ExitReason::MetaGuard))
            || (adds && case.has_meta && self.blocked(ExitReason::EpochGuard))
        {
            return false;
        }
        let value = self.get(value_reg);
        let t = self.table_pointer(recv);
        let shape = self.op(Opcode::TableShape, Type::Raw, &[t]);
        let why = ExitReason::ShapeGuard;
        let check = self.guard(Opcode::GuardRaw, Type::None, &[shape], case.shape, why);
        let may_be_nil = self.ty(value) == Type::Any
            && (self.expected(value) == 0 || self.expected(value) & types::NIL != 0);
        match case.access {
            FieldAccess::Own { slot } => {
                let slots = self.op(Opcode::TableSlots, Type::Raw, &[t]);
                if case.has_meta {
                    let old = self.emit(Opcode::LoadRecord, Type::Any, &[slots, check], 0, slot);
                    self.guard(Opcode::GuardNotNil, Type::None, &[old], 0, ExitReason::MetaGuard);
                }
                if may_be_nil || !case.has_meta {
                    let flags = self.op(Opcode::TableFlags, Type::Raw, &[t]);
                    self.guard_bits_clear(flags, OBSERVED);
                } else if self.ty(value) == Type::Any {
                    self.guard(Opcode::GuardNotNil, Type::None, &[value], 0, ExitReason::MetaGuard);
                }
                let boxed = self.boxed(value);
                self.emit(Opcode::StoreRecord, Type::None, &[slots, boxed], 0, slot);
            }
            FieldAccess::Add { slot, next } => {
                if case.has_meta {
                    self.guard_epoch();
                }
                let flags = self.op(Opcode::TableFlags, Type::Raw, &[t]);
                self.guard_bits_clear(flags, OBSERVED);
                return self.add_field(o, t, value, slot, next);
            }
            FieldAccess::Holder { .. } | FieldAccess::Absent => unreachable!("refused above"),
        }
        self.barrier(t, value);
        true
    }

    /// Writes register `value_reg` to a field that tables of several shapes have.
    fn write_cases(&mut self, recv: Value, value_reg: usize, cases: &[FieldCase]) -> bool {
        const MOST: usize = 6;
        let own = |case: &FieldCase| matches!(case.access, FieldAccess::Own { .. });
        let has_meta = cases.iter().any(|case| case.has_meta);
        if cases.len() > MOST
            || !cases.iter().all(own)
            || (has_meta && self.blocked(ExitReason::MetaGuard))
        {
            return false;
        }
        let value = self.get(value_reg);
        let t = self.table_pointer(recv);
        let flags = self.op(Opcode::TableFlags, Type::Raw, &[t]);
        self.guard_bits_clear(flags, OBSERVED);
        let boxed = self.boxed(value);
        let shape = self.op(Opcode::TableShape, Type::Raw, &[t]);
        let join = self.new_block();
        let (last, rest) = cases.split_last().expect("a site that ran");
        self.try_shapes(shape, rest, join, |b, case| {
            b.write_case(t, case, boxed);
            vec![]
        });
        self.guard(Opcode::GuardRaw, Type::None, &[shape], last.shape, ExitReason::ShapeGuard);
        self.write_case(t, last, boxed);
        self.terminate(Terminator::Jump(Target { block: join, args: vec![] }));
        self.enter(join);
        self.barrier(t, value);
        true
    }

    /// Writes the slot that `case` names of table `t`, whose shape is checked already.
    fn write_case(&mut self, t: Value, case: &FieldCase, boxed: Value) {
        let FieldAccess::Own { slot } = case.access else { unreachable!("refused above") };
        let slots = self.op(Opcode::TableSlots, Type::Raw, &[t]);
        if case.has_meta {
            // An absent field asks __newindex.
            let old = self.emit(Opcode::LoadRecordHere, Type::Any, &[slots], 0, slot);
            self.guard(Opcode::GuardNotNil, Type::None, &[old], 0, ExitReason::MetaGuard);
        }
        self.emit(Opcode::StoreRecord, Type::None, &[slots, boxed], 0, slot);
    }

    fn guard_bits_clear(&mut self, word: Value, mask: u32) {
        let snapshot = self.snapshot(ExitReason::MetaGuard);
        let v = self.emit(Opcode::GuardKind, Type::None, &[word], 0, mask);
        self.graph.insts[v.0 as usize].snapshot = Some(snapshot);
    }

    /// A new key: inline while the slots have room, else by the interpreter.
    fn add_field(&mut self, o: Operands, t: Value, value: Value, slot: u32, next: u64) -> bool {
        self.widen_record(t, slot);
        let room = self.emit(Opcode::HasSlot, Type::Bool, &[t], 0, slot);
        let is_global = matches!(o.op, crate::bytecode::Op::SetTabUp);
        self.diamond(
            room,
            |b| {
                let slots = b.op(Opcode::TableSlots, Type::Raw, &[t]);
                let boxed = b.boxed(value);
                b.emit(Opcode::StoreRecord, Type::None, &[slots, boxed], 0, slot);
                b.emit(Opcode::StoreShape, Type::None, &[t], next, 0);
                b.barrier(t, value);
            },
            |b| {
                if !is_global {
                    b.store_reg(o.a);
                }
                b.store_reg(o.b);
                b.step(256, &[], 0);
            },
        );
        true
    }

    /// Gives a table that this unit makes room for record slot `slot` from the start.
    fn widen_record(&mut self, t: Value, slot: u32) {
        const MOST: u32 = 12;
        let made = &mut self.graph.insts[t.0 as usize];
        if made.op == Opcode::NewTable && slot < MOST {
            let (elements, slots) = (made.aux & 0xFFFF, made.aux >> 16);
            made.aux = elements | slots.max(slot + 1) << 16;
        }
    }

    /// `if cond { fast } else { slow }`, neither of which assigns registers. Memory is known
    /// afterwards where both agree.
    pub(super) fn diamond(
        &mut self,
        cond: Value,
        fast: impl FnOnce(&mut Self),
        slow: impl FnOnce(&mut Self),
    ) {
        let (yes, no, join) = (self.new_block(), self.new_block(), self.new_block());
        let plain = |block| Target { block, args: vec![] };
        self.terminate(Terminator::Branch { cond, then: plain(yes), other: plain(no) });
        let state = self.state.clone();
        self.enter(no);
        self.graph.blocks[no.0 as usize].cold = true;
        slow(self);
        self.terminate(Terminator::Jump(plain(join)));
        let after_slow = std::mem::replace(&mut self.state, state);
        self.enter(yes);
        fast(self);
        self.terminate(Terminator::Jump(plain(join)));
        for (mine, slow) in self.state.mem.iter_mut().zip(&after_slow.mem) {
            if *mine != *slow {
                *mine = None;
            }
        }
        self.enter(join);
    }

    /// The write barrier for a store of `value` into table `t`.
    fn barrier(&mut self, t: Value, value: Value) {
        let collectable = match self.ty(value) {
            Type::Any => {
                let inst = self.graph.inst(value);
                inst.op != Opcode::ConstBits
                    || inst.imm >> encoding::TAG_SHIFT >= encoding::TAG_STRING
            }
            // A wide integer is a heap cell.
            Type::Int => self.graph.inst(value).op != Opcode::ConstInt,
            ty => ty.is_collectable(),
        };
        if collectable {
            self.op(Opcode::Barrier, Type::None, &[t]);
        }
    }

    // ---- computed keys ----

    /// The key as integer, if that is what it is expected to be.
    pub(super) fn integer_key(&mut self, key: Value) -> Option<Value> {
        match self.ty(key) {
            Type::Int => Some(key),
            Type::Float if !self.blocked(ExitReason::Conversion) => {
                Some(self.guard(Opcode::FloatToInt, Type::Int, &[key], 0, ExitReason::Conversion))
            }
            Type::Any if self.expected(key) == types::INT || self.expected(key) == 0 => {
                Some(self.guard(Opcode::GuardInt, Type::Int, &[key], 0, ExitReason::TypeGuard))
            }
            _ => None,
        }
    }

    /// Whether accesses at this site were to array parts by integer.
    fn is_array_site(&self, site: &Site, t: Value) -> bool {
        matches!(self.ty(t), Type::Any | Type::Table)
            && site.flags & (seen::ARRAY | seen::BEYOND) != 0
            && site.flags & (seen::STRING_KEY | seen::OTHER_KEY | seen::NOT_TABLE) == 0
            && !self.blocked(ExitReason::TypeGuard)
    }

    pub(super) fn get_table(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let (t, key) = (self.get(o.b), self.get(o.c));
        if self.never_ran(&site) {
            return;
        }
        if self.is_array_site(&site, t)
            && let Some(v) = self.read_element(t, key, &site)
        {
            return self.set(o.a, v);
        }
        if self.is_string_site(&site, t, key) {
            let (t, key) = self.table_and_string(t, key);
            let v = self.op(Opcode::GetString, Type::Any, &[t, key]);
            let v = self.narrow(v, site.types);
            return self.set(o.a, v);
        }
        if self.element_handler(o, t, key) {
            return;
        }
        self.store_reg(o.b);
        self.store_reg(o.c);
        self.step(256, &[o.a], site.types);
    }

    /// `recv[key] := v` where only functions of `__newindex` were seen; false elsewhere.
    fn assignment_handler(&mut self, o: Operands, recv: Value, key: Value, v: Value) -> bool {
        if self.access_handler(o, recv, key, Some(v)).is_some() {
            self.go_behind(o.next);
            return true;
        }
        !self.open
    }

    /// `R[A] := recv[key]` where only functions of `__index` were seen to answer; false elsewhere.
    fn element_handler(&mut self, o: Operands, recv: Value, key: Value) -> bool {
        if let Some(v) = self.access_handler(o, recv, key, None) {
            self.set_result(o, v);
            return true;
        }
        !self.open
    }

    /// Whether accesses at this site were by strings to tables without metatable.
    fn is_string_site(&self, site: &Site, t: Value, key: Value) -> bool {
        let others = seen::ARRAY | seen::BEYOND | seen::OTHER_KEY | seen::NOT_TABLE;
        matches!(self.ty(t), Type::Any | Type::Table)
            && (self.ty(key) == Type::Str || self.expected(key) == types::STRING)
            && site.flags & seen::STRING_KEY != 0
            && site.flags & others == 0
            && !self.blocked(ExitReason::TypeGuard)
            && !self.blocked(ExitReason::MetaGuard)
    }

    /// Their pointers, where the table has no metatable.
    fn table_and_string(&mut self, t: Value, key: Value) -> (Value, Value) {
        let t = self.table_pointer(t);
        self.guard_no_metatable(t);
        (t, self.string_pointer(key, ExitReason::TypeGuard))
    }

    pub(super) fn get_index(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let t = self.get(o.b);
        if self.never_ran(&site) {
            return;
        }
        let key = self.int(o.c as i64);
        if self.is_array_site(&site, t)
            && let Some(v) = self.read_element(t, key, &site)
        {
            return self.set(o.a, v);
        }
        if self.element_handler(o, t, key) {
            return;
        }
        self.store_reg(o.b);
        self.step(256, &[o.a], site.types);
    }

    /// Ends the block at a table access that never ran.
    fn never_ran(&mut self, site: &Site) -> bool {
        if site.flags == 0 && site.types == 0 && !self.blocked(ExitReason::NotCompiled) {
            self.uncommon();
            return true;
        }
        false
    }

    /// `t[key]` in the array part.
    fn read_element(&mut self, t: Value, key: Value, site: &Site) -> Option<Value> {
        let key = self.integer_key(key)?;
        let narrow = self.narrows(site.types);
        let nil_seen =
            site.types & types::NIL != 0 || (!narrow && self.blocked(ExitReason::ResultGuard));
        let beyond = (site.flags & seen::BEYOND != 0 && !self.is_behind_first())
            || self.blocked(ExitReason::BoundsGuard);
        let plain = nil_seen || beyond;
        if plain && self.blocked(ExitReason::MetaGuard) {
            return None;
        }
        let t = self.table_pointer(t);
        if plain {
            self.guard_no_metatable(t);
        }
        if beyond {
            let v = self.element_anywhere(t, key);
            return Some(self.narrow(v, site.types));
        }
        let (index, len) = self.index_and_length(t, key);
        let why = ExitReason::BoundsGuard;
        let check = self.guard(Opcode::GuardBounds, Type::None, &[index, len], 0, why);
        let arr = self.op(Opcode::TableArr, Type::Raw, &[t]);
        let v = self.op(Opcode::LoadElem, Type::Any, &[arr, index, check]);
        if !plain && !narrow {
            self.guard(Opcode::GuardNotNil, Type::None, &[v], 0, ExitReason::ResultGuard);
        }
        Some(self.narrow(v, site.types))
    }

    /// The integer `key` counted from 0, and the length of `t`'s array part.
    fn index_and_length(&mut self, t: Value, key: Value) -> (Value, Value) {
        let one = self.int(1);
        let index = self.op(Opcode::ISub, Type::Int, &[key, one]);
        (index, self.op(Opcode::TableArrLen, Type::Int, &[t]))
    }

    /// What is at the integer `key` of `t` itself, in the array part or not; nil when absent.
    pub(super) fn element_anywhere(&mut self, t: Value, key: Value) -> Value {
        let (index, len) = self.index_and_length(t, key);
        let inside = self.emit(Opcode::ICmp, Type::Bool, &[index, len], 0, Cond::Below as u32);
        self.element_or_absent(t, index, key, inside)
    }

    /// Element `index` (from 0) of the array part if it is `inside`, else what is at the integer `key`
    /// anywhere in the table.
    pub(super) fn element_or_absent(
        &mut self,
        t: Value,
        index: Value,
        key: Value,
        inside: Value,
    ) -> Value {
        let (yes, no) = self.fork(inside);
        let join = self.new_block();
        self.enter(yes);
        let arr = self.op(Opcode::TableArr, Type::Raw, &[t]);
        let a = self.op(Opcode::LoadElemHere, Type::Any, &[arr, index]);
        self.terminate(Terminator::Jump(Target { block: join, args: vec![a] }));
        self.enter(no);
        self.graph.blocks[no.0 as usize].cold = true;
        let b = self.op(Opcode::GetIndex, Type::Any, &[t, key]);
        self.terminate(Terminator::Jump(Target { block: join, args: vec![b] }));
        self.enter(join);
        self.param(join, Type::Any)
    }

    pub(super) fn set_table(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let (t, key, v) = (self.get(o.a), self.get(o.b), self.get(o.c));
        if self.never_ran(&site) {
            return;
        }
        if self.is_array_site(&site, t) && self.write_element(t, key, v, &site) {
            return;
        }
        if self.is_string_site(&site, t, key) && !self.blocked(ExitReason::Cold) {
            let (t, key) = self.table_and_string(t, key);
            let v = self.boxed(v);
            // The assignment itself may be done twice, what is in front of it not.
            let snapshot = self.snapshot_at(self.frame().pc, ExitReason::Cold);
            let set = self.op(Opcode::SetString, Type::None, &[t, key, v]);
            self.graph.insts[set.0 as usize].snapshot = Some(snapshot);
            return;
        }
        if self.assignment_handler(o, t, key, v) {
            return;
        }
        for reg in [o.a, o.b, o.c] {
            self.store_reg(reg);
        }
        self.step(256, &[], 0);
    }

    pub(super) fn set_index(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let (t, v) = (self.get(o.a), self.get(o.c));
        if self.never_ran(&site) {
            return;
        }
        let key = self.int(o.b as i64);
        if self.is_array_site(&site, t) && self.write_element(t, key, v, &site) {
            return;
        }
        if self.assignment_handler(o, t, key, v) {
            return;
        }
        self.store_reg(o.a);
        self.store_reg(o.c);
        self.step(256, &[], 0);
    }

    /// `t[key] := v`, where the array part may have to grow; `t` has no metatable.
    pub(super) fn append(&mut self, t: Value, key: Value, v: Value, bit: u32) {
        if bit == kind::INT {
            self.guard(Opcode::GuardInt48, Type::None, &[v], 0, ExitReason::Overflow);
        }
        let boxed = self.boxed(v);
        self.emit(Opcode::AppendElem, Type::None, &[t, key, boxed], bit as u64, 0);
        if bit != kind::INT {
            self.barrier(t, v);
        }
    }

    /// Whether [`Builder::element`] will answer.
    pub(super) fn has_element_kind(&self, v: Value) -> bool {
        match self.expected(v) {
            types::INT | types::FLOAT | types::TABLE | types::STRING | types::FUNCTION => true,
            e => e != 0 && e & !(types::FALSE | types::TRUE) == 0,
        }
    }

    /// The value to store with its element kind, narrowed where the profile shows one type.
    pub(super) fn element(&mut self, v: Value) -> Option<(Value, u32)> {
        let why = ExitReason::TypeGuard;
        match self.ty(v) {
            Type::Int => {
                self.rely_on_int(v);
                Some((v, kind::INT))
            }
            Type::Float => Some((v, kind::FLOAT)),
            Type::Bool | Type::Table | Type::Str | Type::Func => Some((v, kind::OTHER)),
            Type::Any => match self.expected(v) {
                types::INT => {
                    let int = self.guard(Opcode::GuardInt, Type::Int, &[v], 0, why);
                    self.rely_on_int(int);
                    Some((int, kind::INT))
                }
                types::FLOAT => {
                    Some((self.guard(Opcode::GuardFloat, Type::Float, &[v], 0, why), kind::FLOAT))
                }
                types::TABLE => {
                    Some((self.guard(Opcode::GuardTable, Type::Table, &[v], 0, why), kind::OTHER))
                }
                types::STRING => {
                    Some((self.guard(Opcode::GuardString, Type::Str, &[v], 0, why), kind::OTHER))
                }
                types::FUNCTION => {
                    Some((self.guard(Opcode::GuardFunction, Type::Func, &[v], 0, why), kind::OTHER))
                }
                e if e != 0 && e & !(types::FALSE | types::TRUE) == 0 => {
                    Some((self.guard(Opcode::GuardBool, Type::Bool, &[v], 0, why), kind::OTHER))
                }
                _ => None,
            },
            Type::Raw | Type::None => None,
        }
    }

    /// `t[key] := v` in the array part; false when there is no fast path.
    fn write_element(&mut self, t: Value, key: Value, v: Value, site: &Site) -> bool {
        if self.blocked(ExitReason::Overflow) {
            return false;
        }
        let grows = site.flags & seen::BEYOND != 0
            || self.blocked(ExitReason::BoundsGuard)
            || self.blocked(ExitReason::KindGuard);
        if grows && self.blocked(ExitReason::MetaGuard) {
            return false;
        }
        let Some((v, bit)) = self.element(v) else { return false };
        let Some(key) = self.integer_key(key) else { return false };
        let t = self.table_pointer(t);
        if grows {
            self.guard_no_metatable(t);
            self.append(t, key, v, bit);
            return true;
        }
        if bit == kind::INT {
            self.guard(Opcode::GuardInt48, Type::None, &[v], 0, ExitReason::Overflow);
        }
        let one = self.int(1);
        let index = self.op(Opcode::ISub, Type::Int, &[key, one]);
        let len = self.op(Opcode::TableArrLen, Type::Int, &[t]);
        self.guard(Opcode::GuardBounds, Type::None, &[index, len], 0, ExitReason::BoundsGuard);
        let kinds = self.op(Opcode::TableKind, Type::Raw, &[t]);
        let snapshot = self.snapshot(ExitReason::KindGuard);
        let g = self.emit(Opcode::GuardKind, Type::None, &[kinds], bit as u64, bit | kind::HOLES);
        self.graph.insts[g.0 as usize].snapshot = Some(snapshot);
        let arr = self.op(Opcode::TableArr, Type::Raw, &[t]);
        let boxed = self.boxed(v);
        self.emit(Opcode::StoreElem, Type::None, &[arr, index, boxed], 0, 0);
        if v != boxed && self.ty(v) == Type::Int {
            return true; // fits 48 bits: no cell
        }
        self.barrier(t, v);
        true
    }

    /// A new table: on its template shape, with room for the elements of the constructor.
    pub(super) fn new_table(&mut self, o: Operands) {
        let template = (o.x >> 16) as u16;
        let (shape, slots) = match self.frame().profile.templates.get(template as usize) {
            Some(&template_shape) if template != NO_TEMPLATE => template_shape,
            _ => (self.frame().profile.library.plain_shape, 0),
        };
        let elements = o.x & 0xFFFF;
        let t = self.emit(Opcode::NewTable, Type::Table, &[], shape, elements | slots << 16);
        self.set(o.a, t);
    }

    /// Whether the constructor of the table in register `a` that is at `SETLIST` assigns to keys in
    /// brackets, which may be in the array part.
    fn is_indexed_before(&self, a: usize) -> bool {
        use crate::bytecode::{Op, Word};
        let function = &self.frame().profile.function;
        let (mut pc, mut indexed) = (0, false);
        while pc < self.frame().pc {
            let op = function.op(pc);
            let same = Word(function.code[pc]).a() as usize == a;
            match op {
                Op::NewTable if same => indexed = false,
                Op::SetTable | Op::SetI if same => indexed = true,
                _ => {}
            }
            pc += op.words();
        }
        indexed
    }

    /// `SETLIST` of a table that was just made with room for its few elements; false: not such a one.
    pub(super) fn set_list(&mut self, o: Operands) -> bool {
        const MOST: usize = 16;
        let o = self.with_open_arguments(o);
        let t = self.get(o.a);
        let made = self.graph.inst(t);
        let fits = made.op == Opcode::NewTable && (made.aux & 0xFFFF) as usize >= o.b;
        let blocked = self.blocked(ExitReason::TypeGuard) || self.blocked(ExitReason::Overflow);
        if !fits || blocked || o.x != 0 || !(1..=MOST).contains(&o.b) {
            return false;
        }
        if self.is_indexed_before(o.a) {
            return false;
        }
        let values: Vec<Value> = (o.a + 1..=o.a + o.b).map(|reg| self.get(reg)).collect();
        if !values.iter().all(|&v| self.has_element_kind(v)) {
            return false;
        }
        let elements: Option<Vec<_>> = values.into_iter().map(|v| self.element(v)).collect();
        let Some(elements) = elements else { return false };
        for &(v, bit) in &elements {
            if bit == kind::INT {
                self.guard(Opcode::GuardInt48, Type::None, &[v], 0, ExitReason::Overflow);
            }
        }
        let arr = self.op(Opcode::TableArr, Type::Raw, &[t]);
        let mut kinds = 0;
        for (i, &(v, bit)) in elements.iter().enumerate() {
            kinds |= bit;
            let index = self.int(i as i64);
            let boxed = self.boxed(v);
            self.emit(Opcode::StoreElem, Type::None, &[arr, index, boxed], 0, 0);
        }
        self.emit(Opcode::FillArray, Type::None, &[t], o.b as u64, kinds);
        // Calls in the constructor may have let the collector see the table.
        if let Some(&(v, _)) = elements.iter().find(|(v, _)| self.ty(*v).is_collectable()) {
            self.barrier(t, v);
        }
        true
    }
}
