//! SSA → Cranelift IR.
//!
//! Blocks map to blocks and values to values. A guard becomes a branch to the exit block of its
//! snapshot, made once per snapshot and placed in the cold region: it stores the snapshot's slots as
//! raw words and leaves. Slow paths that come back call `preserve_all` stubs from cold blocks, so
//! that the hot path's registers stay where they are.
//!
//! Instructions with effects carry a source location that tells hot from cold code, so that the
//! layout can be checked.

mod arith;
mod call;
mod exit;
mod memory;

use std::collections::HashMap;

use rapidhash::quality::RandomState;
use rustc_hash::FxHashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Block as ClifBlock, BlockArg, FuncRef, Function, InstBuilder, InstructionData,
    MemFlagsData, Opcode as ClifOpcode, SigRef, Signature, SourceLoc, TrapCode, Type as ClifType,
    UserExternalName, Value as V, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use perilune_ir::encoding::{self, TAG_SHIFT};
use perilune_ir::ssa::passes::{Flow, LoopNest};
use perilune_ir::ssa::{Block, Entry, Graph, Opcode, SnapshotId, Target, Terminator, Type, Value};
use perilune_runtime::vm::{Poll, Vm};

use crate::compile::{COLD_SRCLOC, UNIT_FUNCTION, entry_signature, new_function, scratch, trusted};
use crate::exits::{EntryCheck, ExitDescriptor, ExitTable};
use crate::helpers::Helper;

/// Source location of instructions with effects in hot code. Pure operations carry none, because
/// Cranelift shares and repeats them across blocks.
const HOT_SRCLOC: u32 = 1;

/// Number of the typed body among a unit's functions.
const BODY: u32 = 1;

/// What the lowering needs besides the graph.
pub struct Input<'a> {
    /// The unit.
    pub graph: &'a Graph,
    /// Where exits go.
    pub exits: &'a mut ExitTable,
    /// Where what is checked before a loop is entered goes.
    pub entry_checks: &'a mut Vec<EntryCheck>,
    /// The state.
    pub vm: *const Vm,
    /// Parameters of the unit's function.
    pub num_params: u32,
    /// Whether it is a vararg function.
    pub is_vararg: bool,
    /// Whether guards count down their exits.
    pub force_exits: bool,
    /// What the target asks of the IR.
    pub config: TargetFrontendConfig,
}

/// Lowers a unit; the first function is its entry.
pub fn lower(context: &mut FunctionBuilderContext, mut input: Input<'_>) -> Vec<Function> {
    match &input.graph.entry {
        Entry::Function | Entry::Loop { .. } => vec![body(context, &mut input, 0)],
        Entry::Typed { params, result } => {
            let (params, result) = (params.clone(), *result);
            let body = body(context, &mut input, BODY);
            let wrapper = call::wrapper(context, &mut input, &params, result);
            vec![wrapper, body]
        }
    }
}

/// `(vm, base, arguments…) -> (result, kind)`: kind 0 = of the expected type, 1 = a boxed value.
fn typed_signature(params: &[Type], result: Type) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.extend([AbiParam::new(types::I64); 2]);
    signature.params.extend(params.iter().map(|&ty| AbiParam::new(clif_type(ty))));
    signature.returns.extend([AbiParam::new(clif_type(result)), AbiParam::new(types::I64)]);
    signature
}

/// The machine type of an SSA type.
fn clif_type(ty: Type) -> ClifType {
    match ty {
        Type::Float => types::F64,
        Type::Bool => types::I8,
        Type::Any | Type::Int | Type::Table | Type::Str | Type::Func | Type::Raw | Type::None => {
            types::I64
        }
    }
}

/// Blocks that are rarely reached: those that the builder marks, and those that leave in any case.
fn cold_blocks(graph: &Graph, order: &[u32]) -> Vec<bool> {
    let mut cold: Vec<bool> = graph.blocks.iter().map(|b| b.cold).collect();
    for &i in order.iter().rev() {
        cold[i as usize] |= match &graph.blocks[i as usize].terminator {
            Terminator::Exit(_) => true,
            Terminator::Jump(t) => cold[t.block.0 as usize],
            Terminator::Branch { then, other, .. } => {
                cold[then.block.0 as usize] && cold[other.block.0 as usize]
            }
            Terminator::Open
            | Terminator::Return(_)
            | Terminator::ReturnOpen(_)
            | Terminator::TailCall { .. }
            | Terminator::TailCallOpen { .. } => false,
        };
    }
    cold
}

