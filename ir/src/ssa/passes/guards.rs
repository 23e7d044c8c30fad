//! Guards that a later guard implies.
//!
//! An element that must not be nil, because then a metatable would have to be asked, is mostly wanted as
//! a number or a table next. Where both guards leave with the same state, and nothing with an effect is
//! between them, the guard on the type is enough.

use rustc_hash::FxHashMap;

use crate::ssa::{Graph, Opcode, Snapshot, SnapshotId, Value};

/// Runs the pass.
pub fn run(graph: &mut Graph) {
    for b in 0..graph.blocks.len() {
        let mut insts = std::mem::take(&mut graph.blocks[b].insts);
        let mut typed: FxHashMap<Value, SnapshotId> = FxHashMap::default();
        // From the end: what comes later is known.
        let mut implied = vec![];
        for &v in insts.iter().rev() {
            let inst = graph.inst(v);
            match inst.op {
                Opcode::GuardNotNil => {
                    let later = typed.get(&inst.args[0]).zip(inst.snapshot);
                    if later.is_some_and(|(&later, own)| same_state(graph, later, own)) {
                        implied.push(v);
                    }
                }
                Opcode::GuardInt
                | Opcode::GuardFloat
                | Opcode::GuardNumber
                | Opcode::GuardTable
                | Opcode::GuardString
                | Opcode::GuardFunction
                | Opcode::GuardBool => {
                    typed.extend(inst.snapshot.map(|s| (inst.args[0], s)));
                }
                Opcode::Poll => typed.clear(),
                _ if inst.op.writes() != 0 => typed.clear(),
                _ => {}
            }
        }
        insts.retain(|v| !implied.contains(v));
        graph.blocks[b].insts = insts;
    }
}

/// Whether the interpreter goes on in the same way from both.
fn same_state(graph: &Graph, a: SnapshotId, b: SnapshotId) -> bool {
    let state = |s: SnapshotId| {
        let Snapshot { slots, pc, base, proto, top, reason: _, site_pc: _, site_proto: _ } =
            &graph.snapshots[s.0 as usize];
        (slots, pc, base, proto, top)
    };
    state(a) == state(b)
}
