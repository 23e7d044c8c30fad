//! Control flow, loops and register liveness of one bytecode function.

use crate::bytecode::{Function, MAX_REGISTERS, Op, Word};
use rustc_hash::FxHashMap;

/// A set of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RegSet([u64; 4]);

impl RegSet {
    /// Adds `r`; registers beyond the frame are ignored.
    pub fn insert(&mut self, r: usize) {
        if r < 256 {
            self.0[r / 64] |= 1 << (r % 64);
        }
    }
    /// Adds `from .. to`.
    pub fn insert_range(&mut self, from: usize, to: usize) {
        let below = |n: usize| if n < 64 { (1u64 << n) - 1 } else { u64::MAX };
        for (i, word) in self.0.iter_mut().enumerate() {
            let [from, to] = [from, to.min(MAX_REGISTERS + 1)].map(|r| r.saturating_sub(i * 64));
            *word |= below(to) & !below(from);
        }
    }
    /// Membership.
    pub fn contains(&self, r: usize) -> bool {
        r < 256 && self.0[r / 64] >> (r % 64) & 1 != 0
    }
    /// Set union; true when `self` grew.
    pub fn union(&mut self, other: &RegSet) -> bool {
        let old = *self;
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
        *self != old
    }
    /// Set difference.
    pub fn minus(mut self, other: &RegSet) -> RegSet {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a &= !b);
        self
    }
    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(i, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let r = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                (r < 64).then_some(i * 64 + r)
            })
        })
    }
}

/// Which registers the instruction at `pc` reads and writes. A call writes its whole window and all
/// above it; a conditional write (`TESTSET`) counts as neither here but as an assignment in loops.
pub fn uses_defs(function: &Function, pc: usize) -> (RegSet, RegSet) {
    use crate::bytecode::{Format, Operand};
    let (mut uses, mut defs) = (RegSet::default(), RegSet::default());
    let word = Word(function.code[pc]);
    let op = function.op(pc);
    let (a, b, c) = (word.a() as usize, word.b() as usize, word.c() as usize);
    let top = MAX_REGISTERS + 1;
    let info = op.info();
    let fields = match info.format {
        Format::Abc => [a, b, c],
        Format::Ad => [a, 0, 0],
        Format::Sj => [0, 0, 0],
    };
    for (kind, r) in info.operands.iter().zip(fields) {
        match kind {
            Operand::Use => uses.insert(r),
            Operand::Def if op != Op::TestSet => defs.insert(r),
            Operand::Def
            | Operand::None
            | Operand::Window
            | Operand::Up
            | Operand::K
            | Operand::Imm
            | Operand::SImm
            | Operand::Flag
            | Operand::Func => {}
        }
    }
    match op {
        Op::LoadNil => defs.insert_range(a, a + b + 1),
        Op::SelfField => defs.insert_range(a, a + 3),
        Op::Concat => {
            uses.insert_range(a, a + b);
            defs.insert_range(a, a + b);
        }
        Op::Call => {
            uses.insert(a);
            uses.insert_range(a + 2, if b == 0 { top } else { a + 1 + b });
            defs.insert_range(a, top);
        }
        Op::TailCall => {
            uses.insert(a);
            uses.insert_range(a + 2, if b == 0 { top } else { a + 1 + b });
        }
        Op::Return => uses.insert_range(a, if b == 0 { top } else { a + b - 1 }),
        Op::ForPrep => {
            uses.insert_range(a, a + 3);
            defs.insert_range(a, a + 4);
        }
        Op::ForLoop => {
            uses.insert_range(a, a + 3);
            defs.insert(a);
            defs.insert(a + 3);
        }
        Op::TForPrep => uses.insert_range(a, a + 4),
        Op::TForCall => {
            uses.insert_range(a, a + 3);
            defs.insert_range(a + 4, top);
        }
        Op::TForLoop => {
            uses.insert(a + 4);
            uses.insert(a + 2);
            defs.insert(a + 2);
        }
        Op::SetList => {
            uses.insert(a);
            uses.insert_range(a + 1, if b == 0 { top } else { a + b + 1 });
        }
        Op::Vararg => defs.insert_range(a, if c == 0 { top } else { a + c - 1 }),
        _ => {}
    }
    (uses, defs)
}

/// A basic block of bytecode.
#[derive(Clone, Debug)]
pub struct BasicBlock {
    /// First word.
    pub start: usize,
    /// One past the last word.
    pub end: usize,
    /// Successor blocks (by index), fall-through first.
    pub succs: Vec<usize>,
}

