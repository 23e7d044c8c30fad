//! Instructions about the frame itself: closures, tables, varargs, closing.

use std::ptr;

use perilune_ir::bytecode::{NO_TEMPLATE, Word};

use super::{closure_of, proto_of, sync};
use crate::object::Upvalue;
use crate::proto::upvalue;
use crate::table;
use crate::value::Value;
use crate::vm::{Link, Throw, Vm};

/// `CLOSURE` at `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn closure(vm: &mut Vm, base: *mut Value, ip: *const u32) {
    // SAFETY: verified code: the function exists, its descriptors are within frame and closure. The
    // closure is new: no barrier.
    unsafe {
        let word = Word(*ip);
        let outer = closure_of(base);
        let proto = (&(*(*outer).proto).protos)[word.d() as usize];
        let function: &perilune_ir::bytecode::Function = &(*proto).function;
        let descriptors = &function.upvalues;
        let f = vm.new_closure(proto, descriptors.len());
        let cells = (&raw mut (*f).upvalues).cast::<*mut Upvalue>();
        for (i, descriptor) in descriptors.iter().enumerate() {
            let index = usize::from(descriptor.index);
            *cells.add(i) = if descriptor.in_stack {
                vm.find_upvalue(base.add(index))
            } else {
                upvalue(outer, index)
            };
        }
        *base.add(word.a() as usize) = Value::closure(f);
    }
}

/// `NEWTABLE` at `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline]
pub unsafe fn new_table(vm: &mut Vm, base: *mut Value, ip: *const u32) {
    // SAFETY: verified code: the template exists.
    unsafe {
        let word = Word(*ip);
        let extra = *ip.add(1);
        let template = (extra >> 16) as u16;
        let shape = if template == NO_TEMPLATE {
            vm.heap.shapes.plain
        } else {
            *(*proto_of(base)).templates.as_ptr().add(template as usize)
        };
        let t = table::new_table(&mut vm.heap, (extra & 0xFFFF) as usize, shape);
        *base.add(word.a() as usize) = Value::table(t);
    }
}

/// `SETLIST` at `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it; `vm.top` is set where it
/// asks for it.
///
/// # Errors
/// There is no room for the elements.
#[inline(never)]
pub unsafe fn set_list(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<(), Throw> {
    // SAFETY: verified code: the window is within the frame, or reaches up to the top.
    unsafe {
        let word = Word(*ip);
        let a = base.add(word.a() as usize);
        // The compiler puts a new table there; what a forged chunk puts there is not verified.
        let Some(table) = (*a).as_table() else { return Ok(()) };
        let first = i64::from(*ip.add(1)) + 1;
        let n = match word.b() {
            0 => vm.top.offset_from(a.add(1)) as usize,
            n => usize::from(n),
        };
        let values = std::slice::from_raw_parts(a.add(1), n);
        (*table).set_range(&mut vm.heap, first, values);
        vm.heap.settled().map_err(|error| {
            sync(vm, base, ip);
            vm.key_error(error)
        })
    }
}

/// `VARARG` at `ip`.
///
/// # Safety
/// `base` is the frame of a vararg function, `ip` such an instruction of it.
///
/// # Errors
/// `stack overflow`
#[inline(never)]
pub unsafe fn vararg(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<(), Throw> {
    // SAFETY: verified code: the window is within the frame, or room is made; the frame was moved by
    // VARARGPREP, so its link tells the number of arguments below.
    unsafe {
        let word = Word(*ip);
        let a = base.add(word.a() as usize);
        let params = usize::from((*proto_of(base)).num_params);
        let delta = Link((*base.sub(1)).0).delta();
        let extra = base.sub(delta).add(params);
        let n = delta - 2 - params;
        match word.c() {
            0 => {
                let end = a.add(n);
                if end > vm.stack_limit {
                    sync(vm, base, ip);
                    vm.grow_stack(end)?;
                }
                ptr::copy_nonoverlapping(extra, a, n);
                vm.top = end;
            }
            c => {
                let wanted = usize::from(c) - 1;
                let given = n.min(wanted);
                ptr::copy_nonoverlapping(extra, a, given);
                for i in given..wanted {
                    *a.add(i) = Value::NIL;
                }
            }
        }
        Ok(())
    }
}

/// `VARARGPREP`: moves the frame at `base`, which has `nargs` arguments, above them. Answers the new
/// base.
///
/// # Safety
/// `base` is a just entered frame of a vararg function, not yet padded.
///
/// # Errors
/// `stack overflow`
#[inline]
pub unsafe fn vararg_prep(
    vm: &mut Vm,
    base: *mut Value,
    nargs: usize,
) -> Result<*mut Value, Throw> {
    // SAFETY: the frame is complete; room for the moved one is made first.
    unsafe {
        let proto = proto_of(base);
        let params = usize::from((*proto).num_params);
        let count = nargs.max(params);
        let moved = base.add(count + 2);
        let end = moved.add(usize::from((*proto).max_stack));
        if end > vm.stack_limit {
            vm.base = base;
            vm.pc = 0;
            vm.grow_stack(end)?;
        }
        for i in nargs..params {
            *base.add(i) = Value::NIL;
        }
        *moved.sub(2) = *base.sub(2);
        *moved.sub(1) = Value(Link::new(0, count + 2, Link::VARARG).0);
        for i in 0..params {
            *moved.add(i) = *base.add(i);
            *base.add(i) = Value::NIL;
        }
        Ok(moved)
    }
}

/// `CLOSE` at `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn close(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<(), Throw> {
    // SAFETY: verified code.
    unsafe {
        sync(vm, base, ip);
        let window = vm.frame_end();
        vm.close(base.add(Word(*ip).a() as usize), window)
    }
}

/// The closing part of a `RETURN` at `ip` with `C = 1`, whose results end at `end`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn close_for_return(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    end: *mut Value,
) -> Result<(), Throw> {
    // SAFETY: verified code; the window lies above frame and results.
    unsafe {
        sync(vm, base, ip);
        let window = vm.frame_end().max(end);
        vm.close(base, window)
    }
}

/// `TBC` at `ip` (or the closing value of a `TFORPREP`, with `slot` its register).
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an instruction of it, `slot` in the frame.
#[inline(never)]
pub unsafe fn to_be_closed(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    slot: *mut Value,
) -> Result<(), Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        sync(vm, base, ip);
        vm.mark_to_be_closed(slot)
    }
}
