//! Arithmetic and comparison.

use cranelift_codegen::ir::ConstantData;
use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use perilune_ir::ssa::{Cond, Inst, MathFn};

use super::*;

fn int_cc(cond: Cond) -> IntCC {
    match cond {
        Cond::Eq => IntCC::Equal,
        Cond::Ne => IntCC::NotEqual,
        Cond::Lt => IntCC::SignedLessThan,
        Cond::Le => IntCC::SignedLessThanOrEqual,
        Cond::Gt => IntCC::SignedGreaterThan,
        Cond::Ge => IntCC::SignedGreaterThanOrEqual,
        Cond::Below => IntCC::UnsignedLessThan,
    }
}

fn float_cc(cond: Cond) -> FloatCC {
    match cond {
        Cond::Eq => FloatCC::Equal,
        Cond::Ne => FloatCC::NotEqual,
        Cond::Lt => FloatCC::LessThan,
        Cond::Le => FloatCC::LessThanOrEqual,
        Cond::Gt => FloatCC::GreaterThan,
        Cond::Ge => FloatCC::GreaterThanOrEqual,
        Cond::Below => unreachable!("floats have no unsigned order"),
    }
}

fn math_helper(function: MathFn) -> Helper {
    match function {
        MathFn::Mod => Helper::FloatMod,
        MathFn::Pow => Helper::FloatPow,
        MathFn::Sin => Helper::FloatSin,
        MathFn::Cos => Helper::FloatCos,
        MathFn::Tan => Helper::FloatTan,
        MathFn::Exp => Helper::FloatExp,
        MathFn::Log => Helper::FloatLog,
        MathFn::Asin => Helper::FloatAsin,
        MathFn::Acos => Helper::FloatAcos,
        MathFn::Atan2 => Helper::FloatAtan2,
        MathFn::Fmod => Helper::FloatFmod,
    }
}

impl Lower<'_, '_> {
    fn const_operand(&self, value: Value) -> Option<i64> {
        let inst = self.graph.inst(value);
        (inst.op == Opcode::ConstInt).then_some(inst.imm as i64)
    }

