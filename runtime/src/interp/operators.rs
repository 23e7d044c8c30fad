//! Operators that call metamethods: what compiled code learns of them, and their end.
//!
//! The interpreter calls a metamethod from Rust. Compiled code inlines it: its frame then lies above
//! the registers of the frame with the operator, with a link of kind `INTERPRETED`. When such a frame
//! is left to the interpreter and returns, [`finish`] does what is left of the operator.

use perilune_ir::bytecode::{Op, Word};

use super::{pc_of, proto_of};
use crate::meta::Metamethod;
use crate::object::{Feedback, Kind, LuaClosure, Types};
use crate::value::Value;
use crate::vm::Vm;

/// Notes which Lua function will handle the operator at `ip` for `operands`, if one will.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an operator of it; the operands are live.
#[inline(always)]
pub unsafe fn note_metamethod(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    event: Metamethod,
    operands: [Value; 2],
) {
    if vm.detail.profiling && operands.iter().any(|v| v.is_table()) {
        // SAFETY: the caller's contract.
        unsafe { note(vm, base, ip, event, operands) }
    }
}

#[inline(never)]
unsafe fn note(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    event: Metamethod,
    operands: [Value; 2],
) {
    // SAFETY: the caller's contract.
    unsafe {
        for (number, operand) in operands.iter().enumerate() {
            let handler = vm.metamethod(*operand, event);
            if handler.is_nil() {
                continue;
            }
            let Some(table) = operand.as_table() else { return };
            let Some(function) = handler.as_function() else { return };
            if (*function).header.kind != Kind::LuaClosure {
                return;
            }
            let shape = (*table).shape;
            let heap = &vm.heap;
            let closure: *mut LuaClosure = function.cast();
            with_cell(base, ip, |cell| cell.note_handler(heap, shape, number as u32, closure));
            return;
        }
    }
}

/// Notes the type of the result of an operator that called a metamethod.
///
/// # Safety
/// As [`note_metamethod`].
#[inline(always)]
pub unsafe fn note_result(vm: &Vm, base: *mut Value, ip: *const u32, result: Value) {
    if vm.detail.profiling {
        // SAFETY: the caller's contract.
        unsafe {
            let sites = (*proto_of(base)).metamethods.borrow();
            if sites.is_empty() {
                return;
            }
            let pc = pc_of(base, ip);
            if let Some((_, cell)) = sites.iter().find(|(at, _)| *at == pc) {
                cell.types.set(cell.types.get() | Types::of(result));
            }
        }
    }
}

/// Calls `f` with the cell of the operator at `ip`, made if there is none.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an instruction of it.
unsafe fn with_cell(base: *mut Value, ip: *const u32, f: impl FnOnce(&Feedback)) {
    // SAFETY: the caller's contract.
    let (pc, proto) = unsafe { (pc_of(base, ip), &*proto_of(base)) };
    let mut sites = proto.metamethods.borrow_mut();
    let at = sites.iter().position(|(at, _)| *at == pc).unwrap_or_else(|| {
        sites.push((pc, Feedback::new()));
        sites.len() - 1
    });
    f(&sites[at].1);
}

/// Ends the operator at `ip` of the frame at `base`, whose metamethod has returned `result`. Answers
/// where the frame goes on.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an operator of it.
pub unsafe fn finish(base: *mut Value, ip: *const u32, result: Value) -> *const u32 {
    // SAFETY: verified code: operands are in range.
    unsafe {
        let word = Word(*ip);
        let op = Op::decode(*ip).unwrap_unchecked();
        let next = ip.add(op.words());
        match op {
            Op::SetTabUp | Op::SetTable | Op::SetI | Op::SetField => next,
            Op::Eq | Op::Lt | Op::Le => {
                if result.is_truthy() == (word.c() != 0) {
                    next.offset(*ip.add(1) as i32 as isize)
                } else {
                    next
                }
            }
            _ => {
                *base.add(word.a() as usize) = result;
                next
            }
        }
    }
}
