//! The passes over a unit, in the order of [`optimize`].

mod bounds;
mod dce;
mod dominators;
mod fold;
mod guards;
mod gvn;
mod licm;
mod phis;
mod polls;
mod widen;

pub use dominators::{Dominators, Flow, LoopNest};
pub use widen::RELIED_ON;

use super::{Graph, Terminator, Value};

/// Which passes run: one can be left out to find a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passes {
    /// Merge equal block parameters.
    pub phis: bool,
    /// Let floats through where integers are only wanted as floats.
    pub widen: bool,
    /// Value numbering: equal computations, loads and guards once; folding.
    pub gvn: bool,
    /// Loop-invariant code motion, guards included.
    pub licm: bool,
    /// Bounds checks in front of loops over ranges.
    pub bounds: bool,
    /// Guards that a later guard implies.
    pub guards: bool,
    /// Safepoints of counting loops once in many turns.
    pub polls: bool,
    /// Remove what nobody uses.
    pub dce: bool,
}

impl Default for Passes {
    fn default() -> Passes {
        let on = true;
        Passes {
            phis: on,
            widen: on,
            gvn: on,
            licm: on,
            bounds: on,
            guards: on,
            polls: on,
            dce: on,
        }
    }
}

/// Runs the passes.
///
/// # Panics
/// In debug builds, when the verifier finds a fault after a pass.
pub fn optimize(graph: &mut Graph, passes: &Passes) {
    let check = |graph: &Graph, pass: &str| {
        if cfg!(debug_assertions)
            && let Err(fault) = super::verify(graph)
        {
            panic!("after {pass}: {fault}\n{graph}");
        }
    };
    check(graph, "build");
    // Of the passes, only the one over safepoints makes blocks.
    let flow = Flow::new(graph);
    let mut run = |on: bool, name: &str, pass: &dyn Fn(&mut Graph)| {
        if on {
            pass(graph);
            check(graph, name);
        }
    };
    run(passes.phis, "phis", &phis::run);
    run(passes.widen, "widen", &widen::run);
    run(passes.gvn, "gvn", &|graph| gvn::run(graph, &flow));
    run(passes.licm, "licm", &|graph| licm::run(graph, &flow));
    run(passes.licm && passes.bounds, "bounds", &|graph| bounds::run(graph, &flow));
    run(passes.gvn && passes.licm, "gvn", &|graph| gvn::run(graph, &flow));
    run(passes.guards, "guards", &guards::run);
    run(passes.polls, "polls", &|graph| polls::run(graph, &flow));
    run(passes.phis, "phis", &phis::run);
    run(passes.dce, "dce", &dce::run);
}

/// Gives unreachable blocks an empty body, so that no pass has to look at half-built ones.
pub fn prune(graph: &mut Graph) {
    let doms = Dominators::new(graph);
    for b in 0..graph.blocks.len() {
        if !doms.is_reachable(b as u32) {
            graph.blocks[b].insts.clear();
            graph.blocks[b].params.clear();
            graph.blocks[b].terminator = Terminator::Open;
            graph.blocks[b].entry_snapshot = None;
            graph.blocks[b].preheader = None;
        }
    }
}

/// The block in which each value is defined; `u32::MAX` for values that are in none.
fn definitions(graph: &Graph) -> Vec<u32> {
    let mut block_of = vec![u32::MAX; graph.insts.len()];
    for (b, block) in graph.blocks.iter().enumerate() {
        for &v in block.params.iter().chain(&block.insts) {
            block_of[v.0 as usize] = b as u32;
        }
    }
    block_of
}

/// Removes the parameters of block `b` for which `keep` is false, and what jumps pass for them.
fn retain_params(graph: &mut Graph, b: usize, keep: &[bool]) {
    fn filter<T>(items: &mut Vec<T>, keep: &[bool]) {
        let mut flags = keep.iter();
        items.retain(|_| *flags.next().expect("a flag for each parameter"));
    }
    filter(&mut graph.blocks[b].params, keep);
    for from in &mut graph.blocks {
        let targets = match &mut from.terminator {
            Terminator::Jump(t) => [Some(t), None],
            Terminator::Branch { then, other, .. } => [Some(then), Some(other)],
            Terminator::Open
            | Terminator::Return(_)
            | Terminator::ReturnOpen(_)
            | Terminator::TailCall { .. }
            | Terminator::TailCallOpen { .. }
            | Terminator::Exit(_) => [None, None],
        };
        for t in targets.into_iter().flatten().filter(|t| t.block.0 as usize == b) {
            filter(&mut t.args, keep);
        }
    }
}

/// Replaces every use by `map`.
fn rewrite(graph: &mut Graph, map: impl Fn(Value) -> Value) {
    for inst in &mut graph.insts {
        inst.args.iter_mut().for_each(|v| *v = map(*v));
    }
    for snapshot in &mut graph.snapshots {
        for (_, slot) in &mut snapshot.slots {
            if let super::SlotValue::Value(v) = slot {
                *v = map(*v);
            }
        }
    }
    for b in 0..graph.blocks.len() {
        graph.map_terminator(super::Block(b as u32), &map);
    }
}