    /// A pure operation.
    pub(super) fn arith(&mut self, value: Value) -> V {
        let inst = self.graph.inst(value);
        let x = self.v(inst.args[0]);
        let y = inst.args.get(1).map(|&y| self.v(y));
        if self.kept[value.0 as usize]
            && let Some(kept) = self.keep_sum(inst, x)
        {
            return kept;
        }
        let yv = || y.expect("two operands");
        let y_const = inst.args.get(1).and_then(|&y| self.const_operand(y));
        match inst.op {
            Opcode::IntToFloat => self.b.ins().fcvt_from_sint(types::F64, x),
            Opcode::UnboxInt => self.payload(x),
            Opcode::BAnd => self.b.ins().band(x, yv()),
            Opcode::IAdd => self.b.ins().iadd(x, yv()),
            Opcode::ISub => self.b.ins().isub(x, yv()),
            Opcode::IMul => self.b.ins().imul(x, yv()),
            Opcode::INeg => self.b.ins().ineg(x),
            Opcode::IDiv => self.floor_div(x, yv(), y_const),
            Opcode::IMod => self.floor_mod(x, yv(), y_const),
            Opcode::IAnd => self.b.ins().band(x, yv()),
            Opcode::IOr => self.b.ins().bor(x, yv()),
            Opcode::IXor => self.b.ins().bxor(x, yv()),
            Opcode::INot => self.b.ins().bnot(x),
            Opcode::IShl => self.shift(x, yv(), y_const, true),
            Opcode::IShr => self.shift(x, yv(), y_const, false),
            Opcode::IMin => self.b.ins().smin(x, yv()),
            Opcode::IMax => self.b.ins().smax(x, yv()),
            Opcode::FAdd => self.b.ins().fadd(x, yv()),
            Opcode::FSub => {
                let x = self.keep_float(inst.args[0], x);
                self.b.ins().fsub(x, yv())
            }
            Opcode::FMul => self.b.ins().fmul(x, yv()),
            Opcode::FDiv => {
                let x = self.keep_float(inst.args[0], x);
                self.b.ins().fdiv(x, yv())
            }
            Opcode::FNeg => self.b.ins().fneg(x),
            Opcode::FAbs => self.b.ins().fabs(x),
            Opcode::FSqrt => self.b.ins().sqrt(x),
            Opcode::FFloor => self.b.ins().floor(x),
            Opcode::FCeil => self.b.ins().ceil(x),
            Opcode::FMin | Opcode::FMax => {
                let y = yv();
                let cc = match inst.op {
                    Opcode::FMin => FloatCC::LessThan,
                    _ => FloatCC::GreaterThan,
                };
                let better = self.b.ins().fcmp(cc, y, x);
                self.b.ins().select(better, y, x)
            }
            Opcode::FMath if inst.aux == MathFn::Mod as u32 => self.float_mod(inst, x, yv()),
            Opcode::FMath => {
                let helper = math_helper(MathFn::ALL[inst.aux as usize]);
                let args: Vec<V> = std::iter::once(x).chain(y).collect();
                self.call_native(helper, &args)[0]
            }
            Opcode::ICmp => {
                let cc = int_cc(Cond::ALL[inst.aux as usize]);
                self.b.ins().icmp(cc, x, yv())
            }
            Opcode::FCmp => {
                let cc = float_cc(Cond::ALL[inst.aux as usize]);
                self.b.ins().fcmp(cc, x, yv())
            }
            Opcode::BitsEq => self.b.ins().icmp(IntCC::Equal, x, yv()),
            Opcode::Truthy => {
                // nil is …0, false …2, true …3
                let mask = self.iconst(!2);
                let masked = self.b.ins().band(x, mask);
                let nil = self.iconst(encoding::NIL);
                self.b.ins().icmp(IntCC::NotEqual, masked, nil)
            }
            Opcode::IsType => self.is_type(x, inst.aux as u16),
            Opcode::BNot => self.icmp_imm(IntCC::Equal, x, 0),
            other => unreachable!("{other:?} is no arithmetic"),
        }
    }

    /// `x % y` of floats. For positive `x` and an integer `y` that is constant inline: exact where `y` is a
    /// power of two, by integers where `x` is one. Calls are far slower.
    fn float_mod(&mut self, inst: &Inst, x: V, y: V) -> V {
        let divisor = self.graph.inst(inst.args[1]);
        let by = f64::from_bits(divisor.imm);
        let small = (1.0..=f64::from(1 << 30)).contains(&by) && by.fract() == 0.0;
        if divisor.op != Opcode::ConstFloat || !small {
            return self.call_native(math_helper(MathFn::Mod), &[x, y])[0];
        }
        if (by as u64).is_power_of_two() {
            let bits = self.b.ins().bitcast(types::I64, MemFlagsData::new(), x);
            // Positive (the sign of a result 0 is that of x) and finite.
            let below = self.iadd_imm(bits, -1);
            let last = f64::INFINITY.to_bits() as i64 - 1;
            let rare = self.icmp_imm(IntCC::UnsignedGreaterThanOrEqual, below, last);
            let inverse = self.b.ins().f64const(1.0 / by);
            let quotient = self.b.ins().fmul(x, inverse);
            let whole = self.b.ins().floor(quotient);
            let product = self.b.ins().fmul(whole, y);
            let rest = self.b.ins().fsub(x, product);
            return self.if_rare(rare, &[rest], &[types::F64], |l| vec![l.rare_mod(x, y)])[0];
        }
        let int = self.b.ins().fcvt_to_sint_sat(types::I64, x);
        let back = self.b.ins().fcvt_from_sint(types::F64, int);
        let part = self.b.ins().fcmp(FloatCC::NotEqual, back, x);
        // Above 2^53 the conversion may have rounded; at 0 the sign counts.
        let below = self.iadd_imm(int, -1);
        let limit = (1 << 53) - 1;
        let odd = self.icmp_imm(IntCC::UnsignedGreaterThanOrEqual, below, limit);
        let rest = self.urem_imm(int, by as i64);
        let rest = self.b.ins().fcvt_from_sint(types::F64, rest);
        self.if_either_rare([part, odd], rest, |l| l.rare_mod(x, y))
    }

