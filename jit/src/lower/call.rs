//! Calls, returns, safepoints and what the interpreter does for compiled code.

use core::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use perilune_ir::exits::ExitReason;
use perilune_ir::ssa::build::OPEN;
use perilune_runtime::object::{CodeHead, Function as FunctionObject, LuaClosure, Proto, Upvalue};
use perilune_runtime::state::MAX_C_DEPTH;
use perilune_runtime::vm::Link;

use super::*;
use crate::exits::ExitSpec;

/// The generic entry of a typed unit: unboxes the arguments, calls the body, boxes the result.
pub(super) fn wrapper(
    context: &mut FunctionBuilderContext,
    input: &mut Input<'_>,
    params: &[Type],
    result: Type,
) -> Function {
    let mut function = new_function(0, entry_signature());
    let mut b = FunctionBuilder::new(&mut function, context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let [vm, base, nargs] = b.block_params(entry)[..] else { unreachable!("three parameters") };
    let few = b.create_block();
    let exit = b.create_block();
    b.set_cold_block(few);
    b.set_cold_block(exit);
    let full = b.create_block();
    let mut next = full;
    let enough = b.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, nargs, params.len() as i64);
    b.ins().brif(enough, next, &[], few, &[]);
    b.switch_to_block(next);
    if let Some(own) = input.graph.own_upvalue {
        let callee = b.ins().load(types::I64, trusted(), base, -16);
        let address = b.ins().band_imm_u(callee, (1 << TAG_SHIFT) - 1);
        let offset = offset_of!(LuaClosure, upvalues) + 8 * own as usize;
        let upvalue = b.ins().load(types::I64, trusted(), address, offset as i32);
        let offset = offset_of!(Upvalue, location) as i32;
        let location = b.ins().load(types::I64, trusted(), upvalue, offset);
        let value = b.ins().load(types::I64, trusted(), location, 0);
        let same = b.ins().icmp(IntCC::Equal, value, callee);
        let (foreign, own) = (b.create_block(), b.create_block());
        b.set_cold_block(foreign);
        b.ins().brif(same, own, &[], foreign, &[]);
        b.switch_to_block(foreign);
        leave(&mut b, input, ExitReason::CalleeGuard, [vm, base]);
        b.switch_to_block(own);
    }
    let mut args = vec![vm, base];
    for (i, &ty) in params.iter().enumerate() {
        let x = b.ins().load(types::I64, trusted(), base, 8 * i as i32);
        let tag = b.ins().ushr_imm_u(x, i64::from(TAG_SHIFT));
        let (ok, v) = match ty {
            Type::Int => {
                let ok = b.ins().icmp_imm_u(IntCC::Equal, tag, encoding::TAG_INT as i64);
                let up = b.ins().ishl_imm_u(x, 16);
                (ok, b.ins().sshr_imm_u(up, 16))
            }
            Type::Float => {
                let limit = encoding::TAG_IMMEDIATE as i64;
                let ok = b.ins().icmp_imm_u(IntCC::UnsignedLessThan, tag, limit);
                (ok, b.ins().bitcast(types::F64, MemFlagsData::new(), x))
            }
            _ => {
                args.push(x);
                continue;
            }
        };
        next = b.create_block();
        b.ins().brif(ok, next, &[], exit, &[]);
        b.switch_to_block(next);
        args.push(v);
    }
    let body = import_body(&mut b, typed_signature(params, result));
    let call = b.ins().call(body, &args);
    let (payload, kind) = (b.inst_results(call)[0], b.inst_results(call)[1]);
    let one = b.ins().iconst(types::I64, 1);
    let boxed = b.create_block();
    match result {
        Type::Int => {
            // Wide results and odd ones take the long way; the others are boxed here.
            let up = b.ins().ishl_imm_u(payload, 16);
            let back = b.ins().sshr_imm_u(up, 16);
            let fits = b.ins().icmp(IntCC::Equal, back, payload);
            let expected = b.ins().icmp_imm_u(IntCC::Equal, kind, 0);
            let plain = b.ins().band(fits, expected);
            let small = b.create_block();
            b.set_cold_block(boxed);
            b.ins().brif(plain, small, &[], boxed, &[]);
            b.switch_to_block(small);
            let word = b.ins().ushr_imm_u(up, 16);
            let tag = b.ins().iconst(types::I64, (encoding::TAG_INT << TAG_SHIFT) as i64);
            let word = b.ins().bor(word, tag);
            b.ins().return_(&[one, word]);
            b.switch_to_block(boxed);
            let (wide, done) = (b.create_block(), b.create_block());
            b.set_cold_block(wide);
            b.set_cold_block(done);
            b.ins().brif(expected, wide, &[], done, &[]);
            b.switch_to_block(wide);
            let sig = b.import_signature(Helper::IntValue.signature());
            let address = Helper::IntValue.address() as i64;
            let address = b.ins().iconst(types::I64, address);
            let call = b.ins().call_indirect(sig, address, &[vm, payload]);
            let word = b.inst_results(call)[0];
            b.ins().return_(&[one, word]);
            b.switch_to_block(done);
            b.ins().return_(&[one, payload]);
        }
        Type::Float => {
            b.ins().jump(boxed, &[]);
            b.switch_to_block(boxed);
            let word = b.ins().bitcast(types::I64, MemFlagsData::new(), payload);
            b.ins().return_(&[one, word]);
        }
        _ => {
            b.ins().jump(boxed, &[]);
            b.switch_to_block(boxed);
            b.ins().return_(&[one, payload]);
        }
    }
    // Missing arguments are nil. The stub for functions that are not compiled must not be entered
    // here: it would jump back to this code.
    b.switch_to_block(few);
    let nil = b.ins().iconst(types::I64, encoding::NIL as i64);
    for i in 0..params.len() as i32 {
        let given = b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, nargs, i64::from(i));
        let old = b.ins().load(types::I64, trusted(), base, 8 * i);
        let word = b.ins().select(given, old, nil);
        b.ins().store(trusted(), word, base, 8 * i);
    }
    b.ins().jump(full, &[]);
    b.switch_to_block(exit);
    leave(&mut b, input, ExitReason::EntryGuard, [vm, base]);
    b.seal_all_blocks();
    b.finalize(input.config);
    function
}

