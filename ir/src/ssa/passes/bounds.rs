//! Bounds checks of loops over ranges.
//!
//! In a loop whose counter runs from `first` by 1 to `last`, a check that `counter + c` is within an
//! array of constant length holds in every iteration if it holds in the last one and `first + c` is not
//! negative. So it is made once, in front of the loop, and leaves with the state there.
//!
//! Before: loop-invariant lengths are out of the loop already ([`super::licm`]). After: the guards of
//! the loop that were proved are constants.

use super::licm::entry_for;
use super::{Flow, definitions};
use crate::ssa::{Cond, Graph, Inst, Opcode, SnapshotId, Terminator, Type, Value};

/// A counter that goes up by 1.
struct Counter {
    param: Value,
    first: Value,
    last: Value,
}

/// Runs the pass.
pub fn run(graph: &mut Graph, Flow { doms, nest }: &Flow) {
    let block_of = definitions(graph);
    for l in &nest.loops {
        let data = &graph.blocks[l.header as usize];
        let (Some(preheader), Some(entry)) = (data.preheader, data.entry_snapshot) else {
            continue;
        };
        let [latch] = l.latches[..] else { continue };
        let Some(counter) = counter(graph, l.header, preheader.0, latch) else { continue };
        let outside = |v: Value| {
            let b = block_of[v.0 as usize];
            b != u32::MAX && !l.members[b as usize] && doms.dominates(b, preheader.0)
        };
        if !outside(counter.first) || !outside(counter.last) {
            continue;
        }
        for &b in &doms.order {
            if !l.members[b as usize] || !doms.dominates(b, latch) {
                continue;
            }
            for i in 0..graph.blocks[b as usize].insts.len() {
                let v = graph.blocks[b as usize].insts[i];
                let inst = graph.inst(v).clone();
                if inst.op != Opcode::GuardBounds || !outside(inst.args[1]) {
                    continue;
                }
                let Some(c) = distance(graph, inst.args[0], counter.param) else { continue };
                let own = inst.snapshot.expect("guards have snapshots");
                let at = entry_for(graph, entry, own);
                prove(graph, preheader.0 as usize, &counter, c, inst.args[1], at);
                graph.insts[v.0 as usize] =
                    Inst { op: Opcode::ConstBool, ty: Type::Bool, imm: 1, ..Inst::default() };
            }
        }
    }
}

/// The counter of a loop that goes on exactly until it has reached its last value.
fn counter(graph: &Graph, header: u32, preheader: u32, latch: u32) -> Option<Counter> {
    // The branch that decides is in front of the latch, or its end.
    let (from, back) = match &graph.blocks[latch as usize].terminator {
        Terminator::Jump(t) => (t, None),
        Terminator::Branch { cond, then, other } if then.block.0 == header => {
            (then, Some((*cond, other.block.0)))
        }
        _ => return None,
    };
    let Terminator::Jump(into) = &graph.blocks[preheader as usize].terminator else {
        return None;
    };
    let cond = match back {
        Some((cond, _)) => cond,
        None => {
            let mut before = None;
            for block in &graph.blocks {
                match &block.terminator {
                    Terminator::Branch { cond, then, other }
                        if then.block.0 == latch && other.block.0 != latch && before.is_none() =>
                    {
                        before = Some(*cond);
                    }
                    Terminator::Jump(t) if t.block.0 == latch => return None,
                    Terminator::Branch { then, other, .. }
                        if then.block.0 == latch || other.block.0 == latch =>
                    {
                        return None;
                    }
                    _ => {}
                }
            }
            before?
        }
    };
    let test = graph.inst(cond);
    if test.op != Opcode::ICmp || Cond::ALL[test.aux as usize] != Cond::Ne {
        return None;
    }
    let (param, last) = (test.args[0], test.args[1]);
    let params = &graph.blocks[header as usize].params;
    let i = params.iter().position(|&p| p == param)?;
    let (next, first) = (graph.inst(from.args[i]), into.args[i]);
    let one = |v: Value| graph.inst(v).op == Opcode::ConstInt && graph.inst(v).imm == 1;
    let counts = next.op == Opcode::IAdd && next.args[0] == param && one(next.args[1]);
    (counts && graph.ty(param) == Type::Int).then_some(Counter { param, first, last })
}

/// `c`, where `v` is `param + c`.
fn distance(graph: &Graph, v: Value, param: Value) -> Option<i64> {
    let (root, by) = graph.offset(v);
    (root == param).then_some(by)
}

/// Makes the checks in block `b` from which it follows that `counter + c` is within `len` throughout.
fn prove(graph: &mut Graph, b: usize, counter: &Counter, c: i64, len: Value, at: SnapshotId) {
    let mut emit = |op, ty, args: &[Value], imm: u64, aux, snapshot| {
        let v = graph.new_inst(op, ty, args, imm, aux);
        graph.insts[v.0 as usize].snapshot = snapshot;
        graph.blocks[b].insts.push(v);
        v
    };
    let (first, last) = (counter.first, counter.last);
    let lowest = emit(Opcode::ConstInt, Type::Int, &[], -c as u64, 0, None);
    // The counter starts high enough, and not above its end (which the way here implies).
    for (x, y) in [(lowest, first), (first, last)] {
        let ok = emit(Opcode::ICmp, Type::Bool, &[x, y], 0, Cond::Le as u32, None);
        emit(Opcode::GuardTrue, Type::None, &[ok], 0, 0, Some(at));
    }
    let by = emit(Opcode::ConstInt, Type::Int, &[], c as u64, 0, None);
    let highest = emit(Opcode::IAdd, Type::Int, &[last, by], 0, 0, None);
    emit(Opcode::GuardBounds, Type::None, &[highest, len], 0, 0, Some(at));
}
