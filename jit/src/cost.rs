//! What a compilation will cost, before it is done: large functions are left to the interpreter.
//!
//! Nothing interrupts a compilation, so none may take long. [`words`] is looked at before anything is done, and bounds
//! what the builder and the passes take; [`lowering`] of the optimised graph bounds what Cranelift takes. Both only
//! depend on the program and its profile, not on the machine or its load.

use perilune_ir::bytecode::{Function, Op};
use perilune_ir::ssa::build::jump_target;
use perilune_ir::ssa::{Block, Graph, Inst, Opcode, SlotValue, SnapshotId, Terminator, Value};

use crate::units::UnitKind;

/// Words of bytecode of the largest function or loop that is looked at: some 10 ms in the builder and the passes.
pub const MOST_WORDS: usize = 8_000;
/// The greatest cost of [`lowering`] that is accepted.
pub const MOST_LOWERING: u64 = 50_000;

/// Microseconds, at most, that an instruction of the graph costs in Cranelift.
const INST: u64 = 8;
/// The same of a block, with its share of the register allocator's work.
const BLOCK: u64 = 6;
/// The same of a value that a block is passed.
const PARAM: u64 = 4;
/// The same of a way out.
const EXIT: u64 = 4;
/// The same of a slot that a way out stores.
const SLOT: u64 = 2;
/// The same of an instruction that is made again in a way out.
const REPEATED: u64 = 12;

/// Words of bytecode that a unit is about: the function, or the loop with its header at a word.
pub fn words(function: &Function, kind: UnitKind) -> usize {
    match kind {
        UnitKind::Function => function.code.len(),
        UnitKind::Osr { pc } => loop_words(function, pc as usize),
    }
}

/// The length of the innermost loop around a loop's header. That of a generic loop is behind its body.
fn loop_words(function: &Function, header: usize) -> usize {
    let mut least = function.code.len();
    let mut own = 0;
    let mut pc = 0;
    while pc < function.code.len() {
        let op = function.op(pc);
        if matches!(op, Op::Loop | Op::ForLoop | Op::TForLoop)
            && let Some(start) = jump_target(function, pc)
            && (start..=pc).contains(&header)
        {
            least = least.min(pc - start);
            if start == header {
                own = own.max(pc - start);
            }
        }
        pc += op.words();
    }
    own.max(least)
}

/// Estimated cost of lowering a graph and compiling that.
pub fn lowering(graph: &Graph) -> u64 {
    let weights = weights(graph);
    let exit = |snapshot: SnapshotId| {
        let slots = &graph.snapshots[snapshot.0 as usize].slots;
        slots.iter().fold(EXIT, |cost, (_, slot)| {
            let repeated = match slot {
                SlotValue::Value(v) => REPEATED * weights[v.0 as usize],
                SlotValue::Bits(_) => 0,
            };
            cost + SLOT + repeated
        })
    };
    let mut cost = 0u64;
    for (b, block) in graph.blocks.iter().enumerate() {
        cost += BLOCK + PARAM * block.params.len() as u64 + INST * block.insts.len() as u64;
        let snapshots = block.insts.iter().filter_map(|&v| graph.inst(v).snapshot);
        for snapshot in snapshots.chain(graph.terminator_snapshot(Block(b as u32))) {
            cost = cost.saturating_add(exit(snapshot));
        }
    }
    cost
}

/// For each value the instructions that Cranelift will make again in every exit that stores it, since nothing else
/// needs it before: it computes a pure operation where its result is used. A sum that each statement adds to is
/// computed from its start by each exit.
fn weights(graph: &Graph) -> Vec<u64> {
    let mut needed = vec![false; graph.insts.len()];
    for block in &graph.blocks {
        for &v in &block.insts {
            let inst = graph.inst(v);
            if !is_pure(inst) {
                inst.args.iter().for_each(|a| needed[a.0 as usize] = true);
            }
        }
        let mut need = |v: &Value| needed[v.0 as usize] = true;
        match &block.terminator {
            Terminator::Jump(to) => to.args.iter().for_each(need),
            Terminator::Branch { cond, then, other } => {
                need(cond);
                then.args.iter().chain(&other.args).for_each(need);
            }
            Terminator::Return(values) => values.iter().for_each(need),
            Terminator::TailCall { args, .. } => args.iter().for_each(need),
            Terminator::Open
            | Terminator::ReturnOpen(_)
            | Terminator::TailCallOpen { .. }
            | Terminator::Exit(_) => {}
        }
    }
    let mut weights = vec![0u64; graph.insts.len()];
    for (v, inst) in graph.insts.iter().enumerate() {
        if is_pure(inst) && !needed[v] {
            let below = inst.args.iter().filter(|a| (a.0 as usize) < v);
            let below = below.fold(1u64, |sum, a| sum.saturating_add(weights[a.0 as usize]));
            weights[v] = below.min(MOST_LOWERING);
        }
    }
    weights
}

/// Whether Cranelift may compute it anywhere.
fn is_pure(inst: &Inst) -> bool {
    let anywhere = inst.op != Opcode::Param && !inst.op.is_guard();
    anywhere && inst.snapshot.is_none() && inst.op.reads() == 0 && inst.op.writes() == 0
}
