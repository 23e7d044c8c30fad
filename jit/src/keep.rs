//! Rust behind the stubs that keep all registers. Operands and results are in `Vm::scratch`; the
//! table in [`crate::helpers`] says which.
//!
//! A stub may run Lua (finalizers, hooks), which uses `scratch` too: operands are read first, results
//! written last.

use perilune_ir::encoding;
use perilune_runtime::interp::arith::float_mod;
use perilune_runtime::value::Value;
use perilune_runtime::vm::{Throw, Vm};

use crate::exits::ExitDescriptor;
use crate::guard::guard;
use crate::seam;

/// Result of [`rt_poll`]: rejoin.
pub const POLL_REJOIN: u64 = 0;
/// Result of [`rt_poll`]: its entry is to throw.
pub const POLL_THREW: u64 = 1;

/// Runs a safepoint for the innermost frame of an exit's snapshot. Answers [`POLL_REJOIN`], [`POLL_THREW`] or
/// the address of the exit by which to leave.
///
/// # Safety
/// Called by the stub: `scratch[0]` is the unit's base, `scratch[1]` the exit descriptor.
pub unsafe extern "C" fn rt_poll(vm: *mut Vm) -> u64 {
    guard(vm, POLL_THREW, |vm| {
        let base = vm.scratch[0] as *mut Value;
        let exit = vm.scratch[1] as *const ExitDescriptor;
        // SAFETY: the code passes a descriptor of its own unit, which lives while its frame does.
        unsafe {
            (*exit).materialise(vm, base);
            vm.base = (*exit).frame_base(base);
            vm.pc = (*exit).spec.pc;
            let epoch = vm.heap.method_epoch.get();
            let disturbed = seam::safepoint(vm);
            match disturbed {
                Ok(false) if vm.heap.method_epoch.get() == epoch => POLL_REJOIN,
                Ok(_) => {
                    (*exit).leave_after_poll();
                    exit as u64
                }
                Err(Throw) => POLL_THREW,
            }
        }
    })
}

/// Boxes an integer.
///
/// # Safety
/// Called by the stub.
pub unsafe extern "C" fn rt_box_int(vm: *mut Vm) {
    guard(vm, (), |vm| vm.scratch[0] = vm.int(vm.scratch[0] as i64).0);
}

/// Upvalues at a slot and above get cells of their own.
///
/// # Safety
/// Called by the stub with a slot of the running coroutine's stack.
pub unsafe extern "C" fn rt_close_upvalues(vm: *mut Vm) {
    // SAFETY: the caller's contract.
    guard(vm, (), |vm| unsafe { vm.close_upvalues(vm.scratch[0] as *mut Value) });
}

/// Write barrier after a store into a black object.
///
/// # Safety
/// Called by the stub with a live object.
pub unsafe extern "C" fn rt_barrier(vm: *mut Vm) {
    // SAFETY: the caller's contract.
    guard(vm, (), |vm| unsafe { vm.barrier_back(vm.scratch[0] as *mut u8) });
}

/// Write barrier that marks the value stored.
///
/// # Safety
/// Called by the stub with a live object and value.
pub unsafe extern "C" fn rt_barrier_forward(vm: *mut Vm) {
    guard(vm, (), |vm| {
        let (object, value) = (vm.scratch[0] as *mut u8, Value(vm.scratch[1]));
        // SAFETY: the caller's contract.
        unsafe { vm.heap.barrier_forward(object, value) };
    });
}

/// Allocates a table.
///
/// # Safety
/// Called by the stub with a live shape or 0.
pub unsafe extern "C" fn rt_alloc_table(vm: *mut Vm) {
    guard(vm, (), |vm| {
        let [shape, narr, slots, ..] = vm.scratch;
        // SAFETY: the caller's contract.
        let table = unsafe { seam::new_table(vm, shape as *mut _, narr as usize, slots as usize) };
        vm.scratch[0] = table as u64;
    });
}

/// The string of one byte.
///
/// # Safety
/// Called by the stub.
pub unsafe extern "C" fn rt_string_char(vm: *mut Vm) {
    guard(vm, (), |vm| vm.scratch[0] = vm.heap.byte_string(vm.scratch[0] as u8) as u64);
}

/// `a % b` of floats.
///
/// # Safety
/// Called by the stub.
pub unsafe extern "C" fn rt_keep_float_mod(vm: *mut Vm) {
    guard(vm, (), |vm| {
        let [a, b] = [vm.scratch[0], vm.scratch[1]].map(f64::from_bits);
        vm.scratch[0] = encoding::float(float_mod(a, b));
    });
}

/// Raw `table[integer]`.
///
/// # Safety
/// Called by the stub with a live table.
pub unsafe extern "C" fn rt_get_int(vm: *mut Vm) {
    guard(vm, (), |vm| {
        let table = vm.scratch[0] as *mut perilune_runtime::object::Table;
        // SAFETY: the caller's contract.
        vm.scratch[0] = unsafe { (*table).get_int(vm.scratch[1] as i64) }.0;
    });
}

/// Raw `table[integer] = value`.
///
/// # Safety
/// Called by the stub with a live table without metatable, and a live value.
pub unsafe extern "C" fn rt_set_int(vm: *mut Vm) {
    guard(vm, (), |vm| {
        let table = vm.scratch[0] as *mut perilune_runtime::object::Table;
        let (key, value) = (vm.scratch[1] as i64, Value(vm.scratch[2]));
        // SAFETY: the caller's contract.
        unsafe { (*table).set_int(&mut vm.heap, key, value) };
    });
}
