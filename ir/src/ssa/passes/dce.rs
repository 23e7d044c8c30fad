//! Dead code: after the pass every instruction is pinned or used.

use crate::ssa::{Graph, SlotValue, SnapshotId, Terminator, Value};

/// Runs the pass.
pub fn run(graph: &mut Graph) {
    let mut live = vec![false; graph.insts.len()];
    let mut work: Vec<Value> = vec![];
    let of_snapshot = |graph: &Graph, s: SnapshotId, work: &mut Vec<Value>| {
        for (_, slot) in &graph.snapshots[s.0 as usize].slots {
            if let SlotValue::Value(v) = slot {
                work.push(*v);
            }
        }
    };
    for block in &graph.blocks {
        work.extend(block.insts.iter().copied().filter(|&v| graph.inst(v).op.is_pinned()));
        match &block.terminator {
            Terminator::Branch { cond, .. } => work.push(*cond),
            Terminator::Return(values) => work.extend(values),
            Terminator::TailCall { callee, pointer, args } => {
                work.extend(args.iter().chain([callee, pointer]));
            }
            Terminator::Exit(s) => of_snapshot(graph, *s, &mut work),
            Terminator::TailCallOpen { callee, pointer, .. } => work.extend([callee, pointer]),
            Terminator::Open | Terminator::Jump(_) | Terminator::ReturnOpen(_) => {}
        }
    }
    // Arguments of jumps are live when the parameter is.
    let mut param_args: Vec<Vec<Value>> = vec![vec![]; graph.insts.len()];
    for b in 0..graph.blocks.len() {
        for target in graph.successors(crate::ssa::Block(b as u32)) {
            let params = &graph.blocks[target.block.0 as usize].params;
            for (&p, &a) in params.iter().zip(&target.args) {
                param_args[p.0 as usize].push(a);
            }
        }
    }
    while let Some(v) = work.pop() {
        if std::mem::replace(&mut live[v.0 as usize], true) {
            continue;
        }
        let inst = graph.inst(v);
        work.extend(&inst.args);
        work.extend(&param_args[v.0 as usize]);
        if let Some(s) = inst.snapshot {
            of_snapshot(graph, s, &mut work);
        }
    }
    for b in 0..graph.blocks.len() {
        graph.blocks[b].insts.retain(|v| live[v.0 as usize]);
        if b == 0 {
            continue; // the entry's parameters are the unit's signature
        }
        let keep: Vec<bool> = graph.blocks[b].params.iter().map(|p| live[p.0 as usize]).collect();
        if keep.iter().all(|k| *k) {
            continue;
        }
        super::retain_params(graph, b, &keep);
    }
}
