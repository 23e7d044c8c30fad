//! Units made by hand, to test what runs around compiled code without builder or interpreter.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Function, InstBuilder, SourceLoc, TrapCode, Value as V, types};
use cranelift_frontend::FunctionBuilder;
use perilune_ir::bytecode;
use perilune_ir::exits::{ExitReason, SlotKind};
use perilune_runtime::object::{
    CodeHead, Header, Kind, LuaClosure, NativeFn, NativeFunction, Proto,
};
use perilune_runtime::tier::{COMPILED, LoopOutcome, Tier};
use perilune_runtime::value::Value;
use perilune_runtime::vm::{Link, Throw, Vm};

use crate::compile::{
    COLD_SRCLOC, Compiler, Keep, entry_signature, new_function, place, scratch, trusted,
};
use crate::exits::{ExitDescriptor, ExitSpec};
use crate::helpers::Helper;
use crate::memory::Arena;
use crate::options::Options;
use crate::seam::{self, Outcome};
use crate::tier::Jit;
use crate::units::{Draft, Refused, UnitKind};

fn header(kind: Kind) -> Header {
    Header { kind, color: 0, flags: 0, aux: 0, extra: 0 }
}

/// A state with this tier, a stack, and makers of functions. Leaks what it makes.
struct World {
    vm: &'static mut Vm,
    stack: *mut Value,
}

impl World {
    fn new(options: Options) -> World {
        let vm = Box::leak(Vm::new(perilune_runtime::state::Options::default()));
        Jit::install(vm, options);
        let stack = vm.base;
        World { vm, stack }
    }

    fn jit(&self) -> &'static Jit {
        let jit: *const Jit = Jit::of(self.vm);
        // SAFETY: the state is leaked, and its tier stays.
        unsafe { &*jit }
    }

    fn closure(&self) -> (*mut LuaClosure, *mut Proto) {
        let function = Arc::new(bytecode::Function {
            code: Box::new([0; 8]),
            constants: Box::new([]),
            functions: Box::new([]),
            upvalues: Box::new([]),
            templates: Box::new([]),
            lines: Box::new([1, 2, 3, 4, 5, 6, 7, 8]),
            locals: Box::new([]),
            source: Arc::from(&b"@test"[..]),
            line_defined: 1,
            last_line_defined: 9,
            num_params: 1,
            is_vararg: false,
            max_stack: 10,
            feedback_count: 0,
        });
        let entry = Cell::new(self.vm.interpreter_entry);
        let proto = Box::leak(Box::new(Proto {
            head: CodeHead { header: header(Kind::Proto), jit_entry: entry },
            code: function.code.as_ptr(),
            constants: Box::new([]),
            feedback: Box::new([]),
            arg_types: Box::new([]),
            metamethods: std::cell::RefCell::default(),
            hotness: Cell::new(0),
            num_params: 1,
            is_vararg: false,
            max_stack: 10,
            tier_flags: Cell::new(0),
            tier_id: Cell::new(u32::MAX),
            function,
            protos: Box::new([]),
            templates: Box::new([]),
            upvalue_variables: Box::new([]),
            captured: Box::new([]),
        }));
        let closure = Box::leak(Box::new(LuaClosure {
            header: header(Kind::LuaClosure),
            proto,
            upvalues: [],
        }));
        (closure, proto)
    }

    fn native(&mut self, function: NativeFn) -> *mut NativeFunction {
        Box::leak(Box::new(NativeFunction {
            header: header(Kind::NativeFunction),
            code: &raw const self.vm.native_code,
            function,
            intrinsic: 0,
            outside: 0,
            host: None,
            upvalues: [],
        }))
    }

    /// The boundary frame of a call of `f` with integer arguments.
    fn frame(&mut self, f: Value, args: &[i64]) -> *mut Value {
        // SAFETY: near the start of the stack.
        unsafe {
            let base = self.stack.add(10);
            *base.sub(2) = f;
            *base.sub(1) = Value(Link::new(0, 2, Link::BOUNDARY).0);
            for (i, &arg) in args.iter().enumerate() {
                *base.add(i) = Value::small_int(arg);
            }
            base
        }
    }

    fn compile(&mut self, proto: *mut Proto, kind: UnitKind) {
        let base = self.stack;
        // SAFETY: the prototype is live.
        unsafe { self.jit().compile(self.vm, proto, kind, base) }.expect("compiles");
    }
}

