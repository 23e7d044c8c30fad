//! Folding of one instruction whose operands are known.

use smallvec::smallvec;

use crate::encoding;
use crate::ssa::{Args, Cond, Graph, Inst, Opcode, Type, Value};

/// What an instruction is equal to.
pub enum Folded {
    /// Another value.
    Value(Value),
    /// A simpler instruction.
    Inst(Opcode, Args, u64),
}

fn int_const(graph: &Graph, v: Value) -> Option<i64> {
    let inst = graph.inst(v);
    (inst.op == Opcode::ConstInt).then_some(inst.imm as i64)
}

/// The simpler form of `inst`, if there is one.
pub fn fold(graph: &mut Graph, inst: &Inst) -> Option<Folded> {
    let arg = |i: usize| inst.args[i];
    let constant = |i: i64| Folded::Inst(Opcode::ConstInt, Args::new(), i as u64);
    let boolean = |b: bool| Folded::Inst(Opcode::ConstBool, Args::new(), b as u64);
    match inst.op {
        Opcode::GuardInt
        | Opcode::GuardFloat
        | Opcode::GuardTable
        | Opcode::GuardString
        | Opcode::GuardFunction
        | Opcode::GuardBool => {
            let source = graph.inst(arg(0));
            if source.op == Opcode::Box && graph.ty(source.args[0]) == inst.ty {
                return Some(Folded::Value(source.args[0]));
            }
            if inst.op == Opcode::GuardInt
                && source.op == Opcode::ConstBits
                && source.imm >> encoding::TAG_SHIFT == encoding::TAG_INT
            {
                return Some(constant((source.imm << 16) as i64 >> 16));
            }
            None
        }
        Opcode::GuardNumber => {
            let source = graph.inst(arg(0));
            if source.op == Opcode::Box {
                let x = source.args[0];
                match graph.ty(x) {
                    Type::Float => return Some(Folded::Value(x)),
                    Type::Int => return Some(Folded::Inst(Opcode::IntToFloat, smallvec![x], 0)),
                    _ => {}
                }
            }
            None
        }
        Opcode::Box => {
            let source = graph.inst(arg(0));
            match source.op {
                // A wide integer's cell is held by no slot once the integer is: it is made anew.
                Opcode::GuardInt if source.aux != 0 => None,
                Opcode::GuardInt
                | Opcode::GuardFloat
                | Opcode::GuardTable
                | Opcode::GuardString
                | Opcode::GuardFunction
                | Opcode::GuardBool => Some(Folded::Value(source.args[0])),
                Opcode::ConstInt => encoding::inline_int(source.imm as i64)
                    .map(|bits| Folded::Inst(Opcode::ConstBits, Args::new(), bits)),
                Opcode::ConstFloat => {
                    Some(Folded::Inst(Opcode::ConstBits, Args::new(), source.imm))
                }
                _ => None,
            }
        }
        Opcode::IAdd | Opcode::ISub | Opcode::IMul | Opcode::IAnd | Opcode::IOr | Opcode::IXor => {
            let (x, y) = (int_const(graph, arg(0)), int_const(graph, arg(1)));
            match (inst.op, x, y) {
                (Opcode::IAdd, Some(a), Some(b)) => Some(constant(a.wrapping_add(b))),
                (Opcode::ISub, Some(a), Some(b)) => Some(constant(a.wrapping_sub(b))),
                (Opcode::IMul, Some(a), Some(b)) => Some(constant(a.wrapping_mul(b))),
                (Opcode::IAnd, Some(a), Some(b)) => Some(constant(a & b)),
                (Opcode::IOr, Some(a), Some(b)) => Some(constant(a | b)),
                (Opcode::IXor, Some(a), Some(b)) => Some(constant(a ^ b)),
                (Opcode::IAdd | Opcode::ISub | Opcode::IOr | Opcode::IXor, None, Some(0)) => {
                    Some(Folded::Value(arg(0)))
                }
                (Opcode::IMul, None, Some(1)) => Some(Folded::Value(arg(0))),
                (Opcode::IAdd, Some(0), None) => Some(Folded::Value(arg(1))),
                (Opcode::IAdd | Opcode::ISub, None, Some(k)) => {
                    // (z ± j) ± k
                    let k = if inst.op == Opcode::IAdd { k } else { k.wrapping_neg() };
                    let inner = graph.inst(arg(0)).clone();
                    let j = match (inner.op, inner.args.get(1).and_then(|&j| int_const(graph, j))) {
                        (Opcode::IAdd, Some(j)) => j,
                        (Opcode::ISub, Some(j)) => j.wrapping_neg(),
                        _ => return None,
                    };
                    let sum = j.wrapping_add(k);
                    if sum == 0 {
                        return Some(Folded::Value(inner.args[0]));
                    }
                    None
                }
                _ => None,
            }
        }
        Opcode::ICmp => {
            let (x, y) = (int_const(graph, arg(0))?, int_const(graph, arg(1))?);
            Some(boolean(match Cond::ALL[inst.aux as usize] {
                Cond::Eq => x == y,
                Cond::Ne => x != y,
                Cond::Lt => x < y,
                Cond::Le => x <= y,
                Cond::Gt => x > y,
                Cond::Ge => x >= y,
                Cond::Below => (x as u64) < y as u64,
            }))
        }
        Opcode::BNot => {
            let source = graph.inst(arg(0));
            match source.op {
                Opcode::BNot => Some(Folded::Value(source.args[0])),
                Opcode::ConstBool => Some(boolean(source.imm == 0)),
                _ => None,
            }
        }
        Opcode::BitsEq if arg(0) == arg(1) => Some(boolean(true)),
        Opcode::Truthy => {
            let source = graph.inst(arg(0));
            match source.op {
                Opcode::ConstBits => {
                    Some(boolean(source.imm != encoding::NIL && source.imm != encoding::FALSE))
                }
                Opcode::Box if graph.ty(source.args[0]) == Type::Bool => {
                    Some(Folded::Value(source.args[0]))
                }
                Opcode::Box => Some(boolean(true)),
                _ => None,
            }
        }
        Opcode::IntToFloat => {
            let x = int_const(graph, arg(0))?;
            Some(Folded::Inst(Opcode::ConstFloat, Args::new(), (x as f64).to_bits()))
        }
        _ => None,
    }
}

