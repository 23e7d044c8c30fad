//! The stubs of a state: little functions, made by Cranelift once, through which compiled code and
//! Rust reach each other.
//!
//! ```text
//!   shim          system  (vm, base, nargs, code, out)      Rust → compiled, see `entry`
//!   tail stubs    tail    (vm, base, x) -> (count, first)   compiled → interpreter or native function
//! ```
//!
//! (The entries that keep all registers are written by hand: [`crate::keep_entry`].)
//!
//! A tail stub calls a Rust function that answers a count, [`THREW`] or [`TAIL_CALL`]. In the last
//! case it jumps to the function that the interpreter wants called in its place: this is what keeps
//! endless tail calls between interpreted and compiled functions in constant native stack.

use core::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Function, InstBuilder, MemFlagsData, Signature, TrapCode, Value as V, types,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;
use perilune_runtime::vm::Vm;

use crate::compile::{CompileError, Compiler, Keep, entry_signature, new_function, place};
use crate::entry::{self, Returned};
use crate::helpers::{Convention, Helper};
use crate::memory::{Arena, Block};

/// Answer of a Rust function behind a tail stub: it threw.
pub const THREW: i64 = -1;
/// Answer of a Rust function behind a tail stub: jump to the code at `scratch[0]` with base
/// `scratch[1]` and argument count `scratch[2]`.
pub const TAIL_CALL: i64 = -2;

/// The stubs of a state, and the address of every helper.
pub struct Stubs {
    /// Called by [`entry::enter`].
    pub shim: *const u8,
    helpers: [usize; Helper::ALL.len()],
    block: Block,
}

impl Stubs {
    /// Compiles and places the stubs.
    ///
    /// # Errors
    /// There is no code memory.
    pub fn new(compiler: &mut Compiler, arena: &mut Arena) -> Result<Stubs, CompileError> {
        let mut helpers = [0; Helper::ALL.len()];
        let mut functions = Vec::new();
        let mut generated = Vec::new();
        let shim = shim(compiler);
        functions.push(compiler.compile(shim, Keep::default())?);
        for &helper in Helper::ALL {
            let target = helper.function();
            let stub = match helper.convention() {
                Convention::Native | Convention::Keep => {
                    helpers[helper as usize] = target;
                    continue;
                }
                Convention::Tail => tail_stub(compiler, target),
            };
            generated.push((helper, functions.len()));
            functions.push(compiler.compile(stub, Keep::default())?);
        }
        let placed = place(arena, &functions)?;
        for (helper, index) in generated {
            helpers[helper as usize] = placed.entries[index] as usize;
        }
        Ok(Stubs { shim: placed.entries[0], helpers, block: placed.block })
    }

    /// The address to call for a helper.
    pub fn address(&self, helper: Helper) -> usize {
        self.helpers[helper as usize]
    }

    /// Code bytes taken.
    pub fn code_bytes(&self) -> usize {
        self.block.len()
    }
}

/// Loads and stores of VM fields and frame slots: aligned, never trapping.
pub fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

/// The C convention's signature over words.
fn words(convention: CallConv, params: usize, returns: usize) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params.extend(std::iter::repeat_n(AbiParam::new(types::I64), params));
    signature.returns.extend(std::iter::repeat_n(AbiParam::new(types::I64), returns));
    signature
}

/// The C convention of this platform.
pub fn native_convention() -> CallConv {
    if cfg!(target_vendor = "apple") { CallConv::AppleAarch64 } else { CallConv::SystemV }
}

/// Offset of `Vm::scratch[i]`.
pub fn scratch(i: usize) -> i32 {
    (offset_of!(Vm, scratch) + 8 * i) as i32
}

fn build(
    compiler: &mut Compiler,
    signature: Signature,
    body: impl FnOnce(&mut FunctionBuilder<'_>, &[V]),
) -> Function {
    let mut function = new_function(0, signature);
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

/// `(vm, base, nargs, code, out)`: makes the `tail` call and stores what it returns.
fn shim(compiler: &mut Compiler) -> Function {
    build(compiler, words(native_convention(), 5, 0), |b, params| {
        let tail = b.import_signature(entry_signature());
        let call = b.ins().call_indirect(tail, params[3], &params[..3]);
        let (count, first) = (b.inst_results(call)[0], b.inst_results(call)[1]);
        b.ins().store(trusted(), count, params[4], offset_of!(Returned, count) as i32);
        b.ins().store(trusted(), first, params[4], offset_of!(Returned, first) as i32);
        b.ins().return_(&[]);
    })
}

/// `(vm, base, x) -> (count, first)` around a Rust function `(vm, base, x) -> answer`.
fn tail_stub(compiler: &mut Compiler, target: usize) -> Function {
    build(compiler, entry_signature(), |b, params| {
        let vm = params[0];
        let rust = b.import_signature(words(native_convention(), 3, 1));
        let throws = b.import_signature(words(native_convention(), 1, 0));
        let tail = b.import_signature(entry_signature());
        let target = b.ins().iconst(types::I64, target as i64);
        let call = b.ins().call_indirect(rust, target, params);
        let answer = b.inst_results(call)[0];
        let (done, other, jump, threw) =
            (b.create_block(), b.create_block(), b.create_block(), b.create_block());
        let returned = b.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, answer, 0);
        b.ins().brif(returned, done, &[], other, &[]);

        b.switch_to_block(done);
        let first = b.ins().load(types::I64, trusted(), vm, scratch(0));
        b.ins().return_(&[answer, first]);

        b.switch_to_block(other);
        b.set_cold_block(other);
        let tail_call = b.ins().icmp_imm_s(IntCC::Equal, answer, TAIL_CALL);
        b.ins().brif(tail_call, jump, &[], threw, &[]);

        b.switch_to_block(jump);
        b.set_cold_block(jump);
        let code = b.ins().load(types::I64, trusted(), vm, scratch(0));
        let base = b.ins().load(types::I64, trusted(), vm, scratch(1));
        let nargs = b.ins().load(types::I64, trusted(), vm, scratch(2));
        b.ins().return_call_indirect(tail, code, &[vm, base, nargs]);

        b.switch_to_block(threw);
        b.set_cold_block(threw);
        let address = b.ins().iconst(types::I64, entry::throw as *const () as i64);
        b.ins().call_indirect(throws, address, &[vm]);
        b.ins().trap(TrapCode::unwrap_user(1));
    })
}