    fn rare_mod(&mut self, x: V, y: V) -> V {
        let args = [x, y].map(|v| self.b.ins().bitcast(types::I64, MemFlagsData::new(), v));
        let rest = self.call_keep(Helper::RareFloatMod, &args).expect("a result");
        self.b.ins().bitcast(types::F64, MemFlagsData::new(), rest)
    }

    /// A float that is an operation's first operand, and so in a register. Where it is a constant in a loop it is
    /// a lane of a vector: Cranelift makes constants of other types anew in each block that uses them.
    fn keep_float(&mut self, value: Value, v: V) -> V {
        let inst = self.graph.inst(value);
        if inst.op != Opcode::ConstFloat || !self.in_loop {
            return v;
        }
        let lanes = [inst.imm.to_le_bytes(), inst.imm.to_le_bytes()].concat();
        let lanes = self.b.func.dfg.constants.insert(ConstantData::from(lanes));
        let vector = self.b.ins().vconst(types::F64X2, lanes);
        self.b.ins().extractlane(vector, 0)
    }

    /// A sum with a constant that is read from memory. Cranelift makes a sum with an immediate anew in each
    /// block that uses it, which in a loop costs more than the register that it saves.
    fn keep_sum(&mut self, inst: &Inst, x: V) -> Option<V> {
        static SMALL: [i64; 33] = {
            let mut all = [0; 33];
            let mut i = 0;
            while i < 33 {
                all[i] = i as i64 - 16;
                i += 1;
            }
            all
        };
        let k = self.const_operand(inst.args[1])?;
        let k = if inst.op == Opcode::ISub { k.wrapping_neg() } else { k };
        let place = SMALL.get(usize::try_from(k.checked_add(16)?).ok()?)?;
        let at = self.iconst(std::ptr::from_ref(place) as u64);
        let k = self.load_const(types::I64, at, 0);
        Some(self.b.ins().iadd(x, k))
    }

    /// The opposite of a comparison.
    pub(super) fn inverse(&mut self, cond: Value) -> Option<V> {
        let inst = self.graph.inst(cond);
        let arg = |i: usize| self.v(inst.args[i]);
        match inst.op {
            Opcode::ICmp => {
                let cc = int_cc(Cond::ALL[inst.aux as usize]).complement();
                let (x, y) = (arg(0), arg(1));
                Some(self.b.ins().icmp(cc, x, y))
            }
            Opcode::FCmp => {
                let cc = float_cc(Cond::ALL[inst.aux as usize]).complement();
                let (x, y) = (arg(0), arg(1));
                Some(self.b.ins().fcmp(cc, x, y))
            }
            Opcode::BitsEq => {
                let (x, y) = (arg(0), arg(1));
                Some(self.b.ins().icmp(IntCC::NotEqual, x, y))
            }
            Opcode::BNot => Some(arg(0)),
            _ => None,
        }
    }

    /// Whether the boxed `x` has one of the types in the set `mask`.
    fn is_type(&mut self, x: V, mask: u16) -> V {
        use encoding::types as set;
        let tag = self.ushr_imm(x, i64::from(TAG_SHIFT));
        let mut any = self.b.ins().iconst(types::I8, 0);
        for (bit, t) in [
            (set::INT, encoding::TAG_INT),
            (set::STRING, encoding::TAG_STRING),
            (set::TABLE, encoding::TAG_TABLE),
            (set::FUNCTION, encoding::TAG_FUNCTION),
            (set::LIGHT, encoding::TAG_LIGHT),
        ] {
            if mask & bit != 0 {
                let is = self.icmp_imm(IntCC::Equal, tag, t as i64);
                any = self.b.ins().bor(any, is);
            }
        }
        for (bit, bits) in
            [(set::NIL, encoding::NIL), (set::FALSE, encoding::FALSE), (set::TRUE, encoding::TRUE)]
        {
            if mask & bit != 0 {
                let word = self.iconst(bits);
                let is = self.b.ins().icmp(IntCC::Equal, x, word);
                any = self.b.ins().bor(any, is);
            }
        }
        if mask & set::FLOAT != 0 {
            let limit = self.iconst(encoding::TAG_IMMEDIATE << TAG_SHIFT);
            let is = self.b.ins().icmp(IntCC::UnsignedLessThan, x, limit);
            any = self.b.ins().bor(any, is);
        }
        any
    }

