//! Loop-invariant code motion.
//!
//! Pure operations move to the preheader; loads as well when nothing in the loop writes their alias
//! class; guards when they run in every iteration, and then leave with the state on entry to the
//! loop: the interpreter starts the loop itself. What a load depends on besides its operands (a
//! bounds or shape check) is among its operands as a guard, so it cannot move above that.

use super::fold::is_shareable;
use super::gvn::{reads, writes};
use super::{Flow, definitions};
use crate::ssa::{Graph, Opcode, SnapshotId, Value};

/// Where a unit finds its own closure.
const CALLEE_SLOT: u32 = -2i32 as u32;

/// Runs the pass.
pub fn run(graph: &mut Graph, Flow { doms, nest }: &Flow) {
    let mut block_of = definitions(graph);
    for l in &nest.loops {
        let data = &graph.blocks[l.header as usize];
        let (Some(preheader), Some(entry)) = (data.preheader, data.entry_snapshot) else {
            continue;
        };
        let mut written = 0;
        for (b, _) in l.members.iter().enumerate().filter(|(_, m)| **m) {
            for &v in &graph.blocks[b].insts {
                written |= writes(graph.inst(v));
            }
        }
        for &b in &doms.order {
            if !l.members[b as usize] {
                continue;
            }
            let always = l.latches.iter().all(|&latch| doms.dominates(b, latch));
            let insts = std::mem::take(&mut graph.blocks[b as usize].insts);
            let mut kept = Vec::with_capacity(insts.len());
            // Once something observable happened in this iteration, leaving "at loop entry" from
            // the first iteration is still right: hoisted guards run before any of it.
            for v in insts {
                let inst = graph.inst(v);
                let invariant = inst
                    .args
                    .iter()
                    .all(|a| !l.members.get(block_of[a.0 as usize] as usize).is_some_and(|m| *m));
                if !invariant || !movable(graph, v, written, always) {
                    kept.push(v);
                    continue;
                }
                if inst.op.is_guard() {
                    let own = inst.snapshot.expect("guards have snapshots");
                    let at_entry = entry_for(graph, entry, own);
                    graph.insts[v.0 as usize].snapshot = Some(at_entry);
                }
                graph.blocks[preheader.0 as usize].insts.push(v);
                block_of[v.0 as usize] = preheader.0;
            }
            graph.blocks[b as usize].insts = kept;
        }
    }
}

fn movable(graph: &Graph, v: Value, written: u32, always: bool) -> bool {
    let inst = graph.inst(v);
    if !is_shareable(graph, inst) {
        return false;
    }
    if inst.op.is_guard() {
        return always && reads(inst) & written == 0;
    }
    match inst.op {
        // That the closure is of the function with this upvalue was proved by a guard or a branch
        // in front of it, which is no operand.
        Opcode::LoadUpval | Opcode::LoadConstUpval => {
            (always || own_closure(graph, inst.args[0])) && reads(inst) & written == 0
        }
        // A branch proved them valid.
        Opcode::LoadRecordHere | Opcode::LoadElemHere => false,
        // These trap.
        Opcode::IDiv | Opcode::IMod => {
            let y = graph.inst(inst.args[1]);
            y.op == Opcode::ConstInt && y.imm != 0
        }
        // Constants are cheaper made again than kept.
        Opcode::ConstInt
        | Opcode::ConstFloat
        | Opcode::ConstBool
        | Opcode::ConstBits
        | Opcode::ConstRaw => true,
        _ => reads(inst) & written == 0,
    }
}

/// Whether `closure` is the one whose code the unit is.
fn own_closure(graph: &Graph, closure: Value) -> bool {
    let guard = graph.inst(closure);
    guard.op == Opcode::GuardFunction && {
        let slot = graph.inst(guard.args[0]);
        slot.op == Opcode::LoadSlot && slot.aux == CALLEE_SLOT
    }
}

/// The loop's entry snapshot, with the reason and the origin of the guard that moves there.
pub(super) fn entry_for(graph: &mut Graph, entry: SnapshotId, own: SnapshotId) -> SnapshotId {
    let mut snapshot = graph.snapshots[entry.0 as usize].clone();
    let guard = &graph.snapshots[own.0 as usize];
    snapshot.reason = guard.reason;
    snapshot.site_pc = guard.site_pc;
    snapshot.site_proto = guard.site_proto;
    if let Some(i) = graph.snapshots.iter().position(|s| *s == snapshot) {
        return SnapshotId(i as u32);
    }
    graph.snapshots.push(snapshot);
    SnapshotId(graph.snapshots.len() as u32 - 1)
}
