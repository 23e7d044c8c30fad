//! Arithmetic, comparison, lengths and numeric loops.

use crate::bytecode::{Constant, Op};

use super::ops::Operands;
use super::*;

/// A number of known representation.
#[derive(Clone, Copy)]
enum Num {
    Int(Value),
    Float(Value),
}

impl Builder<'_> {
    /// The number in `v`, guarding where its type is not known. `other` is what the other operand is
    /// expected to be. `None` when nothing sensible can be assumed.
    fn number(&mut self, v: Value, other: u16) -> Option<Num> {
        match self.ty(v) {
            Type::Int => return Some(Num::Int(v)),
            Type::Float => return Some(Num::Float(v)),
            Type::Any => {}
            Type::Bool | Type::Table | Type::Str | Type::Func | Type::Raw | Type::None => {
                return None;
            }
        }
        if self.blocked(ExitReason::TypeGuard) {
            return None;
        }
        let why = ExitReason::TypeGuard;
        let number = types::INT | types::FLOAT;
        match self.expected_operand(v) {
            types::INT | WIDE_INT => Some(Num::Int(self.guard_int(v, why))),
            types::FLOAT => {
                Some(Num::Float(self.guard(Opcode::GuardFloat, Type::Float, &[v], 0, why)))
            }
            e if (e == number || e == 0) && other == types::FLOAT => {
                Some(Num::Float(self.guard(Opcode::GuardNumber, Type::Float, &[v], 0, why)))
            }
            0 if other == types::INT => {
                Some(Num::Int(self.guard(Opcode::GuardInt, Type::Int, &[v], 0, why)))
            }
            _ => None,
        }
    }

    /// What an operand is expected to be, without what is an error here: nil, booleans, and (where no
    /// metamethod was seen at this instruction) tables and functions.
    fn expected_operand(&self, v: Value) -> u16 {
        let expected = self.expected(v);
        let frame = self.frame();
        let mut errors = types::NIL | types::FALSE | types::TRUE;
        if !frame.profile.operators.contains_key(&(frame.pc as u32)) {
            errors |= types::TABLE | types::FUNCTION;
        }
        match expected & !errors {
            0 => expected,
            rest => rest,
        }
    }

    fn numbers(&mut self, x: Value, y: Value) -> Option<(Num, Num)> {
        let (ex, ey) = (self.expected_operand(x), self.expected_operand(y));
        // Look before emitting guards: both must be numbers.
        let plausible = |e: u16| e & !(types::INT | types::FLOAT) == 0 || e == WIDE_INT;
        if !plausible(ex) || !plausible(ey) {
            return None;
        }
        let a = self.number(x, ey)?;
        let b = self.number(y, ex)?;
        Some((a, b))
    }

    fn as_float(&mut self, n: Num) -> Value {
        match n {
            Num::Float(v) => v,
            Num::Int(v) => {
                let inst = self.graph.inst(v);
                if inst.op == Opcode::ConstInt {
                    let x = inst.imm as i64 as f64;
                    return self.float(x);
                }
                self.op(Opcode::IntToFloat, Type::Float, &[v])
            }
        }
    }

    fn const_int(&self, v: Value) -> Option<i64> {
        let inst = self.graph.inst(v);
        (inst.op == Opcode::ConstInt).then_some(inst.imm as i64)
    }

    /// Whether a constant of the function is the integer 0.
    fn is_int_zero(&mut self, k: usize) -> bool {
        let k = self.constant(k);
        self.const_int(k) == Some(0)
    }

    /// Falls back to the interpreter for an operation on registers B and (unless constant) C.
    fn arith_slow(&mut self, o: Operands, binary: bool) {
        let x = self.get(o.b);
        let y = match o.op {
            Op::Unm | Op::BNot | Op::Len => x,
            _ if binary => self.get(o.c),
            _ => self.constant(o.c),
        };
        if let Some(v) = self.operator(o, x, y) {
            return self.set_result(o, v);
        }
        if !self.open {
            return;
        }
        self.store_reg(o.b);
        if binary {
            self.store_reg(o.c);
        }
        self.step(256, &[o.a], 0);
    }

    /// `R[A] := x op y` for the arithmetic operators.
    pub(super) fn arith(&mut self, o: Operands, x: Value, y: Value) {
        use Op::*;
        let register_c = matches!(o.op, Add | Sub | Mul | Div | Mod | Pow | IDiv);
        if let Some(v) = self.mixed_arith(o, x, y) {
            return self.set(o.a, v);
        }
        let Some((a, b)) = self.numbers(x, y) else { return self.arith_slow(o, register_c) };
        let Some(v) = self.typed_arith(o, a, b) else { return self.arith_slow(o, register_c) };
        self.set(o.a, v);
    }

    /// Whether `v` may be an integer or a float.
    fn is_mixed(&self, v: Value) -> bool {
        self.ty(v) == Type::Any && self.expected_operand(v) == types::INT | types::FLOAT
    }

    /// Whether both are numbers, and one of them at least sometimes an integer, sometimes a float.
    fn are_mixed(&self, x: Value, y: Value) -> bool {
        let number = |v: Value| {
            let expected = self.expected_operand(v);
            expected != 0 && expected & !(types::INT | types::FLOAT) == 0
        };
        (self.is_mixed(x) || self.is_mixed(y))
            && number(x)
            && number(y)
            && !self.blocked(ExitReason::TypeGuard)
    }

    /// Arithmetic on operands that are sometimes integers and sometimes floats: both ways, with a
    /// boxed result. `None` where this does not apply.
    fn mixed_arith(&mut self, o: Operands, x: Value, y: Value) -> Option<Value> {
        use Op::{Add, AddK, Div, DivK, IDiv, IDivK, Mod, ModK, Mul, MulK, Pow, PowK, Sub, SubK};
        if !self.are_mixed(x, y) {
            return None;
        }
        let (ex, ey) = (self.expected_operand(x), self.expected_operand(y));
        if matches!(o.op, Div | DivK | Pow | PowK) {
            let (a, b) = (self.any_float(x), self.any_float(y));
            return self.typed_arith(o, Num::Float(a), Num::Float(b));
        }
        if ex == types::FLOAT || ey == types::FLOAT {
            // The result is a float in any case.
            let (a, b) = (self.seen_float(x), self.seen_float(y));
            return self.typed_arith(o, Num::Float(a), Num::Float(b));
        }
        if self.is_mixed(x) && self.is_mixed(y) && !self.blocked(ExitReason::Mixed) {
            // Where either comes, two integers are rare.
            let (a, b) = self.one_float(x, y);
            return self.typed_arith(o, Num::Float(a), Num::Float(b));
        }
        if matches!(o.op, Mod | ModK | IDiv | IDivK) && self.const_int(y).is_none_or(|k| k == 0) {
            return None;
        }
        debug_assert!(matches!(
            o.op,
            Add | AddK | Sub | SubK | Mul | MulK | Mod | ModK | IDiv | IDivK
        ));
        let both = self.both_ints(x, y);
        let (ints, floats) = self.fork(both);
        let join = self.new_block();
        self.enter(ints);
        let (a, b) = (self.known_int(x), self.known_int(y));
        let v = self.typed_arith(o, Num::Int(a), Num::Int(b)).expect("checked");
        let v = self.boxed(v);
        self.terminate(Terminator::Jump(Target { block: join, args: vec![v] }));
        self.enter(floats);
        let (a, b) = (self.any_float(x), self.any_float(y));
        let v = self.typed_arith(o, Num::Float(a), Num::Float(b)).expect("floats always work");
        let v = self.boxed(v);
        self.terminate(Terminator::Jump(Target { block: join, args: vec![v] }));
        self.enter(join);
        let v = self.param(join, Type::Any);
        self.expect.insert(v, types::INT | types::FLOAT);
        Some(v)
    }

    /// Whether both values are (inline) integers.
    fn both_ints(&mut self, x: Value, y: Value) -> Value {
        let mut tests = vec![];
        for v in [x, y] {
            if self.ty(v) == Type::Any {
                tests.push(self.emit(Opcode::IsType, Type::Bool, &[v], 0, types::INT as u32));
            }
        }
        match tests[..] {
            [one] => one,
            [a, b] => self.op(Opcode::BAnd, Type::Bool, &[a, b]),
            _ => unreachable!("one operand is mixed"),
        }
    }

    /// The integer in a value that was tested to be one.
    fn known_int(&mut self, v: Value) -> Value {
        match self.ty(v) {
            Type::Any => self.op(Opcode::UnboxInt, Type::Int, &[v]),
            _ => v,
        }
    }

    /// Two numbers as floats; leaves when both are integers.
    fn one_float(&mut self, x: Value, y: Value) -> (Value, Value) {
        if x == y {
            let why = ExitReason::Mixed;
            let x = self.guard(Opcode::GuardFloat, Type::Float, &[x], 0, why);
            return (x, x);
        }
        let why = ExitReason::Mixed;
        let x = self.guard(Opcode::GuardNumber, Type::Float, &[x, y], 0, why);
        (x, self.any_float(y))
    }

    /// Any number as float; leaves with an integer where only floats were seen.
    fn seen_float(&mut self, v: Value) -> Value {
        if self.ty(v) == Type::Any && self.expected_operand(v) == types::FLOAT {
            return self.guard(Opcode::GuardFloat, Type::Float, &[v], 0, ExitReason::TypeGuard);
        }
        self.any_float(v)
    }

    /// Any number as float.
    fn any_float(&mut self, v: Value) -> Value {
        match self.ty(v) {
            Type::Any => {
                let why = ExitReason::TypeGuard;
                self.guard(Opcode::GuardNumber, Type::Float, &[v], 0, why)
            }
            Type::Int => self.as_float(Num::Int(v)),
            _ => v,
        }
    }

    /// Arithmetic on unboxed numbers; `None` for a division by the constant 0.
    fn typed_arith(&mut self, o: Operands, a: Num, b: Num) -> Option<Value> {
        use Op::*;
        Some(match (o.op, a, b) {
            (Add | AddK, Num::Int(a), Num::Int(b)) => self.op(Opcode::IAdd, Type::Int, &[a, b]),
            (Sub | SubK, Num::Int(a), Num::Int(b)) => self.op(Opcode::ISub, Type::Int, &[a, b]),
            (Mul | MulK, Num::Int(a), Num::Int(b)) => self.op(Opcode::IMul, Type::Int, &[a, b]),
            (Mod | ModK | IDiv | IDivK, Num::Int(a), Num::Int(b)) => {
                match self.const_int(b) {
                    Some(0) => return None,
                    Some(_) => {}
                    None => {
                        let zero = self.int(0);
                        let ok =
                            self.emit(Opcode::ICmp, Type::Bool, &[b, zero], 0, Cond::Ne as u32);
                        self.guard(Opcode::GuardTrue, Type::None, &[ok], 0, ExitReason::ValueGuard);
                    }
                }
                let op = if matches!(o.op, Mod | ModK) { Opcode::IMod } else { Opcode::IDiv };
                self.op(op, Type::Int, &[a, b])
            }
            (_, a, b) => {
                let (x, y) = (self.as_float(a), self.as_float(b));
                match o.op {
                    Add | AddK => self.op(Opcode::FAdd, Type::Float, &[x, y]),
                    // As in the reference, `x - 0` adds 0: it turns -0.0 into 0.0.
                    SubK if self.is_int_zero(o.c) => self.op(Opcode::FAdd, Type::Float, &[x, y]),
                    Sub | SubK => self.op(Opcode::FSub, Type::Float, &[x, y]),
                    Mul | MulK => self.op(Opcode::FMul, Type::Float, &[x, y]),
                    Div | DivK => self.quotient(x, y),
                    Mod | ModK => self.emit(
                        Opcode::FMath,
                        Type::Float,
                        &[x, y],
                        0,
                        super::super::MathFn::Mod as u32,
                    ),
                    IDiv | IDivK => {
                        let q = self.op(Opcode::FDiv, Type::Float, &[x, y]);
                        self.op(Opcode::FFloor, Type::Float, &[q])
                    }
                    _ => {
                        let inst = self.graph.inst(y);
                        if inst.op == Opcode::ConstFloat && f64::from_bits(inst.imm) == 2.0 {
                            self.op(Opcode::FMul, Type::Float, &[x, x])
                        } else {
                            let pow = super::super::MathFn::Pow as u32;
                            self.emit(Opcode::FMath, Type::Float, &[x, y], 0, pow)
                        }
                    }
                }
            }
        })
    }

    /// `x / y`; by a power of two it is a product, which is exact as well and takes a third of the time.
    fn quotient(&mut self, x: Value, y: Value) -> Value {
        let divisor = self.graph.inst(y);
        let by = f64::from_bits(divisor.imm);
        let mantissa = divisor.imm & ((1 << (f64::MANTISSA_DIGITS - 1)) - 1);
        if divisor.op == Opcode::ConstFloat && mantissa == 0 && by.recip().is_normal() {
            let inverse = self.float(by.recip());
            return self.op(Opcode::FMul, Type::Float, &[x, inverse]);
        }
        self.op(Opcode::FDiv, Type::Float, &[x, y])
    }

    fn integer(&mut self, v: Value) -> Option<Value> {
        match self.number(v, types::INT)? {
            Num::Int(v) => Some(v),
            Num::Float(v) => {
                if self.blocked(ExitReason::Conversion) {
                    return None;
                }
                Some(self.guard(Opcode::FloatToInt, Type::Int, &[v], 0, ExitReason::Conversion))
            }
        }
    }

    /// `R[A] := x op y` for the bitwise operators.
    pub(super) fn bitwise(&mut self, o: Operands, x: Value, y: Value) {
        use Op::*;
        let register_c = matches!(o.op, BAnd | BOr | BXor | Shl | Shr);
        let plausible = |e: u16| e & !(types::INT | types::FLOAT) == 0 || e == WIDE_INT;
        if !plausible(self.expected_operand(x)) || !plausible(self.expected_operand(y)) {
            return self.arith_slow(o, register_c);
        }
        let Some(a) = self.integer(x) else { return self.arith_slow(o, register_c) };
        let Some(b) = self.integer(y) else { return self.arith_slow(o, register_c) };
        let op = match o.op {
            BAnd | BAndK => Opcode::IAnd,
            BOr | BOrK => Opcode::IOr,
            BXor | BXorK => Opcode::IXor,
            Shl | ShlK => Opcode::IShl,
            _ => Opcode::IShr,
        };
        let v = self.op(op, Type::Int, &[a, b]);
        self.set(o.a, v);
    }

    pub(super) fn negate(&mut self, o: Operands) {
        let x = self.get(o.b);
        match self.number(x, 0) {
            Some(Num::Int(x)) => {
                let v = self.op(Opcode::INeg, Type::Int, &[x]);
                self.set(o.a, v);
            }
            Some(Num::Float(x)) => {
                let v = self.op(Opcode::FNeg, Type::Float, &[x]);
                self.set(o.a, v);
            }
            None => self.arith_slow(o, false),
        }
    }

    pub(super) fn bit_not(&mut self, o: Operands) {
        let x = self.get(o.b);
        match self.integer(x) {
            Some(x) => {
                let v = self.op(Opcode::INot, Type::Int, &[x]);
                self.set(o.a, v);
            }
            None => self.arith_slow(o, false),
        }
    }

    pub(super) fn length(&mut self, o: Operands) {
        let x = self.get(o.b);
        let why = ExitReason::TypeGuard;
        let table_or_unknown = self.expected(x) & !(types::TABLE | types::NIL) == 0;
        if self.expected(x) == types::STRING && !self.blocked(why) {
            let s = self.guard(Opcode::GuardString, Type::Str, &[x], 0, why);
            let n = self.op(Opcode::StringLen, Type::Int, &[s]);
            return self.set(o.a, n);
        }
        let meta = ExitReason::MetaGuard;
        let bounds = ExitReason::BoundsGuard;
        let possible = matches!(self.ty(x), Type::Any | Type::Table)
            && !self.blocked(why)
            && !self.blocked(meta)
            && !self.blocked(bounds);
        if table_or_unknown && possible {
            let t = self.table_pointer(x);
            self.guard_no_metatable(t);
            let n = self.guard(Opcode::TableLen, Type::Int, &[t], 0, bounds);
            return self.set(o.a, n);
        }
        self.arith_slow(o, false);
        self.expect_register(o.a, types::INT);
    }

    /// Records what a register reloaded after a fallback usually holds.
    pub(super) fn expect_register(&mut self, reg: usize, seen: u16) {
        let i = Self::index(self.slot_of(reg));
        if let Some(v) = self.state.slots[i] {
            self.expect.insert(v, seen);
        }
    }

    /// A comparison whose branch goes to `target` when it equals the flag C.
    pub(super) fn compare(&mut self, o: Operands, x: Value, y: Value, target: usize) {
        let cond = match o.op {
            Op::Eq | Op::EqK => Cond::Eq,
            Op::Lt | Op::LtK => Cond::Lt,
            Op::Le | Op::LeK => Cond::Le,
            Op::GtK => Cond::Gt,
            _ => Cond::Ge,
        };
        if cond == Cond::Eq {
            return self.equals(o, x, y, target);
        }
        if let Some(v) = self.mixed_compare(x, y, cond) {
            return self.branch_flag(v, o.c, target, o.next);
        }
        match self.numbers(x, y) {
            Some((a, b)) => {
                let v = self.compare_numbers(a, b, cond);
                self.branch_flag(v, o.c, target, o.next);
            }
            None => self.step_test(o, target),
        }
    }

    /// Comparison where an operand is sometimes integer, sometimes float.
    fn mixed_compare(&mut self, x: Value, y: Value, cond: Cond) -> Option<Value> {
        if !self.are_mixed(x, y) {
            return None;
        }
        for v in [x, y] {
            // An integer of the graph may be too great for a float.
            if self.ty(v) == Type::Int && self.const_int(v).is_none_or(|k| (k << 11) >> 11 != k) {
                self.guard(Opcode::GuardInt48, Type::None, &[v], 0, ExitReason::Overflow);
            }
        }
        // Inline integers have 48 bits: as floats they compare exactly.
        let (a, b) = (self.any_float(x), self.any_float(y));
        Some(self.emit(Opcode::FCmp, Type::Bool, &[a, b], 0, cond as u32))
    }

    fn compare_numbers(&mut self, a: Num, b: Num, cond: Cond) -> Value {
        match (a, b) {
            (Num::Int(a), Num::Int(b)) => {
                self.emit(Opcode::ICmp, Type::Bool, &[a, b], 0, cond as u32)
            }
            (a, b) => {
                // Exact as long as the integer fits 53 bits.
                for n in [a, b] {
                    if let Num::Int(i) = n
                        && self.const_int(i).is_none_or(|k| (k << 11) >> 11 != k)
                    {
                        self.guard(Opcode::GuardInt48, Type::None, &[i], 0, ExitReason::Overflow);
                    }
                }
                let (x, y) = (self.as_float(a), self.as_float(b));
                self.emit(Opcode::FCmp, Type::Bool, &[x, y], 0, cond as u32)
            }
        }
    }

    /// Compares by the metamethod that the profile shows, and branches; false: it shows none.
    fn branch_on_operator(&mut self, o: Operands, target: usize) -> bool {
        let (x, y) = (self.get(o.a), self.get(o.b));
        if let Some(v) = self.operator(o, x, y) {
            let truth = self.truthy(v);
            self.branch_flag(truth, o.c, target, o.next);
            return true;
        }
        !self.open
    }

    /// Has the interpreter compare, and branches.
    pub(super) fn step_test(&mut self, o: Operands, target: usize) {
        // `EQ` asks a metamethod only for two tables that are not the same: see `equal_tables`.
        if matches!(o.op, Op::Lt | Op::Le) && self.branch_on_operator(o, target) {
            return;
        }
        self.store_reg(o.a);
        if !matches!(o.op, Op::EqK | Op::LtK | Op::LeK | Op::GtK | Op::GeK) {
            self.store_reg(o.b);
        }
        self.flush(256);
        let (pc, base) = (self.frame().pc, self.frame().base);
        let v = self.emit(Opcode::StepTest, Type::Bool, &[], pc as u64, base as u32);
        self.branch_flag(v, o.c, target, o.next);
    }

    fn equals(&mut self, o: Operands, x: Value, y: Value, target: usize) {
        let number = types::INT | types::FLOAT;
        let (ex, ey) = (self.expected(x), self.expected(y));
        let exact = match o.op {
            // nil, booleans and interned strings equal only themselves.
            Op::EqK => match ey {
                types::NIL | types::FALSE | types::TRUE => true,
                types::STRING => self.is_short_string(o.b),
                _ => false,
            },
            _ => false,
        };
        let bytes = [self.byte_of(x), self.byte_of(y).or_else(|| self.byte_constant(o))];
        if let [Some(a), Some(b)] = bytes {
            let v = self.emit(Opcode::ICmp, Type::Bool, &[a, b], 0, Cond::Eq as u32);
            return self.branch_flag(v, o.c, target, o.next);
        }
        if exact || (self.ty(x) == Type::Bool && self.ty(y) == Type::Bool) {
            let (x, y) = (self.boxed(x), self.boxed(y));
            let v = self.op(Opcode::BitsEq, Type::Bool, &[x, y]);
            return self.branch_flag(v, o.c, target, o.next);
        }
        if ex & number != 0
            && ey & number != 0
            && let Some((a, b)) = self.numbers(x, y)
        {
            let v = self.compare_numbers(a, b, Cond::Eq);
            return self.branch_flag(v, o.c, target, o.next);
        }
        if let Some(v) = self.mixed_compare(x, y, Cond::Eq) {
            return self.branch_flag(v, o.c, target, o.next);
        }
        // Equal bits are equal; a float NaN is the one exception, so floats do not come here.
        if ex & types::FLOAT != 0 || ey & types::FLOAT != 0 || (ex | ey) == 0 {
            return self.step_test(o, target);
        }
        let both_strings = ex == types::STRING && ey == types::STRING;
        if both_strings && !self.blocked(ExitReason::TypeGuard) {
            return self.equal_strings(o, x, y, target);
        }
        let both_tables = ex == types::TABLE && ey == types::TABLE;
        if both_tables && !self.blocked(ExitReason::TypeGuard) {
            return self.equal_tables(o, x, y, target);
        }
        self.step_test(o, target);
    }

    /// The byte of which the string `v` consists, if it is known to consist of one.
    fn byte_of(&self, v: Value) -> Option<Value> {
        let inst = self.graph.inst(v);
        (inst.op == Opcode::StringChar).then(|| inst.args[0])
    }

    /// The byte that the constant of a comparison consists of.
    fn byte_constant(&mut self, o: Operands) -> Option<Value> {
        match self.frame().profile.function.constants.get(o.b)? {
            Constant::Str(text) if o.op == Op::EqK && text.len() == 1 => {
                let byte = text[0];
                Some(self.int(i64::from(byte)))
            }
            _ => None,
        }
    }

    /// Ends the block with a branch on `cond`: in the block for true, control goes to `pc`; the
    /// block for false is entered.
    fn branch_off(&mut self, cond: Value, pc: usize) {
        let (hit, miss) = self.fork(cond);
        let state = self.state.clone();
        self.enter(hit);
        self.jump_to(pc);
        self.state = state;
        self.enter(miss);
    }

    /// Tables are equal when they are the same; others may ask a metamethod.
    fn equal_tables(&mut self, o: Operands, x: Value, y: Value, target: usize) {
        let (a, b) = (self.table_pointer(x), self.table_pointer(y));
        let (equal, differ) = if o.c != 0 { (target, o.next) } else { (o.next, target) };
        let same = self.op(Opcode::BitsEq, Type::Bool, &[a, b]);
        self.branch_off(same, equal);
        let none = self.raw(0);
        let mut plain = vec![];
        for t in [a, b] {
            let shape = self.op(Opcode::TableShape, Type::Raw, &[t]);
            let meta = self.op(Opcode::ShapeMeta, Type::Raw, &[shape]);
            plain.push(self.op(Opcode::BitsEq, Type::Bool, &[meta, none]));
        }
        let plain = self.op(Opcode::BAnd, Type::Bool, &plain);
        self.branch_off(plain, differ);
        if !matches!(o.op, Op::Eq) || !self.branch_on_operator(o, target) {
            self.step_test(o, target);
        }
    }

    fn equal_strings(&mut self, o: Operands, x: Value, y: Value, target: usize) {
        let why = ExitReason::TypeGuard;
        let a = self.string_pointer(x, why);
        let b = self.string_pointer(y, why);
        let same = self.op(Opcode::BitsEq, Type::Bool, &[a, b]);
        let (equal, differ) = if o.c != 0 { (target, o.next) } else { (o.next, target) };
        self.branch_off(same, equal);
        // A short string is interned: another address means other bytes.
        let len = self.op(Opcode::StringLen, Type::Int, &[a]);
        let max = self.int(40);
        let short = self.emit(Opcode::ICmp, Type::Bool, &[len, max], 0, Cond::Le as u32);
        self.branch_off(short, differ);
        let long = self.cur.0 as usize;
        self.graph.blocks[long].cold = true;
        self.step_test(o, target);
    }

    pub(super) fn string_pointer(&mut self, v: Value, why: ExitReason) -> Value {
        if self.ty(v) == Type::Str {
            return v;
        }
        let v = self.boxed(v);
        self.guard(Opcode::GuardString, Type::Str, &[v], 0, why)
    }

    // ---- numeric for ----

    pub(super) fn for_prep(&mut self, o: Operands, target: usize) {
        let (init, limit, step) = (self.get(o.a), self.get(o.a + 1), self.get(o.a + 2));
        if !self.blocked(ExitReason::ForLoop) && !self.is_memory(o.a + 3) {
            let step_const = self.const_int(step);
            if let Some(s) = step_const.filter(|&s| s != 0)
                && self.expected(init) == types::INT
                && let Some(Num::Int(i)) = self.number(init, types::INT)
            {
                return self.int_loop(o, i, limit, Some(s), step, target);
            }
            if self.expected(init) == types::INT
                && self.expected(step) == types::INT
                && self.const_int(step).is_none()
                && let Some(Num::Int(i)) = self.number(init, types::INT)
                && let Some(Num::Int(step)) = self.number(step, types::INT)
            {
                // A step that is not known: nearly always upwards.
                let zero = self.int(0);
                let up = self.emit(Opcode::ICmp, Type::Bool, &[step, zero], 0, Cond::Gt as u32);
                self.guard(Opcode::GuardTrue, Type::None, &[up], 0, ExitReason::ForLoop);
                return self.int_loop(o, i, limit, None, step, target);
            }
            let float_step = {
                let inst = self.graph.inst(step);
                match inst.op {
                    Opcode::ConstFloat => Some(f64::from_bits(inst.imm)),
                    Opcode::ConstInt if self.expected(init) == types::FLOAT => {
                        Some(inst.imm as i64 as f64)
                    }
                    _ => None,
                }
            };
            if let Some(s) = float_step.filter(|&s| s != 0.0)
                && let Some((a, b)) = self.numbers(init, limit)
                && (matches!(a, Num::Float(_)) || self.ty(step) == Type::Float)
            {
                let (a, b) = (self.as_float(a), self.as_float(b));
                let s_value = self.float(s);
                // Not the opposite question: with a NaN the loop runs once.
                let beyond = if s > 0.0 { Cond::Gt } else { Cond::Lt };
                let skips = self.emit(Opcode::FCmp, Type::Bool, &[a, b], 0, beyond as u32);
                for (reg, v) in [(0, a), (1, b), (2, s_value), (3, a)] {
                    self.set(o.a + reg, v);
                }
                return self.branch_to(skips, target, o.next);
            }
        }
        for reg in o.a..o.a + 3 {
            self.store_reg(reg);
        }
        self.flush(o.a);
        let (pc, base) = (self.frame().pc, self.frame().base);
        let runs = self.emit(Opcode::StepTest, Type::Bool, &[], pc as u64, base as u32);
        for reg in o.a..o.a + 4 {
            self.reload(reg, 0);
        }
        self.branch_to(runs, o.next, target);
    }

    /// A loop over integers by the constant step `s`, or by `step`, which is known to be positive.
    fn int_loop(
        &mut self,
        o: Operands,
        i: Value,
        limit: Value,
        s: Option<i64>,
        step: Value,
        target: usize,
    ) {
        let limit = match self.number(limit, types::INT) {
            Some(Num::Int(v)) => v,
            Some(Num::Float(v)) => {
                let op = if s.is_none_or(|s| s > 0) { Opcode::FFloor } else { Opcode::FCeil };
                let whole = self.op(op, Type::Float, &[v]);
                self.guard(Opcode::FloatToInt, Type::Int, &[whole], 0, ExitReason::ForLoop)
            }
            None => {
                let boxed = self.boxed(limit);
                self.guard(Opcode::GuardInt, Type::Int, &[boxed], 0, ExitReason::ForLoop)
            }
        };
        let last = if matches!(s, Some(1 | -1)) {
            limit
        } else {
            // limit - (limit - start) mod step, without overflow for 48-bit operands.
            self.guard(Opcode::GuardInt48, Type::None, &[i], 0, ExitReason::ForLoop);
            self.guard(Opcode::GuardInt48, Type::None, &[limit], 0, ExitReason::ForLoop);
            let span = self.op(Opcode::ISub, Type::Int, &[limit, i]);
            let by = match s {
                Some(s) => self.int(s),
                None => step,
            };
            let rest = self.op(Opcode::IMod, Type::Int, &[span, by]);
            self.op(Opcode::ISub, Type::Int, &[limit, rest])
        };
        let cond = if s.is_none_or(|s| s > 0) { Cond::Le } else { Cond::Ge };
        let runs = self.emit(Opcode::ICmp, Type::Bool, &[i, limit], 0, cond as u32);
        for (reg, v) in [(0, i), (1, last), (2, step), (3, i)] {
            self.set(o.a + reg, v);
        }
        self.branch_to(runs, o.next, target);
    }

    pub(super) fn for_loop(&mut self, o: Operands, target: usize) {
        let (i, last, step) = (self.get(o.a), self.get(o.a + 1), self.get(o.a + 2));
        self.poll();
        match (self.ty(i), self.ty(last), self.ty(step)) {
            (Type::Int, Type::Int, Type::Int) => {
                let more = self.emit(Opcode::ICmp, Type::Bool, &[i, last], 0, Cond::Ne as u32);
                let next = self.op(Opcode::IAdd, Type::Int, &[i, step]);
                self.for_continue(o, more, next, target);
            }
            (Type::Float, Type::Float, Type::Float)
                if self.graph.inst(step).op == Opcode::ConstFloat =>
            {
                let up = f64::from_bits(self.graph.inst(step).imm) > 0.0;
                let next = self.op(Opcode::FAdd, Type::Float, &[i, step]);
                let cond = if up { Cond::Le } else { Cond::Ge };
                let more = self.emit(Opcode::FCmp, Type::Bool, &[next, last], 0, cond as u32);
                self.for_continue(o, more, next, target);
            }
            _ => {
                for reg in o.a..o.a + 3 {
                    self.store_reg(reg);
                }
                self.flush(256);
                let (pc, base) = (self.frame().pc, self.frame().base);
                let more = self.emit(Opcode::StepTest, Type::Bool, &[], pc as u64, base as u32);
                self.reload(o.a, 0);
                self.reload(o.a + 3, 0);
                self.branch_to(more, target, o.next);
            }
        }
    }

    fn for_continue(&mut self, o: Operands, more: Value, next: Value, target: usize) {
        self.set(o.a, next);
        if !self.is_memory(o.a + 3) {
            self.set(o.a + 3, next);
            return self.branch_to(more, target, o.next);
        }
        // A captured loop variable is written on the way back only.
        let (back, done) = self.fork(more);
        let state = self.state.clone();
        self.enter(back);
        self.set(o.a + 3, next);
        self.jump_to(target);
        self.state = state;
        self.enter(done);
        self.jump_to(o.next);
    }
}
