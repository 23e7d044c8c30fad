//! Comparisons beyond the inline fast paths.

use perilune_ir::bytecode::{Op, Word};

use super::operators::note_metamethod;
use super::{constants, sync};
use crate::meta::Metamethod;
use crate::value::Value;
use crate::vm::{Throw, Vm};

/// Evaluates the comparison at `ip` (`EQ` … `GEK`); the answer is that of the comparison itself, not
/// yet compared with the instruction's flag.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn compare_slow(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<bool, Throw> {
    // SAFETY: verified code: operands are in range.
    unsafe {
        sync(vm, base, ip);
        let word = Word(*ip);
        let a = *base.add(word.a() as usize);
        let register = || *base.add(word.b() as usize);
        let constant = || *constants(base).add(word.b() as usize);
        let op = Op::decode(*ip).unwrap_unchecked();
        match op {
            Op::Eq => note_metamethod(vm, base, ip, Metamethod::Eq, [a, register()]),
            Op::Lt => note_metamethod(vm, base, ip, Metamethod::Lt, [a, register()]),
            Op::Le => note_metamethod(vm, base, ip, Metamethod::Le, [a, register()]),
            _ => {}
        }
        match op {
            Op::Eq => vm.equals(a, register()),
            Op::Lt => vm.less_than(a, register()),
            Op::Le => vm.less_equal(a, register()),
            Op::EqK => Ok(vm.raw_equals(a, constant())),
            Op::LtK => vm.less_than(a, constant()),
            Op::LeK => vm.less_equal(a, constant()),
            Op::GtK => vm.less_than(constant(), a),
            Op::GeK => vm.less_equal(constant(), a),
            _ => unreachable!("not a comparison"),
        }
    }
}
