//! Integers that are only wanted as floats: any number will do.
//!
//! In `x * 0.5` with an `x` that was an integer so far the builder guards that it is one and converts
//! it. The result is a float in any case, so the guard can let floats through as well: data that is
//! sometimes written `0` and sometimes `0.5` costs no exits and no second unit. Snapshots take the
//! boxed value that was guarded.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::exits::ExitReason;
use crate::ssa::{Block, Graph, Opcode, SlotValue, Type, Value};

/// The `imm` of a `GuardInt` whose type decided how something was built that does not use the integer as
/// one: what kind of element a list has, or that rounding changes nothing.
pub const RELIED_ON: u64 = 1;

/// Runs the pass.
pub fn run(graph: &mut Graph) {
    let wanted = candidates(graph);
    // Of no interest any more: equal guards are one.
    graph.insts.iter_mut().filter(|inst| inst.op == Opcode::GuardInt).for_each(|inst| inst.imm = 0);
    if wanted.is_empty() {
        return;
    }
    let mut replace: FxHashMap<Value, Value> = FxHashMap::default();
    for b in 0..graph.blocks.len() {
        let mut insts = std::mem::take(&mut graph.blocks[b].insts);
        insts.retain(|&v| {
            let inst = graph.inst(v);
            let Some(&guard) = inst.args.first().filter(|x| wanted.contains(x)) else {
                return true;
            };
            match inst.op {
                Opcode::IntToFloat => replace.insert(v, guard),
                Opcode::Box => replace.insert(v, graph.inst(guard).args[0]),
                _ => None, // of the checks, that it is an inline integer is one
            };
            false
        });
        graph.blocks[b].insts = insts;
    }
    for snapshot in &mut graph.snapshots {
        for (_, slot) in &mut snapshot.slots {
            if let SlotValue::Value(v) = slot
                && wanted.contains(v)
            {
                *v = graph.insts[v.0 as usize].args[0];
            }
        }
    }
    for &guard in &wanted {
        let inst = &mut graph.insts[guard.0 as usize];
        (inst.op, inst.ty) = (Opcode::GuardNumber, Type::Float);
    }
    super::rewrite(graph, |mut v| {
        while let Some(&next) = replace.get(&v) {
            v = next;
        }
        v
    });
}

/// Guards for inline integers whose uses are conversions to float, at least one, and such as boxing
/// that another number serves as well.
fn candidates(graph: &mut Graph) -> FxHashSet<Value> {
    let mut converted = FxHashSet::default();
    for &v in graph.blocks.iter().flat_map(|block| &block.insts) {
        let inst = graph.inst(v);
        if inst.op == Opcode::IntToFloat && is_plain(graph, inst.args[0]) {
            converted.insert(inst.args[0]);
        }
    }
    for &v in graph.blocks.iter().flat_map(|block| &block.insts) {
        let inst = graph.inst(v);
        if !matches!(inst.op, Opcode::IntToFloat | Opcode::Box | Opcode::GuardInt48) {
            for x in &inst.args {
                converted.remove(x);
            }
        }
    }
    for b in 0..graph.blocks.len() {
        graph.map_terminator(Block(b as u32), |v| {
            converted.remove(&v);
            v
        });
    }
    // Where the same value is needed as integer elsewhere, one guard serves both.
    let mut integers = FxHashSet::default();
    for &v in graph.blocks.iter().flat_map(|block| &block.insts) {
        let inst = graph.inst(v);
        if inst.op == Opcode::GuardInt && !converted.contains(&v) {
            integers.insert(inst.args[0]);
        }
    }
    converted.retain(|&v| !integers.contains(&graph.inst(v).args[0]));
    converted
}

/// Whether `v` is a guard that an inline integer passes, and that is there for its type alone.
fn is_plain(graph: &Graph, v: Value) -> bool {
    let inst = graph.inst(v);
    let reason = inst.snapshot.map(|s| graph.snapshots[s.0 as usize].reason);
    inst.op == Opcode::GuardInt
        && inst.aux == 0
        && inst.imm != RELIED_ON
        && matches!(
            reason,
            Some(ExitReason::TypeGuard | ExitReason::ResultGuard | ExitReason::EntryGuard)
        )
}
