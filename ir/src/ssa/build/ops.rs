//! One bytecode instruction at a time.

use crate::bytecode::{Op, Word};
use crate::encoding;

use super::*;

/// The operands of the instruction being translated.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    pub op: Op,
    pub a: usize,
    pub b: usize,
    pub c: usize,
    /// The second word, 0 when there is none.
    pub x: u32,
    /// The following instruction.
    pub next: usize,
}

impl Operands {
    /// Low half of the second word.
    pub fn key(&self) -> usize {
        (self.x & 0xFFFF) as usize
    }
    /// High half of the second word.
    pub fn feedback(&self) -> u16 {
        (self.x >> 16) as u16
    }
}

impl Builder<'_> {
    /// Translates the instruction at `pc`; may end the current block.
    pub(super) fn instruction(&mut self, op: Op, pc: usize) {
        let function = self.frame().profile.function.clone();
        let word = Word(function.code[pc]);
        let o = Operands {
            op,
            a: word.a() as usize,
            b: word.b() as usize,
            c: word.c() as usize,
            x: if op.words() == 2 { function.code[pc + 1] } else { 0 },
            next: pc + op.words(),
        };
        let target = || jump_target(&function, pc).expect("a jump");
        match op {
            Op::Move => {
                let v = self.get(o.b);
                self.set(o.a, v);
            }
            Op::LoadI => {
                let v = self.int(word.sd() as i64);
                self.set(o.a, v);
            }
            Op::LoadK => self.load_constant(o.a, word.d() as usize),
            Op::LoadKX => self.load_constant(o.a, o.x as usize),
            Op::LoadNil => {
                for reg in o.a..=o.a + o.b {
                    let nil = self.bits(encoding::NIL);
                    self.set(reg, nil);
                }
            }
            Op::LoadFalse => {
                let v = self.bool(false);
                self.set(o.a, v);
            }
            Op::LFalseSkip => {
                let v = self.bool(false);
                self.set(o.a, v);
                self.jump_to(target());
            }
            Op::LoadTrue => {
                let v = self.bool(true);
                self.set(o.a, v);
            }
            Op::GetUpval => self.get_upvalue(o),
            Op::SetUpval => {
                let v = self.get(o.a);
                let v = self.boxed(v);
                let closure = self.frame().closure;
                self.emit(Opcode::StoreUpval, Type::None, &[closure, v], 0, o.b as u32);
            }
            Op::GetTabUp => self.get_global(o),
            Op::SetTabUp => self.set_global(o),
            Op::GetTable => self.get_table(o),
            Op::GetI => self.get_index(o),
            Op::GetField => self.get_field(o),
            Op::SetTable => self.set_table(o),
            Op::SetI => self.set_index(o),
            Op::SetField => self.set_field(o),
            Op::SelfField => self.self_field(o),
            Op::NewTable => self.new_table(o),
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Mod | Op::Pow | Op::IDiv => {
                let (x, y) = (self.get(o.b), self.get(o.c));
                self.arith(o, x, y);
            }
            Op::BAnd | Op::BOr | Op::BXor | Op::Shl | Op::Shr => {
                let (x, y) = (self.get(o.b), self.get(o.c));
                self.bitwise(o, x, y);
            }
            Op::AddK | Op::SubK | Op::MulK | Op::DivK | Op::ModK | Op::PowK | Op::IDivK => {
                let (x, y) = (self.get(o.b), self.constant(o.c));
                self.arith(o, x, y);
            }
            Op::BAndK | Op::BOrK | Op::BXorK | Op::ShlK | Op::ShrK => {
                let (x, y) = (self.get(o.b), self.constant(o.c));
                self.bitwise(o, x, y);
            }
            Op::Unm => self.negate(o),
            Op::BNot => self.bit_not(o),
            Op::Not => {
                let v = self.get(o.b);
                let t = self.truthy(v);
                let v = self.op(Opcode::BNot, Type::Bool, &[t]);
                self.set(o.a, v);
            }
            Op::Len => self.length(o),
            Op::Concat => {
                for reg in o.a..o.a + o.b {
                    self.store_reg(reg);
                }
                self.step(o.a, &[o.a], types::STRING);
            }
            Op::Close => {
                if !self.close(o.a) {
                    self.step(256, &[], 0);
                }
            }
            Op::Tbc => self.step(256, &[], 0),
            Op::Jmp => self.jump_to(target()),
            Op::Loop => {
                self.poll();
                self.jump_to(target());
            }
            Op::Eq | Op::Lt | Op::Le => {
                let (x, y) = (self.get(o.a), self.get(o.b));
                self.compare(o, x, y, target());
            }
            Op::EqK | Op::LtK | Op::LeK | Op::GtK | Op::GeK => {
                let (x, y) = (self.get(o.a), self.constant(o.b));
                self.compare(o, x, y, target());
            }
            Op::Test => {
                let v = self.get(o.a);
                let t = self.truthy(v);
                self.branch_flag(t, o.c, target(), o.next);
            }
            Op::TestSet => self.test_set(o, target()),
            Op::Call => self.call(o),
            Op::TailCall => self.tail_call(o),
            Op::Return => self.return_values(o),
            Op::Return0 => self.finish_return(vec![]),
            Op::Return1 => {
                let v = self.get(o.a);
                self.finish_return(vec![v]);
            }
            Op::ForPrep => self.for_prep(o, target()),
            Op::ForLoop => self.for_loop(o, target()),
            Op::TForPrep => {
                if self.blocked(ExitReason::ValueGuard) {
                    self.step_uses(256, &[o.a, o.a + 1, o.a + 2, o.a + 3]);
                } else {
                    let closing = self.get(o.a + 3);
                    let closing = self.boxed(closing);
                    let why = ExitReason::ValueGuard;
                    self.guard(Opcode::GuardBits, Type::None, &[closing], encoding::NIL, why);
                }
                self.jump_to(target());
            }
            Op::TForCall => self.tfor_call(o),
            Op::TForLoop => {
                let v = self.get(o.a + 4);
                self.poll();
                let nil = self.bits(encoding::NIL);
                let boxed = self.boxed(v);
                let done = self.op(Opcode::BitsEq, Type::Bool, &[boxed, nil]);
                let more = self.op(Opcode::BNot, Type::Bool, &[done]);
                self.set(o.a + 2, v);
                self.branch_to(more, target(), o.next);
            }
            Op::SetList => {
                if self.set_list(o) {
                    return;
                }
                self.store_reg(o.a);
                let b = if o.b == 0 { 0 } else { o.b + 1 };
                self.store_window_values(o.a + 1, b);
                self.step(256, &[], 0);
            }
            Op::Closure => {
                // Captured registers are in memory already (see `Analysis::memory`).
                self.step(256, &[o.a], types::FUNCTION);
            }
            Op::Vararg => self.vararg(o),
            Op::VarargPrep => {
                let params = o.a;
                self.emit(Opcode::VarargPrep, Type::None, &[], 0, params as u32);
                // The frame has moved: guards from here on must not execute this again.
                self.go_behind(o.next);
                self.load_params(params);
                self.entry_poll();
            }
        }
    }

    fn load_constant(&mut self, a: usize, k: usize) {
        let v = self.constant(k);
        self.set(a, v);
    }

    /// Constant `k`.
    pub(super) fn constant(&mut self, k: usize) -> Value {
        use crate::bytecode::Constant;
        let profile = self.frame().profile.clone();
        match &profile.function.constants[k] {
            Constant::Int(i) => self.int(*i),
            Constant::Float(x) => self.float(*x),
            Constant::Bool(b) => self.bool(*b),
            Constant::Nil => self.bits(encoding::NIL),
            Constant::Str(_) => self.bits(profile.constants[k]),
        }
    }

    /// Whether constant `k` is a string that is interned.
    pub(super) fn is_short_string(&self, k: usize) -> bool {
        use crate::bytecode::Constant;
        matches!(&self.frame().profile.function.constants[k], Constant::Str(s) if s.len() <= 40)
    }

    /// Brings the memory of a register up to date, for the interpreter to read.
    pub(super) fn store_reg(&mut self, reg: usize) {
        if !self.is_memory(reg) {
            let slot = self.slot_of(reg);
            self.store(slot);
        }
    }

    /// Has the interpreter execute the current instruction, whose operands are stored already, and
    /// reloads the registers that it defines. `below` bounds the registers that may hold live
    /// values: those from it upwards are operands or dead.
    pub(super) fn step(&mut self, below: usize, defs: &[usize], expect: u16) {
        self.flush(below);
        self.set_top();
        let (pc, base) = (self.frame().pc, self.frame().base);
        self.emit(Opcode::Step, Type::None, &[], pc as u64, base as u32);
        for &reg in defs {
            self.reload(reg, expect);
        }
    }

    /// Tells the interpreter where open results end, if the current instruction takes some.
    pub(super) fn set_top(&mut self) {
        if let Some((reg, count)) = self.open_results {
            let slot = self.slot_of(reg + count);
            self.emit(Opcode::SetTop, Type::None, &[], 0, slot as u32);
        }
    }

    /// As [`Builder::step`], storing the operands in registers `uses` first.
    pub(super) fn step_uses(&mut self, below: usize, uses: &[usize]) {
        for &reg in uses {
            self.store_reg(reg);
        }
        self.step(below, &[], 0);
    }

    /// A safepoint before the current (back-edge) instruction.
    pub(super) fn poll(&mut self) {
        if self.options.polls {
            let pc = self.frame().pc;
            let snapshot = self.snapshot_at(pc, ExitReason::Poll);
            let v = self.emit(Opcode::Poll, Type::None, &[], 0, 0);
            self.graph.insts[v.0 as usize].snapshot = Some(snapshot);
        }
    }

    /// Branches on `cond == flag`.
    pub(super) fn branch_flag(&mut self, cond: Value, flag: usize, then_pc: usize, next: usize) {
        if flag != 0 {
            self.branch_to(cond, then_pc, next);
        } else {
            self.branch_to(cond, next, then_pc);
        }
    }

    /// The truth of a value.
    pub(super) fn truthy(&mut self, v: Value) -> Value {
        match self.ty(v) {
            Type::Bool => v,
            Type::Int | Type::Float | Type::Table | Type::Str | Type::Func => self.bool(true),
            Type::Any => {
                let inst = self.graph.inst(v);
                if inst.op == Opcode::ConstBits {
                    let truth = inst.imm != encoding::NIL && inst.imm != encoding::FALSE;
                    return self.bool(truth);
                }
                if inst.op == Opcode::Box && self.ty(inst.args[0]) == Type::Bool {
                    return inst.args[0];
                }
                self.op(Opcode::Truthy, Type::Bool, &[v])
            }
            Type::None | Type::Raw => unreachable!("{v} is no Lua value"),
        }
    }

    fn test_set(&mut self, o: Operands, target: usize) {
        let v = self.get(o.b);
        let t = self.truthy(v);
        let inst = self.graph.inst(t);
        if inst.op == Opcode::ConstBool {
            if (inst.imm != 0) == (o.c != 0) {
                self.set(o.a, v);
                self.jump_to(target);
            } else {
                self.jump_to(o.next);
            }
            return;
        }
        // The assignment happens on one of the ways only: give each a block.
        let (yes, no) = (self.new_block(), self.new_block());
        let (then, other) = if o.c != 0 { (yes, no) } else { (no, yes) };
        self.terminate(Terminator::Branch {
            cond: t,
            then: Target { block: then, args: vec![] },
            other: Target { block: other, args: vec![] },
        });
        let state = self.state.clone();
        self.enter(yes);
        self.set(o.a, v);
        self.jump_to(target);
        self.state = state;
        self.enter(no);
        self.jump_to(o.next);
    }
}