/// A natural loop.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The header block.
    pub header: usize,
    /// Members, by block index.
    pub blocks: Vec<bool>,
    /// Registers assigned inside.
    pub assigned: RegSet,
    /// Whether it contains no other loop.
    pub innermost: bool,
}

/// The loop that an [`Analysis`] is limited to.
#[derive(Clone, Debug)]
pub struct LoopPart {
    /// Members, by block index.
    pub blocks: Vec<bool>,
    /// The loop is inside another.
    pub nested: bool,
}

/// The analysis of one function, as entered at one instruction.
#[derive(Debug)]
pub struct Analysis {
    /// The blocks.
    pub blocks: Vec<BasicBlock>,
    /// Block index by start word.
    pub block_at: FxHashMap<usize, usize>,
    /// Reverse postorder of the blocks reachable from the entry.
    pub order: Vec<usize>,
    /// Position in `order`, `usize::MAX` when unreachable.
    pub rank: Vec<usize>,
    /// Loops by header block.
    pub loops: Vec<Loop>,
    /// Live registers before each word that starts an instruction.
    pub live: Vec<RegSet>,
    /// Registers that closures may write or that the runtime holds addresses of: kept in memory.
    pub memory: RegSet,
    /// Registers that closures read but never write: stored as soon as written.
    pub write_through: RegSet,
    /// A jump enters a loop elsewhere than at its header.
    pub irreducible: bool,
    /// Tail calls that jump back to the start.
    pub self_tails: Vec<usize>,
    /// Only this loop was analysed: other blocks are neither in `order` nor in loops.
    pub part: Option<LoopPart>,
}

impl Analysis {
    /// Analyses `function` as entered at word `entry`.
    pub fn new(function: &Function, entry: usize) -> Analysis {
        Analysis::with_tails(function, entry, vec![])
    }

    /// The same, where the tail calls at `self_tails` are jumps to the start.
    pub fn with_tails(function: &Function, entry: usize, self_tails: Vec<usize>) -> Analysis {
        Analysis::analyse(function, entry, self_tails, None)
    }

    /// Analyses the loop of `function` whose header is at word `header`. Where there is no such loop
    /// (jumps enter it elsewhere), everything that is reachable from there.
    pub fn of_loop(function: &Function, header: usize) -> Analysis {
        let whole = Analysis::new(function, 0);
        let start = whole.block_at[&header];
        let part = match whole.loop_of(start) {
            Some(own) if !whole.irreducible => {
                let blocks = own.blocks.clone();
                let nested = whole.loops.iter().any(|l| l.header != start && l.blocks[start]);
                Some(LoopPart { blocks, nested })
            }
            _ => None,
        };
        Analysis::analyse(function, header, vec![], part)
    }

    fn analyse(
        function: &Function,
        entry: usize,
        self_tails: Vec<usize>,
        part: Option<LoopPart>,
    ) -> Analysis {
        let blocks = split(function);
        let block_at: FxHashMap<usize, usize> =
            blocks.iter().enumerate().map(|(i, b)| (b.start, i)).collect();
        let mut blocks = link(function, blocks, &block_at, &self_tails);
        let live = liveness(function, &blocks, &self_tails);
        if let Some(part) = &part {
            blocks.iter_mut().for_each(|b| b.succs.retain(|&s| part.blocks[s]));
        }
        let start = block_at[&entry];
        let order = postorder(&blocks, start);
        let mut rank = vec![usize::MAX; blocks.len()];
        order.iter().enumerate().for_each(|(i, &b)| rank[b] = i);
        let (memory, write_through) = captured(function);
        let idom = dominators(&blocks, &order, &rank);
        let (loops, irreducible) = find_loops(function, &blocks, &order, &rank, &idom);
        Analysis {
            blocks,
            block_at,
            order,
            rank,
            loops,
            live,
            memory,
            write_through,
            irreducible,
            self_tails,
            part,
        }
    }

    /// Whether registers are captured by closures, or kept in memory for another reason.
    pub fn captures(&self) -> bool {
        self.memory != RegSet::default() || self.write_through != RegSet::default()
    }

    /// Registers that reachable code reads or writes.
    pub fn touched(&self, function: &Function) -> RegSet {
        let mut touched = RegSet::default();
        for &b in &self.order {
            let mut pc = self.blocks[b].start;
            while pc < self.blocks[b].end {
                let (uses, defs) = uses_defs(function, pc);
                touched.union(&uses);
                touched.union(&defs);
                pc += function.op(pc).words();
            }
        }
        touched
    }

