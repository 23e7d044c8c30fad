//! Bytecode and profile → SSA.
//!
//! The builder interprets a function abstractly, block by block in reverse postorder, holding for
//! every VM stack slot the SSA value it contains ([`State::slots`]) and the one that memory is known
//! to contain ([`State::mem`]). A snapshot lists the live slots where the two differ.
//!
//! Loop headers get a parameter for every live slot that the loop assigns. Its type is that of the
//! value on entry; when a back-edge brings another type, [`Hints`] remembers what to do instead
//! (peel the first iteration, or box) and the unit is built anew. Hints only ever grow coarser, so
//! this ends.
//!
//! Inlined functions are built in place, their registers at the slots they would have anyway; their
//! header slots are constants of the state like any other.
//!
//! Registers that closures may assign live in memory: read by loads, written by stores.

mod access;
mod arith;
mod calls;
mod cfg;
mod closing;
mod constants;
mod control;
mod intrinsics;
mod iterate;
mod operators;
mod ops;
mod varargs;

use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::bytecode::NO_FEEDBACK;
use crate::encoding::{self, types};
use crate::exits::ExitReason;
use smallvec::SmallVec;

use crate::profile::{Profile, Site};

use super::{
    Block, Cond, Entry, Graph, Opcode, SlotValue, Snapshot, SnapshotId, Target, Terminator, Type,
    Value,
};
pub use calls::typed_entry;
pub use cfg::{Analysis, RegSet, for_loop_to, jump_target, uses_defs};

/// Integers, some of which do not fit 48 bits. (Other objects have the same bit: a guard tells.)
const WIDE_INT: u16 = types::INT | types::OTHER;

/// The immediate of a call whose arguments reach up to `Vm::top`.
pub const OPEN: u64 = u64::MAX;

/// What the builder may assume and how far it may go.
#[derive(Clone, Debug)]
pub struct Options {
    /// Words of bytecode that may be inlined into one unit.
    pub inline_budget: usize,
    /// Words of the largest function that is inlined.
    pub inline_size: usize,
    /// Depth of inlining.
    pub inline_depth: usize,
    /// Emit polls at back-edges.
    pub polls: bool,
    /// The constant upvalue that holds the function itself, for typed entries.
    pub own_upvalue: Option<u32>,
    /// The mark that says that the unit relies on what holds no more; `None`: nobody will.
    pub mark: Option<u8>,
    /// Keep every register in memory, and leave behind calls that set hooks: for programs that look at
    /// locals of running functions or set hooks.
    pub locals_in_memory: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            inline_budget: 200,
            inline_size: 80,
            inline_depth: 4,
            polls: true,
            own_upvalue: None,
            mark: None,
            locals_in_memory: false,
        }
    }
}

/// What earlier attempts at a unit have taught.
#[derive(Debug, Default)]
struct Hints {
    /// Loop headers (path, block) whose first iteration is peeled.
    peel: FxHashSet<(u32, usize)>,
    /// Slots (path, header block, instance, slot) whose parameter is boxed, and the types it takes.
    boxed: FxHashMap<(u32, usize, u32, i32), u16>,
}

/// What is known of every slot at one point.
#[derive(Clone, Debug)]
struct State {
    /// The value of slot `i - 2`, or `None` when undefined.
    slots: Vec<Option<Value>>,
    /// The value known to be in memory there.
    mem: Vec<Option<Value>>,
    /// The state before the first instruction behind the last effect, or behind a merge: executing what
    /// follows it again changes nothing, so guards leave with it.
    anchor: Option<Rc<Snapshot>>,
    /// Something may have run that changed variables, since the unit's mark was looked at.
    called: bool,
}

/// One way into a block that is not built yet.
#[derive(Clone, Debug)]
struct Incoming {
    from: Block,
    /// 0: jump or `then`; 1: `other`.
    arm: usize,
    state: State,
}

