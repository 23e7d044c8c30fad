//! From Cranelift functions to machine code in the arena.
//!
//! Owns the target description and the reusable buffers of the compiler. A unit may consist of
//! several functions: they are placed in one block and call each other by relative calls, under the
//! name `UserExternalName { namespace: UNIT_FUNCTION, index }`. Everything outside a unit is called by
//! absolute address, so nothing ever needs to be patched.

use std::mem::offset_of;
use std::time::{Duration, Instant};

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{
    self, AbiParam, ExternalName, Function, LibCall, MemFlagsData, Signature, UserExternalName,
    types,
};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{Context, FinalizedMachReloc, FinalizedRelocTarget};
use cranelift_frontend::FunctionBuilderContext;

use perilune_runtime::vm::Vm;

use crate::memory::{Arena, Block, OutOfCodeMemory};

/// Namespace of external names: function number `index` of the same unit.
pub const UNIT_FUNCTION: u32 = 0;
/// Functions of a unit start at multiples of this.
const FUNCTION_ALIGN: usize = 32;
/// Source locations with this bit mark cold code; see [`Machine::cold_code_is_last`].
pub const COLD_SRCLOC: u32 = 1 << 31;

/// Why a function could not be compiled.
#[derive(Debug, Clone)]
pub enum CompileError {
    /// Cranelift refuses the function.
    Codegen(String),
    /// There is no room for the code.
    Memory(OutOfCodeMemory),
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CompileError::Codegen(message) => f.write_str(message),
            CompileError::Memory(error) => error.fmt(f),
        }
    }
}

/// What to keep of a compilation besides the code.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keep {
    /// The Cranelift IR as given.
    pub clif: bool,
    /// The machine code's listing.
    pub asm: bool,
}

/// Machine code that is not placed yet.
#[derive(Debug)]
pub struct Machine {
    bytes: Vec<u8>,
    relocs: Vec<(FinalizedMachReloc, Option<UserExternalName>)>,
    /// `(start, end, source location)`, by rising start.
    pub srclocs: Vec<(u32, u32, u32)>,
    /// The Cranelift IR as given, when asked for.
    pub clif: Option<String>,
    /// The listing, when asked for.
    pub asm: Option<String>,
    /// Time spent in Cranelift.
    pub time: Duration,
}

impl Machine {
    /// Length of the code in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
    /// Whether there is no code.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
    /// Whether all code whose source location has [`COLD_SRCLOC`] lies behind all other code.
    pub fn cold_code_is_last(&self) -> bool {
        let cold = |loc: u32| loc & COLD_SRCLOC != 0 && loc != u32::MAX;
        let hot = |loc: u32| loc & COLD_SRCLOC == 0;
        let first_cold = self.srclocs.iter().filter(|s| cold(s.2)).map(|s| s.0).min();
        let last_hot = self.srclocs.iter().filter(|s| hot(s.2)).map(|s| s.1).max();
        match (first_cold, last_hot) {
            (Some(first_cold), Some(last_hot)) => last_hot <= first_cold,
            (None, _) | (_, None) => true,
        }
    }
    /// Bytes of code before the first cold instruction.
    pub fn hot_len(&self) -> usize {
        let cold = self.srclocs.iter().filter(|s| s.2 & COLD_SRCLOC != 0 && s.2 != u32::MAX);
        cold.map(|s| s.0 as usize).min().unwrap_or(self.bytes.len())
    }
}

/// Loads and stores of VM fields and frame slots: aligned, never trapping.
pub fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

/// The C convention of this platform.
pub fn native_convention() -> CallConv {
    let apple = cfg!(all(target_vendor = "apple", target_arch = "aarch64"));
    if apple { CallConv::AppleAarch64 } else { CallConv::SystemV }
}

/// Offset of `Vm::scratch[i]`.
pub fn scratch(i: usize) -> i32 {
    (offset_of!(Vm, scratch) + 8 * i) as i32
}

/// A unit's code in its place.
#[derive(Debug)]
pub struct Placed {
    /// The memory.
    pub block: Block,
    /// The address of each function of the unit.
    pub entries: Vec<*const u8>,
}

