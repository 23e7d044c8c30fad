//! Safepoints, and what `collectgarbage` and a host can ask of the collector.

use super::cycle::{Mode, stop};
use super::huge::trim_allocator;
use super::roots::VmRoots;
use super::{Heap, finalize};
use crate::value::Value;
use crate::vm::{POLL_GC, Throw, Vm};

/// Runs `f` on a state's heap with its roots.
fn with_roots<R>(vm: &mut Vm, f: impl FnOnce(&mut Heap, &mut VmRoots) -> R) -> R {
    let vm: *mut Vm = vm;
    // SAFETY: exclusive access to the state; `VmRoots` does not touch the heap field.
    unsafe {
        let mut roots = VmRoots::new(vm);
        f(&mut (*vm).heap, &mut roots)
    }
}

/// Drops what dead objects left behind. Host destructors may come back to the heap.
pub(super) fn empty_graveyard(vm: &mut Vm) {
    while !vm.heap.graveyard.is_empty() {
        vm.heap.disturbances += 1;
        drop(std::mem::take(&mut vm.heap.graveyard));
    }
}

/// The collector's part of `Vm::safepoint`: a step when one is due, then finalizers.
///
/// # Errors
/// `not enough memory` when the state is above its limit after a full collection.
pub fn safepoint(vm: &mut Vm) -> Result<(), Throw> {
    vm.poll.lower(POLL_GC, vm.native_limit);
    if vm.heap.stopped == 0 {
        if vm.heap.stress != 0 {
            vm.heap.stress_count += 1;
            if vm.heap.stress_count >= vm.heap.stress.saturating_add(patience(vm)) {
                vm.heap.stress_count = 0;
                with_roots(vm, |heap, roots| heap.full_cycle(roots));
            }
        } else {
            with_roots(vm, |heap, roots| heap.allocation_step(roots));
        }
    }
    empty_graveyard(vm);
    finalize::run_some(vm);
    vm.check_stop()?;
    vm.heap.restock();
    if vm.heap.footprint() > vm.heap.limit() || vm.heap.is_alarming() {
        enforce_limit(vm)?;
    }
    vm.settled()
}

/// Under stress: how many allocations a large heap or a deep stack may wait for its next collection, each of
/// which goes through all of it. A program that fills the stack would take minutes otherwise (200,000
/// frames: 0.4 s, verified 2 s, in a debug build), and what is found at every 20th allocation of many is found.
fn patience(vm: &Vm) -> u32 {
    /// Bytes that are gone through at every allocation.
    const AT_ONCE: usize = 256 << 10;
    /// Further bytes for each allocation of delay.
    const DELAY: usize = 1 << 10;
    let stack = vm.base.addr().saturating_sub(vm.detail.stack.memory.bottom().addr());
    let work = vm.heap.live_estimate.saturating_add(stack);
    u32::try_from(work.saturating_sub(AT_ONCE) / DELAY).unwrap_or(u32::MAX)
}

#[cold]
fn enforce_limit(vm: &mut Vm) -> Result<(), Throw> {
    relieve(vm);
    if vm.heap.footprint() > vm.heap.limit() {
        return Err(out_of_memory(vm));
    }
    Ok(())
}

/// To be called where a safepoint may be, when the door refused something that may be granted once garbage
/// is freed: frees all of it, and gives the memory back to the system. Runs no finalizers. Does nothing
/// within a finalizer.
#[cold]
pub fn relieve(vm: &mut Vm) {
    if vm.heap.stopped & (stop::FINALIZER | stop::CLOSING) != 0 {
        return;
    }
    with_roots(vm, |heap, roots| heap.full_cycle(roots));
    empty_graveyard(vm);
    if vm.heap.limit() != usize::MAX {
        crate::thread::release_stacks(vm);
        vm.heap.release_empty(0);
        vm.heap.store.release_dirty();
        trim_allocator();
    }
}

/// Throws `not enough memory` (as it is: no position, no message handler).
#[cold]
pub fn out_of_memory(vm: &mut Vm) -> Throw {
    // Whatever was noted is reported by this.
    let _ = vm.heap.settled();
    vm.thrown = Value::string(vm.heap.memory_message);
    vm.detail.stack.thrown_at = None;
    Throw
}

/// `collectgarbage("collect")`: a full cycle and every pending finalizer. False within a finalizer, where
/// nothing is done. Must be called where a safepoint may be.
pub fn collect(vm: &mut Vm) -> bool {
    if vm.heap.stopped & (stop::FINALIZER | stop::CLOSING) != 0 {
        return false;
    }
    with_roots(vm, |heap, roots| heap.full_cycle(roots));
    empty_graveyard(vm);
    finalize::run_pending(vm, usize::MAX);
    true
}

