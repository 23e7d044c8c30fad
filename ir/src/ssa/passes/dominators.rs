//! Dominators, reverse postorder and natural loops of a graph.

use smallvec::SmallVec;

use crate::ssa::{Block, Graph};

/// The dominator tree.
#[derive(Debug)]
pub struct Dominators {
    /// Reachable blocks in reverse postorder.
    pub order: Vec<u32>,
    /// Positions in a walk over the tree that visits a block before those that it dominates, which follow it:
    /// the block's own, and the end of theirs.
    span: Vec<(u32, u32)>,
    /// Predecessors of each block (reachable ones).
    pub preds: Vec<SmallVec<[u32; 4]>>,
}

const NONE: u32 = u32::MAX;

impl Dominators {
    /// Computes the tree (Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm).
    pub fn new(graph: &Graph) -> Dominators {
        let n = graph.blocks.len();
        let succs =
            |b: u32| graph.successors(Block(b)).map(|t| t.block.0).filter(move |&s| s < n as u32);
        let mut seen = vec![false; n];
        let mut order = vec![];
        let mut stack = vec![(0u32, succs(0))];
        seen[0] = true;
        while let Some((b, rest)) = stack.last_mut() {
            match rest.next_back() {
                Some(s) => {
                    if !seen[s as usize] {
                        seen[s as usize] = true;
                        stack.push((s, succs(s)));
                    }
                }
                None => {
                    order.push(*b);
                    stack.pop();
                }
            }
        }
        order.reverse();
        let mut rank = vec![NONE; n];
        order.iter().enumerate().for_each(|(i, &b)| rank[b as usize] = i as u32);
        let mut preds = vec![SmallVec::new(); n];
        for &b in &order {
            for s in succs(b) {
                preds[s as usize].push(b);
            }
        }
        let mut idom = vec![NONE; n];
        idom[0] = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for &b in &order[1..] {
                let mut new = NONE;
                for &p in &preds[b as usize] {
                    if idom[p as usize] == NONE {
                        continue;
                    }
                    new = if new == NONE { p } else { meet(&idom, &rank, new, p) };
                }
                if idom[b as usize] != new {
                    idom[b as usize] = new;
                    changed = true;
                }
            }
        }
        let span = spans(&order, &idom);
        Dominators { order, span, preds }
    }

    /// Whether control can reach `b`.
    pub fn is_reachable(&self, b: u32) -> bool {
        let (start, end) = self.span[b as usize];
        start < end
    }

    /// Whether every way to `b` passes `a`.
    pub fn dominates(&self, a: u32, b: u32) -> bool {
        let (start, end) = self.span[a as usize];
        self.is_reachable(b) && (start..end).contains(&self.span[b as usize].0)
    }
}

/// See [`Dominators::span`]. Empty for blocks that are not in `order`.
fn spans(order: &[u32], idom: &[u32]) -> Vec<(u32, u32)> {
    let mut size = vec![0u32; idom.len()];
    for &b in order.iter().rev() {
        size[b as usize] += 1;
        if b != order[0] {
            size[idom[b as usize] as usize] += size[b as usize];
        }
    }
    let mut span = vec![(0, 0); idom.len()];
    // Where the next block below each one begins.
    let mut next = vec![0u32; idom.len()];
    for &b in order {
        let start = if b == order[0] { 0 } else { next[idom[b as usize] as usize] };
        if b != order[0] {
            next[idom[b as usize] as usize] += size[b as usize];
        }
        span[b as usize] = (start, start + size[b as usize]);
        next[b as usize] = start + 1;
    }
    span
}

fn meet(idom: &[u32], rank: &[u32], mut a: u32, mut b: u32) -> u32 {
    while a != b {
        while rank[a as usize] > rank[b as usize] {
            a = idom[a as usize];
        }
        while rank[b as usize] > rank[a as usize] {
            b = idom[b as usize];
        }
    }
    a
}

/// A natural loop of the graph.
#[derive(Debug)]
pub struct NaturalLoop {
    /// Its header.
    pub header: u32,
    /// Membership by block.
    pub members: Vec<bool>,
    /// The blocks that jump back.
    pub latches: Vec<u32>,
}

/// What passes ask of the order of blocks. It holds until blocks or edges change.
#[derive(Debug)]
pub struct Flow {
    /// Dominators.
    pub doms: Dominators,
    /// Loops.
    pub nest: LoopNest,
}

impl Flow {
    /// Computes both.
    pub fn new(graph: &Graph) -> Flow {
        let doms = Dominators::new(graph);
        let nest = LoopNest::new(graph, &doms);
        Flow { doms, nest }
    }
}

/// All natural loops, innermost first.
#[derive(Debug)]
pub struct LoopNest {
    /// The loops.
    pub loops: Vec<NaturalLoop>,
}

impl LoopNest {
    /// Finds the loops.
    pub fn new(graph: &Graph, doms: &Dominators) -> LoopNest {
        let mut loops = vec![];
        for &h in &doms.order {
            let latches: Vec<u32> =
                doms.preds[h as usize].iter().copied().filter(|&p| doms.dominates(h, p)).collect();
            if latches.is_empty() {
                continue;
            }
            let mut members = vec![false; graph.blocks.len()];
            members[h as usize] = true;
            let mut work = latches.clone();
            while let Some(b) = work.pop() {
                if !members[b as usize] {
                    members[b as usize] = true;
                    work.extend(doms.preds[b as usize].iter().copied());
                }
            }
            loops.push(NaturalLoop { header: h, members, latches });
        }
        loops.sort_by_key(|l: &NaturalLoop| l.members.iter().filter(|m| **m).count());
        LoopNest { loops }
    }
}