    /// The loop with this header block.
    pub fn loop_of(&self, header: usize) -> Option<&Loop> {
        self.loops.iter().find(|l| l.header == header)
    }
}

/// Where a jump instruction at `pc` leads.
pub fn jump_target(function: &Function, pc: usize) -> Option<usize> {
    use crate::bytecode::Extra;
    let op = function.op(pc);
    match op {
        Op::Jmp | Op::Loop => Some((pc as i64 + 1 + Word(function.code[pc]).j() as i64) as usize),
        Op::LFalseSkip => Some(pc + 2),
        _ if op.info().extra == Extra::Jump => {
            Some((pc as i64 + 2 + function.code[pc + 1] as i32 as i64) as usize)
        }
        _ => None,
    }
}

/// The `FORLOOP` that goes back to `header`.
pub fn for_loop_to(function: &Function, header: usize) -> Option<usize> {
    let mut pc = 0;
    while pc < function.code.len() {
        let op = function.op(pc);
        if op == Op::ForLoop && jump_target(function, pc) == Some(header) {
            return Some(pc);
        }
        pc += op.words();
    }
    None
}

/// Whether control never falls through `op`.
fn is_final(op: Op) -> bool {
    matches!(
        op,
        Op::Jmp
            | Op::Loop
            | Op::Return
            | Op::Return0
            | Op::Return1
            | Op::TailCall
            | Op::TForPrep
            | Op::LFalseSkip
    )
}

fn split(function: &Function) -> Vec<BasicBlock> {
    let n = function.code.len();
    let mut leader = vec![false; n + 1];
    leader[0] = true;
    let mut pc = 0;
    while pc < n {
        let op = function.op(pc);
        let next = pc + op.words();
        if let Some(target) = jump_target(function, pc) {
            leader[target] = true;
            leader[next] = true;
        }
        if is_final(op) {
            leader[next] = true;
        }
        pc = next;
    }
    let mut starts: Vec<usize> = (0..n).filter(|&pc| leader[pc]).collect();
    starts.push(n);
    starts.windows(2).map(|w| BasicBlock { start: w[0], end: w[1], succs: vec![] }).collect()
}

fn link(
    function: &Function,
    mut blocks: Vec<BasicBlock>,
    block_at: &FxHashMap<usize, usize>,
    self_tails: &[usize],
) -> Vec<BasicBlock> {
    for block in &mut blocks {
        let mut pc = block.start;
        let mut last = pc;
        while pc < block.end {
            last = pc;
            pc += function.op(pc).words();
        }
        let op = function.op(last);
        if !is_final(op) && block.end < function.code.len() {
            block.succs.push(block_at[&block.end]);
        }
        if let Some(target) = jump_target(function, last) {
            block.succs.push(block_at[&target]);
        }
        if self_tails.contains(&last) {
            block.succs.push(block_at[&0]);
        }
    }
    blocks
}

fn postorder(blocks: &[BasicBlock], start: usize) -> Vec<usize> {
    let mut seen = vec![false; blocks.len()];
    let mut order = vec![];
    let mut stack = vec![(start, 0)];
    seen[start] = true;
    while let Some((b, next)) = stack.pop() {
        // Visit the jump target first, so that fall-through code comes earlier in reverse postorder.
        let succs = &blocks[b].succs;
        if next < succs.len() {
            stack.push((b, next + 1));
            let s = succs[succs.len() - 1 - next];
            if !seen[s] {
                seen[s] = true;
                stack.push((s, 0));
            }
        } else {
            order.push(b);
        }
    }
    order.reverse();
    order
}

fn dominators(blocks: &[BasicBlock], order: &[usize], rank: &[usize]) -> Vec<usize> {
    let mut preds = vec![vec![]; blocks.len()];
    for &b in order {
        for &s in &blocks[b].succs {
            preds[s].push(b);
        }
    }
    let mut idom = vec![usize::MAX; blocks.len()];
    idom[order[0]] = order[0];
    let mut changed = true;
    while changed {
        changed = false;
        for &b in &order[1..] {
            let mut new = usize::MAX;
            for &p in &preds[b] {
                if idom[p] == usize::MAX {
                    continue;
                }
                new = if new == usize::MAX { p } else { intersect(&idom, rank, new, p) };
            }
            if idom[b] != new {
                idom[b] = new;
                changed = true;
            }
        }
    }
    idom
}