/// `collectgarbage("step", kilobytes)`: work as for that much allocation (0: one basic step). True when
/// it ended a cycle; `None` within a finalizer.
pub fn step(vm: &mut Vm, kilobytes: usize) -> Option<bool> {
    if vm.heap.stopped & (stop::FINALIZER | stop::CLOSING) != 0 {
        return None;
    }
    if vm.heap.parameters.mode == Mode::Generational {
        // A young collection would free everything new that is dead.
        return Some(collect(vm));
    }
    let basic = 1usize << vm.heap.parameters.step_size.clamp(8, 30);
    let mut work =
        kilobytes.saturating_mul(1024).max(basic).min(isize::MAX as usize / 1024) as isize;
    let done = with_roots(vm, |heap, roots| {
        while work > 0 {
            if heap.single_step(roots, work.min(basic as isize)) {
                return true;
            }
            work -= basic as isize;
        }
        false
    });
    empty_graveyard(vm);
    finalize::run_some(vm);
    Some(done)
}

/// `collectgarbage("restart")`. Must be called where a safepoint may be.
pub fn restart(vm: &mut Vm) {
    let stopped = !vm.heap.is_running();
    vm.heap.restart();
    if stopped && vm.heap.count() > 2 * vm.heap.live_estimate {
        // What piled up meanwhile is not left to the usual pace.
        collect(vm);
    }
}

/// Takes back what [`close`](super::close) began: somebody kept a handle while finalizers ran.
pub fn reopen(vm: &mut Vm) {
    vm.heap.stopped &= !stop::CLOSING;
    if vm.heap.is_running() {
        vm.heap.next_step_after(super::cycle::STEP);
    }
}

/// Checks every invariant of the heap.
///
/// # Errors
/// A description of the first violation.
pub fn verify(vm: &mut Vm) -> Result<(), String> {
    with_roots(vm, |heap, roots| heap.verify(roots))
}

impl Heap {
    /// Whether a finalizer is running: the collector then obeys nobody.
    pub fn in_finalizer(&self) -> bool {
        self.stopped & stop::FINALIZER != 0
    }

    /// `collectgarbage("stop")`
    pub fn stop(&mut self) {
        self.stopped |= stop::USER;
        self.next_step_after(usize::MAX);
    }

    /// `collectgarbage("restart")`
    pub fn restart(&mut self) {
        self.stopped &= !stop::USER;
        self.next_step_after(super::cycle::STEP);
    }

    /// `collectgarbage("isrunning")`
    pub fn is_running(&self) -> bool {
        self.stopped & stop::USER == 0
    }

    /// `collectgarbage("setpause", n)`: the old value.
    pub fn set_pause(&mut self, percent: u32) -> u32 {
        std::mem::replace(&mut self.parameters.pause, percent)
    }

    /// `collectgarbage("setstepmul", n)`: the old value.
    pub fn set_step_multiplier(&mut self, percent: u32) -> u32 {
        std::mem::replace(&mut self.parameters.step_multiplier, percent)
    }

    /// `collectgarbage("incremental", pause, stepmul, stepsize)`, where 0 keeps a value: the old mode.
    pub fn set_incremental(&mut self, pause: u32, multiplier: u32, step_size: u32) -> Mode {
        let p = &mut self.parameters;
        for (field, value) in [
            (&mut p.pause, pause),
            (&mut p.step_multiplier, multiplier),
            (&mut p.step_size, step_size),
        ] {
            if value != 0 {
                *field = value;
            }
        }
        std::mem::replace(&mut p.mode, Mode::Incremental)
    }

    /// `collectgarbage("generational", minor, major)`, where 0 keeps a value: the old mode.
    pub fn set_generational(&mut self, minor: u32, major: u32) -> Mode {
        let p = &mut self.parameters;
        for (field, value) in [(&mut p.minor_multiplier, minor), (&mut p.major_multiplier, major)] {
            if value != 0 {
                *field = value;
            }
        }
        std::mem::replace(&mut p.mode, Mode::Generational)
    }

    /// Collects at every `period`-th safepoint, and raises the poll at every allocation; 0 turns
    /// it off. With `verify`, checks the whole heap after each cycle.
    pub fn set_stress(&mut self, period: u32, verify: bool) {
        self.stress = period;
        self.stress_count = 0;
        self.verify_cycles = verify;
        if period != 0 {
            // Every allocation takes the slow path from now on.
            self.spill_rooms();
            self.raise_poll();
        }
    }
}