/// Builds function 0 of a draft.
fn emit(
    jit: &Jit,
    draft: &mut Draft,
    body: impl FnOnce(&mut FunctionBuilder<'_>, &[V], &mut Draft),
) {
    let mut compiler = jit.compiler.borrow_mut();
    let compiler = compiler.as_mut().expect("prepared");
    let function = function(compiler, |b, params| body(b, params, draft));
    draft.functions.push(function);
}

fn function(
    compiler: &mut Compiler,
    body: impl FnOnce(&mut FunctionBuilder<'_>, &[V]),
) -> Function {
    let mut function = new_function(0, entry_signature());
    let config = compiler.isa().frontend_config();
    let mut b = FunctionBuilder::new(&mut function, &mut compiler.builder_context);
    let block = b.create_block();
    b.append_block_params_for_function_params(block);
    b.switch_to_block(block);
    let params = b.block_params(block).to_vec();
    body(&mut b, &params);
    b.seal_all_blocks();
    b.finalize(config);
    function
}

/// Calls a helper from a function being built.
fn call(b: &mut FunctionBuilder<'_>, helper: Helper, args: &[V]) -> Vec<V> {
    let signature = b.import_signature(helper.signature());
    let address = b.ins().iconst(types::I64, helper.address() as i64);
    let call = b.ins().call_indirect(signature, address, args);
    b.inst_results(call).to_vec()
}

fn add_exit(
    draft: &mut Draft,
    reason: ExitReason,
    slots: &[(i32, SlotKind)],
) -> *const ExitDescriptor {
    let slots = slots.into();
    let (proto, pc) = (draft.proto, 3);
    let spec =
        ExitSpec { proto, pc, frame: 0, reason, site_proto: proto, site_pc: pc, top: None, slots };
    // SAFETY: the prototype is live.
    unsafe { draft.exits.add(spec) }
}

#[test]
fn returns_and_results() {
    let mut w = World::new(Options::default());
    let (closure, proto) = w.closure();
    crate::build::FAKE.set(Some(|jit, _, draft, _| {
        emit(jit, draft, |b, p, _| {
            let arg = b.ins().load(types::I64, trusted(), p[1], 0);
            b.ins().return_(&[p[2], arg]);
        });
        Ok(())
    }));
    w.compile(proto, UnitKind::Function);
    let base = w.frame(Value::closure(closure), &[41, 7]);
    assert_eq!(w.jit().call(w.vm, base, 2).expect("returns"), 2);
    // SAFETY: the frame just called.
    assert_eq!(unsafe { *base.sub(2) }, Value::small_int(41));
    assert_eq!(w.vm.entry_sp, 0);
    // SAFETY: live.
    assert_eq!(unsafe { (*proto).tier_flags.get() }, COMPILED);
    let stats = w.jit().stats();
    assert_eq!((stats.functions, stats.entries, stats.live_units), (1, 1, 1));
}

/// Recurses `nargs` times through its own entry, then throws.
fn build_thrower(jit: &Jit, _: &mut Vm, draft: &mut Draft, _: *mut Value) -> Result<(), Refused> {
    emit(jit, draft, |b, p, draft| {
        let (deeper, thrower) = (b.create_block(), b.create_block());
        b.ins().brif(p[2], deeper, &[], thrower, &[]);
        b.switch_to_block(deeper);
        // SAFETY: the prototype is live.
        let entry = unsafe { (*draft.proto).head.jit_entry.as_ptr() } as i64;
        let cell = b.ins().iconst(types::I64, entry);
        let code = b.ins().load(types::I64, trusted(), cell, 0);
        let n = b.ins().iadd_imm_s(p[2], -1);
        let signature = b.import_signature(entry_signature());
        let call_ = b.ins().call_indirect(signature, code, &[p[0], p[1], n]);
        let results = b.inst_results(call_).to_vec();
        b.ins().return_(&results);
        b.switch_to_block(thrower);
        b.set_cold_block(thrower);
        call(b, Helper::Throw, &[p[0]]);
        b.ins().trap(TrapCode::unwrap_user(1));
    });
    Ok(())
}

#[test]
fn throws_cross_compiled_frames() {
    let mut w = World::new(Options::default());
    let (closure, proto) = w.closure();
    crate::build::FAKE.set(Some(build_thrower));
    w.compile(proto, UnitKind::Function);
    for depth in [0, 1, 100] {
        let base = w.frame(Value::closure(closure), &[]);
        assert!(w.jit().call(w.vm, base, depth).is_err());
        assert_eq!(w.vm.entry_sp, 0);
        assert_eq!(w.jit().depth.get(), 0);
    }
}

/// Calls the native function in `base[0]` on a frame at `base + 2`.
fn build_caller(jit: &Jit, _: &mut Vm, draft: &mut Draft, _: *mut Value) -> Result<(), Refused> {
    emit(jit, draft, |b, p, _| {
        let base = b.ins().iadd_imm_s(p[1], 16);
        let link = b.ins().iconst(types::I64, Link::new(3, 2, Link::BOUNDARY).0 as i64);
        b.ins().store(trusted(), link, p[1], 8);
        let none = b.ins().iconst(types::I64, 0);
        let results = call(b, Helper::Native, &[p[0], base, none]);
        b.ins().return_(&results);
    });
    Ok(())
}

#[test]
fn native_errors_and_panics_leave_by_the_entry() {
    let mut w = World::new(Options::default());
    let (closure, proto) = w.closure();
    crate::build::FAKE.set(Some(build_caller));
    w.compile(proto, UnitKind::Function);
    let functions: [NativeFn; 3] = [
        |vm, args| {
            assert_ne!(vm.entry_sp, 0);
            args.ret1(Value::small_int(5))
        },
        |_, _| Err(Throw),
        |_, _| panic!("from a native function"),
    ];
    let [ok, throws, panics] = functions.map(|f| Value::native(w.native(f)));
    let mut run = |native: Value| {
        let base = w.frame(Value::closure(closure), &[]);
        // SAFETY: the frame's first register.
        unsafe { *base = native };
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| w.jit().call(w.vm, base, 1)));
        assert_eq!(w.vm.entry_sp, 0);
        assert_eq!(w.jit().depth.get(), 0);
        // SAFETY: as above.
        (result, unsafe { *base.sub(2) })
    };
    for _ in 0..3 {
        assert!(matches!(run(ok), (Ok(Ok(1)), v) if v == Value::small_int(5)));
        assert!(matches!(run(throws), (Ok(Err(Throw)), _)));
        let payload = run(panics).0.expect_err("panics");
        assert_eq!(payload.downcast_ref(), Some(&"from a native function"));
    }
}