/// A header's parameters, while its loop is being built.
#[derive(Clone, Debug)]
struct LoopHead {
    block: Block,
    /// Slot of each parameter.
    slots: Vec<i32>,
}

/// A copy of the blocks of a function: instance 0, or the peeled first iteration of a loop.
#[derive(Clone, Debug)]
struct Instance {
    /// The loop that is peeled and the instance around it.
    peeled: Option<(usize, u32)>,
    members: Rc<Vec<bool>>,
}

/// A function being built: the unit's own, or an inlined one.
struct Frame {
    profile: Arc<Profile>,
    analysis: Rc<Analysis>,
    /// Slot of register 0, relative to the unit's base.
    base: i32,
    /// Identifies the chain of call sites for [`Hints`].
    path: u32,
    /// The callee value, boxed.
    callee: Value,
    /// Its pointer.
    closure: Value,
    incoming: FxHashMap<(usize, u32), Vec<Incoming>>,
    heads: FxHashMap<(usize, u32), LoopHead>,
    instances: Vec<Instance>,
    instance: u32,
    /// For inlined frames.
    inline: Option<InlineSite>,
    /// Instruction being translated.
    pc: usize,
}

/// Where an inlined function returns to.
struct InlineSite {
    /// Results wanted.
    wanted: usize,
    /// Slot of the first result.
    dest: i32,
    /// Ways to the continuation.
    returns: Vec<Incoming>,
    /// The caller's live slots below the call window, after the call.
    live_below: Vec<i32>,
}

/// The builder of one attempt.
struct Builder<'a> {
    graph: Graph,
    options: &'a Options,
    hints: &'a mut Hints,
    retry: bool,
    frames: Vec<Frame>,
    state: State,
    cur: Block,
    /// True while the current block has no end yet.
    open: bool,
    /// Types expected of boxed values.
    expect: FxHashMap<Value, u16>,
    snapshot_cache: FxHashMap<Snapshot, SnapshotId>,
    /// The anchor with which control arrives at a block that is not built yet: none when there are several.
    anchors: FxHashMap<Block, Option<Rc<Snapshot>>>,
    budget: usize,
    /// After a call for "all results" whose number is known: the first one's register, and how many.
    open_results: Option<(usize, usize)>,
    /// What `open_results` becomes once the call at hand is made.
    opening: Option<(usize, usize)>,
    /// Where translation goes on when an instruction was translated together with those behind it.
    go_on_at: Option<usize>,
    /// The instruction at hand has called something by now: executing it again would repeat that.
    ran: bool,
    self_entry: Option<(Vec<Type>, Type)>,
    /// Where a variable is read that is taken for constant: block and number of instructions before.
    relied_at: Vec<(Block, usize)>,
}

/// Builds the unit of `profile` entered as `entry` says. `slot_types` gives the observed types of the
/// registers at a loop entry (empty for the other kinds).
pub fn build(
    profile: &Arc<Profile>,
    entry: &Entry,
    slot_types: &[u16],
    options: &Options,
) -> Graph {
    let mut hints = Hints::default();
    loop {
        let mut builder = Builder::new(profile, entry, options, &mut hints);
        builder.run(slot_types);
        if !builder.retry {
            builder.drop_idle_checks();
            let mut graph = builder.graph;
            super::passes::prune(&mut graph);
            return graph;
        }
    }
}

