//! Calls, inlining, returns.

use crate::bytecode::{Op, Word};
use crate::encoding;
use crate::intrinsic::Intrinsic;
use crate::profile::Callee;

use super::ops::Operands;
use super::*;

/// The unboxed entry of a function that calls itself: types of parameters and of its one result.
/// `None` when the function has no use for one or cannot have one.
pub fn typed_entry(profile: &Profile) -> Option<Entry> {
    let function = &profile.function;
    if function.is_vararg || function.num_params == 0 || function.num_params > 6 {
        return None;
    }
    let analysis = Analysis::new(function, 0);
    let captures = cfg::captures(function);
    let mut result_types = 0;
    let mut calls_self = false;
    for &b in &analysis.order {
        let block = &analysis.blocks[b];
        let mut pc = block.start;
        let mut before = None;
        while pc < block.end {
            let op = function.op(pc);
            let word = Word(function.code[pc]);
            match op {
                Op::Call | Op::TailCall => {
                    let site = profile.site((function.code[pc + 1] >> 16) as u16);
                    let own =
                        matches!(site.callee, Callee::Lua { proto, .. } if proto == profile.proto);
                    let right_count =
                        arguments_of(profile, pc, before) == function.num_params as usize + 1;
                    if op == Op::TailCall && (captures || !(own && right_count)) {
                        return None;
                    }
                    if own && right_count {
                        calls_self = true;
                        result_types |= site.types;
                    }
                }
                Op::Return if word.b() != 2 || word.c() != 0 => return None,
                Op::Return0 => return None,
                _ => {}
            }
            before = Some(pc);
            pc += op.words();
        }
    }
    if !calls_self {
        return None;
    }
    let entry_blocked = profile.is_blocked(0, ExitReason::EntryGuard);
    let params = (0..function.num_params as usize)
        .map(|i| match profile.arg_types.get(i) {
            Some(&types::INT) if !entry_blocked => Type::Int,
            Some(&types::FLOAT) if !entry_blocked => Type::Float,
            _ => Type::Any,
        })
        .collect();
    let results_blocked = profile
        .blocked
        .iter()
        .any(|&(pc, why)| why == ExitReason::TypeGuard && function.op(pc as usize) == Op::Return1);
    let result = match result_types {
        types::INT if !results_blocked => Type::Int,
        types::FLOAT if !results_blocked => Type::Float,
        _ => Type::Any,
    };
    Some(Entry::Typed { params, result })
}

/// The number of results that every return of a function delivers, if it is one number.
fn uniform_results(profile: &Profile) -> Option<usize> {
    let function = &profile.function;
    let analysis = Analysis::new(function, 0);
    let mut found = None;
    for &b in &analysis.order {
        let block = &analysis.blocks[b];
        let mut pc = block.start;
        while pc < block.end {
            let op = function.op(pc);
            let count = match op {
                Op::Return0 => Some(0),
                Op::Return1 => Some(1),
                Op::Return => Some((Word(function.code[pc]).b() as usize).checked_sub(1)?),
                Op::TailCall => return None,
                _ => None,
            };
            if let Some(count) = count {
                if found.is_some_and(|n| n != count) {
                    return None;
                }
                found = Some(count);
            }
            pc += op.words();
        }
    }
    found
}

/// Operand B of the call at `pc`, where "all results" of a call of `profile`'s own function count as
/// one: it is called by its typed entry then. `before` is the instruction before.
fn arguments_of(profile: &Profile, pc: usize, before: Option<usize>) -> usize {
    let function = &profile.function;
    let word = Word(function.code[pc]);
    if word.b() != 0 {
        return word.b() as usize;
    }
    let Some(before) = before.filter(|&p| function.op(p) == Op::Call) else { return 0 };
    let inner = Word(function.code[before]);
    let site = profile.site((function.code[before + 1] >> 16) as u16);
    let own = matches!(site.callee, Callee::Lua { proto, .. } if proto == profile.proto);
    if own && inner.c() == 0 && inner.b() as usize == function.num_params as usize + 1 {
        return inner.a() as usize - word.a() as usize;
    }
    0
}

/// Words of the largest function that is inlined into itself.
const SELF_INLINE: usize = 48;

/// Words of `function` that call `proto` itself in tail position with the right number of arguments.
pub(super) fn self_tail_calls(profile: &Profile) -> Vec<usize> {
    let function = &profile.function;
    let mut found = vec![];
    if cfg::captures(function) {
        return found; // a tail call closes upvalues
    }
    let mut pc = 0;
    let mut before = None;
    let mut typed = None;
    while pc < function.code.len() {
        let op = function.op(pc);
        if op == Op::TailCall && !function.is_vararg {
            let site = profile.site((function.code[pc + 1] >> 16) as u16);
            let own = matches!(site.callee, Callee::Lua { proto, .. } if proto == profile.proto);
            let open = Word(function.code[pc]).b() == 0;
            // Only typed units call themselves with a known number of results.
            let possible = !open || *typed.get_or_insert_with(|| typed_entry(profile).is_some());
            let count =
                possible && arguments_of(profile, pc, before) == function.num_params as usize + 1;
            if own && count && !profile.is_blocked(pc as u32, ExitReason::CalleeGuard) {
                found.push(pc);
            }
        }
        before = Some(pc);
        pc += op.words();
    }
    found
}

