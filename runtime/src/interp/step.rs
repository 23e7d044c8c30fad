//! Single instructions on behalf of compiled code: its fallback for whatever it has no code for.
//!
//! The frame's registers must be up to date before, and are after. `vm.base` and `vm.pc` are written.

use perilune_ir::bytecode::{Op, Word};

use super::{
    access, arith, calls, closure_of, compare, concat, constants, decode, forloop, frame_ops,
    proto_of,
};
use crate::proto::upvalue;
use crate::value::Value;
use crate::vm::{Throw, Vm};

/// Executes the instruction at word `pc` of the frame at `base`, which must neither jump nor call nor
/// return: loads, arithmetic, access, `CONCAT`, `LEN`, `NEWTABLE`, `CLOSURE`, `SETLIST`, `VARARG`, `TBC`,
/// `CLOSE`, and the marking part of `TFORPREP`.
///
/// # Safety
/// `base` is the frame of a Lua function, `pc` such an instruction of it.
///
/// # Errors
/// What the operation throws.
///
/// # Panics
/// For instructions of another sort.
pub unsafe fn step(vm: &mut Vm, base: *mut Value, pc: u32) -> Result<(), Throw> {
    // SAFETY: verified code: operands are in range.
    unsafe {
        let ip = (*proto_of(base)).code.add(pc as usize);
        let word = Word(*ip);
        let a = base.add(word.a() as usize);
        match decode(word.0) {
            Op::Move => *a = *base.add(word.b() as usize),
            Op::LoadI => *a = Value::small_int(i64::from(word.sd())),
            Op::LoadK => *a = *constants(base).add(word.d() as usize),
            Op::LoadKX => *a = *constants(base).add(*ip.add(1) as usize),
            Op::LoadNil => {
                for i in 0..=usize::from(word.b()) {
                    *a.add(i) = Value::NIL;
                }
            }
            Op::LoadFalse => *a = Value::FALSE,
            Op::LoadTrue => *a = Value::TRUE,
            Op::GetUpval => *a = *(*upvalue(closure_of(base), word.b() as usize)).location,
            Op::SetUpval => access::set_upvalue(vm, base, ip),
            Op::GetTabUp | Op::GetField | Op::SelfField => {
                return access::get_field_slow::<false>(vm, base, ip).map(|_| ());
            }
            Op::SetTabUp | Op::SetField => {
                return access::set_field_slow::<false>(vm, base, ip).map(|_| ());
            }
            Op::GetTable | Op::GetI => {
                return access::get_table_slow::<false>(vm, base, ip).map(|_| ());
            }
            Op::SetTable | Op::SetI => {
                return access::set_table_slow::<false>(vm, base, ip).map(|_| ());
            }
            Op::NewTable => frame_ops::new_table(vm, base, ip),
            Op::Add
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
            | Op::BNot => return arith::arith_slow(vm, base, ip),
            Op::Not => *a = Value::bool((*base.add(word.b() as usize)).is_falsy()),
            Op::Len => return access::length_slow(vm, base, ip),
            Op::Concat => return concat::concat(vm, base, ip),
            Op::Close => return frame_ops::close(vm, base, ip),
            Op::Tbc => return frame_ops::to_be_closed(vm, base, ip, a),
            Op::TForPrep => {
                if !(*a.add(3)).is_nil() {
                    return frame_ops::to_be_closed(vm, base, ip, a.add(3));
                }
            }
            Op::SetList => return frame_ops::set_list(vm, base, ip),
            Op::Closure => frame_ops::closure(vm, base, ip),
            Op::Vararg => return frame_ops::vararg(vm, base, ip),
            Op::LFalseSkip
            | Op::Jmp
            | Op::Loop
            | Op::Eq
            | Op::Lt
            | Op::Le
            | Op::EqK
            | Op::LtK
            | Op::LeK
            | Op::GtK
            | Op::GeK
            | Op::Test
            | Op::TestSet
            | Op::Call
            | Op::TailCall
            | Op::Return
            | Op::Return0
            | Op::Return1
            | Op::ForPrep
            | Op::ForLoop
            | Op::TForCall
            | Op::TForLoop
            | Op::VarargPrep => panic!("not a straight-line instruction"),
        }
        Ok(())
    }
}