/// The compiler of one state.
pub struct Compiler {
    isa: OwnedTargetIsa,
    context: Context,
    control: ControlPlane,
    /// Buffers for whoever builds a function.
    pub builder_context: FunctionBuilderContext,
}

impl Compiler {
    /// For this machine. `verify` checks each function before compilation.
    ///
    /// # Errors
    /// Cranelift does not know this machine.
    pub fn new(verify: bool) -> Result<Compiler, CompileError> {
        let mut flags = settings::builder();
        let verify = if verify { "true" } else { "false" };
        for (name, value) in [
            ("opt_level", "speed"),
            ("regalloc_algorithm", "backtracking"),
            ("preserve_frame_pointers", "true"),
            ("enable_probestack", "false"),
            ("unwind_info", "false"),
            ("is_pic", "false"),
            ("use_colocated_libcalls", "false"),
            ("enable_alias_analysis", "true"),
            ("enable_verifier", verify),
        ] {
            flags.set(name, value).map_err(|e| CompileError::Codegen(format!("{name}: {e}")))?;
        }
        let isa = cranelift_native::builder()
            .map_err(|e| CompileError::Codegen(e.to_owned()))?
            .finish(settings::Flags::new(flags))
            .map_err(|e| CompileError::Codegen(e.to_string()))?;
        Ok(Compiler {
            isa,
            context: Context::new(),
            control: ControlPlane::default(),
            builder_context: FunctionBuilderContext::new(),
        })
    }

    /// The target.
    pub fn isa(&self) -> &dyn cranelift_codegen::isa::TargetIsa {
        &*self.isa
    }

    /// Compiles one function.
    ///
    /// # Errors
    /// [`CompileError::Codegen`] with Cranelift's message (the verifier's, in particular).
    pub fn compile(&mut self, function: Function, keep: Keep) -> Result<Machine, CompileError> {
        let start = Instant::now();
        let clif = keep.clif.then(|| function.display().to_string());
        self.context.clear();
        self.context.func = function;
        self.context.set_disasm(keep.asm);
        if let Err(error) = self.context.compile(&*self.isa, &mut self.control) {
            let message = cranelift_codegen::print_errors::pretty_error(error.func, error.inner);
            return Err(CompileError::Codegen(message));
        }
        let compiled = self.context.compiled_code().expect("just compiled");
        let names = self.context.func.params.user_named_funcs();
        let relocs = compiled.buffer.relocs().iter().map(|reloc| {
            let user = match &reloc.target {
                FinalizedRelocTarget::ExternalName(ExternalName::User(name)) => {
                    Some(names[*name].clone())
                }
                _ => None,
            };
            (reloc.clone(), user)
        });
        let relocs = relocs.collect();
        let srclocs = compiled.buffer.get_srclocs_sorted();
        let srclocs = srclocs.iter().map(|s| (s.start, s.end, s.loc.bits())).collect();
        let bytes = compiled.code_buffer().to_vec();
        let time = start.elapsed();
        let asm = compiled.vcode.clone();
        Ok(Machine { bytes, relocs, srclocs, clif, asm, time })
    }
}

/// Places the functions of a unit in one block.
///
/// # Errors
/// [`CompileError::Memory`], or a relocation that this unit may not have.
pub fn place(arena: &mut Arena, functions: &[Machine]) -> Result<Placed, CompileError> {
    let mut offsets = Vec::with_capacity(functions.len());
    let mut len = 0usize;
    for function in functions {
        len = len.next_multiple_of(FUNCTION_ALIGN);
        offsets.push(len);
        len += function.bytes.len();
    }
    let mut failure = None;
    let block = arena.place(len, |address, memory| {
        memory.fill(0xCC);
        for (function, &offset) in functions.iter().zip(&offsets) {
            let end = offset + function.bytes.len();
            memory[offset..end].copy_from_slice(&function.bytes);
            for (reloc, user) in &function.relocs {
                let target = match (&reloc.target, user) {
                    (FinalizedRelocTarget::Func(inside), _) => {
                        Some(address as usize + offset + *inside as usize)
                    }
                    (_, Some(name)) if name.namespace == UNIT_FUNCTION => {
                        offsets.get(name.index as usize).map(|o| address as usize + o)
                    }
                    (FinalizedRelocTarget::ExternalName(ExternalName::LibCall(call)), _) => {
                        libcall(*call)
                    }
                    (FinalizedRelocTarget::ExternalName(_), _) => None,
                };
                let at = offset + reloc.offset as usize;
                let done = target.is_some_and(|target| {
                    relocate(reloc.kind, memory, at, address as usize + at, target, reloc.addend)
                });
                if !done {
                    failure = Some(format!("relocation {:?} to {:?}", reloc.kind, reloc.target));
                }
            }
        }
    });
    let block = block.map_err(CompileError::Memory)?;
    if let Some(message) = failure {
        arena.free(block);
        return Err(CompileError::Codegen(message));
    }
    let start = block.address();
    let entries = offsets.iter().map(|&o| start.wrapping_add(o)).collect();
    Ok(Placed { block, entries })
}

