//! Library functions as operations.

use crate::encoding;
use crate::intrinsic::Intrinsic;
use crate::profile::LUA_TYPES;
use crate::ssa::MathFn;

use super::ops::Operands;
use super::*;

impl Builder<'_> {
    /// Replaces the call of library function `intrinsic` (the value `bits`, with this first upvalue) where
    /// its arguments allow; false when the call must be made.
    pub(super) fn intrinsic(
        &mut self,
        o: Operands,
        bits: u64,
        (intrinsic, upvalue): (u32, u64),
        seen: u16,
    ) -> bool {
        let Some(&which) = Intrinsic::ALL.get(intrinsic as usize) else { return false };
        let args: Vec<Value> = (o.a + 2..o.a + 1 + o.b).map(|reg| self.get(reg)).collect();
        if !self.supported(which, &args, seen) {
            return false;
        }
        let f = self.get(o.a);
        let f = self.boxed(f);
        self.guard(Opcode::GuardBits, Type::None, &[f], bits, ExitReason::CalleeGuard);
        let results = self.replacement(which, upvalue, &args, o);
        for i in 1..o.c {
            let v = match results.get(i - 1) {
                Some(&v) => v,
                None => self.bits(encoding::NIL),
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
            Assert, Ipairs, MathAbs, MathAcos, MathAsin, MathCeil, MathCos, MathExp, MathFloor,
            MathFmod, MathLog, MathMax, MathMin, MathSin, MathSqrt, MathTan, Next, Pairs,
            Setmetatable, StringByte, StringChar, StringLen, StringSub, TableInsert, TableRemove,
            Type as TypeOf,
        };
        let is = |i: usize, ty: u16| self.expected(args[i]) == ty;
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
            MathMax | MathMin => {
                let all = |ty: u16| args.iter().all(|&v| self.expected(v) == ty);
                !args.is_empty() && (all(types::INT) || all(types::FLOAT))
            }
            StringLen => args.len() == 1 && is(0, types::STRING),
            StringByte => {
                matches!(args.len(), 1 | 2)
                    && is(0, types::STRING)
                    && (args.len() == 1 || is(1, types::INT))
                    && seen == types::INT
                    && !self.blocked(ExitReason::BoundsGuard)
            }
            StringSub => {
                matches!(args.len(), 2 | 3)
                    && is(0, types::STRING)
                    && (1..args.len()).all(|i| is(i, types::INT))
            }
            StringChar => {
                args.len() == 1 && is(0, types::INT) && !self.blocked(ExitReason::BoundsGuard)
            }
            TypeOf => args.len() == 1 && !self.lua_types(args[0]).is_empty(),
            TableInsert => {
                args.len() == 2
                    && is(0, types::TABLE)
                    && self.is_plain_list()
                    && self.has_element_kind(args[1])
                    && !self.blocked(ExitReason::Overflow)
            }
            TableRemove => args.len() == 1 && is(0, types::TABLE) && self.is_plain_list(),
            Setmetatable => {
                args.len() == 2
                    && is(0, types::TABLE)
                    && is(1, types::TABLE)
                    && !self.blocked(ExitReason::MetaGuard)
            }
            Next => args.len() == 2 && is(0, types::TABLE) && !self.blocked(ExitReason::ValueGuard),
            Pairs => {
                !args.is_empty() && is(0, types::TABLE) && !self.blocked(ExitReason::MetaGuard)
            }
            Ipairs => !args.is_empty(),
            Assert => !args.is_empty() && !self.blocked(ExitReason::ValueGuard),
            _ => false,
        }
    }

    /// Whether the table of a list operation at this site may be assumed to have no metatable and no
    /// elements beyond its array part.
    fn is_plain_list(&self) -> bool {
        !self.blocked(ExitReason::MetaGuard) && !self.blocked(ExitReason::BoundsGuard)
    }

    /// The rows of [`LUA_TYPES`] that a value is expected to be of; none where nothing can be assumed.
    fn lua_types(&self, v: Value) -> Vec<usize> {
        let expected = self.expected(v);
        let known = LUA_TYPES.iter().fold(0, |all, (set, _)| all | set);
        if expected & !known != 0 || self.blocked(ExitReason::TypeGuard) {
            return vec![];
        }
        (0..LUA_TYPES.len()).filter(|&row| expected & LUA_TYPES[row].0 != 0).collect()
    }

    /// The name of the type of `v`, which is expected to be of one of some rows of [`LUA_TYPES`].
    fn type_name(&mut self, v: Value, rows: &[usize]) -> Value {
        let names = self.frame().profile.library.type_names;
        let (&last, rest) = rows.split_last().expect("checked");
        if rest.is_empty() {
            self.guard_lua_type(v, last);
            return self.bits(names[last]);
        }
        let join = self.new_block();
        let arrive = |b: &mut Self, row: usize| {
            let name = b.bits(names[row]);
            b.terminate(Terminator::Jump(Target { block: join, args: vec![name] }));
        };
        for &row in rest {
            let is = self.emit(Opcode::IsType, Type::Bool, &[v], 0, LUA_TYPES[row].0 as u32);
            let (yes, no) = self.fork(is);
            self.enter(yes);
            arrive(self, row);
            self.enter(no);
        }
        self.guard_lua_type(v, last);
        arrive(self, last);
        self.enter(join);
        self.param(join, Type::Any)
    }

    /// Leaves unless `v` is of the type of a row of [`LUA_TYPES`].
    fn guard_lua_type(&mut self, v: Value, row: usize) {
        if self.ty(v) == Type::Any {
            let set = LUA_TYPES[row].0 as u32;
            let is = self.emit(Opcode::IsType, Type::Bool, &[v], 0, set);
            self.guard(Opcode::GuardTrue, Type::None, &[is], 0, ExitReason::TypeGuard);
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

    /// Byte `i` (from 1) of the string `s`; leaves when there is none.
    fn byte_at(&mut self, s: Value, i: Value) -> Value {
        let one = self.int(1);
        let index = self.op(Opcode::ISub, Type::Int, &[i, one]);
        let len = self.op(Opcode::StringLen, Type::Int, &[s]);
        let why = ExitReason::BoundsGuard;
        let check = self.guard(Opcode::GuardBounds, Type::None, &[index, len], 0, why);
        self.guard(Opcode::StringByte, Type::Int, &[s, index, check], 0, why)
    }

    /// The results.
    fn replacement(
        &mut self,
        which: Intrinsic,
        upvalue: u64,
        args: &[Value],
        o: Operands,
    ) -> Vec<Value> {
        use Intrinsic::{
            Assert, Ipairs, MathAbs, MathAcos, MathAsin, MathCeil, MathCos, MathExp, MathFloor,
            MathFmod, MathMax, MathMin, MathSin, MathSqrt, MathTan, Next, Pairs, Setmetatable,
            StringByte, StringChar, StringLen, StringSub, TableInsert, TableRemove, Type as TypeOf,
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
        let result = match which {
            MathFloor | MathCeil => {
                let x = self.typed(args[0]);
                if self.ty(x) == Type::Int {
                    self.rely_on_int(x);
                    return vec![x];
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
                let values: Vec<Value> = args.iter().map(|&v| self.typed(v)).collect();
                let ty = self.ty(values[0]);
                let op = match (which, ty) {
                    (MathMax, Type::Int) => Opcode::IMax,
                    (MathMax, _) => Opcode::FMax,
                    (_, Type::Int) => Opcode::IMin,
                    (_, _) => Opcode::FMin,
                };
                let mut best = values[0];
                for &v in &values[1..] {
                    best = self.op(op, ty, &[best, v]);
                }
                best
            }
            StringLen => {
                let s = self.string_pointer(args[0], ExitReason::TypeGuard);
                self.op(Opcode::StringLen, Type::Int, &[s])
            }
            StringByte => {
                let s = self.string_pointer(args[0], ExitReason::TypeGuard);
                let i = match args.get(1) {
                    Some(&i) => self.typed(i),
                    None => self.int(1),
                };
                self.byte_at(s, i)
            }
            StringSub => {
                let s = self.string_pointer(args[0], ExitReason::TypeGuard);
                let i = self.typed(args[1]);
                if args.get(2) == Some(&args[1]) && !self.blocked(ExitReason::BoundsGuard) {
                    let byte = self.byte_at(s, i);
                    return vec![self.op(Opcode::StringChar, Type::Str, &[byte])];
                }
                let j = match args.get(2) {
                    Some(&j) => self.typed(j),
                    None => self.int(-1),
                };
                self.op(Opcode::StringSub, Type::Str, &[s, i, j])
            }
            StringChar => {
                let byte = self.typed(args[0]);
                let all = self.int(256);
                let why = ExitReason::BoundsGuard;
                self.guard(Opcode::GuardBounds, Type::None, &[byte, all], 0, why);
                self.op(Opcode::StringChar, Type::Str, &[byte])
            }
            TypeOf => {
                let rows = self.lua_types(args[0]);
                self.type_name(args[0], &rows)
            }
            TableInsert => {
                let t = self.table_pointer(args[0]);
                self.guard_no_metatable(t);
                let len = self.guard(Opcode::TableLen, Type::Int, &[t], 0, ExitReason::BoundsGuard);
                let one = self.int(1);
                let key = self.op(Opcode::IAdd, Type::Int, &[len, one]);
                let (v, bit) = self.element(args[1]).expect("checked");
                self.append(t, key, v, bit);
                return vec![];
            }
            TableRemove => {
                let t = self.table_pointer(args[0]);
                self.guard_no_metatable(t);
                self.guard(Opcode::TableLen, Type::Int, &[t], 0, ExitReason::BoundsGuard);
                self.op(Opcode::TableRemove, Type::Any, &[t])
            }
            Setmetatable => {
                let t = self.table_pointer(args[0]);
                let meta = self.table_pointer(args[1]);
                let done = self.op(Opcode::SetMetatable, Type::Bool, &[t, meta]);
                self.guard(Opcode::GuardTrue, Type::None, &[done], 0, ExitReason::MetaGuard);
                t
            }
            Next => {
                let t = self.table_pointer(args[0]);
                let control = self.boxed(args[1]);
                let hint = self.site(o.feedback()).hint;
                let (key, value) = self.next_pair(t, control, hint, ExitReason::ValueGuard);
                return vec![key, value];
            }
            Pairs => {
                let t = self.table_pointer(args[0]);
                self.guard_no_metatable(t);
                return vec![self.bits(upvalue), t, self.bits(encoding::NIL)];
            }
            Ipairs => return vec![self.bits(upvalue), args[0], self.int(0)],
            Assert => {
                let t = self.truthy(args[0]);
                self.guard(Opcode::GuardTrue, Type::None, &[t], 0, ExitReason::ValueGuard);
                return args.to_vec();
            }
            _ => {
                let x = self.float_argument(args[0]);
                self.emit(Opcode::FMath, Type::Float, &[x], 0, math(which) as u32)
            }
        };
        vec![result]
    }
}
