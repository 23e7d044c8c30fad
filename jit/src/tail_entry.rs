//! The generic entries in front of the functions in [`crate::calls`]: `tail`, `(vm, base, x) -> (count, first)`.
//!
//! Each calls a C function `(vm, base, x)` that answers a count, [`THREW`] or [`TAIL_CALL`]. In the last case
//! it jumps to the function that the interpreter wants called in its place: this is what keeps endless tail
//! calls between interpreted and compiled functions in constant native stack.
//!
//! Written by hand, because Cranelift takes half a millisecond for them. See [`crate::entry`] for what they
//! take from its `tail` convention.

use core::mem::offset_of;
use perilune_ir::encoding::{TAG_IMMEDIATE, TAG_INT, TAG_SHIFT};
use perilune_runtime::vm::Vm;

use crate::calls::{TAIL_CALL, THREW, rt_exit, rt_interpret, rt_native};
use crate::entry::throw;
use crate::exits::ExitDescriptor;

const _: () = assert!(THREW < 0 && TAIL_CALL == -2);

#[cfg(target_arch = "x86_64")]
macro_rules! tail_entries {
    ($($name:ident => $target:path;)*) => {
        $(/// See the module.
        ///
        /// # Safety
        /// Called by compiled code as a generic entry.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            core::arch::naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                "push rdi",
                "push rdi", // keeps the stack aligned
                "call {target}",
                "pop rdi",
                "pop rdi",
                "pop rbp",
                "mov rcx, [rdi + {scratch}]",
                "test rax, rax",
                "js 2f",
                "ret",
                "2:",
                "cmp rax, {tail_call}",
                "jne {throw}",
                "mov rsi, [rdi + {scratch} + 8]",
                "mov rdx, [rdi + {scratch} + 16]",
                "jmp rcx",
                target = sym $target,
                throw = sym throw,
                tail_call = const TAIL_CALL,
                scratch = const offset_of!(Vm, scratch),
            )
        })*
    };
}

#[cfg(target_arch = "aarch64")]
macro_rules! tail_entries {
    ($($name:ident => $target:path;)*) => {
        $(/// See the module.
        ///
        /// # Safety
        /// Called by compiled code as a generic entry.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            core::arch::naked_asm!(
                "stp x29, x30, [sp, #-32]!",
                "mov x29, sp",
                "str x2, [sp, #16]",
                "mov x0, x2",
                "mov x1, x3",
                "mov x2, x4",
                "bl {target}",
                "ldr x9, [sp, #16]",
                "ldp x29, x30, [sp], #32",
                "ldr x3, [x9, #{scratch}]",
                "tbnz x0, #63, 2f",
                "mov x2, x0",
                "ret",
                "2:",
                "cmp x0, #{tail_call}",
                "b.ne 3f",
                "mov x10, x3",
                "mov x2, x9",
                "ldr x3, [x9, #{scratch} + 8]",
                "ldr x4, [x9, #{scratch} + 16]",
                "br x10",
                "3:",
                "mov x0, x9",
                "b {throw}",
                target = sym $target,
                throw = sym throw,
                tail_call = const TAIL_CALL,
                scratch = const offset_of!(Vm, scratch),
            )
        })*
    };
}

tail_entries! {
    tail_interpret => rt_interpret;
    tail_native => rt_native;
    tail_exit => rt_exit;
}

/// The ways out of typed units: `$name` does what [`tail_exit`] does, and makes of the boxed result what the
/// unit's callers expect, by the instructions of this machine.
macro_rules! typed_exits {
    ($($doc:literal $name:ident, $x86_64:tt, $aarch64:tt, ($($operand:tt)*);)*) => {
        $(#[doc = $doc]
        ///
        /// # Safety
        /// Called as a generic entry, in place of a typed unit.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            #[cfg(target_arch = "x86_64")]
            typed_exit!($x86_64, $($operand)*);
            #[cfg(target_arch = "aarch64")]
            typed_exit!($aarch64, $($operand)*);
        })*
    };
}

#[cfg(target_arch = "x86_64")]
macro_rules! typed_exit {
    ([$($convert:literal),*], $($operand:tt)*) => {
        core::arch::naked_asm!(
            "push rbp",
            "mov rbp, rsp",
            "push rdx",
            "push rdx", // keeps the stack aligned
            "call {exit}",
            "pop rdx",
            "pop rdx",
            "pop rbp",
            "movzx edx, byte ptr [rdx + {stale}]",
            $($convert,)*
            "ret",
            exit = sym tail_exit,
            stale = const offset_of!(ExitDescriptor, stale),
            $($operand)*
        )
    };
}

#[cfg(target_arch = "aarch64")]
macro_rules! typed_exit {
    ([$($convert:literal),*], $($operand:tt)*) => {
        core::arch::naked_asm!(
            "stp x29, x30, [sp, #-32]!",
            "mov x29, sp",
            "str x4, [sp, #16]",
            "bl {exit}",
            "ldr x10, [sp, #16]",
            "ldp x29, x30, [sp], #32",
            "ldrb w10, [x10, #{stale}]",
            $($convert,)*
            "ret",
            exit = sym tail_exit,
            stale = const offset_of!(ExitDescriptor, stale),
            $($operand)*
        )
    };
}

typed_exits! {
    "Of a unit with any result: that, boxed, of kind 0." tail_exit_any,
    [
        "mov rax, rcx",
        "xor ecx, ecx"
    ],
    [
        "mov x2, x3",
        "mov x3, #0"
    ],
    ();
    "Of a unit with an integer: that or, of kind 1, a boxed value, also where the unit is stale." tail_exit_int,
    [
        "mov rax, rcx",
        "shr rcx, {shift}",
        "cmp ecx, {int}",
        "mov ecx, 1",
        "jne 2f",
        "test edx, edx",
        "jne 2f",
        "shl rax, 16",
        "sar rax, 16",
        "xor ecx, ecx",
        "2:"
    ],
    [
        "mov x2, x3",
        "lsr x3, x3, #{shift}",
        "mov x9, #{int}",
        "cmp x3, x9",
        "mov x3, #1",
        "b.ne 2f",
        "cbnz w10, 2f",
        "sbfx x2, x2, #0, #{shift}",
        "mov x3, #0",
        "2:"
    ],
    (shift = const TAG_SHIFT, int = const TAG_INT,);
    "Of a unit with a float: that or, of kind 1, a boxed value, also where the unit is stale." tail_exit_float,
    [
        "movq xmm0, rcx",
        "shr rcx, {shift}",
        "xor eax, eax",
        "cmp ecx, {immediate}",
        "setae al",
        "or eax, edx"
    ],
    [
        "fmov d0, x3",
        "lsr x3, x3, #{shift}",
        "mov x9, #{immediate}",
        "cmp x3, x9",
        "cset x2, hs",
        "orr x2, x2, x10"
    ],
    (shift = const TAG_SHIFT, immediate = const TAG_IMMEDIATE,);
}