/// Stores an integer, a float and a flag raw, and exits.
fn build_exit(jit: &Jit, _: &mut Vm, draft: &mut Draft, _: *mut Value) -> Result<(), Refused> {
    let slots = [
        (0, SlotKind::Boxed),
        (1, SlotKind::RawInt),
        (2, SlotKind::RawFloat),
        (3, SlotKind::RawBool),
        (4, SlotKind::ConstBits(Value::TRUE.0)),
    ];
    let exit = add_exit(draft, ExitReason::TypeGuard, &slots);
    emit(jit, draft, |b, p, _| {
        let int = b.ins().iconst(types::I64, -7);
        let nan = b.ins().iconst(types::I64, i64::MIN | 0x7FFF_0000_0000_0000);
        let bool_ = b.ins().iconst(types::I64, 1);
        b.ins().store(trusted(), int, p[1], 8);
        b.ins().store(trusted(), nan, p[1], 16);
        b.ins().store(trusted(), bool_, p[1], 24);
        let exit = b.ins().iconst(types::I64, exit as i64);
        let signature = b.import_signature(entry_signature());
        let deopt = b.ins().iconst(types::I64, Helper::Deopt.address() as i64);
        b.ins().return_call_indirect(signature, deopt, &[p[0], p[1], exit]);
    });
    Ok(())
}

