//! What the collector asks of its surroundings, and the answers of a [`Vm`].

use perilune_ir::bytecode::{Function, Op, Word};

use crate::object::{Header, Proto, Thread};
use crate::value::Value;
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
        thread: *mut Thread,
        last: bool,
        visit: &mut dyn FnMut(*mut Header),
    ) -> usize {
        // SAFETY: `new`'s contract.
        unsafe { crate::thread::visit(self.vm, thread, last, visit) }
    }

    fn finish_thread(&mut self, thread: *mut Thread, dead: bool) {
        // SAFETY: `new`'s contract.
        unsafe { crate::thread::finish_marking(self.vm, thread, dead) }
    }

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

/// The end of what is live on the running stack. In a Lua function's frame, where a safepoint is at
/// its entry, or at a back-edge instruction or its target, these are the local variables in scope: a
/// temporary's register must not keep an object alive for as long as a loop runs.
///
/// # Safety
/// `vm` must be valid and at a safepoint.
pub(crate) unsafe fn live_end(vm: *mut Vm) -> *mut Value {
    // SAFETY: the caller's contract: `base` is a frame's base, its callee live.
    unsafe {
        let base = (*vm).base;
        let Some(f) = (*base.sub(2)).as_closure() else { return (*vm).top };
        let proto = &*(*f).proto;
        base.add(live_registers(&proto.function, (*vm).pc))
    }
}

/// The registers that may be live before the instruction at word index `pc`, which must be the first,
/// a back-edge or a back-edge's target: all below the answer.
fn live_registers(function: &Function, pc: u32) -> usize {
    if function.lines.is_empty() {
        // Stripped: nothing is known about variables.
        return function.max_stack as usize;
    }
    let in_scope = function
        .locals
        .iter()
        .take_while(|l| l.start_pc <= pc)
        .filter(|l| pc < l.end_pc)
        .map(|l| l.register + 1)
        .fold(function.num_params, u8::max);
    // What the instruction itself reads beyond the variables.
    let word = Word(function.code.get(pc as usize).copied().unwrap_or_default());
    let operands = match Op::decode(word.0) {
        Some(Op::ForLoop) => usize::from(word.a()) + 4,
        // Collects when there is no memory for the result; temporaries of the same expression lie below.
        Some(Op::Concat) => usize::from(word.a()) + usize::from(word.b()),
        // Compiled code turns tail calls of the function itself into back-edges.
        Some(Op::TailCall) if word.b() > 0 => usize::from(word.a()) + 1 + usize::from(word.b()),
        Some(Op::TailCall) => usize::from(function.max_stack),
        Some(Op::TForLoop) => {
            // The values of the TFORCALL before it.
            let call = (pc as usize)
                .checked_sub(Op::TForCall.words())
                .and_then(|at| function.code.get(at))
                .map(|&w| Word(w))
                .filter(|w| Op::decode(w.0) == Some(Op::TForCall) && w.a() == word.a());
            match call {
                Some(call) => usize::from(word.a()) + 4 + usize::from(call.c()),
                None => usize::from(function.max_stack),
            }
        }
        _ => 0,
    };
    usize::from(in_scope).max(operands)
}
