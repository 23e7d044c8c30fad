//! A builder for tests: bytecode to code that leaves everything but control flow and calls to
//! helpers. It assumes nothing, so it exercises entries, calls, polls, exits and errors with real
//! programs, whatever the optimising builder does.

use core::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, TrapCode, Value as V, types};
use cranelift_frontend::{FunctionBuilder, Variable};
use perilune_ir::bytecode::{Function, Op, Word};
use perilune_ir::exits::ExitReason;
use perilune_runtime::object::{CodeHead, Function as FunctionObject};
use perilune_runtime::value::{TAG_FUNCTION, TAG_SHIFT, Value};
use perilune_runtime::vm::{Link, Poll, Vm};

use crate::compile::{entry_signature, new_function};
use crate::compile::{scratch, trusted};
use crate::exits::{ExitDescriptor, ExitSpec};
use crate::helpers::Helper;
use crate::tier::Jit;
use crate::units::{Draft, Refused, UnitKind};

struct Translator<'a, 'b> {
    b: FunctionBuilder<'b>,
    draft: &'a mut Draft,
    function: &'a Function,
    vm: V,
    base: Variable,
    nargs: V,
    /// One block per word, made when it is jumped to or run into.
    blocks: Vec<Option<Block>>,
}

/// The [`crate::build::FAKE`] of this builder.
pub fn build(jit: &Jit, _: &mut Vm, draft: &mut Draft, _: *mut Value) -> Result<(), Refused> {
    // SAFETY: the prototype is live.
    let function = unsafe { std::sync::Arc::clone(&(*draft.proto).function) };
    let mut compiler = jit.compiler.borrow_mut();
    let compiler = compiler.as_mut().expect("prepared");
    let config = compiler.isa().frontend_config();
    let mut code = new_function(0, entry_signature());
    let mut b = FunctionBuilder::new(&mut code, &mut compiler.builder_context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let params = b.block_params(entry).to_vec();
    let base = b.declare_var(types::I64);
    b.def_var(base, params[1]);
    let blocks = vec![None; function.code.len() + 1];
    let mut t =
        Translator { b, draft, function: &function, vm: params[0], base, nargs: params[2], blocks };
    let start = match t.draft.kind {
        UnitKind::Function => {
            t.prologue();
            0
        }
        UnitKind::Osr { pc } => pc as usize,
    };
    let first = t.block(start);
    t.b.ins().jump(first, &[]);
    let mut pc = 0;
    while pc < function.code.len() {
        let block = t.block(pc);
        t.b.switch_to_block(block);
        t.instruction(pc);
        pc += function.op(pc).words();
    }
    t.b.seal_all_blocks();
    t.b.finalize(config);
    draft.functions.push(code);
    Ok(())
}

impl Translator<'_, '_> {
    fn block(&mut self, pc: usize) -> Block {
        match self.blocks[pc] {
            Some(block) => block,
            None => {
                let block = self.b.create_block();
                self.blocks[pc] = Some(block);
                block
            }
        }
    }

    fn word(&mut self, bits: u64) -> V {
        self.b.ins().iconst(types::I64, bits as i64)
    }
    fn base(&mut self) -> V {
        self.b.use_var(self.base)
    }
    fn load(&mut self, p: V, offset: usize) -> V {
        self.b.ins().load(types::I64, trusted(), p, offset as i32)
    }
    fn store(&mut self, v: V, p: V, offset: i32) {
        self.b.ins().store(trusted(), v, p, offset);
    }
    fn register(&mut self, i: usize) -> V {
        let base = self.base();
        self.load(base, 8 * i)
    }
    fn helper(&mut self, helper: Helper, args: &[V]) -> V {
        let signature = self.b.import_signature(helper.signature());
        let address = self.word(helper.address() as u64);
        let call = self.b.ins().call_indirect(signature, address, args);
        self.b.inst_results(call).first().copied().unwrap_or(self.vm)
    }
    /// Calls a helper with `(vm, base, pc)`.
    fn at(&mut self, helper: Helper, pc: usize) -> V {
        let base = self.base();
        let pc = self.word(pc as u64);
        self.helper(helper, &[self.vm, base, pc])
    }
    /// Continues in a new block unless `condition` holds; then throws.
    fn throw_if(&mut self, condition: V) {
        let (threw, on) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(condition, threw, &[], on, &[]);
        self.b.switch_to_block(threw);
        self.b.set_cold_block(threw);
        self.helper(Helper::Throw, &[self.vm]);
        self.b.ins().trap(TrapCode::unwrap_user(1));
        self.b.switch_to_block(on);
    }
    fn exit(&mut self, pc: usize, reason: ExitReason) -> *const ExitDescriptor {
        let spec = ExitSpec {
            proto: self.draft.proto,
            pc: pc as u32,
            frame: 0,
            reason,
            site_proto: self.draft.proto,
            site_pc: pc as u32,
            top: None,
            slots: Box::new([]),
        };
        // SAFETY: the prototype is live.
        unsafe { self.draft.exits.add(spec) }
    }
    /// Ends the block: leaves by `exit`.
    fn leave(&mut self, exit: *const ExitDescriptor) {
        let exit = self.word(exit as u64);
        match self.draft.kind {
            UnitKind::Function => {
                let base = self.base();
                let signature = self.b.import_signature(entry_signature());
                let deopt = self.word(Helper::Deopt.address() as u64);
                self.b.ins().return_call_indirect(signature, deopt, &[self.vm, base, exit]);
            }
            UnitKind::Osr { .. } => {
                let minus = self.b.ins().iconst(types::I64, -1);
                self.b.ins().return_(&[minus, exit]);
            }
        }
    }
    /// Continues in a new block after a poll.
    fn poll(&mut self, pc: usize) {
        let exit = self.exit(pc, ExitReason::Poll);
        let word = self.b.ins().load(
            types::I32,
            trusted(),
            self.vm,
            (offset_of!(Vm, poll) + Poll::WORD) as i32,
        );
        let (raised, gone, on) =
            (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.ins().brif(word, raised, &[], on, &[]);
        self.b.switch_to_block(raised);
        self.b.set_cold_block(raised);
        let base = self.base();
        let descriptor = self.word(exit as u64);
        self.store(base, self.vm, scratch(0));
        self.store(descriptor, self.vm, scratch(1));
        self.helper(Helper::Poll, &[self.vm]);
        let answer = self.load(self.vm, scratch(0) as usize);
        self.b.ins().brif(answer, gone, &[], on, &[]);
        self.b.switch_to_block(gone);
        self.b.set_cold_block(gone);
        self.leave(exit);
        self.b.switch_to_block(on);
    }

    /// Checks both stacks, pads the arguments, polls.
    fn prologue(&mut self) {
        let base = self.base();
        // What a vararg function finds its arguments by, also after an exit.
        let bytes = self.b.ins().ishl_imm_u(self.nargs, 3);
        let top = self.b.ins().iadd(base, bytes);
        self.store(top, self.vm, offset_of!(Vm, top) as i32);
        for i in 0..usize::from(self.function.num_params) {
            let (pad, on) = (self.b.create_block(), self.b.create_block());
            let given = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, self.nargs, i as i64);
            self.b.ins().brif(given, on, &[], pad, &[]);
            self.b.switch_to_block(pad);
            let nil = self.word(Value::NIL.0);
            self.store(nil, base, 8 * i as i32);
            self.b.ins().jump(on, &[]);
            self.b.switch_to_block(on);
        }
        let (leave, on) = (self.b.create_block(), self.b.create_block());
        let end = self.b.ins().iadd_imm_s(base, 8 * i64::from(self.function.max_stack));
        let limit = self.load(self.vm, offset_of!(Vm, stack_limit));
        let no_slots = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, limit);
        let sp = self.b.ins().get_stack_pointer(types::I64);
        let native = self.load(self.vm, offset_of!(Vm, native_limit));
        let no_native = self.b.ins().icmp(IntCC::UnsignedLessThan, sp, native);
        let full = self.b.ins().bor(no_slots, no_native);
        self.b.ins().brif(full, leave, &[], on, &[]);
        self.b.switch_to_block(leave);
        self.b.set_cold_block(leave);
        let exit = self.exit(0, ExitReason::Stack);
        self.leave(exit);
        self.b.switch_to_block(on);
        self.poll(0);
    }

    /// The base of the frame before `VARARGPREP` moved it.
    fn original(&mut self) -> V {
        let base = self.base();
        if !self.function.is_vararg {
            return base;
        }
        let link = self.b.ins().load(types::I64, trusted(), base, -8);
        let delta = self.b.ins().ushr_imm_u(link, 32);
        let delta = self.b.ins().band_imm_u(delta, 0xFF_FFFF);
        let bytes = self.b.ins().ishl_imm_u(delta, 3);
        self.b.ins().isub(base, bytes)
    }

    /// Returns registers `from .. from + count`.
    fn return_values(&mut self, from: usize, count: usize) {
        let values: Vec<V> = (from..from + count).map(|i| self.register(i)).collect();
        let original = self.original();
        for (i, &v) in values.iter().enumerate().skip(1) {
            self.store(v, original, 8 * (i as i32 - 2));
        }
        let first = match values.first() {
            Some(&v) => v,
            None => self.word(Value::NIL.0),
        };
        let count = self.word(count as u64);
        self.b.ins().return_(&[count, first]);
    }

    fn call(&mut self, pc: usize, word: Word) {
        let a = usize::from(word.a());
        let base = self.base();
        let callee = self.register(a);
        let tag = self.b.ins().ushr_imm_u(callee, i64::from(TAG_SHIFT));
        let is_function = self.b.ins().icmp_imm_s(IntCC::Equal, tag, TAG_FUNCTION as i64);
        let (direct, other, done) =
            (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.ins().brif(is_function, direct, &[], other, &[]);

        self.b.switch_to_block(direct);
        let new_base = self.b.ins().iadd_imm_s(base, 8 * (a as i64 + 2));
        let nargs = match word.b() {
            0 => {
                let top = self.load(self.vm, offset_of!(Vm, top));
                let bytes = self.b.ins().isub(top, new_base);
                self.b.ins().ushr_imm_u(bytes, 3)
            }
            n => self.word(u64::from(n) - 1),
        };
        let link = self.word(Link::new(pc as u32, a + 2, Link::BOUNDARY).0);
        self.store(link, new_base, -8);
        let shifted = self.b.ins().ishl_imm_u(callee, 16);
        let object = self.b.ins().ushr_imm_u(shifted, 16);
        let code = self.load(object, offset_of!(FunctionObject, code));
        let entry = self.load(code, offset_of!(CodeHead, jit_entry));
        let signature = self.b.import_signature(entry_signature());
        let call = self.b.ins().call_indirect(signature, entry, &[self.vm, new_base, nargs]);
        let (count, first) = (self.b.inst_results(call)[0], self.b.inst_results(call)[1]);
        self.store(first, base, 8 * a as i32);
        match word.c() {
            0 => {
                let bytes = self.b.ins().ishl_imm_u(count, 3);
                let func = self.b.ins().iadd_imm_s(base, 8 * a as i64);
                let top = self.b.ins().iadd(func, bytes);
                self.store(top, self.vm, offset_of!(Vm, top) as i32);
            }
            c => {
                for i in 1..usize::from(c) - 1 {
                    let (pad, on) = (self.b.create_block(), self.b.create_block());
                    let given = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, count, i as i64);
                    self.b.ins().brif(given, on, &[], pad, &[]);
                    self.b.switch_to_block(pad);
                    let nil = self.word(Value::NIL.0);
                    self.store(nil, base, 8 * (a + i) as i32);
                    self.b.ins().jump(on, &[]);
                    self.b.switch_to_block(on);
                }
            }
        }
        self.b.ins().jump(done, &[]);

        self.b.switch_to_block(other);
        self.b.set_cold_block(other);
        let count = self.at(Helper::StepCall, pc);
        let threw = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
        self.throw_if(threw);
        self.b.ins().jump(done, &[]);
        self.b.switch_to_block(done);
    }

    /// A tail call of a function from a plain frame; everything else is left to the interpreter.
    fn tail_call(&mut self, pc: usize, word: Word) {
        let (a, b) = (usize::from(word.a()), word.b());
        let exit = self.exit(pc, ExitReason::Cold);
        let osr = self.draft.kind != UnitKind::Function;
        if osr || b == 0 || self.function.is_vararg || !self.function.functions.is_empty() {
            return self.leave(exit);
        }
        let callee = self.register(a);
        let tag = self.b.ins().ushr_imm_u(callee, i64::from(TAG_SHIFT));
        let is_function = self.b.ins().icmp_imm_s(IntCC::Equal, tag, TAG_FUNCTION as i64);
        let (direct, other) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(is_function, direct, &[], other, &[]);
        self.b.switch_to_block(other);
        self.b.set_cold_block(other);
        self.leave(exit);
        self.b.switch_to_block(direct);
        let base = self.base();
        let args: Vec<V> = (0..usize::from(b) - 1).map(|i| self.register(a + 2 + i)).collect();
        for (i, &v) in args.iter().enumerate() {
            self.store(v, base, 8 * i as i32);
        }
        self.store(callee, base, -16);
        let link = self.b.ins().load(types::I64, trusted(), base, -8);
        let link = self.b.ins().bor_imm_u(link, (Link::TAIL << 56) as i64);
        self.store(link, base, -8);
        let shifted = self.b.ins().ishl_imm_u(callee, 16);
        let object = self.b.ins().ushr_imm_u(shifted, 16);
        let code = self.load(object, offset_of!(FunctionObject, code));
        let entry = self.load(code, offset_of!(CodeHead, jit_entry));
        let nargs = self.word(args.len() as u64);
        let signature = self.b.import_signature(entry_signature());
        self.b.ins().return_call_indirect(signature, entry, &[self.vm, base, nargs]);
    }

    fn instruction(&mut self, pc: usize) {
        let word = Word(self.function.code[pc]);
        let op = self.function.op(pc);
        let next = pc + op.words();
        let jump = |distance: i32| (next as i64 + i64::from(distance)) as usize;
        let extra = |t: &Self| t.function.code[pc + 1] as i32;
        match op {
            Op::Jmp => {
                let target = self.block(jump(word.j()));
                self.b.ins().jump(target, &[]);
            }
            Op::Loop => {
                self.poll(pc);
                let target = self.block(jump(word.j()));
                self.b.ins().jump(target, &[]);
            }
            Op::LFalseSkip => {
                let base = self.base();
                let no = self.word(Value::FALSE.0);
                self.store(no, base, 8 * i32::from(word.a()));
                let target = self.block(next + 1);
                self.b.ins().jump(target, &[]);
            }
            Op::Eq
            | Op::Lt
            | Op::Le
            | Op::EqK
            | Op::LtK
            | Op::LeK
            | Op::GtK
            | Op::GeK
            | Op::Test
            | Op::TestSet
            | Op::ForPrep
            | Op::ForLoop
            | Op::TForLoop => {
                if matches!(op, Op::ForLoop | Op::TForLoop) {
                    self.poll(pc);
                }
                let truth = self.at(Helper::StepTest, pc);
                let threw = self.b.ins().icmp_imm_s(IntCC::Equal, truth, 2);
                self.throw_if(threw);
                let wanted = match op {
                    Op::ForPrep => 0,
                    Op::ForLoop | Op::TForLoop => 1,
                    _ => i64::from(word.c()),
                };
                let jumps = self.b.ins().icmp_imm_s(IntCC::Equal, truth, wanted);
                let target = self.block(jump(extra(self)));
                let next = self.block(next);
                self.b.ins().brif(jumps, target, &[], next, &[]);
            }
            Op::TForPrep => {
                let status = self.at(Helper::Step, pc);
                self.throw_if(status);
                let target = self.block(jump(extra(self)));
                self.b.ins().jump(target, &[]);
            }
            Op::Call => {
                self.call(pc, word);
                self.run_into(next);
            }
            Op::TForCall => {
                let count = self.at(Helper::StepCall, pc);
                let threw = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
                self.throw_if(threw);
                self.run_into(next);
            }
            Op::TailCall => self.tail_call(pc, word),
            Op::Return0 => self.return_values(0, 0),
            Op::Return1 => self.return_values(usize::from(word.a()), 1),
            Op::Return if word.b() == 0 => {
                let exit = self.exit(pc, ExitReason::Cold);
                self.leave(exit);
            }
            Op::Return => {
                let count = usize::from(word.b()) - 1;
                if word.c() != 0 {
                    let base = self.base();
                    let at = self.word(pc as u64);
                    let end = self.b.ins().iadd_imm_s(base, 8 * i64::from(self.function.max_stack));
                    let status = self.helper(Helper::Close, &[self.vm, base, at, base, end]);
                    self.throw_if(status);
                }
                self.return_values(usize::from(word.a()), count);
            }
            Op::VarargPrep => {
                let base = self.base();
                let moved = self.helper(Helper::VarargPrep, &[self.vm, base, self.nargs]);
                let threw = self.b.ins().icmp_imm_s(IntCC::Equal, moved, 0);
                self.throw_if(threw);
                self.b.def_var(self.base, moved);
                self.run_into(next);
            }
            Op::Move
            | Op::LoadI
            | Op::LoadK
            | Op::LoadKX
            | Op::LoadNil
            | Op::LoadFalse
            | Op::LoadTrue
            | Op::GetUpval
            | Op::SetUpval
            | Op::GetTabUp
            | Op::SetTabUp
            | Op::GetTable
            | Op::GetI
            | Op::GetField
            | Op::SetTable
            | Op::SetI
            | Op::SetField
            | Op::NewTable
            | Op::SelfField
            | Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Mod
            | Op::Pow
            | Op::IDiv
            | Op::BAnd
            | Op::BOr
            | Op::BXor
            | Op::Shl
            | Op::Shr
            | Op::AddK
            | Op::SubK
            | Op::MulK
            | Op::DivK
            | Op::ModK
            | Op::PowK
            | Op::IDivK
            | Op::BAndK
            | Op::BOrK
            | Op::BXorK
            | Op::ShlK
            | Op::ShrK
            | Op::Unm
            | Op::BNot
            | Op::Not
            | Op::Len
            | Op::Concat
            | Op::Close
            | Op::Tbc
            | Op::SetList
            | Op::Closure
            | Op::Vararg => {
                let status = self.at(Helper::Step, pc);
                self.throw_if(status);
                self.run_into(next);
            }
        }
    }

    fn run_into(&mut self, next: usize) {
        let next = self.block(next);
        self.b.ins().jump(next, &[]);
    }
}
