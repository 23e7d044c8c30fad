//! Blocks, merges, loops and peeling.

use std::rc::Rc;

use crate::bytecode::Word;
use crate::encoding::types;
use crate::exits::ExitReason;

use super::*;

impl Builder<'_> {
    /// Builds the whole unit.
    pub(super) fn run(&mut self, slot_types: &[u16]) {
        self.entry_state(slot_types);
        let entry_block = {
            let a = &self.frame().analysis;
            a.order[0]
        };
        self.edge(entry_block, 0);
        self.build_blocks();
    }

    /// Loads and narrows what the entry provides.
    fn entry_state(&mut self, slot_types: &[u16]) {
        let profile = self.frame().profile.clone();
        let params = profile.function.num_params as usize;
        match self.graph.entry.clone() {
            Entry::Typed { params: param_types, .. } => {
                for (reg, ty) in param_types.iter().enumerate() {
                    let v = self.param(Block(0), *ty);
                    self.expect.insert(v, profile.arg_types.get(reg).copied().unwrap_or(0));
                    self.set(reg, v);
                }
                self.stack_check();
                self.entry_poll();
            }
            Entry::Function => {
                self.stack_check();
                if profile.function.is_vararg {
                    return; // VARARGPREP moves the frame first
                }
                self.load_params(params);
                self.entry_poll();
            }
            Entry::Loop { pc } => {
                let analysis = self.frame().analysis.clone();
                let live: Vec<usize> = analysis.live[pc as usize].iter().collect();
                let touched = analysis.touched(&profile.function);
                for reg in live {
                    if self.is_memory(reg) || reg >= slot_types.len() {
                        continue;
                    }
                    let mut v = self.reload(reg, slot_types[reg]);
                    if touched.contains(reg) {
                        v = self.narrow_entry(v, slot_types[reg]);
                    }
                    let i = Self::index(self.slot_of(reg));
                    self.state.slots[i] = Some(v);
                    self.state.mem[i] = Some(v);
                }
                self.unite_counter(pc as usize);
            }
        }
    }

    /// Where a numeric loop's body begins, its counter and its variable are the same.
    fn unite_counter(&mut self, header: usize) {
        let function = self.frame().profile.function.clone();
        let Some(end) = cfg::for_loop_to(&function, header) else { return };
        let a = Word(function.code[end]).a() as usize;
        let (counter, variable) = (Self::index(self.slot_of(a)), Self::index(self.slot_of(a + 3)));
        let known = self.state.slots[counter].zip(self.state.slots[variable]);
        if let Some((counter, _)) = known.filter(|(c, v)| self.ty(*c) == self.ty(*v)) {
            self.state.slots[variable] = Some(counter);
        }
    }

    /// A safepoint at the start of a function that calls or allocates: recursion, and callbacks of
    /// Rust code, must come by one, for the collector and for interrupts.
    pub(super) fn entry_poll(&mut self) {
        if cfg::calls_or_allocates(&self.frame().profile.function) {
            self.poll();
        }
    }

    fn stack_check(&mut self) {
        let pc = self.frame().pc;
        let snapshot = self.snapshot_at(pc, ExitReason::Stack);
        let v = self.emit(Opcode::StackCheck, Type::None, &[], 0, 0);
        self.graph.insts[v.0 as usize].snapshot = Some(snapshot);
    }

    /// Loads the parameters from their slots and narrows them to what was observed.
    pub(super) fn load_params(&mut self, params: usize) {
        let seen = self.frame().profile.arg_types.clone();
        for reg in 0..params {
            let types = seen.get(reg).copied().unwrap_or(0);
            if self.is_memory(reg) {
                continue;
            }
            let v = self.reload(reg, types);
            let v = self.narrow_entry(v, types);
            let i = Self::index(self.slot_of(reg));
            self.state.slots[i] = Some(v);
            self.state.mem[i] = Some(v);
        }
    }

    /// Builds every reachable block of the innermost frame.
    pub(super) fn build_blocks(&mut self) {
        let analysis = self.frame().analysis.clone();
        let order = analysis.order.clone();
        self.build_list(&order);
    }

    fn build_list(&mut self, list: &[usize]) {
        let analysis = self.frame().analysis.clone();
        for &b in list {
            let instance = self.frame().instance;
            if !self.frame().incoming.contains_key(&(b, instance)) {
                continue;
            }
            let is_header = analysis.loop_of(b).is_some() && !analysis.irreducible;
            let path = self.frame().path;
            let already =
                self.frame().instances[instance as usize].peeled.is_some_and(|(h, _)| h == b);
            if is_header && !already && self.hints.peel.contains(&(path, b)) {
                self.peel(b, list);
                if !self.frame().incoming.contains_key(&(b, instance)) {
                    continue; // the loop never comes round
                }
            }
            if self.graph.insts.len() > 60_000 {
                self.give_up(b);
                continue;
            }
            self.start_block(b, is_header && !already);
            self.build_block(b);
        }
    }

    /// The unit has grown beyond reason: leave at block `b`.
    fn give_up(&mut self, b: usize) {
        self.start_block(b, false);
        let pc = self.frame().analysis.blocks[b].start;
        self.frame_mut().pc = pc;
        let snapshot = self.snapshot(ExitReason::Cold);
        self.terminate(Terminator::Exit(snapshot));
    }

    /// Builds the first iteration of the loop at `header` on its own.
    fn peel(&mut self, header: usize, list: &[usize]) {
        let analysis = self.frame().analysis.clone();
        let members = Rc::new(analysis.loop_of(header).expect("a loop").blocks.clone());
        let outer = self.frame().instance;
        let entries = self.frame_mut().incoming.remove(&(header, outer)).expect("entered");
        let frame = self.frame_mut();
        frame.instances.push(Instance { peeled: Some((header, outer)), members: members.clone() });
        let inner = frame.instances.len() as u32 - 1;
        frame.incoming.insert((header, inner), entries);
        frame.instance = inner;
        let blocks: Vec<usize> = list.iter().copied().filter(|&b| members[b]).collect();
        self.build_list(&blocks);
        self.frame_mut().instance = outer;
    }

    /// Whether the instruction at hand is of the second and later iterations of a loop whose first one is
    /// built on its own. What is seen rarely in a loop (element 0 of a list) is seen in the first.
    pub(super) fn is_behind_first(&self) -> bool {
        let frame = self.frame();
        let Some(b) =
            frame.analysis.blocks.iter().position(|b| (b.start..b.end).contains(&frame.pc))
        else {
            return false;
        };
        let peeled = frame.instances[frame.instance as usize].peeled.map(|(header, _)| header);
        frame.analysis.loops.iter().any(|l| {
            l.blocks[b]
                && peeled != Some(l.header)
                && self.hints.peel.contains(&(frame.path, l.header))
        })
    }

    /// The instance in which a jump from the current one to `target` arrives.
    fn resolve(&self, target: usize) -> u32 {
        let frame = self.frame();
        let mut instance = frame.instance;
        while let Some((header, outer)) = frame.instances[instance as usize].peeled {
            if target != header && frame.instances[instance as usize].members[target] {
                return instance;
            }
            instance = outer;
        }
        instance
    }

    /// Records that the current block's arm `arm` leads to bytecode block `target`.
    pub(super) fn edge(&mut self, target: usize, arm: usize) {
        if let Some(part) = &self.frame().analysis.part
            && !part.blocks[target]
        {
            let reason = if part.nested { ExitReason::InnerEnd } else { ExitReason::LoopEnd };
            return self.leave_loop(target, arm, reason);
        }
        let instance = self.resolve(target);
        let from = self.cur;
        self.prepare_irreducible(target);
        if let Some(head) = self.frame().heads.get(&(target, instance)).cloned() {
            self.back_edge(target, instance, &head, arm);
            return;
        }
        if self.open {
            // A plain jump; its target is patched when the block starts.
            self.terminate(Terminator::Jump(Target { block: Block(u32::MAX), args: vec![] }));
        }
        let state = self.state.clone();
        self.frame_mut().incoming.entry((target, instance)).or_default().push(Incoming {
            from,
            arm,
            state,
        });
    }

    /// The way to bytecode block `target` leaves the loop that the unit consists of.
    fn leave_loop(&mut self, target: usize, arm: usize, reason: ExitReason) {
        if !self.open {
            let block = self.new_block();
            self.patch(self.cur, arm, block, vec![]);
            self.enter(block);
        }
        let start = self.frame().analysis.blocks[target].start;
        let snapshot = self.snapshot_at(start, reason);
        self.terminate(Terminator::Exit(snapshot));
    }

    /// Ends the current block with a conditional branch to two bytecode words.
    pub(super) fn branch_to(&mut self, cond: Value, then_pc: usize, other_pc: usize) {
        let inst = self.graph.inst(cond);
        if inst.op == Opcode::ConstBool {
            let pc = if inst.imm != 0 { then_pc } else { other_pc };
            self.jump_to(pc);
            return;
        }
        if then_pc == other_pc {
            self.jump_to(then_pc);
            return;
        }
        // A back-edge may need code of its own: give each arm that goes back a block.
        let analysis = self.frame().analysis.clone();
        let hole = || Target { block: Block(u32::MAX), args: vec![] };
        let state = self.state.clone();
        self.terminate(Terminator::Branch { cond, then: hole(), other: hole() });
        let from = self.cur;
        for (arm, pc) in [(0, then_pc), (1, other_pc)] {
            let target = analysis.block_at[&pc];
            let instance = self.resolve(target);
            self.prepare_irreducible(target);
            self.cur = from;
            self.state = state.clone();
            if self.frame().heads.contains_key(&(target, instance)) {
                let block = self.new_block();
                self.patch(from, arm, block, vec![]);
                self.enter(block);
                self.edge(target, 0);
            } else {
                self.open = false;
                self.edge(target, arm);
            }
        }
        self.open = false;
    }

    /// Ends the current block with a jump to a bytecode word.
    pub(super) fn jump_to(&mut self, pc: usize) {
        let target = self.frame().analysis.block_at[&pc];
        self.edge(target, 0);
        self.open = false;
    }

    fn patch(&mut self, from: Block, arm: usize, block: Block, args: Vec<Value>) {
        let target = Target { block, args };
        match &mut self.graph.blocks[from.0 as usize].terminator {
            Terminator::Jump(t) => *t = target,
            Terminator::Branch { then, other, .. } => {
                if arm == 0 {
                    *then = target;
                } else {
                    *other = target;
                }
            }
            Terminator::Open
            | Terminator::Return(_)
            | Terminator::ReturnOpen(_)
            | Terminator::TailCall { .. }
            | Terminator::TailCallOpen { .. }
            | Terminator::Exit(_) => unreachable!("{from} has no arms"),
        }
    }

    /// Closes a loop: converts the state to the header's parameters.
    fn back_edge(&mut self, target: usize, instance: u32, head: &LoopHead, _arm: usize) {
        debug_assert!(self.open, "back-edges come from blocks of their own");
        let mut args = vec![];
        let path = self.frame().path;
        let header_pc = self.frame().analysis.blocks[target].start;
        for (i, &slot) in head.slots.iter().enumerate() {
            let param = self.graph.blocks[head.block.0 as usize].params[i];
            let want = self.ty(param);
            let have = match self.state.slots[Self::index(slot)] {
                Some(v) => v,
                None => {
                    let v = self.emit(Opcode::LoadSlot, Type::Any, &[], 0, slot as u32);
                    self.state.slots[Self::index(slot)] = Some(v);
                    v
                }
            };
            let got = self.ty(have);
            let arg = if got == want {
                have
            } else if want == Type::Any {
                self.boxed(have)
            } else {
                let op = match (want, got) {
                    (Type::Int, Type::Any) => Some(Opcode::GuardInt),
                    (Type::Float, Type::Any) => Some(Opcode::GuardFloat),
                    _ => None,
                };
                let header_blocked =
                    self.frame().profile.is_blocked(header_pc as u32, ExitReason::TypeGuard);
                let expected = self.expected(have);
                let plausible = expected == 0
                    || (want == Type::Int && expected == types::INT)
                    || (want == Type::Float && expected == types::FLOAT);
                match op {
                    Some(op) if !header_blocked && plausible => {
                        let snapshot = self.snapshot_at(header_pc, ExitReason::TypeGuard);
                        let v = self.emit(op, want, &[have], 0, 0);
                        self.graph.insts[v.0 as usize].snapshot = Some(snapshot);
                        v
                    }
                    _ => {
                        let seen = [have, param].map(|v| self.expected(v));
                        self.loop_type_changes((path, target, instance, slot), seen);
                        have
                    }
                }
            };
            args.push(arg);
        }
        self.terminate(Terminator::Jump(Target { block: head.block, args }));
    }

    /// A parameter (path, header, instance, slot) gets a value of another type on the way back.
    fn loop_type_changes(&mut self, key: (u32, usize, u32, i32), seen: [u16; 2]) {
        self.retry = true;
        let (path, header, ..) = key;
        let small = {
            let analysis = &self.frame().analysis;
            let l = analysis.loop_of(header).expect("a loop");
            let words: usize = analysis
                .blocks
                .iter()
                .zip(&l.blocks)
                .filter(|(_, member)| **member)
                .map(|(b, _)| b.end - b.start)
                .sum();
            l.innermost && words < 150
        };
        if !small || !self.hints.peel.insert((path, header)) {
            // Unknown stays unknown.
            let types = if seen.contains(&0) { 0 } else { seen[0] | seen[1] };
            self.hints.boxed.insert(key, types);
        }
    }

    /// In a function with irreducible control flow nothing lives in SSA values across blocks, so every
    /// block is made on its first mention and has no parameters.
    fn prepare_irreducible(&mut self, target: usize) {
        if self.frame().analysis.irreducible && !self.frame().heads.contains_key(&(target, 0)) {
            let block = self.new_block();
            let state = self.state.clone();
            let frame = self.frame_mut();
            frame.heads.insert((target, 0), LoopHead { block, slots: vec![] });
            frame.incoming.insert((target, 0), vec![Incoming { from: block, arm: 0, state }]);
        }
    }

    /// Merges what leads to bytecode block `b` and makes it current.
    fn start_block(&mut self, b: usize, is_header: bool) {
        let instance = self.frame().instance;
        if self.frame().analysis.irreducible {
            self.frame_mut().incoming.remove(&(b, 0));
            let block = self.frame().heads[&(b, 0)].block;
            self.clobber_from(-2);
            self.anchors.remove(&block);
            self.enter(block);
            return;
        }
        let incoming = self.frame_mut().incoming.remove(&(b, instance)).expect("reachable");
        let start = self.frame().analysis.blocks[b].start;
        let base = self.frame().base;
        let live = self.frame().analysis.live[start];
        // Registers that matter here; what lies below this frame is the same on all paths except
        // for what memory is known to hold.
        let is_live = |slot: i32| slot < base || live.contains((slot - base) as usize);
        let loop_assigned =
            if is_header { self.frame().analysis.loop_of(b).map(|l| l.assigned) } else { None };
        let block = self.merge(incoming, is_live);
        self.enter(block);
        if let Some(assigned) = loop_assigned {
            self.make_loop_header(b, instance, block, assigned, start);
        }
    }

    /// Makes a block that joins `incoming`, with parameters where live values differ.
    pub(super) fn merge(
        &mut self,
        incoming: Vec<Incoming>,
        is_live: impl Fn(i32) -> bool,
    ) -> Block {
        let block = self.new_block();
        let mut state = incoming[0].state.clone();
        let anchor = incoming[0].state.anchor.clone();
        let same = |inc: &Incoming| is_same_anchor(inc.state.anchor.as_ref(), anchor.as_ref());
        let anchor = if incoming.iter().all(same) { anchor } else { None };
        self.anchors.insert(block, anchor);
        state.called = incoming.iter().any(|inc| inc.state.called);
        if incoming.len() == 1 {
            self.patch(incoming[0].from, incoming[0].arm, block, vec![]);
            self.state = state;
            return block;
        }
        let mut args = vec![vec![]; incoming.len()];
        for i in 0..state.slots.len() {
            let slot = i as i32 - 2;
            let get = |inc: &Incoming| inc.state.slots.get(i).copied().flatten();
            let mem = |inc: &Incoming| inc.state.mem.get(i).copied().flatten();
            let first = get(&incoming[0]);
            let same_mem = incoming.iter().all(|inc| mem(inc) == mem(&incoming[0]));
            let clean = incoming.iter().all(|inc| get(inc).is_some() && mem(inc) == get(inc));
            if incoming.iter().all(|inc| get(inc) == first) {
                state.mem[i] = if same_mem { mem(&incoming[0]) } else { None };
                continue;
            }
            if !is_live(slot) || incoming.iter().any(|inc| get(inc).is_none()) {
                state.slots[i] = None;
                state.mem[i] = if same_mem { mem(&incoming[0]) } else { None };
                continue;
            }
            let values: Vec<Value> =
                incoming.iter().map(|inc| get(inc).expect("defined")).collect();
            let ty = self.ty(values[0]);
            let same = values.iter().all(|&v| self.ty(v) == ty);
            let ty = if same { ty } else { Type::Any };
            let param = self.param(block, ty);
            let seen = values.iter().map(|&v| self.expected(v)).fold(0, |a, b| a | b);
            let known = values.iter().all(|&v| self.expected(v) != 0);
            self.expect.insert(param, if known { seen } else { 0 });
            for (k, &v) in values.iter().enumerate() {
                let v = if same { v } else { self.box_in(incoming[k].from, v) };
                args[k].push(v);
            }
            state.slots[i] = Some(param);
            state.mem[i] = if clean { Some(param) } else { None };
        }
        for (inc, args) in incoming.iter().zip(args) {
            self.patch(inc.from, inc.arm, block, args);
        }
        self.state = state;
        block
    }

    /// Boxes `v` at the end of an already finished block.
    fn box_in(&mut self, from: Block, v: Value) -> Value {
        let (cur, open) = (self.cur, self.open);
        self.cur = from;
        let boxed = self.boxed(v);
        self.cur = cur;
        self.open = open;
        boxed
    }

    fn make_loop_header(
        &mut self,
        b: usize,
        instance: u32,
        preheader: Block,
        assigned: RegSet,
        start: usize,
    ) {
        let base = self.frame().base;
        let path = self.frame().path;
        let live = self.frame().analysis.live[start];
        self.frame_mut().pc = start;
        // What is dirty on entry may be flushed inside the loop: memory then is no longer known.
        for i in 0..self.state.slots.len() {
            if self.state.mem[i] != self.state.slots[i] {
                self.state.mem[i] = None;
            }
        }
        let mut slots = vec![];
        let mut args = vec![];
        let mut types = vec![];
        for i in Self::index(base)..self.state.slots.len() {
            let slot = i as i32 - 2;
            let reg = (slot - base) as usize;
            if reg >= 256 || !assigned.contains(reg) {
                continue;
            }
            if !live.contains(reg) || self.is_memory(reg) {
                self.state.slots[i] = None;
                self.state.mem[i] = None;
                continue;
            }
            let Some(v) = self.state.slots[i] else {
                self.state.mem[i] = None;
                continue;
            };
            let wanted = match self.ty(v) {
                t @ (Type::Int | Type::Float | Type::Bool) => t,
                _ => Type::Any,
            };
            let boxed = self.hints.boxed.get(&(path, b, instance, slot)).copied();
            let ty = if boxed.is_some() { Type::Any } else { wanted };
            let expected = boxed.unwrap_or_else(|| self.expected(v));
            let v = if ty == Type::Any { self.boxed(v) } else { v };
            slots.push(slot);
            args.push(v);
            types.push((ty, expected));
        }
        // Entry state: hoisted guards leave here.
        let entry_snapshot = self.snapshot_at(start, ExitReason::TypeGuard);
        let header = self.new_block();
        self.terminate(Terminator::Jump(Target { block: header, args }));
        self.anchors.remove(&header);
        self.enter(header);
        for (&slot, (ty, expected)) in slots.iter().zip(types) {
            let param = self.param(header, ty);
            // The value on entry says nothing about later iterations unless it is a lone type.
            self.expect
                .insert(param, if ty == Type::Any { expected & !types::NIL } else { expected });
            self.state.slots[Self::index(slot)] = Some(param);
            self.state.mem[Self::index(slot)] = None;
        }
        let data = &mut self.graph.blocks[header.0 as usize];
        data.entry_snapshot = Some(entry_snapshot);
        data.preheader = Some(preheader);
        self.frame_mut().heads.insert((b, instance), LoopHead { block: header, slots });
    }

    /// Translates the instructions of block `b`.
    fn build_block(&mut self, b: usize) {
        let (start, end) = {
            let block = &self.frame().analysis.blocks[b];
            (block.start, block.end)
        };
        let mut pc = start;
        self.go_behind(pc);
        self.check_mark(pc);
        while pc < end {
            self.go_behind(pc);
            let op = self.frame().profile.function.op(pc);
            if self.state.anchor.is_none() {
                self.state.anchor = Some(Rc::new(self.state_at(pc, ExitReason::TypeGuard)));
            }
            let open_before = self.open_results;
            self.instruction(op, pc);
            if self.open_results == open_before {
                self.open_results = None; // taken by the instruction right behind the call
            }
            if !self.open {
                return;
            }
            pc = self.go_on_at.take().unwrap_or(pc + op.words());
            self.check_mark(pc);
        }
        self.jump_to(end);
    }
}