/// The blocks outside of loops, and in loops with calls, of a unit that calls; not the entry.
fn behind_calls(graph: &Graph, order: &[u32], nest: &LoopNest) -> Vec<bool> {
    let calls = |b: usize| {
        graph.blocks[b].insts.iter().any(|&v| {
            matches!(
                graph.inst(v).op,
                Opcode::CallSelf | Opcode::CallFunction | Opcode::CallMulti | Opcode::StepCall
            )
        })
    };
    let calling: Vec<usize> = (0..graph.blocks.len()).filter(|&b| calls(b)).collect();
    let mut behind = vec![false; graph.blocks.len()];
    if calling.is_empty() {
        return behind;
    }
    for b in order.iter().map(|&b| b as usize).filter(|&b| b != 0) {
        // The innermost comes first.
        let innermost = nest.loops.iter().find(|l| l.members[b]);
        behind[b] = innermost.is_none_or(|l| calling.iter().any(|&c| l.members[c]));
    }
    behind
}

/// Where an edge leads that goes through a block that does nothing.
fn threaded<'a>(graph: &'a Graph, mut target: &'a Target) -> &'a Target {
    while let Some(next) = passes_on(graph, target.block) {
        target = next;
    }
    target
}

/// The only thing a block does is to go on elsewhere.
fn passes_on(graph: &Graph, block: Block) -> Option<&Target> {
    let data = &graph.blocks[block.0 as usize];
    match &data.terminator {
        Terminator::Jump(t) if data.insts.is_empty() && data.params.is_empty() => Some(t),
        _ => None,
    }
}

/// The blocks that a jump from one place alone leads to: they are lowered as one with that place.
fn merged_blocks(graph: &Graph, order: &[u32]) -> Vec<bool> {
    let mut edges = vec![0; graph.blocks.len()];
    let mut merged = vec![false; graph.blocks.len()];
    let lowered = |&b: &u32| b == 0 || passes_on(graph, Block(b)).is_none();
    for b in order.iter().copied().filter(lowered) {
        let data = &graph.blocks[b as usize];
        let jump = matches!(data.terminator, Terminator::Jump(_));
        for target in graph.successors(Block(b)) {
            let to = threaded(graph, target).block.0 as usize;
            edges[to] += 1;
            merged[to] |= jump;
        }
    }
    merged.iter().zip(edges).map(|(&jump, edges)| jump && edges == 1).collect()
}

/// A block between a branch and the block that it leads to, with the arguments for that.
type Edge = (ClifBlock, ClifBlock, Vec<BlockArg>);

struct Lower<'a, 'b> {
    b: FunctionBuilder<'b>,
    graph: &'a Graph,
    exits: &'a mut ExitTable,
    entry_checks: &'a mut Vec<EntryCheck>,
    /// The code so far has only read: guards of slots are checked before a loop is entered.
    at_entry: bool,
    force_exits: bool,
    /// Words that the unit has by now: constants of the program, which chooses them.
    words: HashMap<u64, V, RandomState>,
    values: Vec<Option<V>>,
    blocks: Vec<Option<ClifBlock>>,
    /// Blocks whose code is there.
    emitted: Vec<bool>,
    /// How many loops a block is in.
    depth: Vec<u32>,
    is_header: Vec<bool>,
    /// The block at hand is in a loop.
    in_loop: bool,
    cold: Vec<bool>,
    /// Sums with a constant that loops further in use; see [`Lower::keep_sum`].
    kept: Vec<bool>,
    /// The state: the parameter, or behind calls a constant, which no register has to keep across them.
    vm: V,
    /// Base of the unit's frame (the moved one of a vararg function).
    base: V,
    /// Base as the caller gave it.
    entry_base: V,
    nargs: Option<V>,
    exit_blocks: FxHashMap<SnapshotId, ClifBlock>,
    descriptors: FxHashMap<SnapshotId, *const ExitDescriptor>,
    /// Exit blocks that are still empty.
    pending: Vec<(ClifBlock, SnapshotId)>,
    throw_block: Option<ClifBlock>,
    /// Ends all exits.
    leave_block: Option<ClifBlock>,
    /// Blocks that store the same values for several exits.
    store_blocks: FxHashMap<Vec<(i32, Value)>, ClifBlock>,
    /// Those of them that are still empty.
    unfilled: Vec<(ClifBlock, SnapshotId)>,
    signatures: FxHashMap<Helper, SigRef>,
    own_body: Option<FuncRef>,
    tail_signature: Option<SigRef>,
}