impl Builder<'_> {
    pub(super) fn call(&mut self, o: Operands) {
        let o = self.with_open_arguments(o);
        let site = self.site(o.feedback());
        if self.call_table(o, &site) {
            return;
        }
        if o.c == 0 && o.b != 0 {
            // "All results" of a function that always returns the same number of them. Those beyond the
            // frame's registers would be in no snapshot.
            let registers = self.frame().profile.function.max_stack as usize;
            let known = self.known_results(o, &site).filter(|count| o.a + count <= registers);
            if let Some(count) = known {
                let open = Operands { c: count + 1, ..o };
                self.opening = Some((o.a, count));
                self.call_site(open, &site);
                self.opening = None;
                if self.open {
                    self.open_results = Some((o.a, count));
                }
                return;
            }
        }
        self.call_site(o, &site);
        if self.options.locals_in_memory && self.open && o.c != 0 {
            // The call may have set a hook, which sees the next instruction already. No safepoint: at any
            // instruction, temporaries may be live.
            let word = self.op(Opcode::LoadPoll, Type::Raw, &[]);
            let mask = encoding::POLL_HOOK;
            let snapshot = self.snapshot_at(o.next, ExitReason::Poll);
            let v = self.emit(Opcode::GuardKind, Type::None, &[word], 0, mask);
            self.graph.insts[v.0 as usize].snapshot = Some(snapshot);
        }
    }

    /// An instruction that takes "all results" of the call before it, when their number is known.
    pub(super) fn with_open_arguments(&mut self, o: Operands) -> Operands {
        match self.open_results {
            Some((reg, count)) if o.b == 0 => Operands { b: reg + count - o.a - 1, ..o },
            _ => o,
        }
    }

    /// How many results the callee of a call with fixed arguments always returns, where the call
    /// will be made without leaving that open.
    fn known_results(&self, o: Operands, site: &Site) -> Option<usize> {
        if self.blocked(ExitReason::CalleeGuard) || self.blocked(ExitReason::TypeGuard) {
            return None;
        }
        match &site.callee {
            Callee::Native { intrinsic, .. } => {
                let which = Intrinsic::from_number(*intrinsic);
                let args: Option<Vec<Value>> = (o.a + 2..o.a + 1 + o.b)
                    .map(|reg| self.state.slots[Self::index(self.slot_of(reg))])
                    .collect();
                let args = args?;
                let supported = self.supported(which, &args, site.types);
                which.results(args.len()).filter(|_| supported)
            }
            Callee::Lua { proto, profile, .. } => {
                let own = *proto == self.graph.proto
                    && self.self_entry.as_ref().is_some_and(|(p, _)| p.len() == o.b - 1);
                if own {
                    return Some(1);
                }
                let profile = profile.as_ref()?;
                if self.inlinable(profile) { uniform_results(profile) } else { None }
            }
            Callee::Never | Callee::Several(_) | Callee::Mixed => None,
        }
    }

    fn call_site(&mut self, o: Operands, site: &Site) {
        let fixed = o.b != 0 && o.c != 0;
        let callee_ok =
            !self.blocked(ExitReason::CalleeGuard) && !self.blocked(ExitReason::TypeGuard);
        match &site.callee {
            Callee::Never if !self.blocked(ExitReason::NotCompiled) => return self.uncommon(),
            &Callee::Native { bits, intrinsic, upvalue } if fixed && callee_ok => {
                if self.intrinsic(o, bits, (intrinsic, upvalue), site.types) {
                    return;
                }
            }
            Callee::Lua { proto, profile, .. } if fixed && callee_ok => {
                let own = *proto == self.graph.proto
                    && o.c <= 2
                    && self.self_entry.as_ref().is_some_and(|(p, _)| p.len() == o.b - 1);
                let again = self.frames.iter().filter(|f| f.profile.proto == *proto).count();
                if own && again == 1 && self.frames[0].profile.function.code.len() <= SELF_INLINE {
                    // Unrolled once: half of the calls are of the simplest case.
                    let profile = self.frames[0].profile.clone();
                    if self.inlinable_body(&profile) {
                        return self.inline(o, profile);
                    }
                }
                if own {
                    if self.call_self(o, *proto, site.types) {
                        return;
                    }
                } else if let Some(profile) = profile
                    && self.inlinable(profile)
                {
                    return self.inline(o, profile.clone());
                }
            }
            Callee::Several(profiles) if fixed && callee_ok => {
                let size: usize = profiles.iter().map(|p| p.function.code.len()).sum();
                if size <= self.budget && profiles.iter().all(|p| self.inlinable(p)) {
                    return self.inline_several(o, profiles);
                }
            }
            Callee::Never
            | Callee::Native { .. }
            | Callee::Lua { .. }
            | Callee::Several(_)
            | Callee::Mixed => {}
        }
        self.call_generic(o, site);
    }

    /// Puts callee and link of a call into the state.
    fn write_header(&mut self, o: Operands, callee: Value, kind: u64) {
        self.set(o.a, callee);
        let link = encoding::link(self.frame().pc as u32, o.a + 2, kind);
        let link = self.bits(link);
        let i = Self::index(self.slot_of(o.a + 1));
        self.state.slots[i] = Some(link);
        self.state.mem[i] = None;
    }

    fn store_window(&mut self, o: Operands) {
        self.store_reg(o.a);
        let link = self.slot_of(o.a + 1);
        self.store(link);
        self.store_window_values(o.a + 2, o.b);
    }

    /// Stores the registers from `from` that are operands: `b - 1` of them, or for `b == 0` all that
    /// precede the open values, which are in memory.
    pub(super) fn store_window_values(&mut self, from: usize, b: usize) {
        let end = match b {
            0 => self.frame().profile.function.max_stack as usize,
            _ => from + b - 1,
        };
        for reg in from..end {
            self.store_reg(reg);
        }
    }

    fn function_pointer(&mut self, f: Value) -> Value {
        if self.ty(f) == Type::Func {
            return f;
        }
        if f == self.frames[0].callee {
            return self.frames[0].closure;
        }
        let f = self.boxed(f);
        self.guard(Opcode::GuardFunction, Type::Func, &[f], 0, ExitReason::TypeGuard)
    }

    fn call_generic(&mut self, o: Operands, site: &Site) {
        let f = self.get(o.a);
        let window = self.slot_of(o.a);
        let native = !self.blocked(ExitReason::TypeGuard)
            && !self.is_memory(o.a)
            && self.expected(f) & !types::FUNCTION == 0;
        if !native {
            self.store_reg(o.a);
            self.store_window_values(o.a + 2, o.b);
            self.flush(o.a);
            self.set_top();
            let (pc, base) = (self.frame().pc, self.frame().base);
            self.emit(Opcode::StepCall, Type::Raw, &[], pc as u64, base as u32);
            self.clobber_from(window);
            for reg in o.a..(o.a + o.c).saturating_sub(1).max(o.a) {
                self.reload(reg, if reg == o.a { site.types } else { 0 });
            }
            return;
        }
        let pointer = self.function_pointer(f);
        let pointer = match site.callee {
            Callee::Native { .. } if !self.blocked(ExitReason::CalleeGuard) => {
                self.guard_native(pointer);
                None
            }
            Callee::Native { .. }
            | Callee::Lua { .. }
            | Callee::Several(_)
            | Callee::Mixed
            | Callee::Never => Some(pointer),
        };
        if o.c > 2 {
            let wanted = o.c - 1;
            let count = self.call_pointer(Operands { c: 0, ..o }, f, pointer);
            self.emit(Opcode::PadResults, Type::None, &[count], wanted as u64, window as u32);
            for reg in o.a..o.a + wanted {
                self.reload(reg, if reg == o.a { site.types } else { 0 });
            }
            return;
        }
        self.call_pointer(o, f, pointer);
        if o.c == 2 {
            let result = self.get(o.a);
            self.call_result(o, result, site.types);
        }
    }

    /// Leaves unless the function at `pointer` is native.
    fn guard_native(&mut self, pointer: Value) {
        let code = self.op(Opcode::FuncProto, Type::Raw, &[pointer]);
        let native = self.frame().profile.library.native_code;
        self.guard(Opcode::GuardRaw, Type::None, &[code], native, ExitReason::CalleeGuard);
    }

    /// Calls the function `f`, at address `pointer` (`None`: it is native), with the arguments in the
    /// window of `o`. Its one result, if one is wanted, becomes register A. Answers that, or the count if
    /// all are wanted.
    pub(super) fn call_pointer(&mut self, o: Operands, f: Value, pointer: Option<Value>) -> Value {
        self.write_header(o, f, encoding::LINK_BOUNDARY);
        self.store_window(o);
        self.flush(o.a);
        self.set_top();
        let op = if o.c == 0 { Opcode::CallMulti } else { Opcode::CallFunction };
        let ty = if o.c == 0 { Type::Raw } else { Type::Any };
        let nargs = if o.b == 0 { OPEN } else { o.b as u64 - 1 };
        let window = self.slot_of(o.a);
        let result = self.emit(op, ty, pointer.as_slice(), nargs, window as u32);
        self.clobber_from(window);
        if o.c == 2 {
            self.set(o.a, result);
        }
        result
    }

    /// The one result of a call becomes register A; narrowing it leaves after the call.
    pub(super) fn call_result(&mut self, o: Operands, result: Value, seen: u16) {
        self.set(o.a, result);
        if self.is_memory(o.a) || o.op == Op::TailCall {
            return;
        }
        self.go_behind(o.next);
        let narrowed = self.narrow(result, seen);
        self.set(o.a, narrowed);
    }

    /// An unboxed call of this unit by itself.
    fn call_self(&mut self, o: Operands, proto: u64, seen: u16) -> bool {
        let (params, result) = self.self_entry.clone().expect("checked");
        let mut plausible = true;
        for (i, &ty) in params.iter().enumerate() {
            let v = self.get(o.a + 2 + i);
            let got = self.ty(v);
            plausible &= match ty {
                Type::Int => {
                    got == Type::Int || (got == Type::Any && self.expected(v) & !types::INT == 0)
                }
                Type::Float => {
                    got == Type::Float
                        || (got == Type::Any && self.expected(v) & !types::FLOAT == 0)
                }
                _ => true,
            };
        }
        if !plausible || self.is_memory(o.a) {
            return false;
        }
        let f = self.get(o.a);
        let pointer = self.function_pointer(f);
        self.guard_proto(pointer, proto);
        let mut args = vec![];
        for (i, &ty) in params.iter().enumerate() {
            let v = self.get(o.a + 2 + i);
            args.push(self.argument(v, ty));
        }
        self.write_header(o, f, encoding::LINK_BOUNDARY);
        self.store_reg(o.a);
        let link = self.slot_of(o.a + 1);
        self.store(link);
        self.flush(o.a);
        let window = self.slot_of(o.a);
        let v = self.emit(Opcode::CallSelf, result, &args, 0, window as u32);
        self.clobber_from(window);
        let snapshot = self.snapshot_at(o.next, ExitReason::TypeGuard);
        self.graph.insts[v.0 as usize].snapshot = Some(snapshot);
        if o.c == 2 {
            self.expect.insert(v, seen);
            self.call_result(o, v, seen);
        }
        true
    }

    /// `v` as an argument of machine type `ty`.
    fn argument(&mut self, v: Value, ty: Type) -> Value {
        let why = ExitReason::TypeGuard;
        match (ty, self.ty(v)) {
            (Type::Int, Type::Any) => self.guard(Opcode::GuardInt, Type::Int, &[v], 0, why),
            (Type::Float, Type::Any) => self.guard(Opcode::GuardFloat, Type::Float, &[v], 0, why),
            (Type::Any, _) => self.boxed(v),
            (_, _) => v,
        }
    }

    // ---- inlining ----

    pub(super) fn inlinable(&self, profile: &Profile) -> bool {
        self.frames.iter().all(|f| f.profile.proto != profile.proto) && self.inlinable_body(profile)
    }

    /// Whether the function, which may be the one being built, can be inlined here.
    fn inlinable_body(&self, profile: &Profile) -> bool {
        let f = &profile.function;
        let size = f.code.len();
        if f.is_vararg
            || self.options.locals_in_memory
            || size > self.options.inline_size
            || size > self.budget
            || self.frames.len() > self.options.inline_depth
        {
            return false;
        }
        let mut pc = 0;
        while pc < size {
            let op = f.op(pc);
            let word = Word(f.code[pc]);
            match op {
                Op::Closure | Op::Tbc | Op::TForPrep | Op::Close | Op::Vararg => return false,
                Op::TailCall => {
                    let site = profile.site((f.code[pc + 1] >> 16) as u16);
                    let fine = match &site.callee {
                        Callee::Lua { profile: Some(callee), proto, .. } => {
                            *proto != profile.proto && self.inlinable(callee)
                        }
                        Callee::Never => true,
                        Callee::Several(callees) => {
                            callees.iter().all(|c| c.proto != profile.proto && self.inlinable(c))
                        }
                        Callee::Lua { profile: None, .. }
                        | Callee::Native { .. }
                        | Callee::Mixed => false,
                    };
                    if !fine || word.b() == 0 {
                        return false;
                    }
                }
                Op::Return if word.b() == 0 || word.c() != 0 => return false,
                _ => {}
            }
            pc += op.words();
        }
        !Analysis::new(f, 0).irreducible
    }

    fn inline(&mut self, o: Operands, profile: Arc<Profile>) {
        let f = self.get(o.a);
        let pointer = self.function_pointer(f);
        self.guard_proto(pointer, profile.proto);
        self.inline_body(o, pointer, profile);
    }

    /// Leaves unless the function at `pointer` is a closure of `proto`.
    fn guard_proto(&mut self, pointer: Value, proto: u64) {
        if pointer == self.frames[0].closure && proto == self.graph.proto {
            return;
        }
        let code = self.op(Opcode::FuncProto, Type::Raw, &[pointer]);
        self.guard(Opcode::GuardRaw, Type::None, &[code], proto, ExitReason::CalleeGuard);
    }

    /// Inlines functions of several prototypes behind a chain of tests; the last is guarded.
    fn inline_several(&mut self, o: Operands, profiles: &[Arc<Profile>]) {
        let f = self.get(o.a);
        let pointer = self.function_pointer(f);
        let mut ways = vec![];
        self.for_each_callee(pointer, profiles, |b, profile| {
            b.inline_body(o, pointer, profile.clone());
            b.end_way(&mut ways);
        });
        if ways.is_empty() {
            return;
        }
        let end = self.slot_of(o.a + o.c - 1);
        let block = self.merge(ways, |slot| slot < end);
        self.enter(block);
        self.settle_results(o.a, o.c - 1);
    }

    /// Has `build` build the way of each of several callees, behind a chain of tests of the function at
    /// `pointer`; the last callee is guarded.
    fn for_each_callee(
        &mut self,
        pointer: Value,
        profiles: &[Arc<Profile>],
        mut build: impl FnMut(&mut Self, &Arc<Profile>),
    ) {
        let code = self.op(Opcode::FuncProto, Type::Raw, &[pointer]);
        let pc = self.frame().pc;
        let (last, rest) = profiles.split_last().expect("there is a callee");
        for profile in rest {
            let expected = self.raw(profile.proto);
            let hit = self.op(Opcode::BitsEq, Type::Bool, &[code, expected]);
            let (yes, no) = self.fork(hit);
            let state = self.state.clone();
            self.enter(yes);
            build(self, profile);
            self.state = state;
            self.frame_mut().pc = pc;
            self.enter(no);
        }
        self.guard(Opcode::GuardRaw, Type::None, &[code], last.proto, ExitReason::CalleeGuard);
        build(self, last);
    }

    /// Notes the current block as a way to a merge, if it goes on.
    fn end_way(&mut self, ways: &mut Vec<Incoming>) {
        if self.open {
            self.terminate(Terminator::Jump(Target { block: Block(u32::MAX), args: vec![] }));
            ways.push(Incoming { from: self.cur, arm: 0, state: self.state.clone() });
        }
    }

    /// Results that a merge left in the state may belong in memory.
    fn settle_results(&mut self, from: usize, count: usize) {
        for reg in from..from + count {
            let i = Self::index(self.slot_of(reg));
            if let Some(v) = self.state.slots[i] {
                self.set(reg, v);
            }
        }
    }

    pub(super) fn inline_body(&mut self, o: Operands, pointer: Value, profile: Arc<Profile>) {
        let f = self.get(o.a);
        let boxed = self.boxed(f);
        let args: Vec<Value> = (o.a + 2..o.a + 1 + o.b).map(|reg| self.get(reg)).collect();
        self.write_header(o, boxed, encoding::LINK_INTERPRETED);
        let (dest, pc) = (self.slot_of(o.a), self.frame().pc);
        let path = self.frame().path.wrapping_mul(31).wrapping_add(pc as u32 + 1);
        let live_below = {
            let frame = self.frame();
            // What is live on both ways of a comparison, whose metamethod this may be.
            let mut live = frame.analysis.live[o.next];
            if let Some(target) = jump_target(&frame.profile.function, pc) {
                live.union(&frame.analysis.live[target]);
            }
            live.iter()
                .filter(|&r| r < o.a && !frame.analysis.memory.contains(r))
                .map(|r| frame.base + r as i32)
                .collect()
        };
        let base = self.slot_of(o.a + 2);
        let site = InlineSite { wanted: o.c - 1, dest, returns: vec![], live_below };
        let site = self.build_inlined(profile, base, path, (boxed, pointer), &args, site);
        if site.returns.is_empty() {
            self.open = false;
            return;
        }
        let end = dest + site.wanted as i32;
        let block = self.merge(site.returns, |slot| slot < end);
        self.enter(block);
        self.settle_results(o.a, site.wanted);
    }

    /// Builds the body of a function whose frame is at slot `base`, header and arguments known.
    fn build_inlined(
        &mut self,
        profile: Arc<Profile>,
        base: i32,
        path: u32,
        (callee, pointer): (Value, Value),
        args: &[Value],
        site: InlineSite,
    ) -> InlineSite {
        let params = profile.function.num_params as usize;
        self.budget = self.budget.saturating_sub(profile.function.code.len());
        self.graph.inlined.push(profile.proto);
        self.open_results = None;
        self.opening = None;
        self.push_frame(profile, 0, base, path, callee, pointer, Some(site));
        // What the callee's registers hold on entry.
        for i in Self::index(base) + args.len().min(params)..self.state.slots.len() {
            self.state.slots[i] = None;
            self.state.mem[i] = None;
        }
        for reg in 0..params {
            let v = match args.get(reg) {
                Some(&v) => v,
                None => self.bits(encoding::NIL),
            };
            let i = Self::index(self.slot_of(reg));
            if self.state.slots[i] != Some(v) {
                self.set(reg, v);
            }
        }
        let entry = self.frame().analysis.order[0];
        self.edge(entry, 0);
        self.build_blocks();
        let frame = self.frames.pop().expect("pushed above");
        frame.inline.expect("an inlined frame")
    }

    // ---- returns ----

    /// `RETURN`.
    pub(super) fn return_values(&mut self, o: Operands) {
        let o = match self.open_results {
            Some((reg, count)) if o.b == 0 => Operands { b: reg + count - o.a + 1, ..o },
            _ => o,
        };
        let whole = self.graph.entry == Entry::Function && self.frame().inline.is_none();
        let (closes, open) = (o.c != 0, o.b == 0);
        if open && !whole || closes && !self.guard_closed(0) {
            // Variables to close, or no view of the caller's frame: the interpreter does it.
            let snapshot = self.snapshot(ExitReason::Cold);
            return self.terminate(Terminator::Exit(snapshot));
        }
        let values = if open {
            self.store_window_values(o.a, 0);
            vec![]
        } else {
            (o.a..o.a + o.b - 1).map(|reg| self.get(reg)).collect()
        };
        if closes {
            self.close_upvalues(0);
        }
        if open {
            self.set_top();
            let from = self.slot_of(o.a);
            return self.terminate(Terminator::ReturnOpen(from));
        }
        self.finish_return(values);
    }

    pub(super) fn finish_return(&mut self, values: Vec<Value>) {
        if self.frame().inline.is_some() {
            return self.return_inlined(values);
        }
        let looping = matches!(self.graph.entry, Entry::Loop { .. });
        if looping && self.frame().profile.function.is_vararg {
            // The caller's view of the frame is not at hand.
            let snapshot = self.snapshot(ExitReason::Cold);
            return self.terminate(Terminator::Exit(snapshot));
        }
        match self.self_entry.clone() {
            None => {
                let boxed = values.into_iter().map(|v| self.boxed(v)).collect();
                self.terminate(Terminator::Return(boxed));
            }
            Some((_, result)) => {
                let v = match values.first() {
                    Some(&v) => v,
                    None => self.bits(encoding::NIL),
                };
                let got = self.ty(v);
                if result == Type::Any || got == result || got == Type::Any {
                    let v = self.argument(v, result);
                    self.terminate(Terminator::Return(vec![v]));
                } else {
                    let snapshot = self.snapshot(ExitReason::TypeGuard);
                    self.terminate(Terminator::Exit(snapshot));
                }
            }
        }
    }

    fn return_inlined(&mut self, values: Vec<Value>) {
        let (wanted, dest) = {
            let site = self.frame().inline.as_ref().expect("an inlined frame");
            (site.wanted, site.dest)
        };
        let mut results = vec![];
        for i in 0..wanted {
            results.push(match values.get(i) {
                Some(&v) => v,
                None => self.bits(encoding::NIL),
            });
        }
        self.clobber_from(dest);
        for (i, v) in results.into_iter().enumerate() {
            self.state.slots[Self::index(dest + i as i32)] = Some(v);
        }
        self.terminate(Terminator::Jump(Target { block: Block(u32::MAX), args: vec![] }));
        let incoming = Incoming { from: self.cur, arm: 0, state: self.state.clone() };
        self.frame_mut().inline.as_mut().expect("an inlined frame").returns.push(incoming);
    }

    /// Replaces the tail call of a library function that has one result, and returns that.
    fn tail_intrinsic(&mut self, o: Operands) -> bool {
        let site = self.site(o.feedback());
        let Callee::Native { bits, intrinsic, upvalue } = site.callee else { return false };
        let analysis = &self.frame().analysis;
        let simple = o.b != 0
            && Intrinsic::from_number(intrinsic).results(o.b - 1) == Some(1)
            && !self.options.locals_in_memory
            && !analysis.irreducible
            && !self.blocked(ExitReason::CalleeGuard)
            && !self.blocked(ExitReason::TypeGuard);
        if !simple
            || !self.intrinsic(Operands { c: 2, ..o }, bits, (intrinsic, upvalue), site.types)
        {
            return false;
        }
        let result = self.get(o.a);
        self.close_upvalues(0);
        self.finish_return(vec![result]);
        true
    }

    /// `TAILCALL`.
    pub(super) fn tail_call(&mut self, o: Operands) {
        let open = o.b == 0;
        let o = self.with_open_arguments(o);
        if self.tail_intrinsic(o) {
            return;
        }
        let pc = self.frame().pc;
        if self.frame().inline.is_some() {
            return self.tail_call_inlined(o);
        }
        if self.frame().analysis.self_tails.contains(&pc) {
            return self.self_tail_call(o);
        }
        let site = self.site(o.feedback());
        let analysis = &self.frame().analysis;
        let simple = !self.options.locals_in_memory
            && !analysis.irreducible
            && self.graph.entry == Entry::Function
            && !self.blocked(ExitReason::TypeGuard)
            && !self.blocked(ExitReason::CalleeGuard)
            && !matches!(site.callee, Callee::Never);
        if !simple {
            let snapshot = self.snapshot(ExitReason::Cold);
            return self.terminate(Terminator::Exit(snapshot));
        }
        // Tail calls make loops. Open arguments are no part of the frame, so nothing may run here;
        // a function that has them calls or is vararg, and so polls at its start.
        if !open {
            self.poll();
        }
        let f = self.get(o.a);
        let pointer = self.function_pointer(f);
        let callee = self.boxed(f);
        if let Callee::Native { .. } = site.callee {
            // It keeps its caller's frame (see `guard_lua`).
            self.guard_native(pointer);
            self.close_upvalues(0);
            self.call_pointer(Operands { c: 0, ..o }, f, None);
            let from = self.slot_of(o.a);
            return self.terminate(Terminator::ReturnOpen(from));
        }
        self.guard_lua(pointer);
        if o.b == 0 {
            self.store_window_values(o.a + 2, 0);
            self.close_upvalues(0);
            self.set_top();
            let from = self.slot_of(o.a + 2);
            return self.terminate(Terminator::TailCallOpen { callee, pointer, from });
        }
        let args = (o.a + 2..o.a + 1 + o.b)
            .map(|reg| {
                let v = self.get(reg);
                self.boxed(v)
            })
            .collect();
        self.close_upvalues(0);
        self.terminate(Terminator::TailCall { callee, pointer, args });
    }

    /// A tail call in an inlined function: the callee, inlined too, takes the frame's place.
    fn tail_call_inlined(&mut self, o: Operands) {
        let site = self.site(o.feedback());
        let profiles = match &site.callee {
            Callee::Lua { profile: Some(profile), .. } => vec![profile.clone()],
            Callee::Several(profiles) => profiles.clone(),
            Callee::Lua { profile: None, .. }
            | Callee::Native { .. }
            | Callee::Never
            | Callee::Mixed => vec![],
        };
        let size: usize = profiles.iter().map(|p| p.function.code.len()).sum();
        if profiles.is_empty()
            || size > self.budget
            || self.blocked(ExitReason::CalleeGuard)
            || self.blocked(ExitReason::TypeGuard)
            || !profiles.iter().all(|p| self.inlinable(p))
        {
            return self.tail_call_as_call(o, &site);
        }
        let f = self.get(o.a);
        let pointer = self.function_pointer(f);
        self.for_each_callee(pointer, &profiles, |b, profile| {
            b.replace_frame(o, f, pointer, profile.clone());
        });
    }

    /// Builds `profile`'s function in the place of the innermost (inlined) frame.
    fn replace_frame(&mut self, o: Operands, f: Value, pointer: Value, profile: Arc<Profile>) {
        let callee = self.boxed(f);
        let args = self.take_frame(o, f, encoding::LINK_INTERPRETED);
        let base = self.frame().base;
        let path = self.frame().path.wrapping_mul(31).wrapping_add(self.frame().pc as u32 + 7);
        let (wanted, dest, live_below) = {
            let site = self.frame().inline.as_ref().expect("an inlined frame");
            (site.wanted, site.dest, site.live_below.clone())
        };
        let site = InlineSite { wanted, dest, returns: vec![], live_below };
        let site = self.build_inlined(profile, base, path, (callee, pointer), &args, site);
        let mine = self.frame_mut().inline.as_mut().expect("an inlined frame");
        mine.returns.extend(site.returns);
        self.open = false;
    }

    /// A tail call in an inlined function of one that is not inlined: an ordinary call, whose result is
    /// returned, with the callee's frame in the place of the inlined one. (Nothing may leave between the
    /// two: there is no instruction that returns.)
    fn tail_call_as_call(&mut self, o: Operands, site: &Site) {
        let wanted = self.frame().inline.as_ref().expect("an inlined frame").wanted;
        let f = self.get(o.a);
        let callable = self.expected(f) & !types::FUNCTION == 0;
        if wanted > 1
            || o.b == 0
            || !callable
            || self.blocked(ExitReason::TypeGuard)
            || self.blocked(ExitReason::CalleeGuard)
            || matches!(site.callee, Callee::Never)
        {
            return self.uncommon();
        }
        let pointer = self.function_pointer(f);
        self.guard_lua(pointer);
        let args = self.take_frame(o, f, encoding::LINK_BOUNDARY);
        let base = self.frame().base;
        for (i, v) in (base..).zip(args) {
            self.state.slots[Self::index(i)] = Some(v);
        }
        for slot in base - 2..base + o.b as i32 - 1 {
            self.store(slot);
        }
        // Nothing of this frame is needed any more.
        self.flush(0);
        let nargs = o.b as u64 - 1;
        let window = base - 2;
        let result = self.emit(Opcode::CallFunction, Type::Any, &[pointer], nargs, window as u32);
        self.finish_return(vec![result]);
    }

    /// Gives the innermost (inlined) frame's header to the callee `f` of its tail call, with a link of
    /// `kind`. The arguments are answered; no register holds anything any more.
    fn take_frame(&mut self, o: Operands, f: Value, kind: u64) -> Vec<Value> {
        let callee = self.boxed(f);
        let args = (o.a + 2..o.a + 1 + o.b).map(|reg| self.get(reg)).collect();
        let base = self.frame().base;
        let header = Self::index(base) - 2;
        let link = self.state.slots[header + 1].expect("inlined frames have links");
        let link = self.graph.inst(link).imm | (encoding::LINK_TAIL | kind) << 56;
        let link = self.bits(link);
        self.clobber_from(base - 2);
        self.state.slots[header] = Some(callee);
        self.state.slots[header + 1] = Some(link);
        args
    }

    /// Leaves for a native function: one does not take its caller's place, since its messages say where it
    /// was called.
    fn guard_lua(&mut self, pointer: Value) {
        let code = self.op(Opcode::FuncProto, Type::Raw, &[pointer]);
        let native = self.raw(self.frame().profile.library.native_code);
        let is_native = self.op(Opcode::BitsEq, Type::Bool, &[code, native]);
        let is_lua = self.op(Opcode::BNot, Type::Bool, &[is_native]);
        self.guard(Opcode::GuardTrue, Type::None, &[is_lua], 0, ExitReason::CalleeGuard);
    }

    /// A tail call of this very closure is a jump to the start.
    fn self_tail_call(&mut self, o: Operands) {
        let f = self.get(o.a);
        let f = self.boxed(f);
        let own = self.frame().callee;
        if f != own {
            let same = self.op(Opcode::BitsEq, Type::Bool, &[f, own]);
            self.guard(Opcode::GuardTrue, Type::None, &[same], 0, ExitReason::CalleeGuard);
        }
        let args: Vec<Value> = (o.a + 2..o.a + 1 + o.b).map(|reg| self.get(reg)).collect();
        // A call of itself has come by a safepoint already.
        let last = self.graph.blocks[self.cur.0 as usize].insts.iter().rev();
        if !last.take(8).any(|&v| self.graph.inst(v).op == Opcode::CallSelf) {
            self.poll();
        }
        self.op(Opcode::MarkTail, Type::None, &[]);
        self.clobber_from(0);
        for (reg, v) in args.into_iter().enumerate() {
            self.set(reg, v);
        }
        self.jump_to(0);
    }

    pub(super) fn tfor_call(&mut self, o: Operands) {
        let mut site = self.site(o.feedback());
        if let Callee::Native { bits, intrinsic, .. } = site.callee
            && !self.blocked(ExitReason::CalleeGuard)
            && !self.blocked(ExitReason::TypeGuard)
        {
            let (t, control) = (self.get(o.a + 1), self.get(o.a + 2));
            match Intrinsic::from_number(intrinsic) {
                Intrinsic::IpairsStep
                    if self.expected(control) & !types::INT == 0
                        && !self.blocked(ExitReason::MetaGuard) =>
                {
                    return self.ipairs_step(o, bits, (t, control), &site);
                }
                Intrinsic::Next => return self.next_step(o, bits, (t, control), &site),
                _ => {}
            }
        }
        if let Callee::Native { intrinsic, .. } = site.callee
            && matches!(Intrinsic::from_number(intrinsic), Intrinsic::IpairsStep | Intrinsic::Next)
        {
            // The types are those of the values.
            site.types = 0;
        }
        let function = self.get(o.a);
        let window = o.a + 4..o.a + 4 + o.c.max(4);
        if !matches!(site.callee, Callee::Never)
            && self.expected(function) & !types::FUNCTION == 0
            && !window.into_iter().any(|reg| self.is_memory(reg))
            && !self.blocked(ExitReason::CalleeGuard)
            && !self.blocked(ExitReason::TypeGuard)
        {
            // An ordinary call, in the window above the loop's registers.
            for (to, from) in [(4, 0), (6, 1), (7, 2)] {
                let v = self.get(o.a + from);
                self.set(o.a + to, v);
            }
            return self.call_site(Operands { a: o.a + 4, b: 3, c: o.c + 1, ..o }, &site);
        }
        for reg in o.a..o.a + 3 {
            self.store_reg(reg);
        }
        self.flush(o.a + 4);
        let (pc, base) = (self.frame().pc, self.frame().base);
        self.emit(Opcode::StepCall, Type::Raw, &[], pc as u64, base as u32);
        let window = self.slot_of(o.a + 4);
        self.clobber_from(window);
        for reg in o.a + 4..o.a + 4 + o.c {
            self.reload(reg, if reg == o.a + 4 { site.types } else { 0 });
        }
    }
}