/// Whether two anchors are one.
fn is_same_anchor(a: Option<&Rc<Snapshot>>, b: Option<&Rc<Snapshot>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Rc::ptr_eq(a, b),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

impl<'a> Builder<'a> {
    fn new(
        profile: &Arc<Profile>,
        entry: &Entry,
        options: &'a Options,
        hints: &'a mut Hints,
    ) -> Builder<'a> {
        let self_entry = match entry {
            Entry::Typed { params, result } => Some((params.clone(), *result)),
            Entry::Function | Entry::Loop { .. } => None,
        };
        let graph = Graph {
            entry: entry.clone(),
            insts: vec![],
            blocks: vec![],
            snapshots: vec![],
            frame_slots: profile.function.max_stack as u32,
            proto: profile.proto,
            own_upvalue: options.own_upvalue.filter(|_| self_entry.is_some()),
            inlined: vec![],
            relied: vec![],
        };
        let mut builder = Builder {
            graph,
            options,
            hints,
            retry: false,
            frames: vec![],
            state: State { slots: vec![], mem: vec![], anchor: None, called: false },
            anchors: FxHashMap::default(),
            cur: Block(0),
            open: true,
            expect: FxHashMap::default(),
            snapshot_cache: FxHashMap::default(),
            budget: options.inline_budget,
            open_results: None,
            opening: None,
            go_on_at: None,
            ran: false,
            self_entry,
            relied_at: vec![],
        };
        builder.cur = builder.new_block();
        let start = match entry {
            Entry::Loop { pc } => *pc as usize,
            Entry::Function | Entry::Typed { .. } => 0,
        };
        let callee = builder.emit(Opcode::LoadSlot, Type::Any, &[], 0, -2i32 as u32);
        let closure = builder.emit(Opcode::GuardFunction, Type::Func, &[callee], 0, 1);
        builder.push_frame(profile.clone(), start, 0, 0, callee, closure, None);
        builder
    }

    #[allow(clippy::too_many_arguments)]
    fn push_frame(
        &mut self,
        profile: Arc<Profile>,
        start: usize,
        base: i32,
        path: u32,
        callee: Value,
        closure: Value,
        inline: Option<InlineSite>,
    ) {
        let tails =
            if inline.is_none() && start == 0 { calls::self_tail_calls(&profile) } else { vec![] };
        let mut analysis = match self.graph.entry {
            Entry::Loop { .. } if inline.is_none() => Analysis::of_loop(&profile.function, start),
            Entry::Loop { .. } | Entry::Function | Entry::Typed { .. } => {
                Analysis::with_tails(&profile.function, start, tails)
            }
        };
        if self.options.locals_in_memory {
            analysis.memory.insert_range(0, 256);
        }
        for (register, variable) in &profile.captured {
            // What was changed from outside may be again.
            let register = usize::from(*register);
            if !variable.constant && analysis.write_through.contains(register) {
                analysis.memory.insert(register);
            }
        }
        let analysis = Rc::new(analysis);
        let extent = base + profile.function.max_stack as i32;
        self.graph.frame_slots = self.graph.frame_slots.max(extent as u32);
        let size = (extent + 2) as usize;
        if self.state.slots.len() < size {
            self.state.slots.resize(size, None);
            self.state.mem.resize(size, None);
        }
        self.frames.push(Frame {
            profile,
            analysis,
            base,
            path,
            callee,
            closure,
            incoming: FxHashMap::default(),
            heads: FxHashMap::default(),
            instances: vec![Instance { peeled: None, members: Rc::new(vec![]) }],
            instance: 0,
            inline,
            pc: start,
        });
    }

    fn frame(&self) -> &Frame {
        self.frames.last().expect("a frame is being built")
    }
    fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a frame is being built")
    }

    // ---- emitting ----

    fn new_block(&mut self) -> Block {
        self.graph.new_block()
    }

    fn make(&mut self, op: Opcode, ty: Type, args: &[Value], imm: u64, aux: u32) -> Value {
        self.graph.new_inst(op, ty, args, imm, aux)
    }

    /// One more parameter of a block.
    fn param(&mut self, block: Block, ty: Type) -> Value {
        let param = self.make(Opcode::Param, ty, &[], 0, 0);
        self.graph.blocks[block.0 as usize].params.push(param);
        param
    }

    fn emit(&mut self, op: Opcode, ty: Type, args: &[Value], imm: u64, aux: u32) -> Value {
        if op.writes() != 0 || op == Opcode::Poll {
            self.state.anchor = None;
        }
        // Only what may run code of the program writes everything.
        self.ran |= op.writes() == super::effect::ALL;
        self.state.called |= self.may_change_variables(op);
        let v = self.make(op, ty, args, imm, aux);
        self.graph.blocks[self.cur.0 as usize].insts.push(v);
        v
    }

    /// A plain operation without immediates.
    fn op(&mut self, op: Opcode, ty: Type, args: &[Value]) -> Value {
        self.emit(op, ty, args, 0, 0)
    }

    fn guard(&mut self, op: Opcode, ty: Type, args: &[Value], imm: u64, why: ExitReason) -> Value {
        let snapshot = self.snapshot(why);
        let v = self.emit(op, ty, args, imm, 0);
        self.graph.insts[v.0 as usize].snapshot = Some(snapshot);
        v
    }

    fn int(&mut self, i: i64) -> Value {
        self.emit(Opcode::ConstInt, Type::Int, &[], i as u64, 0)
    }
    fn float(&mut self, x: f64) -> Value {
        self.emit(Opcode::ConstFloat, Type::Float, &[], encoding::float(x), 0)
    }
    fn bits(&mut self, bits: u64) -> Value {
        self.emit(Opcode::ConstBits, Type::Any, &[], bits, 0)
    }
    fn raw(&mut self, word: u64) -> Value {
        self.emit(Opcode::ConstRaw, Type::Raw, &[], word, 0)
    }
    fn bool(&mut self, b: bool) -> Value {
        self.emit(Opcode::ConstBool, Type::Bool, &[], b as u64, 0)
    }

    fn terminate(&mut self, t: Terminator) {
        debug_assert!(self.open);
        self.graph.blocks[self.cur.0 as usize].terminator = t;
        let targets = self.graph.successors(self.cur).map(|target| target.block);
        let targets: SmallVec<[Block; 2]> = targets.collect();
        targets.into_iter().for_each(|block| self.note_anchor(block));
        self.open = false;
    }

    /// Control arrives at `block` with the current anchor.
    fn note_anchor(&mut self, block: Block) {
        let anchor = self.state.anchor.clone();
        let known = self.anchors.entry(block).or_insert_with(|| anchor.clone());
        if !is_same_anchor(known.as_ref(), anchor.as_ref()) {
            *known = None;
        }
    }

    /// Ends the block with a branch on `cond`, and answers the new blocks for true and for false.
    fn fork(&mut self, cond: Value) -> (Block, Block) {
        let (yes, no) = (self.new_block(), self.new_block());
        let plain = |block| Target { block, args: vec![] };
        self.terminate(Terminator::Branch { cond, then: plain(yes), other: plain(no) });
        (yes, no)
    }

    /// Continues in `block`, to which all jumps exist but those back.
    fn enter(&mut self, block: Block) {
        self.state.anchor = self.anchors.remove(&block).flatten();
        self.cur = block;
        self.open = true;
    }

    fn ty(&self, v: Value) -> Type {
        self.graph.ty(v)
    }

    // ---- slots ----

    fn index(slot: i32) -> usize {
        (slot + 2) as usize
    }

    fn slot_of(&self, reg: usize) -> i32 {
        self.frame().base + reg as i32
    }

    /// Whether the register's home is memory.
    fn is_memory(&self, reg: usize) -> bool {
        let a = &self.frame().analysis;
        a.memory.contains(reg) || a.irreducible
    }

    /// The value of a register.
    fn get(&mut self, reg: usize) -> Value {
        let slot = self.slot_of(reg);
        if self.is_memory(reg) {
            return self.emit(Opcode::LoadShared, Type::Any, &[], 0, slot as u32);
        }
        if self.frame().analysis.write_through.contains(reg) {
            let captured = self.frame().profile.captured.iter();
            let variable = captured.clone().find(|c| usize::from(c.0) == reg).map(|c| c.1.number);
            self.rely(variable);
        }
        match self.state.slots[Self::index(slot)] {
            Some(v) => v,
            None => {
                // Defined on no path that was built, or left in memory by an open call.
                let v = self.emit(Opcode::LoadSlot, Type::Any, &[], 0, slot as u32);
                self.state.slots[Self::index(slot)] = Some(v);
                self.state.mem[Self::index(slot)] = Some(v);
                v
            }
        }
    }

    /// Assigns a register.
    fn set(&mut self, reg: usize, v: Value) {
        let slot = self.slot_of(reg);
        if self.is_memory(reg) {
            let boxed = self.boxed(v);
            self.emit(Opcode::StoreShared, Type::None, &[boxed], 0, slot as u32);
            self.state.slots[Self::index(slot)] = None;
            self.state.mem[Self::index(slot)] = None;
            return;
        }
        self.state.slots[Self::index(slot)] = Some(v);
        if self.frame().analysis.write_through.contains(reg) {
            self.store(slot);
        }
    }

    /// Brings the memory of a slot up to date.
    fn store(&mut self, slot: i32) {
        let i = Self::index(slot);
        let Some(v) = self.state.slots[i] else { return };
        if self.state.mem[i] == Some(v) {
            return;
        }
        let boxed = self.boxed(v);
        self.emit(Opcode::StoreSlot, Type::None, &[boxed], 0, slot as u32);
        self.state.mem[i] = Some(v);
    }

    /// Reloads a register that the runtime has written.
    fn reload(&mut self, reg: usize, expect: u16) -> Value {
        let slot = self.slot_of(reg);
        let v = self.emit(Opcode::LoadSlot, Type::Any, &[], 0, slot as u32);
        self.expect.insert(v, expect);
        if !self.is_memory(reg) {
            self.state.slots[Self::index(slot)] = Some(v);
            self.state.mem[Self::index(slot)] = Some(v);
        }
        v
    }

    /// Forgets what memory holds from `slot` upwards (a callee's frame was there), and the values.
    fn clobber_from(&mut self, slot: i32) {
        self.open_results = self.opening.take();
        for i in Self::index(slot)..self.state.slots.len() {
            self.state.slots[i] = None;
            self.state.mem[i] = None;
        }
    }

    fn boxed(&mut self, v: Value) -> Value {
        match self.ty(v) {
            Type::Any => v,
            Type::Int | Type::Float | Type::Bool | Type::Table | Type::Str | Type::Func => {
                let inst = self.graph.inst(v);
                match inst.op {
                    Opcode::ConstInt => {
                        if let Some(bits) = encoding::inline_int(inst.imm as i64) {
                            return self.bits(bits);
                        }
                    }
                    Opcode::ConstBool => {
                        let bits = if inst.imm != 0 { encoding::TRUE } else { encoding::FALSE };
                        return self.bits(bits);
                    }
                    Opcode::ConstFloat => {
                        let bits = inst.imm;
                        return self.bits(bits);
                    }
                    Opcode::GuardTable | Opcode::GuardFunction | Opcode::GuardString => {
                        return inst.args[0];
                    }
                    _ => {}
                }
                self.op(Opcode::Box, Type::Any, &[v])
            }
            Type::None | Type::Raw => unreachable!("{v} is no Lua value"),
        }
    }

    /// Stores what the collector must see before Lua or the runtime runs, except the registers from
    /// `below` of the innermost frame upwards (dead, or operands that are stored apart).
    fn flush(&mut self, below: usize) {
        let mut slots = self.live_slots(self.frame().pc);
        let limit = self.slot_of(below);
        slots.retain(|&s| s < limit);
        for slot in slots {
            let i = Self::index(slot);
            if let Some(v) = self.state.slots[i]
                && self.ty(v).is_collectable()
                && (self.is_header(slot) || !self.is_rooted(v))
            {
                self.store(slot);
            }
        }
    }

    /// Whether the slot is the callee or the link of a frame, which the runtime reads.
    fn is_header(&self, slot: i32) -> bool {
        self.frames.iter().any(|f| slot == f.base - 2 || slot == f.base - 1)
    }

    /// Whether something else than a slot keeps the value: the unit, or the function that runs.
    fn is_rooted(&self, v: Value) -> bool {
        let inst = self.graph.inst(v);
        inst.op == Opcode::ConstBits || v == self.frames[0].callee
    }

    /// Live slots of all frames when the innermost is about to execute `pc`, headers included.
    fn live_slots(&self, pc: usize) -> Vec<i32> {
        let frame = self.frame();
        let mut slots: Vec<i32> = vec![];
        for f in &self.frames {
            if let Some(site) = &f.inline {
                if slots.contains(&(f.base - 1)) {
                    continue; // took the place of the frame before it by a tail call
                }
                slots.extend_from_slice(&site.live_below);
                slots.extend([f.base - 2, f.base - 1]);
            }
        }
        let memory = &frame.analysis.memory;
        if !frame.analysis.irreducible {
            let registers = frame.profile.function.max_stack as usize;
            slots.extend(
                frame.analysis.live[pc]
                    .iter()
                    .filter(|&r| r < registers && !memory.contains(r))
                    .map(|r| frame.base + r as i32),
            );
        }
        slots
    }

    // ---- snapshots ----

    /// Guards from here on leave to the instruction at `pc`, or to one before it.
    fn go_behind(&mut self, pc: usize) {
        self.frame_mut().pc = pc;
        self.ran = false;
    }

    /// For a guard of the current instruction: a state from which executing on comes to the same.
    fn snapshot(&mut self, reason: ExitReason) -> SnapshotId {
        let pc = self.frame().pc;
        let anchor = match &self.state.anchor {
            Some(anchor) => anchor.clone(),
            None => {
                debug_assert!(!self.ran, "leaving to {pc} would repeat what was called there");
                let anchor = Rc::new(self.state_at(pc, reason));
                self.state.anchor = Some(anchor.clone());
                anchor
            }
        };
        let site_proto = self.frame().profile.proto;
        self.add_snapshot(Snapshot { reason, site_pc: pc as u32, site_proto, ..(*anchor).clone() })
    }

    /// The current state, to go on at `pc`.
    fn snapshot_at(&mut self, pc: usize, reason: ExitReason) -> SnapshotId {
        let snapshot = self.state_at(pc, reason);
        self.add_snapshot(snapshot)
    }

    fn state_at(&self, pc: usize, reason: ExitReason) -> Snapshot {
        let mut slots = vec![];
        for slot in self.live_slots(pc) {
            let i = Self::index(slot);
            let Some(v) = self.state.slots[i] else { continue };
            if self.state.mem[i] == Some(v) || self.is_written_through(slot) {
                continue;
            }
            slots.push((slot, self.slot_value(v)));
        }
        let frame = self.frame();
        let proto = frame.profile.proto;
        let top = self.open_results.map(|(reg, count)| self.slot_of(reg + count));
        Snapshot {
            top,
            slots,
            pc: pc as u32,
            base: frame.base,
            proto,
            reason,
            site_pc: pc as u32,
            site_proto: proto,
        }
    }

    fn add_snapshot(&mut self, snapshot: Snapshot) -> SnapshotId {
        if let Some(&id) = self.snapshot_cache.get(&snapshot) {
            return id;
        }
        let id = SnapshotId(self.graph.snapshots.len() as u32);
        self.graph.snapshots.push(snapshot.clone());
        self.snapshot_cache.insert(snapshot, id);
        id
    }

    fn slot_value(&self, v: Value) -> SlotValue {
        let inst = self.graph.inst(v);
        match inst.op {
            Opcode::ConstBits => SlotValue::Bits(inst.imm),
            Opcode::ConstFloat => SlotValue::Bits(inst.imm),
            Opcode::ConstBool => {
                SlotValue::Bits(if inst.imm != 0 { encoding::TRUE } else { encoding::FALSE })
            }
            Opcode::ConstInt => match encoding::inline_int(inst.imm as i64) {
                Some(bits) => SlotValue::Bits(bits),
                None => SlotValue::Value(v),
            },
            _ => SlotValue::Value(v),
        }
    }

    // ---- the profile ----

    fn blocked(&self, reason: ExitReason) -> bool {
        self.frame().profile.is_blocked(self.frame().pc as u32, reason)
    }

    fn site(&self, feedback: u16) -> Site {
        if feedback == NO_FEEDBACK {
            return Site::default();
        }
        self.frame().profile.site(feedback).clone()
    }

    fn expected(&self, v: Value) -> u16 {
        match self.ty(v) {
            Type::Int => types::INT,
            Type::Float => types::FLOAT,
            Type::Bool => types::FALSE | types::TRUE,
            Type::Table => types::TABLE,
            Type::Str => types::STRING,
            Type::Func => types::FUNCTION,
            Type::Any | Type::Raw | Type::None => {
                let inst = self.graph.inst(v);
                if inst.op == Opcode::ConstBits {
                    return match inst.imm {
                        encoding::NIL => types::NIL,
                        encoding::FALSE => types::FALSE,
                        encoding::TRUE => types::TRUE,
                        bits => match bits >> encoding::TAG_SHIFT {
                            encoding::TAG_INT => types::INT,
                            encoding::TAG_STRING => types::STRING,
                            encoding::TAG_TABLE => types::TABLE,
                            encoding::TAG_FUNCTION => types::FUNCTION,
                            encoding::TAG_OTHER => types::OTHER,
                            encoding::TAG_LIGHT => types::LIGHT,
                            _ => types::FLOAT,
                        },
                    };
                }
                self.expect.get(&v).copied().unwrap_or(0)
            }
        }
    }

    /// Narrows a freshly read value to the one numeric type that was ever seen there.
    fn narrow(&mut self, v: Value, seen: u16) -> Value {
        self.narrow_or_leave(v, seen, ExitReason::ResultGuard)
    }

    /// The same for what is there on entry.
    fn narrow_entry(&mut self, v: Value, seen: u16) -> Value {
        self.narrow_or_leave(v, seen, ExitReason::EntryGuard)
    }

    fn narrow_or_leave(&mut self, v: Value, seen: u16, why: ExitReason) -> Value {
        self.expect.insert(v, seen);
        if self.ty(v) != Type::Any {
            return v;
        }
        if self.blocked(why) {
            // It was something else too often.
            if matches!(seen, types::INT | types::FLOAT) {
                self.expect.insert(v, types::INT | types::FLOAT);
            }
            return v;
        }
        match seen {
            types::INT | WIDE_INT => self.guard_int(v, why),
            types::FLOAT => self.guard(Opcode::GuardFloat, Type::Float, &[v], 0, why),
            _ => v,
        }
    }

    /// The boxed `v` as integer; wide ones are let through where they were seen.
    fn guard_int(&mut self, v: Value, why: ExitReason) -> Value {
        let wide = self.expected(v) & types::OTHER != 0;
        let g = self.guard(Opcode::GuardInt, Type::Int, &[v], 0, why);
        self.graph.insts[g.0 as usize].aux = wide as u32;
        g
    }

    /// What is built relies on the type of the integer `v` without an instruction that shows it: a guard
    /// for it must let nothing else through.
    fn rely_on_int(&mut self, v: Value) {
        let inst = &mut self.graph.insts[v.0 as usize];
        if inst.op == Opcode::GuardInt {
            inst.imm = super::passes::RELIED_ON;
        }
    }

    /// A path that has never been taken: leave.
    fn uncommon(&mut self) {
        let snapshot = self.snapshot(ExitReason::NotCompiled);
        self.terminate(Terminator::Exit(snapshot));
    }
}
