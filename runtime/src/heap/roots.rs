//! What the collector asks of its surroundings, and the answers of a [`Vm`].

use super::GRAY;
use crate::object::{Header, Proto, Thread};
use crate::vm::Vm;

/// The surroundings of a heap.
pub trait Roots {
    /// Visits everything that is referred to from outside of the heap's objects.
    fn visit(&mut self, visit: &mut dyn FnMut(*mut Header));

    /// Visits what a thread refers to, its VM stack foremost. With `last`, clears the stack above
    /// its top. Returns the bytes looked at.
    fn visit_thread(
        &mut self,
        thread: *mut Thread,
        last: bool,
        visit: &mut dyn FnMut(*mut Header),
    ) -> usize;

    /// At the end of marking: forgets dead open upvalues of a live thread; closes those of a dead one.
    fn finish_thread(&mut self, thread: *mut Thread, dead: bool);

    /// Visits what the compiled code of a prototype refers to.
    fn visit_code(&mut self, proto: *mut Proto, visit: &mut dyn FnMut(*mut Header));

    /// A compiled prototype is about to be freed.
    fn forget_code(&mut self, proto: *mut Proto);
}

/// The roots of a state. The heap is borrowed apart: nothing here touches `Vm::heap`.
pub(super) struct VmRoots {
    vm: *mut Vm,
}

impl VmRoots {
    /// # Safety
    /// `vm` must be valid as long as the result is used, and only its heap be borrowed meanwhile.
    pub(super) unsafe fn new(vm: *mut Vm) -> VmRoots {
        VmRoots { vm }
    }
}

impl Roots for VmRoots {
    fn visit(&mut self, visit: &mut dyn FnMut(*mut Header)) {
        // SAFETY: `new`'s contract; a state's fields refer to live objects.
        unsafe {
            let vm = self.vm;
            if (*vm).thrown.is_heap() {
                visit((*vm).thrown.header());
            }
            let mut object = |o: *mut Header| {
                if !o.is_null() {
                    visit(o);
                }
            };
            object((*vm).current.cast());
            object((*vm).main.cast());
            object((*vm).globals.cast());
            object((*vm).registry.cast());
            for i in 0..(*vm).type_metatables.len() {
                object((*vm).type_metatables[i].cast());
            }
        }
    }

    fn visit_thread(
        &mut self,
        _thread: *mut Thread,
        _last: bool,
        _visit: &mut dyn FnMut(*mut Header),
    ) -> usize {
        0
    }

    fn finish_thread(&mut self, _thread: *mut Thread, _dead: bool) {}

    fn visit_code(&mut self, proto: *mut Proto, visit: &mut dyn FnMut(*mut Header)) {
        // SAFETY: `new`'s contract; what code refers to is live while its prototype is.
        unsafe {
            if (*proto).tier_id.get() != u32::MAX
                && let Some(tier) = &(*self.vm).tier
            {
                tier.trace(proto, visit);
            }
        }
    }

    fn forget_code(&mut self, proto: *mut Proto) {
        // SAFETY: `new`'s contract.
        if let Some(tier) = unsafe { &(*self.vm).tier } {
            tier.forget(proto);
        }
    }
}

/// Whether an object was reached; for `finish_thread`.
///
/// # Safety
/// `object` must be valid.
#[allow(dead_code)]
unsafe fn reached<T>(object: *mut T) -> bool {
    // SAFETY: the caller's contract.
    unsafe { (*object.cast::<crate::object::Header>()).color >= GRAY }
}