#[test]
fn exits_materialise_and_recompile_within_bounds() {
    thread_local!(static BUILT: Cell<u32> = const { Cell::new(0) });
    let options = Options { exit_limit: 5, max_recompiles: 3, ..Options::default() };
    let mut w = World::new(options);
    let (closure, proto) = w.closure();
    crate::build::FAKE.set(Some(|jit, vm, draft, base| {
        BUILT.set(BUILT.get() + 1);
        build_exit(jit, vm, draft, base)
    }));
    seam::FAKE.set(Some(|vm, base, pc| {
        // SAFETY: the frame that is called or exits.
        unsafe {
            if pc == 1 {
                return perilune_runtime::interp::enter_from_native(vm, base, 1);
            } else {
                assert_eq!((vm.base, vm.pc), (base, 3));
                let slots = std::slice::from_raw_parts(base, 5);
                assert_eq!(slots[0], Value::small_int(9));
                assert_eq!(slots[1], Value::small_int(-7));
                assert_eq!(slots[2].0, perilune_runtime::value::MAX_DOUBLE);
                assert_eq!(slots[3..], [Value::TRUE, Value::TRUE]);
            }
            *base.sub(2) = Value::small_int(1234);
        }
        Ok(Outcome::Returned(1))
    }));
    w.compile(proto, UnitKind::Function);
    for i in 0..200 {
        let base = w.frame(Value::closure(closure), &[9]);
        assert_eq!(w.jit().call(w.vm, base, 1).expect("returns"), 1, "call {i}");
        // SAFETY: the frame just called.
        assert_eq!(unsafe { *base.sub(2) }, Value::small_int(1234));
    }
    assert_eq!(BUILT.get(), 4);
    let stats = w.jit().stats();
    assert_eq!((stats.functions, stats.recompiles, stats.live_units), (4, 3, 1));
    assert_eq!((stats.blocked_sites, stats.retired_units), (1, 0));
    // Each call exits, but those that find the function without code; these recompile and go on
    // in the new code.
    assert_eq!(stats.total_exits(), 200);
    assert_eq!(stats.sites[0].line, 4);
    // SAFETY: no frame is left.
    w.jit().forget(proto);
    let stats = w.jit().stats();
    assert_eq!((stats.live_units, stats.blocked_sites), (0, 0));
    assert_eq!(stats.live_code_bytes, 0);
}

#[test]
fn tail_calls_between_tiers_take_constant_stack() {
    thread_local!(static LOWEST: Cell<usize> = const { Cell::new(usize::MAX) });
    thread_local!(static LEFT: Cell<u32> = const { Cell::new(0) });
    thread_local!(static COMPILED_FUNCTION: Cell<Value> = const { Cell::new(Value::NIL) });
    thread_local!(static OTHER: Cell<Value> = const { Cell::new(Value::NIL) });
    let mut w = World::new(Options::default());
    let (compiled, proto) = w.closure();
    let (other, other_proto) = w.closure();
    // SAFETY: live.
    unsafe { (*other_proto).hotness.set(i32::MAX) };
    COMPILED_FUNCTION.set(Value::closure(compiled));
    OTHER.set(Value::closure(other));
    // Compiled: tail-calls the closure in base[0] through its entry.
    crate::build::FAKE.set(Some(|jit, _, draft, _| {
        emit(jit, draft, |b, p, _| {
            let callee = b.ins().load(types::I64, trusted(), p[1], 0);
            b.ins().store(trusted(), callee, p[1], -16);
            let entry = b.ins().iconst(types::I64, Helper::Interpret.address() as i64);
            let signature = b.import_signature(entry_signature());
            b.ins().return_call_indirect(signature, entry, &[p[0], p[1], p[2]]);
        });
        Ok(())
    }));
    // Interpreted: tail-calls back.
    seam::FAKE.set(Some(|_, base, nargs| {
        let here = 0u8;
        LOWEST.set(LOWEST.get().min(&raw const here as usize));
        LEFT.set(LEFT.get() - 1);
        // SAFETY: the frame that runs.
        unsafe {
            if LEFT.get() == 0 {
                *base.sub(2) = Value::small_int(77);
                return Ok(Outcome::Returned(1));
            }
            *base.sub(2) = COMPILED_FUNCTION.get();
            *base = OTHER.get();
        }
        Ok(Outcome::TailCall { base, nargs })
    }));
    w.compile(proto, UnitKind::Function);
    let mut lowest = [0; 2];
    for (i, n) in [10, 1_000_000].into_iter().enumerate() {
        LOWEST.set(usize::MAX);
        LEFT.set(n);
        let base = w.frame(Value::closure(compiled), &[]);
        // SAFETY: the frame's first register.
        unsafe { *base = Value::closure(other) };
        assert_eq!(w.jit().call(w.vm, base, 1).expect("returns"), 1);
        // SAFETY: the frame just called.
        assert_eq!(unsafe { *base.sub(2) }, Value::small_int(77));
        lowest[i] = LOWEST.get();
    }
    assert_eq!(lowest[0], lowest[1]);
}

