//! The `preserve_all` entries of the functions in [`crate::keep`].
//!
//! Cranelift's convention of that name clobbers no register and returns nothing; the only argument
//! (the state) is where the C convention has it. So one fixed sequence around a C call serves every
//! target: save what a C function may clobber, call, restore. Written by hand because that takes no
//! time when the first function is compiled (80 µs for each such stub made by Cranelift).

use core::mem::offset_of;
use perilune_runtime::vm::Vm;

use crate::entry::throw;
use crate::keep::*;

/// A function `$name` that saves what a C function may clobber, calls `$target`, goes through `$then`, restores
/// and returns.
#[cfg(target_arch = "x86_64")]
macro_rules! keep_entry {
    ($name:ident, $target:path, [$($then:literal),*], $($operand:tt)*) => {
        /// See the module.
        ///
        /// # Safety
        /// Called by compiled code, by `preserve_all`.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            core::arch::naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                "push rax",
                "push rcx",
                "push rdx",
                "push rsi",
                "push rdi",
                "push r8",
                "push r9",
                "push r10",
                "push r11",
                "sub rsp, 264",
                "and rsp, -16",
                "movups [rsp], xmm0",
                "movups [rsp + 16], xmm1",
                "movups [rsp + 32], xmm2",
                "movups [rsp + 48], xmm3",
                "movups [rsp + 64], xmm4",
                "movups [rsp + 80], xmm5",
                "movups [rsp + 96], xmm6",
                "movups [rsp + 112], xmm7",
                "movups [rsp + 128], xmm8",
                "movups [rsp + 144], xmm9",
                "movups [rsp + 160], xmm10",
                "movups [rsp + 176], xmm11",
                "movups [rsp + 192], xmm12",
                "movups [rsp + 208], xmm13",
                "movups [rsp + 224], xmm14",
                "movups [rsp + 240], xmm15",
                "call {target}",
                $($then,)*
                "movups xmm0, [rsp]",
                "movups xmm1, [rsp + 16]",
                "movups xmm2, [rsp + 32]",
                "movups xmm3, [rsp + 48]",
                "movups xmm4, [rsp + 64]",
                "movups xmm5, [rsp + 80]",
                "movups xmm6, [rsp + 96]",
                "movups xmm7, [rsp + 112]",
                "movups xmm8, [rsp + 128]",
                "movups xmm9, [rsp + 144]",
                "movups xmm10, [rsp + 160]",
                "movups xmm11, [rsp + 176]",
                "movups xmm12, [rsp + 192]",
                "movups xmm13, [rsp + 208]",
                "movups xmm14, [rsp + 224]",
                "movups xmm15, [rsp + 240]",
                "lea rsp, [rbp - 72]",
                "pop r11",
                "pop r10",
                "pop r9",
                "pop r8",
                "pop rdi",
                "pop rsi",
                "pop rdx",
                "pop rcx",
                "pop rax",
                "pop rbp",
                "ret",
                target = sym $target,
                $($operand)*
            )
        }
    };
}

// Not x18: it is the system's on some, and compiled code never uses it.
#[cfg(target_arch = "aarch64")]
macro_rules! keep_entry {
    ($name:ident, $target:path, [$($then:literal),*], $($operand:tt)*) => {
        /// See the module.
        ///
        /// # Safety
        /// Called by compiled code, by `preserve_all`.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            core::arch::naked_asm!(
                "stp x29, x30, [sp, #-16]!",
                "mov x29, sp",
                "stp x0, x1, [sp, #-144]!",
                "stp x2, x3, [sp, #16]",
                "stp x4, x5, [sp, #32]",
                "stp x6, x7, [sp, #48]",
                "stp x8, x9, [sp, #64]",
                "stp x10, x11, [sp, #80]",
                "stp x12, x13, [sp, #96]",
                "stp x14, x15, [sp, #112]",
                "stp x16, x17, [sp, #128]",
                "sub sp, sp, #512",
                "stp q0, q1, [sp]",
                "stp q2, q3, [sp, #32]",
                "stp q4, q5, [sp, #64]",
                "stp q6, q7, [sp, #96]",
                "stp q8, q9, [sp, #128]",
                "stp q10, q11, [sp, #160]",
                "stp q12, q13, [sp, #192]",
                "stp q14, q15, [sp, #224]",
                "stp q16, q17, [sp, #256]",
                "stp q18, q19, [sp, #288]",
                "stp q20, q21, [sp, #320]",
                "stp q22, q23, [sp, #352]",
                "stp q24, q25, [sp, #384]",
                "stp q26, q27, [sp, #416]",
                "stp q28, q29, [sp, #448]",
                "stp q30, q31, [sp, #480]",
                "bl {target}",
                $($then,)*
                "ldp q0, q1, [sp]",
                "ldp q2, q3, [sp, #32]",
                "ldp q4, q5, [sp, #64]",
                "ldp q6, q7, [sp, #96]",
                "ldp q8, q9, [sp, #128]",
                "ldp q10, q11, [sp, #160]",
                "ldp q12, q13, [sp, #192]",
                "ldp q14, q15, [sp, #224]",
                "ldp q16, q17, [sp, #256]",
                "ldp q18, q19, [sp, #288]",
                "ldp q20, q21, [sp, #320]",
                "ldp q22, q23, [sp, #352]",
                "ldp q24, q25, [sp, #384]",
                "ldp q26, q27, [sp, #416]",
                "ldp q28, q29, [sp, #448]",
                "ldp q30, q31, [sp, #480]",
                "add sp, sp, #512",
                "ldp x2, x3, [sp, #16]",
                "ldp x4, x5, [sp, #32]",
                "ldp x6, x7, [sp, #48]",
                "ldp x8, x9, [sp, #64]",
                "ldp x10, x11, [sp, #80]",
                "ldp x12, x13, [sp, #96]",
                "ldp x14, x15, [sp, #112]",
                "ldp x16, x17, [sp, #128]",
                "ldp x0, x1, [sp], #144",
                "ldp x29, x30, [sp], #16",
                "ret",
                target = sym $target,
                $($operand)*
            )
        }
    };
}

macro_rules! keep_entries {
    ($($name:ident => $target:path;)*) => {
        $(keep_entry!($name, $target, [],);)*
    };
}

keep_entries! {
    keep_box_int => rt_box_int;
    keep_get_int => rt_get_int;
    keep_float_mod => rt_keep_float_mod;
    keep_string_char => rt_string_char;
    keep_set_int => rt_set_int;
    keep_close_upvalues => rt_close_upvalues;
    keep_barrier => rt_barrier;
    keep_barrier_forward => rt_barrier_forward;
    keep_alloc_table => rt_alloc_table;
}

macro_rules! keep_poll {
    ($($then:literal),*) => {
        keep_entry!(keep_poll, rt_poll, [$($then),*],
            throw = sym throw,
            threw = const POLL_THREW,
            scratch = const offset_of!(Vm, scratch),
        );
    };
}

#[cfg(target_arch = "x86_64")]
keep_poll!("mov rdi, [rbp - 40]", "cmp rax, {threw}", "je {throw}", "mov [rdi + {scratch}], rax");
#[cfg(target_arch = "aarch64")]
keep_poll!(
    "ldr x9, [x29, #-144]",
    "cmp x0, #{threw}",
    "b.ne 2f",
    "mov x0, x9",
    "b {throw}",
    "2:",
    "str x0, [x9, #{scratch}]"
);