/// Ends a block of a wrapper: the interpreter runs the function from the start.
fn leave(
    b: &mut FunctionBuilder<'_>,
    input: &mut Input<'_>,
    reason: ExitReason,
    [vm, base]: [V; 2],
) {
    let proto = input.graph.proto as *mut Proto;
    // SAFETY: names no slots.
    let descriptor = unsafe {
        input.exits.add(ExitSpec {
            proto,
            pc: 0,
            frame: 0,
            reason,
            site_proto: proto,
            site_pc: 0,
            top: None,
            slots: Box::new([]),
        })
    };
    let tail = b.import_signature(entry_signature());
    let descriptor = b.ins().iconst(types::I64, descriptor as i64);
    let stub = b.ins().iconst(types::I64, Helper::Deopt.address() as i64);
    b.ins().return_call_indirect(tail, stub, &[vm, base, descriptor]);
}

impl Lower<'_, '_> {
    /// The generic entry of the function at `pointer`.
    fn entry_of(&mut self, pointer: V) -> V {
        let code = self.load_const(types::I64, pointer, offset_of!(FunctionObject, code));
        self.load(types::I64, code, offset_of!(CodeHead, jit_entry))
    }

    pub(super) fn tail_call(&mut self, callee: V, pointer: V, args: &[V]) {
        let entry = self.entry_of(pointer);
        for (i, &v) in args.iter().enumerate() {
            self.store(v, self.entry_base, 8 * i as i32);
        }
        let nargs = self.iconst(args.len() as u64);
        self.jump_to_callee(callee, entry, nargs);
    }

    /// A tail call with the arguments from slot `from` to the top.
    pub(super) fn tail_call_open(&mut self, callee: V, pointer: V, from: i32) {
        let entry = self.entry_of(pointer);
        let from = self.slot_address(from);
        let nargs = self.call_native(Helper::MoveValues, &[self.vm, from, self.entry_base])[0];
        self.jump_to_callee(callee, entry, nargs);
    }

    /// The callee takes the frame's place; its arguments are there.
    fn jump_to_callee(&mut self, callee: V, entry: V, nargs: V) {
        self.store(callee, self.entry_base, -16);
        self.mark_tail();
        let sig = self.tail_signature();
        self.b.ins().return_call_indirect(sig, entry, &[self.vm, self.entry_base, nargs]);
    }

