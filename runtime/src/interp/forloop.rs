//! Loops: preparation and the cases that the inline fast paths leave out.

use perilune_ir::bytecode::Word;
use perilune_ir::intrinsic::Intrinsic;

use super::sync;
use crate::object::{Feedback, NativeFunction};
use crate::text::number::{ceil_to_int, floor_to_int};
use crate::value::Value;
use crate::vm::{Throw, Vm};

/// Performs the preparation of the `FORPREP` at `ip`; true: the loop runs.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn for_prep(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<bool, Throw> {
    // SAFETY: verified code: the window is within the frame.
    unsafe {
        sync(vm, base, ip);
        let ra = base.add(Word(*ip).a() as usize);
        let (start, limit, step) = (*ra, *ra.add(1), *ra.add(2));
        if let (Some(first), Some(by)) = (start.as_int(), step.as_int()) {
            if by == 0 {
                return Err(vm.runtime_error(b"'for' step is zero"));
            }
            let Some(last) = last_value(vm, first, limit, by)? else {
                return Ok(false);
            };
            *ra.add(1) = vm.int(last);
            *ra.add(3) = start;
            return Ok(true);
        }
        let Some(limit_float) = vm.to_number(limit).and_then(Value::to_float) else {
            return Err(vm.for_error(limit, "limit"));
        };
        let Some(by) = vm.to_number(step).and_then(Value::to_float) else {
            return Err(vm.for_error(step, "step"));
        };
        let Some(first) = vm.to_number(start).and_then(Value::to_float) else {
            return Err(vm.for_error(start, "initial value"));
        };
        if by == 0.0 {
            return Err(vm.runtime_error(b"'for' step is zero"));
        }
        if if by > 0.0 { limit_float < first } else { first < limit_float } {
            return Ok(false);
        }
        *ra = Value::float(first);
        *ra.add(1) = Value::float(limit_float);
        *ra.add(2) = Value::float(by);
        *ra.add(3) = *ra;
        Ok(true)
    }
}

/// The last value that an integer loop's variable takes; `None`: the loop does not run.
fn last_value(vm: &mut Vm, first: i64, limit: Value, step: i64) -> Result<Option<i64>, Throw> {
    let limit = match limit.as_int() {
        Some(i) => i,
        None => {
            let Some(x) = vm.to_number(limit).and_then(|n| {
                // A string may read as an integer beyond the reach of floats.
                n.as_int().map_or_else(|| n.as_float().map(Err), |i| Some(Ok(i)))
            }) else {
                return Err(vm.for_error(limit, "limit"));
            };
            match x {
                Ok(i) => i,
                Err(x) => {
                    let clipped = if step > 0 { floor_to_int(x) } else { ceil_to_int(x) };
                    match clipped {
                        Some(i) => i,
                        None if x > 0.0 => {
                            if step < 0 {
                                return Ok(None);
                            }
                            i64::MAX
                        }
                        // A NaN counts as a limit below all integers, as in the reference.
                        None => {
                            if step > 0 {
                                return Ok(None);
                            }
                            i64::MIN
                        }
                    }
                }
            }
        }
    };
    if if step > 0 { first > limit } else { first < limit } {
        return Ok(None);
    }
    let last = if step > 0 {
        let count = (limit as u64).wrapping_sub(first as u64) / step as u64;
        (first as u64).wrapping_add(count.wrapping_mul(step as u64))
    } else {
        let by = (step as u64).wrapping_neg();
        let count = (first as u64).wrapping_sub(limit as u64) / by;
        (first as u64).wrapping_sub(count.wrapping_mul(by))
    };
    Ok(Some(last as i64))
}

/// Performs the step of the `FORLOOP` at `ip`, of any kind; true: the loop goes on.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn for_loop_slow(vm: &mut Vm, base: *mut Value, ip: *const u32) -> bool {
    // SAFETY: verified code: the window is within the frame.
    unsafe {
        let ra = base.add(Word(*ip).a() as usize);
        if let (Some(x), Some(limit), Some(step)) =
            ((*ra).as_float(), (*ra.add(1)).as_float(), (*ra.add(2)).as_float())
        {
            let next = x + step;
            if if step > 0.0 { next <= limit } else { limit <= next } {
                *ra = Value::float(next);
                *ra.add(3) = *ra;
                return true;
            }
            return false;
        }
        let x = (*ra).as_int().unwrap_or_default();
        if Some(x) == (*ra.add(1)).as_int() {
            return false;
        }
        let step = (*ra.add(2)).as_int().unwrap_or_default();
        *ra = vm.int(x.wrapping_add(step));
        *ra.add(3) = *ra;
        true
    }
}

/// The iterator step of the `TFORCALL` at `ip` for `next` and the iterator of `ipairs` on tables,
/// without a call. False: it must be called.
///
/// The place of the last key is remembered in the feedback cell; it is only a hint.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it; `iterator` is the native
/// function in `R[A]`, `feedback` the instruction's cell.
#[inline(always)]
pub unsafe fn fast_iterator(
    vm: &mut Vm,
    ra: *mut Value,
    wanted: usize,
    iterator: *mut NativeFunction,
    feedback: *const Feedback,
) -> bool {
    // SAFETY: the caller's contract: the window R[A] … R[A+3+C] is within the frame (C >= 1).
    unsafe {
        let Some(table) = (*ra.add(1)).as_table() else { return false };
        let control = *ra.add(2);
        let (key, value);
        if (*iterator).intrinsic == Intrinsic::Next as u32 {
            let hint = (*feedback).slot.get();
            let Ok(found) = (*table).next_hinted(&mut vm.heap, control, hint) else {
                return false;
            };
            match found {
                Some((position, k, v)) => {
                    (*feedback).slot.set(position);
                    (key, value) = (k, v);
                }
                None => (key, value) = (Value::NIL, Value::NIL),
            }
        } else if (*iterator).intrinsic == Intrinsic::IpairsStep as u32 {
            if !control.is_small_int() {
                return false;
            }
            let i = control.small_int_payload() + 1;
            let at = (i as u64).wrapping_sub(1);
            if at >= (*table).arr_len as u64 {
                return false;
            }
            let v = *(*table).arr.add(at as usize);
            if v.is_nil() {
                return false;
            }
            (key, value) = (Value::small_int(i), v);
        } else {
            return false;
        }
        *ra.add(4) = key;
        if wanted >= 2 {
            *ra.add(5) = value;
            for i in 2..wanted {
                *ra.add(4 + i) = Value::NIL;
            }
        }
        true
    }
}
