//! What the collector asks of its surroundings, and the answers of a [`Vm`].

use super::{GRAY, Heap};
use crate::object::{Proto, Thread};
use crate::vm::Vm;

/// The surroundings of a heap.
pub trait Roots {
    /// Marks everything that is referred to from outside of the heap's objects.
    fn mark(&mut self, heap: &mut Heap);

    /// Marks what a thread refers to, its VM stack foremost. With `last`, clears the stack above
    /// its top. Returns the bytes looked at.
    fn scan_thread(&mut self, heap: &mut Heap, thread: *mut Thread, last: bool) -> usize;

    /// At the end of marking: forgets dead open upvalues of a live thread; closes those of a dead one.
    fn finish_thread(&mut self, thread: *mut Thread, dead: bool);

    /// Marks what the compiled code of a prototype refers to.
    fn mark_code(&mut self, heap: &mut Heap, proto: *mut Proto);

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
    fn mark(&mut self, heap: &mut Heap) {
        let vm = self.vm;
        // SAFETY: `new`'s contract; a state's fields refer to live objects.
        unsafe {
            heap.mark_value((*vm).thrown);
            heap.mark_object((*vm).current);
            heap.mark_object((*vm).main);
            heap.mark_object((*vm).globals);
            heap.mark_object((*vm).registry);
            for i in 0..(*vm).type_metatables.len() {
                heap.mark_object((*vm).type_metatables[i]);
            }
        }
    }

    fn scan_thread(&mut self, _heap: &mut Heap, _thread: *mut Thread, _last: bool) -> usize {
        0
    }

    fn finish_thread(&mut self, _thread: *mut Thread, _dead: bool) {}

    fn mark_code(&mut self, heap: &mut Heap, proto: *mut Proto) {
        // SAFETY: `new`'s contract; what code refers to is live while its prototype is.
        unsafe {
            if (*proto).tier_id.get() != u32::MAX
                && let Some(tier) = &(*self.vm).tier
            {
                tier.trace(proto, &mut |object| heap.mark_object(object));
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
