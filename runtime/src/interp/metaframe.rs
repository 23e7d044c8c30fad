//! Metamethods that the plain dispatch loop calls without recursion.
//!
//! The metamethod's frame lies above the registers of the frame with the operator, with a link of kind
//! `INTERPRETED` that names the operator: as compiled code lays out the frame of an inlined one. When it
//! returns, [`operators::finish`](super::operators::finish) does what is left of the operator. Only Lua
//! functions are called like this; everything else is left to the functions that call from Rust. The loop
//! that collects a profile does not do so: there, compiled code calls metamethods.
//!
//! Such calls are as deep as those from Rust: [`Vm::c_depth`] counts them, and at its limit they are left to
//! the functions that throw.

use perilune_ir::bytecode::{Op, Word};

use super::arith::Arith;
use super::{constants, decode, pc_of, proto_of};
use crate::meta::Metamethod;
use crate::state::MAX_C_DEPTH;
use crate::value::Value;
use crate::vm::{Link, Vm};

/// The base of a metamethod's frame above the frame at `base`.
///
/// # Safety
/// `base` is the frame of a Lua function.
#[inline(always)]
pub unsafe fn above(base: *mut Value) -> *mut Value {
    // SAFETY: the caller's contract.
    unsafe { base.add(usize::from((*proto_of(base)).max_stack) + 2) }
}

/// Makes `handler`'s frame header and arguments for the operator at `ip`, and counts the call, which must
/// follow. False: it is no Lua function, the stack must grow, or calls are too deep.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an operator of it that [`super::operators::finish`] knows.
#[inline(always)]
pub unsafe fn prepare<const N: usize>(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    handler: Value,
    arguments: [Value; N],
) -> bool {
    // SAFETY: the caller's contract; what is written lies below the limit.
    unsafe {
        let frame = above(base);
        if handler.as_closure().is_none()
            || frame.add(N) > vm.stack_limit
            || vm.c_depth + 1 >= MAX_C_DEPTH
        {
            return false;
        }
        vm.c_depth += 1;
        let delta = frame.offset_from(base) as usize;
        *frame.sub(2) = handler;
        let kind = Link::INTERPRETED | Link::COUNTED;
        *frame.sub(1) = Value(Link::new(pc_of(base, ip), delta, kind).0);
        for (i, argument) in arguments.into_iter().enumerate() {
            *frame.add(i) = argument;
        }
        true
    }
}

/// [`prepare`] for the metamethod of the first operand that has one.
#[inline(always)]
unsafe fn prepare_binary(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    event: Metamethod,
    a: Value,
    b: Value,
) -> bool {
    let mut handler = Value::NIL;
    if a.is_table() {
        handler = vm.metamethod(a, event);
    }
    if handler.is_nil() && b.is_table() {
        handler = vm.metamethod(b, event);
        // That of the first operand comes first, whatever it is.
        if !a.is_table() && !vm.metamethod(a, event).is_nil() {
            return false;
        }
    }
    // SAFETY: the caller's contract.
    unsafe { prepare(vm, base, ip, handler, [a, b]) }
}

/// Prepares the metamethod of the arithmetic or bitwise instruction at `ip`, if it has one.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn arith(vm: &mut Vm, base: *mut Value, ip: *const u32) -> bool {
    // SAFETY: verified code: operands are in range.
    unsafe {
        let word = Word(*ip);
        let Some((arith, constant)) = Arith::of(decode(*ip)) else { return false };
        let a = *base.add(word.b() as usize);
        let b = match (arith, constant) {
            (Arith::Unm | Arith::BNot, _) => a,
            (_, true) => *constants(base).add(word.c() as usize),
            (_, false) => *base.add(word.c() as usize),
        };
        if !a.is_table() && !b.is_table() {
            return false;
        }
        prepare_binary(vm, base, ip, arith.metamethod(), a, b)
    }
}

/// Prepares the metamethod of the `EQ`, `LT` or `LE` at `ip`, if it has one.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` a comparison of it.
#[inline(never)]
pub unsafe fn compare(vm: &mut Vm, base: *mut Value, ip: *const u32) -> bool {
    // SAFETY: verified code: operands are in range.
    unsafe {
        let word = Word(*ip);
        let a = *base.add(word.a() as usize);
        let b = *base.add(word.b() as usize);
        let op = decode(*ip);
        if op == Op::Eq {
            return a.is_table()
                && b.is_table()
                && a != b
                && prepare_binary(vm, base, ip, Metamethod::Eq, a, b);
        }
        if !a.is_table() && !b.is_table() {
            return false;
        }
        if op == Op::Lt {
            prepare_binary(vm, base, ip, Metamethod::Lt, a, b)
        } else {
            op == Op::Le && prepare_binary(vm, base, ip, Metamethod::Le, a, b)
        }
    }
}
