//! The interpreter.
//!
//! | file | holds |
//! |---|---|
//! | [`dispatch`], `number_macros` | the dispatch loop with all inline fast paths |
//! | [`arith`], [`compare`], [`concat`], [`access`], [`forloop`], [`frame_ops`] | whole instructions, any operands |
//! | [`operators`] | what is learnt of metamethods, and the end of operators that called inlined ones |
//! | [`metaframe`] | metamethods called without recursion |
//! | [`quick`] | tests and conversions of values for the loop |
//! | [`calls`] | calls of what is not a plain Lua function, entries from Rust, the tier |
//! | [`step`](mod@step) | single instructions on behalf of compiled code |
//!
//! One activation of [`dispatch::execute`] runs any number of Lua-to-Lua calls: frames whose link is of kind
//! `INTERPRETED` return within it, a `BOUNDARY` frame leaves it. Its state (instruction pointer, base,
//! prototype, constants) lives in locals. Functions outside of the loop get `(vm, base, ip)`, where `ip`
//! points to the instruction's first word, and write `vm.base` and `vm.pc` ([`sync`]) before anything
//! that may throw, call or look at frames.

use perilune_ir::bytecode::Op;

use crate::object::{Feedback, LuaClosure, Proto};
use crate::value::Value;
use crate::vm::{Link, Throw, Vm};

pub mod access;
pub mod arith;
pub mod calls;
pub mod compare;
pub mod concat;
pub mod dispatch;
pub mod forloop;
pub mod frame_ops;
pub mod metaframe;
mod number_macros;
pub mod operators;
pub mod quick;
pub mod step;

/// Code that no other place has: two runs of instructions with different ones of these in them are not
/// merged.
macro_rules! separate {
    () => {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        std::arch::asm!(
            concat!("/* ", line!(), ":", column!(), " */"),
            options(nomem, nostack, preserves_flags)
        );
    };
}
/// Starts a line of the instruction cache here. Where the dispatch loop lies in its lines makes up to a fifth of
/// its speed, and without this any change to the program moves it.
macro_rules! align_code {
    () => {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        std::arch::asm!(".p2align 6", options(nomem, nostack, preserves_flags));
    };
}
use align_code;
use number_macros::number_macros;
use separate;

pub use calls::{enter, enter_from_native, resume, run};

/// How an activation of the interpreter ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The boundary frame returned this many results, delivered by the protocol of [`crate::vm`].
    Returned(u32),
    /// The boundary frame was replaced by a call of a compiled function: whoever entered the
    /// interpreter calls it. Its frame, at the same base with a boundary link, is ready.
    TailCall {
        /// The frame's base.
        base: *mut Value,
        /// Its arguments.
        nargs: u32,
    },
    /// Another copy of the loop must go on here (hooks were set or removed).
    Switch {
        /// The frame's base.
        base: *mut Value,
        /// The next instruction.
        ip: *const u32,
    },
}

/// The closure of the Lua frame at `base`.
///
/// # Safety
/// `base` is the frame of a Lua function.
#[inline(always)]
pub unsafe fn closure_of(base: *mut Value) -> *mut LuaClosure {
    // SAFETY: the callee slot lies below every frame.
    unsafe { (*base.sub(2)).ptr() }
}

/// Where a frame's results go: its base before a vararg function moved it, and the link there.
///
/// # Safety
/// `base` is a frame's base.
#[inline(always)]
pub unsafe fn return_link(base: *mut Value) -> (*mut Value, Link) {
    // SAFETY: the caller's contract; a VARARG link leads to the original frame.
    unsafe {
        let link = Link((*base.sub(1)).0);
        if link.kind() == Link::VARARG {
            let original = base.sub(link.delta());
            return (original, Link((*original.sub(1)).0));
        }
        (base, link)
    }
}

/// The prototype of the Lua frame at `base`.
///
/// # Safety
/// `base` is the frame of a Lua function.
#[inline(always)]
pub unsafe fn proto_of(base: *mut Value) -> *mut Proto {
    // SAFETY: a frame's callee is live.
    unsafe { (*closure_of(base)).proto }
}

/// The constants of the Lua frame at `base`.
///
/// # Safety
/// `base` is the frame of a Lua function.
#[inline(always)]
pub unsafe fn constants(base: *mut Value) -> *const Value {
    // SAFETY: a frame's callee is live.
    unsafe { (*proto_of(base)).constants.as_ptr() }
}

/// The feedback cell `index` of the Lua frame at `base`.
///
/// # Safety
/// `base` is the frame of a Lua function that has such a cell.
#[inline(always)]
pub unsafe fn feedback(base: *mut Value, index: u32) -> *const Feedback {
    // SAFETY: a frame's callee is live.
    unsafe { (*proto_of(base)).feedback.as_ptr().add(index as usize) }
}

/// The word index of an instruction pointer in the Lua frame at `base`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` points into its code.
#[inline(always)]
pub unsafe fn pc_of(base: *mut Value, ip: *const u32) -> u32 {
    // SAFETY: both pointers are into the same code.
    unsafe { ip.offset_from((*proto_of(base)).code) as u32 }
}

/// Makes the frame visible to everything outside of the loop.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` points into its code.
#[inline(always)]
pub unsafe fn sync(vm: &mut Vm, base: *mut Value, ip: *const u32) {
    vm.base = base;
    // SAFETY: the caller's contract.
    vm.pc = unsafe { pc_of(base, ip) };
}

/// The operation of a verified instruction word.
///
/// # Safety
/// The word's low byte names an operation.
#[inline(always)]
pub unsafe fn decode(word: u32) -> Op {
    // SAFETY: `Op` is `repr(u8)` with its variants numbered from 0 without gaps, and the caller
    // vouches for the byte. This keeps the dispatch free of a range check.
    unsafe { std::mem::transmute::<u8, Op>(word as u8) }
}

/// Raises a poll: what [`Vm::safepoint`] does for the frame at `base`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` points into its code.
#[cold]
#[inline(never)]
pub unsafe fn poll(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<(), Throw> {
    // SAFETY: the caller's contract.
    unsafe { sync(vm, base, ip) };
    vm.safepoint()
}
