//! The way into compiled code from Rust, and the way out of it for errors.
//!
//! ```text
//!   Rust caller ── enter ── compiled frames … ── throw
//!                    ^ saves registers, sets vm.entry_sp |
//!                    +--------- sp = vm.entry_sp --------+
//! ```
//!
//! [`enter`] answers 0 when the code returned and 1 when it threw. [`throw`] cuts the native stack
//! back to the innermost `enter`; it is called by compiled code only, so that every frame it
//! cuts off is compiled: no destructor is skipped.
//!
//! This and [`crate::tail_entry`] rely on Cranelift's `tail` convention as it is in the version that
//! `Cargo.toml` names (the tests would see another one): three words come in `rdi`, `rsi`, `rdx`
//! (AArch64: `x2`, `x3`, `x4`), two results go out in `rax`, `rcx` (`x2`, `x3`), and the registers that the C convention keeps are kept.

use core::mem::offset_of;
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

#[cfg(not(all(unix, any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("the JIT supports x86-64 and AArch64 on Unix");

/// What compiled code returned: the count of results (or an OSR unit's outcome) and the first.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Returned {
    /// Number of results; −1 from an OSR unit that exits.
    pub count: i64,
    /// The bits of the first result; of an exiting OSR unit, the address of its exit descriptor.
    pub first: u64,
}

/// Calls `code`; 0 = returned (results in `out`), 1 = threw.
///
/// # Safety
/// `code` is a generic entry (see the crate's documentation); the frame at `base` is set up with `nargs`
/// arguments; `vm` is live and nobody else uses it meanwhile.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub unsafe extern "C" fn enter(
    vm: *mut Vm,
    base: *mut Value,
    nargs: u64,
    code: *const u8,
    out: *mut Returned,
) -> u64 {
    core::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push qword ptr [rdi + {sp}]",
        "push rdi",
        "push r8", // keeps the stack aligned
        "mov [rdi + {sp}], rsp",
        "call rcx",
        "pop r8",
        "mov [r8 + {count}], rax",
        "mov [r8 + {first}], rcx",
        "xor eax, eax",
        "pop rdi",
        "pop qword ptr [rdi + {sp}]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        sp = const offset_of!(Vm, entry_sp),
        count = const offset_of!(Returned, count),
        first = const offset_of!(Returned, first),
    )
}

/// Returns 1 from the innermost [`enter`].
///
/// # Safety
/// Called by compiled code below an `enter` on the same native stack, with no Rust frame between.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub unsafe extern "C" fn throw(vm: *mut Vm) -> ! {
    core::arch::naked_asm!(
        "mov rsp, [rdi + {sp}]",
        "mov eax, 1",
        "pop rcx",
        "pop rdi",
        "pop qword ptr [rdi + {sp}]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        sp = const offset_of!(Vm, entry_sp),
    )
}

/// Calls `code`; 0 = returned (results in `out`), 1 = threw.
///
/// # Safety
/// `code` is a generic entry (see the crate's documentation); the frame at `base` is set up with `nargs`
/// arguments; `vm` is live and nobody else uses it meanwhile.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub unsafe extern "C" fn enter(
    vm: *mut Vm,
    base: *mut Value,
    nargs: u64,
    code: *const u8,
    out: *mut Returned,
) -> u64 {
    core::arch::naked_asm!(
        "stp x29, x30, [sp, #-192]!",
        "mov x29, sp",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "ldr x9, [x0, #{sp}]",
        "stp x9, x0, [sp, #160]",
        "str x4, [sp, #176]",
        "mov x9, sp",
        "str x9, [x0, #{sp}]",
        "mov x4, x2",
        "mov x9, x3",
        "mov x3, x1",
        "mov x2, x0",
        "blr x9",
        "ldr x9, [sp, #176]",
        "str x2, [x9, #{count}]",
        "str x3, [x9, #{first}]",
        "mov x0, #0",
        "ldp x9, x10, [sp, #160]",
        "str x9, [x10, #{sp}]",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #192",
        "ret",
        sp = const offset_of!(Vm, entry_sp),
        count = const offset_of!(Returned, count),
        first = const offset_of!(Returned, first),
    )
}

/// Returns 1 from the innermost [`enter`].
///
/// # Safety
/// Called by compiled code below an `enter` on the same native stack, with no Rust frame between.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub unsafe extern "C" fn throw(vm: *mut Vm) -> ! {
    core::arch::naked_asm!(
        "ldr x9, [x0, #{sp}]",
        "mov sp, x9",
        "mov x0, #1",
        "ldp x9, x10, [sp, #160]",
        "str x9, [x10, #{sp}]",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #192",
        "ret",
        sp = const offset_of!(Vm, entry_sp),
    )
}