fn intersect(idom: &[usize], rank: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        while rank[a] > rank[b] {
            a = idom[a];
        }
        while rank[b] > rank[a] {
            b = idom[b];
        }
    }
    a
}

fn find_loops(
    function: &Function,
    blocks: &[BasicBlock],
    order: &[usize],
    rank: &[usize],
    idom: &[usize],
) -> (Vec<Loop>, bool) {
    let dominates = |a: usize, mut b: usize| loop {
        if a == b {
            return true;
        }
        if idom[b] == b {
            return false;
        }
        b = idom[b];
    };
    let mut preds = vec![vec![]; blocks.len()];
    for &b in order {
        for &s in &blocks[b].succs {
            preds[s].push(b);
        }
    }
    let mut loops: Vec<Loop> = vec![];
    let mut irreducible = false;
    for &h in order {
        let mut members = vec![false; blocks.len()];
        let mut work = vec![];
        for &p in &preds[h] {
            if rank[p] >= rank[h] {
                if dominates(h, p) {
                    work.push(p);
                } else {
                    irreducible = true;
                }
            }
        }
        if work.is_empty() {
            continue;
        }
        members[h] = true;
        while let Some(b) = work.pop() {
            if !members[b] {
                members[b] = true;
                work.extend(preds[b].iter().copied());
            }
        }
        let mut assigned = RegSet::default();
        for (b, block) in blocks.iter().enumerate().filter(|(b, _)| members[*b]) {
            debug_assert!(rank[b] != usize::MAX);
            let mut pc = block.start;
            while pc < block.end {
                assigned.union(&uses_defs(function, pc).1);
                let op = function.op(pc);
                if op == Op::TestSet {
                    assigned.insert(Word(function.code[pc]).a() as usize);
                }
                if op == Op::TailCall {
                    assigned.insert_range(0, MAX_REGISTERS + 1);
                }
                pc += op.words();
            }
        }
        loops.push(Loop { header: h, blocks: members, assigned, innermost: true });
    }
    let headers: Vec<usize> = loops.iter().map(|l| l.header).collect();
    for l in &mut loops {
        l.innermost = !headers.iter().any(|&h| h != l.header && l.blocks[h]);
    }
    (loops, irreducible)
}

/// Whether the function has instructions that call or allocate as a matter of course.
pub fn calls_or_allocates(function: &Function) -> bool {
    let mut pc = 0;
    while pc < function.code.len() {
        let op = function.op(pc);
        let plain = !matches!(
            op,
            Op::Call | Op::TailCall | Op::TForCall | Op::NewTable | Op::Closure | Op::Concat
        );
        if !plain {
            return true;
        }
        pc += op.words();
    }
    false
}

/// Whether closures capture registers of this function, or variables of it are to be closed.
pub fn captures(function: &Function) -> bool {
    let (memory, through) = captured(function);
    memory != RegSet::default() || through != RegSet::default()
}

fn captured(function: &Function) -> (RegSet, RegSet) {
    let (mut memory, mut through) = (RegSet::default(), RegSet::default());
    let mut pc = 0;
    while pc < function.code.len() {
        let word = Word(function.code[pc]);
        let op = function.op(pc);
        match op {
            Op::Closure => {
                for up in
                    function.functions[word.d() as usize].upvalues.iter().filter(|u| u.in_stack)
                {
                    let set = if up.constant { &mut through } else { &mut memory };
                    set.insert(up.index as usize);
                }
            }
            Op::Tbc => memory.insert(word.a() as usize),
            // The closing value of TFORPREP is stored there, and written no more.
            _ => {}
        }
        pc += op.words();
    }
    (memory, through)
}

fn liveness(function: &Function, blocks: &[BasicBlock], self_tails: &[usize]) -> Vec<RegSet> {
    let mut live = vec![RegSet::default(); function.code.len() + 1];
    let mut changed = true;
    while changed {
        changed = false;
        for block in blocks.iter().rev() {
            let mut set = RegSet::default();
            for &s in &block.succs {
                set.union(&live[blocks[s].start]);
            }
            let mut pcs = vec![];
            let mut pc = block.start;
            while pc < block.end {
                pcs.push(pc);
                pc += function.op(pc).words();
            }
            for &pc in pcs.iter().rev() {
                let (uses, defs) = uses_defs(function, pc);
                if self_tails.contains(&pc) {
                    set = RegSet::default(); // all registers begin anew
                }
                set = set.minus(&defs);
                set.union(&uses);
                changed |= live[pc].union(&set);
            }
        }
    }
    live
}
