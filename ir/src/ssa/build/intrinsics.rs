//! Library functions as operations.

use crate::encoding;
use crate::intrinsic::Intrinsic;
use crate::ssa::MathFn;

use super::ops::Operands;
use super::*;

impl Builder<'_> {
    /// Replaces the call of library function `intrinsic` (the value `bits`) where its arguments allow;
    /// false when the call must be made.
    pub(super) fn intrinsic(&mut self, o: Operands, bits: u64, intrinsic: u32, seen: u16) -> bool {
        let Some(&which) = Intrinsic::ALL.get(intrinsic as usize) else { return false };
        let args: Vec<Value> = (o.a + 2..o.a + 1 + o.b).map(|reg| self.get(reg)).collect();
        if !self.supported(which, &args, seen) {
            return false;
        }
        let f = self.get(o.a);
        let f = self.boxed(f);
        self.guard(Opcode::GuardBits, Type::None, &[f], bits, ExitReason::CalleeGuard);
        let v = self.replacement(which, &args, seen);
        for i in 1..o.c {
            let v = match v {
                Some(v) if i == 1 => v,
                _ => self.bits(encoding::NIL),
            };
            self.set(o.a + i - 1, v);
        }
        true
    }

    fn is_number(&self, v: Value) -> bool {
        matches!(self.expected(v), types::INT | types::FLOAT)
    }

    pub(super) fn supported(&self, which: Intrinsic, args: &[Value], seen: u16) -> bool {
        use Intrinsic::{
            Assert, MathAbs, MathAcos, MathAsin, MathCeil, MathCos, MathExp, MathFloor, MathFmod,
            MathLog, MathMax, MathMin, MathSin, MathSqrt, MathTan, RawLen, StringByte, StringLen,
        };
        let numbers = |n: usize| args.len() == n && args.iter().all(|&v| self.is_number(v));
        match which {
            MathFloor | MathCeil => {
                numbers(1) && seen == types::INT && !self.blocked(ExitReason::Conversion)
            }
            MathSqrt | MathSin | MathCos | MathTan | MathExp | MathAsin | MathAcos | MathAbs => {
                numbers(1)
            }
            MathLog => numbers(1),
            MathFmod => numbers(2) && args.iter().all(|&v| self.expected(v) == types::FLOAT),
            MathMax | MathMin => numbers(2) && args.iter().all(|&v| self.expected(v) == types::INT),
            StringLen => args.len() == 1 && self.expected(args[0]) == types::STRING,
            StringByte => {
                args.len() == 2
                    && self.expected(args[0]) == types::STRING
                    && self.expected(args[1]) == types::INT
                    && seen == types::INT
                    && !self.blocked(ExitReason::BoundsGuard)
            }
            RawLen => false,
            Assert => !args.is_empty() && !self.blocked(ExitReason::ValueGuard),
            _ => false,
        }
    }

    fn typed(&mut self, v: Value) -> Value {
        if self.ty(v) != Type::Any {
            return v;
        }
        let why = ExitReason::TypeGuard;
        if self.expected(v) == types::INT {
            self.guard(Opcode::GuardInt, Type::Int, &[v], 0, why)
        } else {
            self.guard(Opcode::GuardFloat, Type::Float, &[v], 0, why)
        }
    }

    fn float_argument(&mut self, v: Value) -> Value {
        let v = self.typed(v);
        if self.ty(v) == Type::Int { self.op(Opcode::IntToFloat, Type::Float, &[v]) } else { v }
    }

    fn replacement(&mut self, which: Intrinsic, args: &[Value], _seen: u16) -> Option<Value> {
        use Intrinsic::{
            Assert, MathAbs, MathAcos, MathAsin, MathCeil, MathCos, MathExp, MathFloor, MathFmod,
            MathMax, MathMin, MathSin, MathSqrt, MathTan, StringByte, StringLen,
        };
        let math = |which: Intrinsic| match which {
            MathSin => MathFn::Sin,
            MathCos => MathFn::Cos,
            MathTan => MathFn::Tan,
            MathExp => MathFn::Exp,
            MathAsin => MathFn::Asin,
            MathAcos => MathFn::Acos,
            _ => MathFn::Log,
        };
        Some(match which {
            MathFloor | MathCeil => {
                let x = self.typed(args[0]);
                if self.ty(x) == Type::Int {
                    return Some(x);
                }
                let op = if which == MathFloor { Opcode::FFloor } else { Opcode::FCeil };
                let whole = self.op(op, Type::Float, &[x]);
                self.guard(Opcode::FloatToInt, Type::Int, &[whole], 0, ExitReason::Conversion)
            }
            MathSqrt => {
                let x = self.float_argument(args[0]);
                self.op(Opcode::FSqrt, Type::Float, &[x])
            }
            MathAbs => {
                let x = self.typed(args[0]);
                if self.ty(x) == Type::Int {
                    let minus = self.op(Opcode::INeg, Type::Int, &[x]);
                    self.op(Opcode::IMax, Type::Int, &[x, minus])
                } else {
                    self.op(Opcode::FAbs, Type::Float, &[x])
                }
            }
            MathFmod => {
                let (x, y) = (self.typed(args[0]), self.typed(args[1]));
                self.emit(Opcode::FMath, Type::Float, &[x, y], 0, MathFn::Fmod as u32)
            }
            MathMax | MathMin => {
                let (x, y) = (self.typed(args[0]), self.typed(args[1]));
                let op = if which == MathMax { Opcode::IMax } else { Opcode::IMin };
                self.op(op, Type::Int, &[x, y])
            }
            StringLen => {
                let s = self.string_pointer(args[0], ExitReason::TypeGuard);
                self.op(Opcode::StringLen, Type::Int, &[s])
            }
            StringByte => {
                let s = self.string_pointer(args[0], ExitReason::TypeGuard);
                let i = self.typed(args[1]);
                let one = self.int(1);
                let index = self.op(Opcode::ISub, Type::Int, &[i, one]);
                let len = self.op(Opcode::StringLen, Type::Int, &[s]);
                let why = ExitReason::BoundsGuard;
                let check = self.guard(Opcode::GuardBounds, Type::None, &[index, len], 0, why);
                self.guard(Opcode::StringByte, Type::Int, &[s, index, check], 0, why)
            }
            Assert => {
                let t = self.truthy(args[0]);
                self.guard(Opcode::GuardTrue, Type::None, &[t], 0, ExitReason::ValueGuard);
                args[0]
            }
            _ => {
                let x = self.float_argument(args[0]);
                self.emit(Opcode::FMath, Type::Float, &[x], 0, math(which) as u32)
            }
        })
    }
}