/// Whether the integer `x` fits an inline value for certain.
fn fits_inline(graph: &Graph, x: Value) -> bool {
    let source = graph.inst(x);
    (source.op == Opcode::GuardInt && source.aux == 0)
        || matches!(
            source.op,
            Opcode::UnboxInt
                | Opcode::StringLen
                | Opcode::TableLen
                | Opcode::TableArrLen
                | Opcode::StringByte
                | Opcode::VarargCount
        )
        || (source.op == Opcode::ConstInt && encoding::inline_int(source.imm as i64).is_some())
}

/// Whether equal instructions can be one, and be hoisted. Not what may allocate: the collector does
/// not see a value that is in no slot while a loop goes round.
pub fn is_shareable(graph: &Graph, inst: &Inst) -> bool {
    let allocates = inst.op == Opcode::Box
        && graph.ty(inst.args[0]) == Type::Int
        && !fits_inline(graph, inst.args[0]);
    inst.op.is_shareable() && !allocates
}

/// Whether a guard holds for certain.
pub fn always_holds(graph: &Graph, inst: &Inst) -> bool {
    let Some(&x) = inst.args.first() else { return false };
    let source = graph.inst(x);
    match inst.op {
        Opcode::GuardTrue => source.op == Opcode::ConstBool && source.imm != 0,
        Opcode::GuardInt48 => fits_inline(graph, x),
        Opcode::GuardNotNil => source.op == Opcode::Box,
        Opcode::GuardBits => source.op == Opcode::ConstBits && source.imm == inst.imm,
        _ => false,
    }
}
