//! Block parameters that need not be: all ways bring the same value, or another parameter always
//! brings the same as this one.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::ssa::{Block, Graph, Value};

/// Runs the pass. Parameters of the entry block stay.
pub fn run(graph: &mut Graph) {
    loop {
        let replace = replacements(graph);
        if replace.is_empty() {
            return;
        }
        let resolve = |mut v: Value| {
            let mut steps = 0;
            while let Some(&next) = replace.get(&v) {
                v = next;
                steps += 1;
                if steps > replace.len() {
                    break; // a cycle of parameters without a source: unreachable code
                }
            }
            v
        };
        super::rewrite(graph, resolve);
        for b in 1..graph.blocks.len() {
            let keep: Vec<bool> =
                graph.blocks[b].params.iter().map(|p| !replace.contains_key(p)).collect();
            if keep.iter().all(|k| *k) {
                continue;
            }
            super::retain_params(graph, b, &keep);
        }
    }
}

/// The parameters that need not be, with what stands for them.
fn replacements(graph: &Graph) -> FxHashMap<Value, Value> {
    let mut replace: FxHashMap<Value, Value> = FxHashMap::default();
    let mut incoming: Vec<SmallVec<[&[Value]; 4]>> = vec![SmallVec::new(); graph.blocks.len()];
    for b in 0..graph.blocks.len() {
        for t in graph.successors(Block(b as u32)) {
            incoming[t.block.0 as usize].push(&t.args);
        }
    }
    for (b, incoming) in incoming.iter().enumerate().skip(1) {
        let params = &graph.blocks[b].params;
        for (i, &p) in params.iter().enumerate() {
            let mut only = None;
            let mut several = false;
            for args in incoming {
                let a = args[i];
                if a == p || only == Some(a) {
                    continue;
                }
                several |= only.is_some();
                only = Some(a);
            }
            if let (false, Some(v)) = (several, only) {
                replace.insert(p, v);
                continue;
            }
            let twin = params[..i].iter().enumerate().find(|(j, q)| {
                graph.ty(**q) == graph.ty(p)
                    && incoming
                        .iter()
                        .all(|args| args[*j] == args[i] || (args[*j] == **q && args[i] == p))
            });
            if let Some((_, &q)) = twin {
                replace.insert(p, q);
            }
        }
    }
    replace
}