/// Evaluates the condition of the instruction at word `pc`: for comparisons and `TEST`, the truth of the
/// comparison or operand (not yet compared with the instruction's flag); for `FORPREP`, does the
/// preparation and answers whether the loop runs; for `FORLOOP`, does the step and answers whether the loop
/// goes on; for `TFORLOOP`, likewise.
///
/// # Safety
/// `base` is the frame of a Lua function, `pc` such an instruction of it.
///
/// # Errors
/// What the operation throws.
pub unsafe fn step_test(vm: &mut Vm, base: *mut Value, pc: u32) -> Result<bool, Throw> {
    // SAFETY: verified code: operands are in range.
    unsafe {
        let ip = (*proto_of(base)).code.add(pc as usize);
        let word = Word(*ip);
        let a = base.add(word.a() as usize);
        match decode(word.0) {
            Op::Test => Ok((*a).is_truthy()),
            Op::TestSet => {
                let v = *base.add(word.b() as usize);
                if v.is_truthy() == (word.c() != 0) {
                    *a = v;
                }
                Ok(v.is_truthy())
            }
            Op::ForPrep => forloop::for_prep(vm, base, ip),
            Op::ForLoop => Ok(forloop::for_loop_slow(vm, base, ip)),
            Op::TForLoop => {
                let control = *a.add(4);
                if !control.is_nil() {
                    *a.add(2) = control;
                }
                Ok(!control.is_nil())
            }
            _ => compare::compare_slow(vm, base, ip),
        }
    }
}

/// Performs the `CALL` or `TFORCALL` at word `pc` with the handling of its results: nils to the wanted
/// number, or `vm.top`. Answers the number of results that the function gave.
///
/// # Safety
/// `base` is the frame of a Lua function, `pc` such an instruction of it; `vm.top` is set where it asks
/// for it.
///
/// # Errors
/// What the function throws.
pub unsafe fn step_call(vm: &mut Vm, base: *mut Value, pc: u32) -> Result<u32, Throw> {
    // SAFETY: verified code: the window is within the frame, or reaches up to the top.
    unsafe {
        let proto = proto_of(base);
        let ip = (*proto).code.add(pc as usize);
        let word = Word(*ip);
        let ra = base.add(word.a() as usize);
        vm.base = base;
        vm.pc = pc;
        let (func, nargs) = if decode(word.0) == Op::TForCall {
            let func = ra.add(4);
            *func = *ra;
            *func.add(2) = *ra.add(1);
            *func.add(3) = *ra.add(2);
            (func, 2)
        } else {
            let nargs = match word.b() {
                0 => vm.top.offset_from(ra.add(2)) as u32,
                b => u32::from(b) - 1,
            };
            (ra, nargs)
        };
        calls::note_callee(proto, ip, *func);
        let depth = vm.c_depth;
        let result = call_from_code(vm, func, nargs);
        vm.c_depth = depth;
        vm.base = base;
        vm.pc = pc;
        let count = result?;
        note_result(proto, ip, *func);
        match calls::wanted_results(word) {
            None => vm.top = func.add(count as usize),
            Some(wanted) => {
                for i in count as usize..wanted {
                    *func.add(i) = Value::NIL;
                }
            }
        }
        Ok(count)
    }
}

/// Calls the window at `func` for a Lua frame, without counting Rust recursion.
unsafe fn call_from_code(vm: &mut Vm, func: *mut Value, nargs: u32) -> Result<u32, Throw> {
    // SAFETY: the caller's contract.
    unsafe { vm.call_uncounted(func, nargs) }
}

/// Type feedback of a call's first result.
///
/// # Safety
/// `ip` is a call instruction of `proto`.
pub unsafe fn note_result(proto: *mut crate::object::Proto, ip: *const u32, v: Value) {
    // SAFETY: the caller's contract: a call instruction of `proto`.
    unsafe {
        let index = *ip.add(1) >> 16;
        if index != u32::from(perilune_ir::bytecode::NO_FEEDBACK) {
            let cell = (*proto).feedback.as_ptr().add(index as usize);
            (*cell).types.set((*cell).types.get() | crate::object::Types::of(v));
        }
    }
}
