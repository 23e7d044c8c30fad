//! Safepoints of loops that count.
//!
//! An innermost loop whose counter goes by a constant to a last value, and which neither calls nor allocates,
//! needs no safepoint in each turn. It runs to a *stop* of its own, at most [`TURNS`] away, and only
//! there asks whether that was the end, has its safepoint, and moves the stop:
//!
//! ```text
//!   head(i):                              head(i, stop):
//!     …                                     …
//!     poll                          →       i ≥ stop ? stopped : head(i + step, stop)
//!     i ≠ last ? head(i + step) : end     stopped:
//!                                           i ≠ last ? again : end
//!                                         again:
//!                                           poll
//!                                           head(i + step, min(i + TURNS * step, last))
//! ```
//!
//! Whatever the stop is, the turns are the same: it only says when to look. So its sum may wrap.
//!
//! Before: the counter's bounds are out of the loop ([`super::bounds`] looks for the plain form).

use super::{Dominators, Flow, definitions};
use crate::ssa::{Cond, Graph, Opcode, Target, Terminator, Type, Value, effect};

/// Turns between two safepoints.
const TURNS: i64 = 1024;

/// The greatest step of a counter.
const FURTHEST: i64 = 1 << 20;

/// A loop of the form above.
struct Counting {
    /// The block that ends with the test.
    from: u32,
    /// The safepoint's place in it.
    poll: usize,
    /// The block that jumps back, and does nothing else.
    latch: u32,
    counter: Value,
    last: Value,
    step: i64,
    /// The counter's place among the header's parameters.
    place: usize,
}

/// Runs the pass.
pub fn run(graph: &mut Graph, Flow { doms, nest }: &Flow) {
    let block_of = definitions(graph);
    for l in &nest.loops {
        let innermost =
            nest.loops.iter().all(|m| m.header == l.header || !l.members[m.header as usize]);
        let [latch] = l.latches[..] else { continue };
        let Some(preheader) = graph.blocks[l.header as usize].preheader else { continue };
        if !innermost || !members(&l.members).all(|b| is_quiet(graph, b)) {
            continue;
        }
        let Some(counting) = counting(graph, doms, &l.members, l.header, latch) else { continue };
        let b = block_of[counting.last.0 as usize];
        if b == u32::MAX || l.members[b as usize] || !doms.dominates(b, preheader.0) {
            continue;
        }
        apply(graph, l.header, preheader.0, &counting);
    }
}

fn members(members: &[bool]) -> impl Iterator<Item = usize> {
    members.iter().enumerate().filter(|(_, m)| **m).map(|(b, _)| b)
}

/// Whether a block neither calls nor allocates (but for boxes of wide integers).
fn is_quiet(graph: &Graph, b: usize) -> bool {
    graph.blocks[b].insts.iter().all(|&v| {
        let op = graph.inst(v).op;
        let plain = effect::RECORD | effect::ELEM | effect::SHARED;
        op.writes() & !plain == 0 && !op.allocates()
    })
}

fn counting(
    graph: &Graph,
    doms: &Dominators,
    members: &[bool],
    header: u32,
    latch: u32,
) -> Option<Counting> {
    let Terminator::Jump(back) = &graph.blocks[latch as usize].terminator else { return None };
    let [from] = doms.preds[latch as usize][..] else { return None };
    let Terminator::Branch { cond, then, other } = &graph.blocks[from as usize].terminator else {
        return None;
    };
    let inside = members[from as usize] && !members[other.block.0 as usize];
    if then.block.0 != latch || !inside || !graph.blocks[latch as usize].insts.is_empty() {
        return None;
    }
    let test = graph.inst(*cond);
    if test.op != Opcode::ICmp || Cond::ALL[test.aux as usize] != Cond::Ne {
        return None;
    }
    let (counter, last) = (test.args[0], test.args[1]);
    let place = graph.blocks[header as usize].params.iter().position(|&p| p == counter)?;
    let next = graph.inst(back.args[place]);
    let sign = match next.op {
        Opcode::IAdd => 1,
        Opcode::ISub => -1,
        _ => return None,
    };
    let by = graph.inst(*next.args.get(1)?);
    let step = (by.imm as i64).wrapping_mul(sign);
    if next.args[0] != counter
        || by.op != Opcode::ConstInt
        || !(-FURTHEST..=FURTHEST).contains(&step)
        || step == 0
    {
        return None;
    }
    let is_poll = |v: &Value| graph.inst(*v).op == Opcode::Poll;
    let poll = graph.blocks[from as usize].insts.iter().position(is_poll)?;
    Some(Counting { from, poll, latch, counter, last, step, place })
}

fn apply(graph: &mut Graph, header: u32, preheader: u32, loop_: &Counting) {
    let poll = graph.blocks[loop_.from as usize].insts.remove(loop_.poll);
    let first = match &graph.blocks[preheader as usize].terminator {
        Terminator::Jump(into) => into.args[loop_.place],
        _ => unreachable!("a preheader jumps"),
    };
    let constant = |v: Value| {
        let inst = graph.inst(v);
        (inst.op == Opcode::ConstInt).then_some(inst.imm as i64)
    };
    if let (Some(first), Some(last)) = (constant(first), constant(loop_.last))
        && last.abs_diff(first) <= (TURNS * loop_.step).unsigned_abs()
    {
        // The loop around has a safepoint, or there is none.
        return;
    }
    let stop = graph.new_inst(Opcode::Param, Type::Int, &[], 0, 0);
    let (reached, nearer) =
        if loop_.step > 0 { (Cond::Ge, Opcode::IMin) } else { (Cond::Le, Opcode::IMax) };
    let next_stop = |graph: &mut Graph, b: u32, from: Value| {
        let turns = (TURNS * loop_.step) as u64;
        let turns = graph.new_inst(Opcode::ConstInt, Type::Int, &[], turns, 0);
        let there = graph.new_inst(Opcode::IAdd, Type::Int, &[from, turns], 0, 0);
        let stop = graph.new_inst(nearer, Type::Int, &[there, loop_.last], 0, 0);
        graph.blocks[b as usize].insts.extend([turns, there, stop]);
        stop
    };

    let first_stop = next_stop(graph, preheader, first);
    let Terminator::Jump(into) = &mut graph.blocks[preheader as usize].terminator else {
        unreachable!("a preheader jumps")
    };
    into.args.push(first_stop);
    graph.blocks[header as usize].params.push(stop);

    let again = graph.new_block();
    graph.blocks[again.0 as usize].cold = true;
    graph.blocks[again.0 as usize].insts.push(poll);
    let moved = next_stop(graph, again.0, loop_.counter);
    let Terminator::Jump(back) = &mut graph.blocks[loop_.latch as usize].terminator else {
        unreachable!("a latch jumps")
    };
    let mut repeat = back.clone();
    back.args.push(stop);
    repeat.args.push(moved);
    graph.blocks[again.0 as usize].terminator = Terminator::Jump(repeat);

    let stopped = graph.new_block();
    let stops = graph.new_inst(Opcode::ICmp, Type::Bool, &[loop_.counter, stop], 0, reached as u32);
    let from = &mut graph.blocks[loop_.from as usize];
    from.insts.push(stops);
    let test = std::mem::replace(&mut from.terminator, Terminator::Open);
    let Terminator::Branch { cond, then, other } = test else { unreachable!("found as a branch") };
    let to = |block| Target { block, args: vec![] };
    from.terminator = Terminator::Branch { cond: stops, then: to(stopped), other: then };
    graph.blocks[stopped.0 as usize].terminator =
        Terminator::Branch { cond, then: to(again), other };
}