/// Applies one relocation at `memory[at]`, which will run at `pc`. False when it does not fit.
fn relocate(
    kind: Reloc,
    memory: &mut [u8],
    at: usize,
    pc: usize,
    target: usize,
    addend: i64,
) -> bool {
    let target = (target as i64).wrapping_add(addend);
    let relative = target.wrapping_sub(pc as i64);
    match kind {
        Reloc::Abs8 => {
            memory[at..at + 8].copy_from_slice(&target.to_le_bytes());
            true
        }
        Reloc::X86PCRel4 | Reloc::X86CallPCRel4 | Reloc::X86CallPLTRel4 => {
            let Ok(relative) = i32::try_from(relative) else { return false };
            memory[at..at + 4].copy_from_slice(&relative.to_le_bytes());
            true
        }
        Reloc::Arm64Call => {
            let words = relative >> 2;
            if words >> 25 != 0 && words >> 25 != -1 {
                return false;
            }
            let mut word = [0; 4];
            word.copy_from_slice(&memory[at..at + 4]);
            let word = u32::from_le_bytes(word) | words as u32 & 0x03FF_FFFF;
            memory[at..at + 4].copy_from_slice(&word.to_le_bytes());
            true
        }
        // Kinds of other targets, of position-independent code and of thread-local storage.
        _ => false,
    }
}

/// The functions that Cranelift calls where the machine lacks an instruction.
fn libcall(call: LibCall) -> Option<usize> {
    extern "C" fn ceil(x: f64) -> f64 {
        x.ceil()
    }
    extern "C" fn floor(x: f64) -> f64 {
        x.floor()
    }
    extern "C" fn trunc(x: f64) -> f64 {
        x.trunc()
    }
    extern "C" fn nearest(x: f64) -> f64 {
        x.round_ties_even()
    }
    extern "C" fn fma(x: f64, y: f64, z: f64) -> f64 {
        x.mul_add(y, z)
    }
    match call {
        LibCall::CeilF64 => Some(ceil as *const () as usize),
        LibCall::FloorF64 => Some(floor as *const () as usize),
        LibCall::TruncF64 => Some(trunc as *const () as usize),
        LibCall::NearestF64 => Some(nearest as *const () as usize),
        LibCall::FmaF64 => Some(fma as *const () as usize),
        LibCall::Probestack
        | LibCall::CeilF32
        | LibCall::FloorF32
        | LibCall::TruncF32
        | LibCall::NearestF32
        | LibCall::FmaF32
        | LibCall::Memcpy
        | LibCall::Memset
        | LibCall::Memmove
        | LibCall::Memcmp
        | LibCall::ElfTlsGetAddr
        | LibCall::ElfTlsGetOffset
        | LibCall::X86Pshufb => None,
    }
}

/// The signature of the generic compiled entry: `(vm, base, nargs) -> (count, first)`. The deopt
/// stub has the same, with the exit descriptor in place of `nargs`; so has an OSR unit.
pub fn entry_signature() -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.extend([AbiParam::new(types::I64); 3]);
    signature.returns.extend([AbiParam::new(types::I64); 2]);
    signature
}

/// An empty function of this signature, named as function `index` of its unit.
pub fn new_function(index: u32, signature: Signature) -> Function {
    Function::with_name_signature(ir::UserFuncName::user(UNIT_FUNCTION, index), signature)
}