fn body(context: &mut FunctionBuilderContext, input: &mut Input<'_>, index: u32) -> Function {
    let graph = input.graph;
    let signature = match &graph.entry {
        Entry::Function | Entry::Loop { .. } => entry_signature(),
        Entry::Typed { params, result } => typed_signature(params, *result),
    };
    let mut function = new_function(index, signature);
    let mut b = FunctionBuilder::new(&mut function, context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let params = b.block_params(entry).to_vec();
    let vm_word = b.ins().iconst(types::I64, input.vm as i64);
    let mut lower = Lower {
        b,
        graph,
        exits: &mut *input.exits,
        entry_checks: &mut *input.entry_checks,
        at_entry: matches!(graph.entry, Entry::Loop { .. }) && !input.force_exits,
        force_exits: input.force_exits,
        words: HashMap::from_iter([(input.vm as u64, vm_word)]),
        values: vec![None; graph.insts.len()],
        blocks: vec![None; graph.blocks.len()],
        emitted: vec![false; graph.blocks.len()],
        depth: vec![0; graph.blocks.len()],
        is_header: vec![false; graph.blocks.len()],
        in_loop: false,
        cold: vec![],
        kept: vec![false; graph.insts.len()],
        vm: params[0],
        base: params[1],
        entry_base: params[1],
        nargs: None,
        exit_blocks: FxHashMap::default(),
        descriptors: FxHashMap::default(),
        pending: vec![],
        throw_block: None,
        leave_block: None,
        store_blocks: FxHashMap::default(),
        unfilled: vec![],
        signatures: FxHashMap::default(),
        own_body: None,
        tail_signature: None,
    };
    match &graph.entry {
        Entry::Typed { .. } => {
            for (&param, &v) in graph.blocks[0].params.iter().zip(&params[2..]) {
                lower.values[param.0 as usize] = Some(v);
            }
        }
        Entry::Function => {
            lower.nargs = Some(params[2]);
            if !input.is_vararg {
                lower.pad_arguments(params[2], input.num_params);
            }
        }
        Entry::Loop { .. } => {}
    }
    lower.blocks[0] = Some(lower.b.current_block().expect("the entry"));
    lower.run(vm_word);
    let Lower { mut b, .. } = lower;
    b.seal_all_blocks();
    b.finalize(input.config);
    function
}

impl Lower<'_, '_> {
    fn run(&mut self, vm_word: V) {
        let Flow { doms, nest } = Flow::new(self.graph);
        let behind_calls = behind_calls(self.graph, &doms.order, &nest);
        let vm = [self.vm, vm_word];
        for l in nest.loops {
            self.is_header[l.header as usize] = true;
            self.depth.iter_mut().zip(&l.members).for_each(|(depth, &is)| *depth += u32::from(is));
        }
        self.find_kept(&doms.order);
        self.cold = cold_blocks(self.graph, &doms.order);
        let merged = merged_blocks(self.graph, &doms.order);
        for &i in &doms.order {
            if i == 0 || merged[i as usize] || passes_on(self.graph, Block(i)).is_some() {
                continue;
            }
            let block = self.b.create_block();
            for &param in &self.graph.blocks[i as usize].params {
                let v = self.b.append_block_param(block, clif_type(self.graph.ty(param)));
                self.values[param.0 as usize] = Some(v);
            }
            self.blocks[i as usize] = Some(block);
        }
        for &i in &doms.order {
            if i != 0 {
                let Some(block) = self.blocks[i as usize] else { continue };
                self.b.switch_to_block(block);
                if self.cold[i as usize] {
                    self.b.set_cold_block(block);
                }
            }
            let mut i = i as usize;
            loop {
                let data = &self.graph.blocks[i];
                self.emitted[i] = true;
                self.vm = vm[usize::from(behind_calls[i])];
                self.in_loop = self.depth[i] > 0;
                let mut insts = data.insts.iter().copied().peekable();
                while let Some(v) = insts.next() {
                    let poll = insts.next_if(|&next| self.is_polling_check(v, next));
                    match poll {
                        Some(poll) => self.stack_check(self.snapshot(v), Some(self.snapshot(poll))),
                        None => self.inst(v),
                    }
                }
                self.at_entry = false;
                match &data.terminator {
                    Terminator::Jump(t) if merged[threaded(self.graph, t).block.0 as usize] => {
                        i = self.run_into(t);
                    }
                    _ => break,
                }
            }
            self.terminator(Block(i as u32));
        }
        self.vm = vm[usize::from(behind_calls.contains(&true))];
        while let Some((block, snapshot)) = self.pending.pop() {
            self.b.switch_to_block(block);
            self.leave_shared(snapshot);
        }
        self.finish_cold_blocks();
    }

    /// A check of the stacks, and a poll right behind it.
    fn is_polling_check(&self, check: Value, poll: Value) -> bool {
        self.graph.inst(check).op == Opcode::StackCheck && self.graph.inst(poll).op == Opcode::Poll
    }

    fn snapshot(&self, guard: Value) -> SnapshotId {
        self.graph.inst(guard).snapshot.expect("a guard")
    }

    /// Goes on in the merged block behind a jump.
    fn run_into(&mut self, target: &Target) -> usize {
        let graph = self.graph;
        let target = threaded(graph, target);
        let params = &graph.blocks[target.block.0 as usize].params;
        for (&param, &arg) in params.iter().zip(&target.args) {
            self.define(param, self.v(arg));
        }
        target.block.0 as usize
    }

    /// Finds the sums that are used in loops further in than where they are made.
    fn find_kept(&mut self, order: &[u32]) {
        let graph = self.graph;
        let mut made_at = vec![0; graph.insts.len()];
        for &b in order {
            let (block, depth) = (&graph.blocks[b as usize], self.depth[b as usize]);
            block.insts.iter().for_each(|v| made_at[v.0 as usize] = depth);
        }
        let mut used = |v: Value, depth: u32| {
            let sum = matches!(graph.inst(v).op, Opcode::IAdd | Opcode::ISub);
            self.kept[v.0 as usize] |= sum && made_at[v.0 as usize] < depth;
        };
        for &b in order {
            let depth = self.depth[b as usize];
            let block = &graph.blocks[b as usize];
            for v in &block.insts {
                graph.inst(*v).args.iter().for_each(|&arg| used(arg, depth));
            }
            if let Terminator::Branch { cond, .. } = block.terminator {
                used(cond, depth);
            }
        }
    }

    // ---- small tools ----

    fn v(&self, value: Value) -> V {
        self.values[value.0 as usize].unwrap_or_else(|| panic!("{value} has no machine value"))
    }

    /// A word. It stands once at the unit's start: Cranelift makes it where it is used, and two in five of its
    /// instructions would be these.
    fn iconst(&mut self, i: u64) -> V {
        if let Some(&v) = self.words.get(&i) {
            return v;
        }
        let function = &mut *self.b.func;
        let opcode = ClifOpcode::Iconst;
        let word =
            function.dfg.make_inst(InstructionData::UnaryImm { opcode, imm: (i as i64).into() });
        function.dfg.make_inst_results(word, types::I64);
        let entry = function.layout.entry_block().expect("an entry");
        let first = function.layout.first_inst(entry).expect("the first word");
        function.layout.insert_inst(word, first);
        let v = function.dfg.first_result(word);
        self.words.insert(i, v);
        v
    }

    /// An immediate operand beside `x`.
    fn immediate(&mut self, x: V, imm: i64) -> V {
        match self.b.func.dfg.value_type(x) {
            types::I64 => self.iconst(imm as u64),
            ty => {
                let width = ty.bits();
                self.b.ins().iconst(ty, imm & (-1i64 as u64 >> (64 - width)) as i64)
            }
        }
    }

    fn icmp_imm(&mut self, cc: IntCC, x: V, imm: i64) -> V {
        let imm = self.immediate(x, imm);
        self.b.ins().icmp(cc, x, imm)
    }

    fn load(&mut self, ty: ClifType, address: V, offset: usize) -> V {
        self.b.ins().load(ty, trusted(), address, offset as i32)
    }

    /// A load of something that never changes while the address is valid.
    fn load_const(&mut self, ty: ClifType, address: V, offset: usize) -> V {
        self.b.ins().load(ty, MemFlagsData::trusted().with_readonly(), address, offset as i32)
    }

    /// Whether a value is the unit's own callee, from its slot.
    fn is_callee(&self, value: Value) -> bool {
        let inst = self.graph.inst(value);
        inst.op == Opcode::LoadSlot && inst.aux as i32 == -2
    }

    /// A value on its way to the stack. The unit's own callee comes from where the frame has it: no
    /// register holds it across calls.
    fn stored_word(&mut self, value: Value) -> V {
        if self.is_callee(value) {
            return self.b.ins().load(types::I64, trusted(), self.base, Self::slot(-2));
        }
        self.v(value)
    }

    fn load_u8(&mut self, address: V, offset: usize) -> V {
        self.b.ins().uload8(types::I64, trusted(), address, offset as i32)
    }

    fn load_u32(&mut self, address: V, offset: usize) -> V {
        self.b.ins().uload32(trusted(), address, offset as i32)
    }

    fn is_cold_here(&self) -> bool {
        self.b.current_block().is_some_and(|b| self.b.func.layout.is_cold(b))
    }

    /// A new block that is as cold as the current one.
    fn block_like_this(&mut self) -> ClifBlock {
        let block = self.b.create_block();
        if self.is_cold_here() {
            self.b.set_cold_block(block);
        }
        block
    }

    /// Emits something that stays in its block, and marks it as hot or cold.
    fn effect<T>(&mut self, emit: impl FnOnce(&mut Self) -> T) -> T {
        let cold = self.is_cold_here();
        self.b.set_srcloc(SourceLoc::new(if cold { COLD_SRCLOC } else { HOT_SRCLOC }));
        let result = emit(self);
        self.b.set_srcloc(SourceLoc::default());
        result
    }

    fn store(&mut self, v: V, address: V, offset: i32) {
        self.effect(|l| l.b.ins().store(trusted(), v, address, offset));
    }

    /// Byte offset of a slot from the unit's base.
    fn slot(slot: i32) -> i32 {
        slot * 8
    }

    /// The address of slot `slot`.
    fn slot_address(&mut self, slot: i32) -> V {
        if slot == 0 {
            return self.base;
        }
        self.iadd_imm(self.base, i64::from(Self::slot(slot)))
    }

    /// A cold block; code goes there until the next `switch`.
    fn cold_block(&mut self) -> ClifBlock {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    /// `if rare { cold code that comes back with values } else { hot }`. The joined values.
    fn if_rare(
        &mut self,
        rare: V,
        hot: &[V],
        result: &[ClifType],
        cold: impl FnOnce(&mut Self) -> Vec<V>,
    ) -> Vec<V> {
        let slow = self.cold_block();
        let join = self.block_like_this();
        let results: Vec<V> =
            result.iter().map(|&ty| self.b.append_block_param(join, ty)).collect();
        let hot: Vec<BlockArg> = hot.iter().map(|&v| BlockArg::from(v)).collect();
        self.b.ins().brif(rare, slow, &[], join, &hot);
        self.b.switch_to_block(slow);
        let values = cold(self);
        let values: Vec<BlockArg> = values.into_iter().map(BlockArg::from).collect();
        self.b.ins().jump(join, &values);
        self.b.switch_to_block(join);
        results
    }

    /// What `cold` makes where one of two conditions holds, else `hot`.
    fn if_either_rare(&mut self, rare: [V; 2], hot: V, cold: impl FnOnce(&mut Self) -> V) -> V {
        let slow = self.cold_block();
        let (second, join) = (self.block_like_this(), self.block_like_this());
        let ty = self.b.func.dfg.value_type(hot);
        let result = self.b.append_block_param(join, ty);
        self.b.ins().brif(rare[0], slow, &[], second, &[]);
        self.b.switch_to_block(second);
        self.b.ins().brif(rare[1], slow, &[], join, &[BlockArg::from(hot)]);
        self.b.switch_to_block(slow);
        let value = cold(self);
        self.b.ins().jump(join, &[BlockArg::from(value)]);
        self.b.switch_to_block(join);
        result
    }

    // ---- helpers ----

    fn helper_signature(&mut self, helper: Helper) -> SigRef {
        if let Some(&sig) = self.signatures.get(&helper) {
            return sig;
        }
        let sig = self.b.import_signature(helper.signature());
        self.signatures.insert(helper, sig);
        sig
    }

    /// Calls a helper of the C convention.
    fn call_native(&mut self, helper: Helper, args: &[V]) -> Vec<V> {
        let sig = self.helper_signature(helper);
        let address = self.iconst(helper.address() as u64);
        let call = self.effect(|l| l.b.ins().call_indirect(sig, address, args));
        self.b.inst_results(call).to_vec()
    }

    /// Calls a stub that keeps all registers; operands and results go through the scratch area.
    fn call_keep(&mut self, helper: Helper, args: &[V]) -> Option<V> {
        for (i, &arg) in args.iter().enumerate() {
            self.store(arg, self.vm, scratch(i));
        }
        let sig = self.helper_signature(helper);
        let address = self.iconst(helper.address() as u64);
        self.effect(|l| l.b.ins().call_indirect(sig, address, &[l.vm]));
        (!helper.results().is_empty())
            .then(|| self.b.ins().load(types::I64, trusted(), self.vm, scratch(0)))
    }

    /// Throws when `status` is not zero.
    fn check_status(&mut self, status: V) {
        let next = self.block_like_this();
        let throw = self.throw_block();
        self.b.ins().brif(status, throw, &[], next, &[]);
        self.b.switch_to_block(next);
    }

    fn throw_block(&mut self) -> ClifBlock {
        match self.throw_block {
            Some(block) => block,
            None => {
                let block = self.cold_block();
                self.throw_block = Some(block);
                block
            }
        }
    }

    fn tail_signature(&mut self) -> SigRef {
        match self.tail_signature {
            Some(sig) => sig,
            None => {
                let sig = self.b.import_signature(entry_signature());
                self.tail_signature = Some(sig);
                sig
            }
        }
    }

    // ---- terminators ----

    fn target(&mut self, target: &Target) -> (ClifBlock, Vec<BlockArg>) {
        let target = threaded(self.graph, target);
        let block = self.blocks[target.block.0 as usize].expect("reachable");
        (block, target.args.iter().map(|&v| BlockArg::from(self.v(v))).collect())
    }

    /// One way out of a branch. An edge with arguments gets a block of its own: what is only an argument is
    /// computed there.
    fn branch_target(&mut self, target: &Target, edges: &mut Vec<Edge>) -> ClifBlock {
        let (block, args) = self.target(target);
        if args.is_empty() {
            return block;
        }
        let edge = self.b.create_block();
        if self.b.func.layout.is_cold(block) {
            self.b.set_cold_block(edge);
        }
        edges.push((edge, block, args));
        edge
    }

    /// A branch. Cranelift places the second target next, and looks at it first (see
    /// [`Lower::leave_if`]): that should be the one that stays in the loop, and is not cold.
    fn branch(&mut self, block: Block, cond: Value, then: &Target, other: &Target) {
        let stays = self.depth[block.0 as usize];
        let rank = |t: &Target| {
            let b = threaded(self.graph, t).block.0 as usize;
            // A loop that is entered is no deeper than the loop that it is entered from.
            let depth = self.depth[b] - u32::from(self.is_header[b] && !self.emitted[b]);
            (depth >= stays, !self.cold[b])
        };
        let inverse = if rank(then) > rank(other) { self.inverse(cond) } else { None };
        let (cond, then, other) = match inverse {
            Some(inverse) => (inverse, other, then),
            None => (self.v(cond), then, other),
        };
        let mut edges = vec![];
        let then = self.branch_target(then, &mut edges);
        let other = self.branch_target(other, &mut edges);
        self.b.ins().brif(cond, then, &[], other, &[]);
        for (edge, block, args) in edges {
            self.b.switch_to_block(edge);
            self.b.ins().jump(block, &args);
        }
    }

    fn terminator(&mut self, block: Block) {
        let graph = self.graph;
        match &graph.blocks[block.0 as usize].terminator {
            Terminator::Open => unreachable!("{block} has no end"),
            Terminator::Jump(t) => {
                let (block, args) = self.target(t);
                self.b.ins().jump(block, &args);
            }
            Terminator::Branch { cond, then, other } => {
                self.branch(block, *cond, then, other);
            }
            Terminator::Return(values) => {
                let values: Vec<V> = values.iter().map(|&v| self.v(v)).collect();
                self.return_values(&values);
            }
            Terminator::TailCall { callee, pointer, args } => {
                let args: Vec<V> = args.iter().map(|&v| self.v(v)).collect();
                let (callee, pointer) = (self.v(*callee), self.v(*pointer));
                self.tail_call(callee, pointer, &args);
            }
            Terminator::ReturnOpen(from) => self.return_open(*from),
            Terminator::TailCallOpen { callee, pointer, from } => {
                let (callee, pointer) = (self.v(*callee), self.v(*pointer));
                self.tail_call_open(callee, pointer, *from);
            }
            Terminator::Exit(snapshot) => {
                let exit = self.exit_block(*snapshot);
                self.b.ins().jump(exit, &[]);
            }
        }
    }

    // ---- instructions ----

    fn define(&mut self, value: Value, v: V) {
        self.values[value.0 as usize] = Some(v);
    }

    fn inst(&mut self, value: Value) {
        let inst = self.graph.inst(value);
        self.at_entry &= inst.op.writes() == 0 && inst.op != Opcode::Poll;
        let arg = |l: &Self, i: usize| l.v(inst.args[i]);
        let result = match inst.op {
            Opcode::Param => unreachable!("parameters are defined by their block"),
            Opcode::ConstInt | Opcode::ConstBits | Opcode::ConstRaw => Some(self.iconst(inst.imm)),
            Opcode::ConstFloat => Some(self.b.ins().f64const(f64::from_bits(inst.imm))),
            Opcode::ConstBool => Some(self.b.ins().iconst(types::I8, inst.imm as i64)),
            // The callee stays in its slot: Cranelift may load it where it is needed, if it is.
            Opcode::LoadSlot if self.is_callee(value) => {
                let flags = trusted().with_readonly().with_can_move();
                Some(self.b.ins().load(types::I64, flags, self.base, Self::slot(-2)))
            }
            Opcode::LoadSlot | Opcode::LoadShared => {
                let offset = Self::slot(inst.aux as i32);
                Some(self.b.ins().load(types::I64, trusted(), self.base, offset))
            }
            Opcode::StoreSlot | Opcode::StoreShared => {
                let v = self.stored_word(inst.args[0]);
                self.store(v, self.base, Self::slot(inst.aux as i32));
                None
            }
            Opcode::GuardInt
            | Opcode::GuardFloat
            | Opcode::GuardTable
            | Opcode::GuardString
            | Opcode::GuardFunction
            | Opcode::GuardBool
            | Opcode::GuardNumber
            | Opcode::GuardBits
            | Opcode::GuardRaw
            | Opcode::GuardNotNil
            | Opcode::GuardTrue
            | Opcode::GuardBounds
            | Opcode::GuardInt48
            | Opcode::GuardKind
            | Opcode::FloatToInt => self.guard(value),
            Opcode::Box => {
                let v = arg(self, 0);
                Some(self.boxed(v, self.graph.ty(inst.args[0])))
            }
            Opcode::IntToFloat
            | Opcode::UnboxInt
            | Opcode::BAnd
            | Opcode::IAdd
            | Opcode::ISub
            | Opcode::IMul
            | Opcode::INeg
            | Opcode::IDiv
            | Opcode::IMod
            | Opcode::IAnd
            | Opcode::IOr
            | Opcode::IXor
            | Opcode::INot
            | Opcode::IShl
            | Opcode::IShr
            | Opcode::IMin
            | Opcode::IMax
            | Opcode::FAdd
            | Opcode::FSub
            | Opcode::FMul
            | Opcode::FDiv
            | Opcode::FNeg
            | Opcode::FAbs
            | Opcode::FSqrt
            | Opcode::FFloor
            | Opcode::FCeil
            | Opcode::FMin
            | Opcode::FMax
            | Opcode::FMath
            | Opcode::ICmp
            | Opcode::FCmp
            | Opcode::BitsEq
            | Opcode::Truthy
            | Opcode::IsType
            | Opcode::BNot => Some(self.arith(value)),
            Opcode::TableShape
            | Opcode::TableSlots
            | Opcode::TableArr
            | Opcode::TableArrLen
            | Opcode::TableKind
            | Opcode::TableHash
            | Opcode::TableLen
            | Opcode::TableFlags
            | Opcode::ShapeMeta
            | Opcode::StringLen
            | Opcode::StringByte
            | Opcode::FuncProto
            | Opcode::LoadUpval
            | Opcode::LoadConstUpval
            | Opcode::StoreUpval
            | Opcode::LoadEpoch
            | Opcode::LoadPoll
            | Opcode::LoadRecord
            | Opcode::LoadRecordHere
            | Opcode::StoreRecord
            | Opcode::LoadElem
            | Opcode::LoadElemHere
            | Opcode::StoreElem
            | Opcode::StoreShape
            | Opcode::NewTable
            | Opcode::FillArray
            | Opcode::SetMetatable
            | Opcode::StringSub
            | Opcode::StringChar
            | Opcode::TableRemove
            | Opcode::GetString
            | Opcode::SetString
            | Opcode::HasSlot
            | Opcode::Barrier
            | Opcode::AppendElem
            | Opcode::NextKey
            | Opcode::Scratch
            | Opcode::GetIndex => self.memory(value),
            Opcode::GuardClosed
            | Opcode::GuardFresh
            | Opcode::GuardDepth
            | Opcode::AddDepth
            | Opcode::CloseUpvalues
            | Opcode::MarkTail
            | Opcode::SetTop
            | Opcode::VarargCount
            | Opcode::VarargLoad
            | Opcode::VarargAll
            | Opcode::VarargPrep
            | Opcode::Poll
            | Opcode::StackCheck
            | Opcode::Step
            | Opcode::StepTest
            | Opcode::StepCall
            | Opcode::CallFunction
            | Opcode::CallMulti
            | Opcode::PadResults
            | Opcode::CallSelf => self.call(value),
        };
        if let Some(v) = result {
            self.define(value, v);
        }
    }

    /// The boxed form of an unboxed value.
    fn boxed(&mut self, v: V, ty: Type) -> V {
        match ty {
            Type::Any => v,
            Type::Float => self.b.ins().bitcast(types::I64, MemFlagsData::new(), v),
            Type::Bool => {
                let word = self.b.ins().uextend(types::I64, v);
                let base = self.iconst(encoding::FALSE);
                self.b.ins().bor(base, word)
            }
            Type::Table => self.tagged(v, encoding::TAG_TABLE),
            Type::Str => self.tagged(v, encoding::TAG_STRING),
            Type::Func => self.tagged(v, encoding::TAG_FUNCTION),
            Type::Int => {
                let up = self.ishl_imm(v, 16);
                let back = self.sshr_imm(up, 16);
                let wide = self.b.ins().icmp(IntCC::NotEqual, back, v);
                let payload = self.ushr_imm(up, 16);
                let tag = self.iconst(encoding::TAG_INT << TAG_SHIFT);
                let small = self.b.ins().bor(payload, tag);
                self.if_rare(wide, &[small], &[types::I64], |l| {
                    vec![l.call_keep(Helper::BoxInt, &[v]).expect("a result")]
                })[0]
            }
            Type::None | Type::Raw => unreachable!("no Lua value"),
        }
    }

    fn tagged(&mut self, v: V, tag: u64) -> V {
        let tag = self.iconst(tag << TAG_SHIFT);
        self.b.ins().bor(v, tag)
    }

    /// Fills missing parameters with nil.
    fn pad_arguments(&mut self, nargs: V, params: u32) {
        if params == 0 {
            return;
        }
        let few = self.icmp_imm(IntCC::UnsignedLessThan, nargs, i64::from(params));
        self.if_rare(few, &[], &[], |l| {
            let nil = l.iconst(encoding::NIL);
            for i in 0..params {
                let given = l.icmp_imm(IntCC::UnsignedGreaterThan, nargs, i64::from(i));
                let offset = Self::slot(i as i32);
                let old = l.b.ins().load(types::I64, trusted(), l.base, offset);
                let v = l.b.ins().select(given, old, nil);
                l.store(v, l.base, offset);
            }
            vec![]
        });
    }

    /// The unit's typed body, for calls to itself.
    fn own_body(&mut self, signature: Signature) -> FuncRef {
        if let Some(body) = self.own_body {
            return body;
        }
        let body = import_body(&mut self.b, signature);
        self.own_body = Some(body);
        body
    }

    fn trap(&mut self) {
        self.b.ins().trap(TrapCode::unwrap_user(1));
    }
}

/// Operations with an immediate second operand.
macro_rules! with_immediate {
    ($($name:ident => $op:ident;)*) => {
        impl Lower<'_, '_> {
            $(fn $name(&mut self, x: V, imm: i64) -> V {
                let imm = self.immediate(x, imm);
                self.b.ins().$op(x, imm)
            })*
        }
    };
}

with_immediate! {
    band_imm => band;
    bor_imm => bor;
    iadd_imm => iadd;
    ishl_imm => ishl;
    sshr_imm => sshr;
    urem_imm => urem;
    ushr_imm => ushr;
}

/// Declares the unit's typed body.
fn import_body(b: &mut FunctionBuilder<'_>, signature: Signature) -> FuncRef {
    use cranelift_codegen::ir::{ExtFuncData, ExternalName};
    let name = b
        .func
        .declare_imported_user_function(UserExternalName { namespace: UNIT_FUNCTION, index: BODY });
    let signature = b.import_signature(signature);
    b.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated: true,
        patchable: false,
    })
}