    fn mark_tail(&mut self) {
        if !matches!(self.graph.entry, Entry::Loop { .. }) {
            // The kind of frames that are called for compiled code.
            let kind = self.b.ins().iconst(types::I8, (Link::BOUNDARY | Link::TAIL) as i64);
            return self.store(kind, self.entry_base, -1);
        }
        let link = self.b.ins().load(types::I64, trusted(), self.entry_base, -8);
        let bit = self.iconst(Link::TAIL << 56);
        let link = self.b.ins().bor(link, bit);
        self.store(link, self.entry_base, -8);
    }

    /// Returns the values from slot `from` to the top.
    pub(super) fn return_open(&mut self, from: i32) {
        let from = self.slot_address(from);
        let to = self.iadd_imm(self.entry_base, -16);
        let count = self.call_native(Helper::MoveValues, &[self.vm, from, to])[0];
        let first = self.b.ins().load(types::I64, trusted(), to, 0);
        self.b.ins().return_(&[count, first]);
    }

    /// Distance of a vararg function's frame from where its caller put it, and so how many extra
    /// arguments it has, of which `params` are parameters.
    fn extra_arguments(&mut self, params: u32) -> V {
        let link = self.b.ins().load(types::I64, trusted(), self.base, -8);
        let delta = self.link_delta(link);
        self.iadd_imm(delta, -2 - i64::from(params))
    }

    fn link_delta(&mut self, link: V) -> V {
        let shifted = self.ushr_imm(link, i64::from(Link::DELTA_SHIFT));
        self.band_imm(shifted, Link::DELTA_MASK as i64)
    }

    /// Extra argument `index`, nil beyond the last.
    fn vararg(&mut self, index: V, params: u32) -> V {
        let count = self.extra_arguments(params);
        let there = self.b.ins().icmp(IntCC::UnsignedLessThan, index, count);
        // Its slot: base - delta + params + index = base - count - 2 + index.
        let back = self.b.ins().isub(index, count);
        let back = self.iadd_imm(back, -2);
        let bytes = self.ishl_imm(back, 3);
        let at = self.b.ins().iadd(self.base, bytes);
        // Beyond the last, something else of the frame is read and dropped.
        let own = self.iadd_imm(self.base, -16);
        let at = self.b.ins().select(there, at, own);
        let v = self.b.ins().load(types::I64, trusted(), at, 0);
        let nil = self.iconst(encoding::NIL);
        self.b.ins().select(there, v, nil)
    }