    /// `floor(x / y)`, where `y` is not 0.
    fn floor_div(&mut self, x: V, y: V, y_const: Option<i64>) -> V {
        match y_const {
            Some(1) => return x,
            Some(-1) => return self.b.ins().ineg(x),
            Some(k) if k > 0 && k & (k - 1) == 0 => {
                return self.sshr_imm(x, i64::from(k.trailing_zeros()));
            }
            _ => {}
        }
        // MIN / -1 traps: divide by 1 instead and negate.
        let minus_one = self.icmp_imm(IntCC::Equal, y, -1);
        let divisor = match y_const {
            Some(_) => y,
            None => {
                let one = self.iconst(1);
                self.b.ins().select(minus_one, one, y)
            }
        };
        let quotient = self.b.ins().sdiv(x, divisor);
        let product = self.b.ins().imul(quotient, divisor);
        let rest = self.b.ins().isub(x, product);
        let adjust = self.needs_adjustment(rest, divisor);
        let one = self.b.ins().uextend(types::I64, adjust);
        let floored = self.b.ins().isub(quotient, one);
        if y_const.is_some() {
            return floored;
        }
        let negated = self.b.ins().ineg(x);
        self.b.ins().select(minus_one, negated, floored)
    }

    /// Whether a truncated division with this rest is one above the floor.
    fn needs_adjustment(&mut self, rest: V, y: V) -> V {
        let uneven = self.icmp_imm(IntCC::NotEqual, rest, 0);
        let signs = self.b.ins().bxor(rest, y);
        let differ = self.icmp_imm(IntCC::SignedLessThan, signs, 0);
        self.b.ins().band(uneven, differ)
    }

    /// `x - floor(x / y) * y`, where `y` is not 0.
    fn floor_mod(&mut self, x: V, y: V, y_const: Option<i64>) -> V {
        match y_const {
            Some(k) if k > 0 && k & (k - 1) == 0 => {
                let mask = self.iconst(k as u64 - 1);
                return self.b.ins().band(x, mask);
            }
            Some(k) if k > 0 => {
                // The rest has the sign of x: add y when it is negative.
                let rest = self.b.ins().srem(x, y);
                let sign = self.sshr_imm(rest, 63);
                let correction = self.b.ins().band(sign, y);
                return self.b.ins().iadd(rest, correction);
            }
            _ => {}
        }
        let rest = self.b.ins().srem(x, y);
        let adjust = self.needs_adjustment(rest, y);
        let adjusted = self.b.ins().iadd(rest, y);
        self.b.ins().select(adjust, adjusted, rest)
    }

    /// Shifts as Lua does: by 64 or more gives 0, negative distances shift the other way.
    fn shift(&mut self, x: V, y: V, y_const: Option<i64>, left: bool) -> V {
        if let Some(k) = y_const {
            let (left, by) = if k < 0 { (!left, k.unsigned_abs()) } else { (left, k as u64) };
            if by >= 64 {
                return self.iconst(0);
            }
            let by = by as i64;
            return if left { self.ishl_imm(x, by) } else { self.ushr_imm(x, by) };
        }
        let zero = self.iconst(0);
        let back = self.b.ins().ineg(y);
        let (l, r) = if left { (y, back) } else { (back, y) };
        // A distance that is no number from 0 to 63 contributes 0.
        let l_ok = self.icmp_imm(IntCC::UnsignedLessThan, l, 64);
        let r_ok = self.icmp_imm(IntCC::UnsignedLessThan, r, 64);
        let shl = self.b.ins().ishl(x, l);
        let shr = self.b.ins().ushr(x, r);
        let right = self.b.ins().select(r_ok, shr, zero);
        self.b.ins().select(l_ok, shl, right)
    }
}
