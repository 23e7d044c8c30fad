//! What the collector asks of threads.

use std::ptr;

use super::{ThreadDetail, detail, stack_of};
use crate::heap::GRAY;
use crate::heap::roots::live_end;
use crate::object::{Header, Thread, Upvalue};
use crate::state::{FIRST_STACK, frame_end};
use crate::value::Value;
use crate::vm::Vm;

/// Visits what a thread refers to. With `last`, clears the part of its stack that is not in use.
/// Returns the bytes looked at.
///
/// # Safety
/// `vm` is a live state, whose heap may be borrowed elsewhere; `thread` is a live thread of it.
pub unsafe fn visit(
    vm: *mut Vm,
    thread: *mut Thread,
    last: bool,
    visit: &mut dyn FnMut(*mut Header),
) -> usize {
    let mut value = |v: Value| {
        if v.is_heap() {
            visit(v.header());
        }
    };
    // SAFETY: the caller's contract; stacks are reserved up to their limit.
    unsafe {
        let d = detail(thread);
        if last && (*d).is_main {
            (*d).pool.trim();
        }
        value((*d).function);
        value((*d).error);
        value((*d).hook.function);
        let running = thread == (*vm).current;
        let stack = if running {
            &raw mut *(*vm).detail.stack
        } else {
            match stack_of(thread) {
                Some(stack) => stack,
                None => return size_of::<ThreadDetail>(),
            }
        };
        if running {
            (*vm).detail.trace(&mut value);
        }
        value((*stack).handler);
        (*stack).outer_handlers.iter().copied().for_each(&mut value);
        (*stack).displaced.iter().for_each(|d| value(d.value));
        value((*stack).hook.function);
        let bottom = (*stack).memory.bottom();
        let (mut end, limit) = if running {
            (live_end(vm), &raw mut (*vm).stack_limit)
        } else {
            (frame_end((*stack).base, (*stack).top), &raw mut (*stack).limit)
        };
        if let Some(slot) = (*stack).tbc.last() {
            end = end.max(slot.add(1));
        }
        let mut slot = bottom;
        while slot < end {
            value(*slot);
            slot = slot.add(1);
        }
        if last {
            let frame = if running { (*vm).frame_end() } else { end };
            (*stack).displaced.retain(|d| d.slot < frame);
            let unused = (*limit).offset_from(end);
            if unused > 0 {
                ptr::write_bytes(end, 0, unused as usize);
            }
            // All registers of the running frame stay below the limit, dead ones too.
            *limit = (*limit).min(end.max(frame).wrapping_add(FIRST_STACK));
            (*stack).memory.shrink(*limit, (*d).pool.account());
        }
        end.offset_from(bottom) as usize * 8
    }
}

/// At the end of marking: a live thread forgets its dead open upvalues; those of a dead one are closed.
///
/// # Safety
/// As for [`visit`].
pub unsafe fn finish_marking(vm: *mut Vm, thread: *mut Thread, dead: bool) {
    // SAFETY: the caller's contract; upvalues in the list are valid until the sweep.
    unsafe {
        let mut at: *mut *mut Upvalue = if thread == (*vm).current {
            &raw mut (*vm).open_upvalues
        } else {
            match stack_of(thread) {
                Some(stack) => &raw mut (*stack).open_upvalues,
                None => return,
            }
        };
        while !(*at).is_null() {
            let upvalue = *at;
            if (*upvalue).header.color < GRAY {
                *at = (*upvalue).next_open;
            } else if dead {
                (*upvalue).closed = *(*upvalue).location;
                (*upvalue).location = &raw mut (*upvalue).closed;
                *at = (*upvalue).next_open;
                (*upvalue).next_open = ptr::null_mut();
            } else {
                at = &raw mut (*upvalue).next_open;
            }
        }
    }
}