#[test]
fn loops_are_left_and_entered_again_in_constant_stack() {
    let mut w = World::new(Options { loop_exit_limit: 100, ..Options::default() });
    let (closure, proto) = w.closure();
    // Adds one to the raw integer of slot 0; leaves until it is a million.
    crate::build::FAKE.set(Some(|jit, _, draft, _| {
        let exit = add_exit(draft, ExitReason::Cold, &[(0, SlotKind::RawInt)]);
        emit(jit, draft, |b, p, _| {
            let (done, leave) = (b.create_block(), b.create_block());
            let boxed = b.ins().load(types::I64, trusted(), p[1], 0);
            let shifted = b.ins().ishl_imm_u(boxed, 16);
            let n = b.ins().sshr_imm_u(shifted, 16);
            let n = b.ins().iadd_imm_s(n, 1);
            let end = b.ins().icmp_imm_s(IntCC::Equal, n, 1_000_000);
            b.ins().brif(end, done, &[], leave, &[]);
            b.switch_to_block(done);
            let zero = b.ins().iconst(types::I64, 0);
            let nil = b.ins().iconst(types::I64, Value::NIL.0 as i64);
            b.ins().return_(&[zero, nil]);
            b.switch_to_block(leave);
            b.ins().store(trusted(), n, p[1], 0);
            let minus = b.ins().iconst(types::I64, -1);
            let exit = b.ins().iconst(types::I64, exit as i64);
            b.ins().return_(&[minus, exit]);
        });
        Ok(())
    }));
    let base = w.frame(Value::closure(closure), &[0]);
    let mut cycles = 0;
    loop {
        match w.jit().loop_hot(w.vm, proto, base, 2).expect("no error") {
            Some(LoopOutcome::Resume { base: b, pc }) => {
                assert_eq!((b, pc), (base, 3));
                cycles += 1;
            }
            Some(LoopOutcome::Returned(0)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(cycles, 999_999);
    let stats = w.jit().stats();
    // The function itself is not compiled: it was called once.
    assert_eq!((stats.loops, stats.functions, stats.loop_entries), (1, 0, 1_000_000));
    assert_eq!(stats.recompiles, 0);
}

#[test]
fn keeping_stubs_keep_all_registers() {
    let mut w = World::new(Options::default());
    let (closure, proto) = w.closure();
    // Sums thirty integers and thirty floats that are live across a call of a keeping stub.
    crate::build::FAKE.set(Some(|jit, _, draft, _| {
        emit(jit, draft, |b, p, _| {
            let n = b.ins().load(types::I64, trusted(), p[1], 0);
            let n = b.ins().band_imm_u(n, 0xFFFF);
            let f = b.ins().fcvt_from_sint(types::F64, n);
            let ints: Vec<V> = (0..30).map(|i| b.ins().imul_imm_s(n, i * 3 + 1)).collect();
            let mut floats = vec![f];
            for i in 0..29 {
                floats.push(b.ins().fadd(floats[i], f));
            }
            b.ins().store(trusted(), n, p[0], scratch(0));
            call(b, Helper::BoxInt, &[p[0]]);
            let boxed = b.ins().load(types::I64, trusted(), p[0], scratch(0));
            b.ins().store(trusted(), boxed, p[1], 8);
            let ints = ints.into_iter().reduce(|x, y| b.ins().iadd(x, y)).expect("some");
            let floats = floats.into_iter().reduce(|x, y| b.ins().fadd(x, y)).expect("some");
            let floats = b.ins().fcvt_to_sint(types::I64, floats);
            b.ins().return_(&[ints, floats]);
        });
        Ok(())
    }));
    w.compile(proto, UnitKind::Function);
    let base = w.frame(Value::closure(closure), &[3]);
    let sum = w.jit().call(w.vm, base, 1).expect("returns");
    assert_eq!(sum, (0..30).map(|i| 3 * (i * 3 + 1)).sum::<u32>());
    // SAFETY: the frame just called.
    unsafe {
        assert_eq!((*base.sub(2)).0, (1..=30).map(|i| 3 * i).sum::<u64>());
        assert_eq!(*base.add(1), Value::small_int(3));
    }
}

#[test]
fn cold_code_lies_behind_hot_code() {
    let mut compiler = Compiler::new(true).expect("this machine");
    let build = |cold: bool| {
        move |b: &mut FunctionBuilder<'_>, p: &[V]| {
            let (left, right) = (b.create_block(), b.create_block());
            b.set_srcloc(SourceLoc::new(1));
            b.ins().brif(p[2], right, &[], left, &[]);
            b.switch_to_block(left);
            if cold {
                b.set_cold_block(left);
            }
            b.set_srcloc(SourceLoc::new(COLD_SRCLOC | 2));
            let x = b.ins().imul(p[0], p[1]);
            b.ins().return_(&[x, x]);
            b.switch_to_block(right);
            b.set_srcloc(SourceLoc::new(3));
            let x = b.ins().iadd(p[0], p[1]);
            b.ins().return_(&[x, x]);
        }
    };
    let cold = function(&mut compiler, build(true));
    let cold = compiler.compile(cold, Keep { clif: true, asm: true }).expect("compiles");
    assert!(cold.cold_code_is_last());
    assert!(cold.hot_len() < cold.len());
    assert!(cold.clif.expect("kept").contains("cold"));
    assert!(cold.asm.expect("kept").contains("block0"));
    let warm = function(&mut compiler, build(false));
    assert!(!compiler.compile(warm, Keep::default()).expect("compiles").cold_code_is_last());
}

#[test]
fn descriptors_have_stable_addresses() {
    let w = World::new(Options::default());
    let mut table = crate::exits::ExitTable::new(crate::exits::UnitId(1), None);
    let spec = ExitSpec {
        proto: w.closure().1,
        pc: 1,
        frame: 0,
        reason: ExitReason::Poll,
        site_proto: w.closure().1,
        site_pc: 1,
        top: Some(2),
        slots: Box::new([(0, SlotKind::RawInt), (-2, SlotKind::ConstBits(5))]),
    };
    // SAFETY: the prototype is live.
    let addresses: Vec<*const ExitDescriptor> =
        (0..100).map(|_| unsafe { table.add(spec.clone()) }).collect();
    for (i, exit) in table.iter().enumerate() {
        assert_eq!(exit.site as usize, i);
        assert!(std::ptr::eq(exit, addresses[i]));
    }
    assert!(table.to_string().starts_with("exit 0 poll pc=1 frame=0 top=2 0:int -2:=0x5\n"));
}

/// Figures for the design: `cargo test -p perilune-jit --release -- --ignored --nocapture measure`.
#[test]
#[ignore = "a measurement"]
fn measure() {
    let start = Instant::now();
    let mut compiler = Compiler::new(false).expect("this machine");
    println!("compiler for this machine: {:?}", start.elapsed());
    let mut arena = Arena::new().expect("range");
    for _ in 0..3 {
        let start = Instant::now();
        for _ in 0..100 {
            let f = function(&mut compiler, |b, p| {
                let x = b.ins().iadd(p[1], p[2]);
                b.ins().return_(&[p[2], x]);
            });
            let machine = compiler.compile(f, Keep::default()).expect("compiles");
            place(&mut arena, &[machine]).expect("space");
        }
        println!("trivial function, built, compiled, placed: {:?}", start.elapsed() / 100);
    }
    let mut w = World::new(Options { verify: false, ..Options::default() });
    let (closure, proto) = w.closure();
    crate::build::FAKE.set(Some(|jit, _, draft, _| {
        emit(jit, draft, |b, p, _| {
            b.ins().return_(&[p[2], p[1]]);
        });
        Ok(())
    }));
    w.compile(proto, UnitKind::Function);
    let base = w.frame(Value::closure(closure), &[1]);
    let rounds = 10_000_000;
    let start = Instant::now();
    for _ in 0..rounds {
        // SAFETY: the frame's callee.
        unsafe { *base.sub(2) = Value::closure(closure) };
        let _ = std::hint::black_box(w.jit().call(w.vm, base, 1));
    }
    println!("enter and return: {:.2} ns", start.elapsed().as_nanos() as f64 / rounds as f64);
    let (closure, proto) = w.closure();
    crate::build::FAKE.set(Some(build_thrower));
    w.compile(proto, UnitKind::Function);
    let base = w.frame(Value::closure(closure), &[]);
    for depth in [0, 10] {
        let start = Instant::now();
        for _ in 0..rounds {
            let _ = std::hint::black_box(w.jit().call(w.vm, base, depth));
        }
        let each = start.elapsed().as_nanos() as f64 / rounds as f64;
        println!("enter and throw from depth {depth}: {each:.2} ns");
    }
    let (closure, proto) = w.closure();
    crate::build::FAKE.set(Some(build_caller));
    w.compile(proto, UnitKind::Function);
    let native = Value::native(w.native(|_, args| args.ret0()));
    let base = w.frame(Value::closure(closure), &[]);
    let start = Instant::now();
    for _ in 0..rounds {
        // SAFETY: the frame's callee and first register.
        unsafe {
            *base.sub(2) = Value::closure(closure);
            *base = native;
        }
        let _ = std::hint::black_box(w.jit().call(w.vm, base, 1));
    }
    println!("enter, native call: {:.2} ns", start.elapsed().as_nanos() as f64 / rounds as f64);
}