    /// Whether a frame that ends at `end` needs the stack to grow.
    fn is_beyond_stack(&mut self, end: V) -> V {
        let limit = self.load(types::I64, self.vm, offset_of!(Vm, stack_limit));
        self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, limit)
    }

    /// Moves the frame above its arguments, as `interp::frame_ops::vararg_prep` does.
    fn vararg_prep(&mut self, params: u32) {
        let nargs = self.nargs.expect("a function entry");
        let old = self.base;
        let least = self.iconst(u64::from(params));
        let count = if params == 0 { nargs } else { self.b.ins().umax(nargs, least) };
        let delta = self.iadd_imm(count, 2);
        let bytes = self.ishl_imm(delta, 3);
        let moved = self.b.ins().iadd(old, bytes);
        let end = self.iadd_imm(moved, i64::from(Self::slot(self.graph.frame_slots as i32)));
        let over = self.is_beyond_stack(end);
        let (slow, fast, join) = (self.cold_block(), self.b.create_block(), self.b.create_block());
        let base = self.b.append_block_param(join, types::I64);
        self.b.ins().brif(over, slow, &[], fast, &[]);

        self.b.switch_to_block(slow);
        let answer = self.call_native(Helper::VarargPrep, &[self.vm, old, nargs])[0];
        let failed = self.icmp_imm(IntCC::Equal, answer, 0);
        self.check_status(failed);
        self.b.ins().jump(join, &[BlockArg::from(answer)]);

        self.b.switch_to_block(fast);
        let nil = self.iconst(encoding::NIL);
        for i in 0..params as i32 {
            let given = self.icmp_imm(IntCC::UnsignedGreaterThan, nargs, i64::from(i));
            let v = self.b.ins().load(types::I64, trusted(), old, Self::slot(i));
            let v = self.b.ins().select(given, v, nil);
            self.store(v, moved, Self::slot(i));
            self.store(nil, old, Self::slot(i));
        }
        let callee = self.b.ins().load(types::I64, trusted(), old, Self::slot(-2));
        self.store(callee, moved, Self::slot(-2));
        let kind = Link::new(0, 0, Link::VARARG).0;
        let link = self.ishl_imm(delta, i64::from(Link::DELTA_SHIFT));
        let link = self.bor_imm(link, kind as i64);
        self.store(link, moved, Self::slot(-1));
        self.b.ins().jump(join, &[BlockArg::from(moved)]);

        self.b.switch_to_block(join);
        self.base = base;
    }

    /// Copies all extra arguments to `slot` and above; open results end behind them.
    fn vararg_all(&mut self, slot: i32, pc: u32, params: u32) {
        let count = self.extra_arguments(params);
        let to = self.slot_address(slot);
        let bytes = self.ishl_imm(count, 3);
        let end = self.b.ins().iadd(to, bytes);
        let over = self.is_beyond_stack(end);
        let (slow, fast) = (self.cold_block(), self.block_like_this());
        let (head, turn, done) =
            (self.block_like_this(), self.block_like_this(), self.block_like_this());
        let offset = self.b.append_block_param(head, types::I64);
        self.b.ins().brif(over, slow, &[], fast, &[]);

        self.b.switch_to_block(slow);
        let status = self.step(Helper::Step, 0, u64::from(pc));
        self.check_status(status);
        self.b.ins().jump(done, &[]);

        self.b.switch_to_block(fast);
        self.store(end, self.vm, offset_of!(Vm, top) as i32);
        // They end below the header of the moved frame.
        let from = self.b.ins().isub(self.base, bytes);
        let from = self.iadd_imm(from, i64::from(Self::slot(-2)));
        let zero = self.iconst(0);
        self.b.ins().jump(head, &[BlockArg::from(zero)]);

        self.b.switch_to_block(head);
        let over = self.b.ins().icmp(IntCC::Equal, offset, bytes);
        self.b.ins().brif(over, done, &[], turn, &[]);
        self.b.switch_to_block(turn);
        let source = self.b.ins().iadd(from, offset);
        let v = self.b.ins().load(types::I64, trusted(), source, 0);
        let target = self.b.ins().iadd(to, offset);
        self.store(v, target, 0);
        let next = self.iadd_imm(offset, 8);
        self.b.ins().jump(head, &[BlockArg::from(next)]);
        self.b.switch_to_block(done);
    }

    pub(super) fn return_values(&mut self, values: &[V]) {
        if let Entry::Typed { .. } = self.graph.entry {
            let zero = self.iconst(0);
            self.b.ins().return_(&[values[0], zero]);
            return;
        }
        for (i, &v) in values.iter().enumerate().skip(1) {
            self.store(v, self.entry_base, 8 * (i as i32 - 2));
        }
        let count = self.iconst(values.len() as u64);
        let first = match values.first() {
            Some(&v) => v,
            None => self.iconst(encoding::NIL),
        };
        self.b.ins().return_(&[count, first]);
    }

    /// An instruction that calls, or that the interpreter executes.
    pub(super) fn call(&mut self, value: Value) -> Option<V> {
        let inst = self.graph.inst(value);
        let window = inst.aux as i32;
        match inst.op {
            Opcode::GuardClosed => {
                let last = self.load(types::I64, self.vm, offset_of!(Vm, closing));
                let level = self.slot_address(window);
                let wrong = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, last, level);
                self.leave_if(wrong, inst.snapshot.expect("a guard"));
                None
            }
            Opcode::GuardFresh => {
                let mark = self.load_u8(self.vm, offset_of!(Vm, stale) + inst.aux as usize);
                let stale = self.icmp_imm(IntCC::NotEqual, mark, 0);
                self.leave_if(stale, inst.snapshot.expect("a guard"));
                None
            }
            Opcode::GuardDepth => {
                let depth = self.load_u32(self.vm, offset_of!(Vm, c_depth));
                let most = i64::from(MAX_C_DEPTH) - 1;
                let wrong = self.icmp_imm(IntCC::UnsignedGreaterThanOrEqual, depth, most);
                self.leave_if(wrong, inst.snapshot.expect("a guard"));
                None
            }
            Opcode::AddDepth => {
                let depth = self.load_u32(self.vm, offset_of!(Vm, c_depth));
                let depth = self.iadd_imm(depth, inst.imm as i64);
                self.b.ins().istore32(trusted(), depth, self.vm, offset_of!(Vm, c_depth) as i32);
                None
            }
            Opcode::CloseUpvalues => {
                let open = self.load(types::I64, self.vm, offset_of!(Vm, open_upvalues));
                let level = self.slot_address(window);
                self.if_rare(open, &[], &[], |l| {
                    l.call_keep(Helper::CloseUpvalues, &[level]);
                    vec![]
                });
                None
            }
            Opcode::MarkTail => {
                self.mark_tail();
                None
            }
            Opcode::SetTop => {
                let top = self.slot_address(window);
                self.store(top, self.vm, offset_of!(Vm, top) as i32);
                None
            }
            Opcode::VarargCount => Some(self.extra_arguments(inst.aux)),
            Opcode::VarargLoad => {
                let index = self.v(inst.args[0]);
                Some(self.vararg(index, inst.aux))
            }
            Opcode::VarargAll => {
                self.vararg_all(window, inst.imm as u32, (inst.imm >> 32) as u32);
                None
            }
            Opcode::VarargPrep => {
                self.vararg_prep(inst.aux);
                None
            }
            Opcode::StackCheck => {
                self.stack_check(inst.snapshot.expect("a guard"), None);
                None
            }
            Opcode::Poll => {
                self.poll(inst.snapshot.expect("a guard"));
                None
            }
            Opcode::Step => {
                let status = self.step(Helper::Step, window, inst.imm);
                self.check_status(status);
                None
            }
            Opcode::StepTest => {
                let answer = self.step(Helper::StepTest, window, inst.imm);
                let threw = self.icmp_imm(IntCC::Equal, answer, 2);
                self.check_status(threw);
                Some(self.b.ins().ireduce(types::I8, answer))
            }
            Opcode::StepCall => {
                let count = self.step(Helper::StepCall, window, inst.imm);
                let threw = self.icmp_imm(IntCC::SignedLessThan, count, 0);
                self.check_status(threw);
                Some(count)
            }
            Opcode::CallFunction => Some(self.call_function(value).1),
            Opcode::CallMulti => {
                let (count, first) = self.call_function(value);
                self.store(first, self.base, Self::slot(window));
                let from = self.slot_address(window);
                let bytes = self.ishl_imm(count, 3);
                let top = self.b.ins().iadd(from, bytes);
                self.store(top, self.vm, offset_of!(Vm, top) as i32);
                Some(count)
            }
            Opcode::PadResults => {
                let count = self.v(inst.args[0]);
                let nil = self.iconst(encoding::NIL);
                // Without results the first is nil already.
                for i in 1..inst.imm as i32 {
                    let at = Self::slot(window + i);
                    let given = self.icmp_imm(IntCC::UnsignedGreaterThan, count, i64::from(i));
                    let word = self.b.ins().load(types::I64, trusted(), self.base, at);
                    let word = self.b.ins().select(given, word, nil);
                    self.store(word, self.base, at);
                }
                None
            }
            Opcode::CallSelf => Some(self.call_self(value)),
            other => unreachable!("{other:?} is no call"),
        }
    }

    fn step(&mut self, helper: Helper, frame: i32, pc: u64) -> V {
        let base = self.slot_address(frame);
        let pc = self.iconst(pc);
        self.call_native(helper, &[self.vm, base, pc])[0]
    }

    fn call_function(&mut self, value: Value) -> (V, V) {
        let inst = self.graph.inst(value);
        let entry = inst.args.first().map(|&pointer| {
            let pointer = self.v(pointer);
            self.entry_of(pointer)
        });
        let base = self.slot_address(inst.aux as i32 + 2);
        let nargs = match inst.imm {
            OPEN => {
                let top = self.load(types::I64, self.vm, offset_of!(Vm, top));
                let bytes = self.b.ins().isub(top, base);
                self.ushr_imm(bytes, 3)
            }
            nargs => self.iconst(nargs),
        };
        let Some(entry) = entry else {
            let count = self.call_native(Helper::CallNative, &[self.vm, base, nargs])[0];
            let threw = self.icmp_imm(IntCC::SignedLessThan, count, 0);
            self.check_status(threw);
            let first = self.b.ins().load(types::I64, trusted(), self.vm, scratch(0));
            return (count, first);
        };
        let sig = self.tail_signature();
        let call = self.b.ins().call_indirect(sig, entry, &[self.vm, base, nargs]);
        (self.b.inst_results(call)[0], self.b.inst_results(call)[1])
    }

    fn call_self(&mut self, value: Value) -> V {
        let inst = self.graph.inst(value);
        let Entry::Typed { params, result } = &self.graph.entry else {
            unreachable!("only typed units call themselves")
        };
        let body = self.own_body(typed_signature(params, *result));
        let window = inst.aux as i32;
        let mut args = vec![self.vm, self.slot_address(window + 2)];
        args.extend(inst.args.iter().map(|&v| self.v(v)));
        let call = self.b.ins().call(body, &args);
        let (payload, kind) = (self.b.inst_results(call)[0], self.b.inst_results(call)[1]);
        if *result == Type::Any {
            return payload;
        }
        let (other, next) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(kind, other, &[], next, &[]);
        self.b.switch_to_block(other);
        let boxed = match result {
            Type::Float => self.b.ins().bitcast(types::I64, MemFlagsData::new(), payload),
            _ => payload,
        };
        self.leave(inst.snapshot.expect("a guard"), Some((window, boxed)));
        self.b.switch_to_block(next);
        payload
    }

    /// Leaves to the interpreter when VM stack or native stack are short. With the snapshot of a poll it is
    /// one, too: the limit of the native stack is raised while something is asked for.
    pub(super) fn stack_check(&mut self, snapshot: SnapshotId, poll: Option<SnapshotId>) {
        let slots = self.graph.frame_slots;
        let end = self.iadd_imm(self.base, 8 * i64::from(slots));
        let limit = self.load(types::I64, self.vm, offset_of!(Vm, stack_limit));
        let sp = self.b.ins().get_stack_pointer(types::I64);
        let native = match poll {
            Some(_) => offset_of!(Vm, poll) + Poll::ENTRY_LIMIT,
            None => offset_of!(Vm, native_limit),
        };
        let native = self.load(types::I64, self.vm, native);
        let no_slots = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, end, limit);
        let short = self.cold_block();
        let (first, next) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(no_slots, short, &[], first, &[]);
        self.b.switch_to_block(first);
        let beyond = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, sp, native);
        match poll {
            None => {
                self.b.ins().brif(beyond, short, &[], next, &[]);
            }
            Some(poll) => {
                let (stopped, asked) = (self.cold_block(), self.cold_block());
                self.b.ins().brif(beyond, stopped, &[], next, &[]);
                self.b.switch_to_block(stopped);
                let native = self.load(types::I64, self.vm, offset_of!(Vm, native_limit));
                let beyond = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, sp, native);
                self.b.ins().brif(beyond, short, &[], asked, &[]);
                self.b.switch_to_block(asked);
                self.safepoint(poll);
                self.b.ins().jump(next, &[]);
            }
        }

        // The interpreter takes over: it makes room, or throws, and needs no native stack for calls
        // between Lua functions.
        self.b.switch_to_block(short);
        if let Some(nargs) = self.nargs {
            // A vararg function's first instruction looks for its arguments below the top.
            let bytes = self.ishl_imm(nargs, 3);
            let top = self.b.ins().iadd(self.base, bytes);
            self.store(top, self.vm, offset_of!(Vm, top) as i32);
        }
        // The frame of a vararg function moves later: not by the block that all other exits share.
        self.store_slots(snapshot);
        let exit = self.descriptor(snapshot);
        let exit = self.iconst(exit as u64);
        self.leave_unit(exit);
        self.b.switch_to_block(next);
    }

    /// Runs what is asked for if anything is.
    fn poll(&mut self, snapshot: SnapshotId) {
        let word = (offset_of!(Vm, poll) + Poll::WORD) as i32;
        let asked = self.b.ins().load(types::I32, trusted(), self.vm, word);
        self.if_rare(asked, &[], &[], |l| {
            l.safepoint(snapshot);
            vec![]
        });
    }

    /// The cold side of a poll: makes the frame readable and runs what is asked for.
    fn safepoint(&mut self, snapshot: SnapshotId) {
        self.store_slots(snapshot);
        let exit = self.descriptor(snapshot);
        let exit = self.iconst(exit as u64);
        let leave_by = self.call_keep(Helper::Poll, &[self.base, exit]).expect("an answer");
        // The block that all exits end in is reached from elsewhere, too: none that is in no loop is
        // known by this one alone (see `leave_if`).
        let (leave, go_on) = (self.leave_block(), self.cold_block());
        self.b.ins().brif(leave_by, leave, &[BlockArg::from(leave_by)], go_on, &[]);
        self.b.switch_to_block(go_on);
    }
}
