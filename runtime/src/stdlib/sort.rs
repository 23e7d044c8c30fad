//! `table.sort`: quicksort that makes the same comparisons as PUC Lua's, so that a comparison
//! function with side effects or without order behaves as there.
//!
//! Elements are copied out, sorted and stored back. The copy lies in the function's frame, or in the
//! array part of a table that the frame holds, so that comparisons may collect. No script gets at either:
//! `debug.setlocal` leaves native frames alone, `debug.getlocal` does not give out that table.

use std::cmp::Ordering;

use super::table::{Uses, check_table_like, get_index, plain_table, put_index};
use super::{Outcome, bytes_of, length};
use crate::heap::out_of_memory;
use crate::metamethod::compare_numbers;
use crate::object::element_kind::{FLOAT, HOLES, INT, OTHER};
use crate::object::table_flags;
use crate::table::new_table;
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// Up to so many elements the copy lies in the frame.
const IN_FRAME: usize = 2000;
/// What a copy is filled with at first.
const FILL: [Value; 512] = [Value::FALSE; 512];
/// So many elements are too many: the copy is an array.
const LIMIT: i64 = 1 << 30;
/// Ranges larger than this get a pivot that is not always in the middle.
const LARGE: usize = 100;

pub(super) fn sort(vm: &mut Vm, a: Args) -> Outcome {
    let plain = plain_table(a, 1);
    let n = match plain {
        // SAFETY: an argument.
        Some(t) => unsafe { (*t).len() },
        None => {
            check_table_like(vm, a, 1, Uses::ALL)?;
            length(vm, a.get(1))?
        }
    };
    if n < 2 {
        return a.ret0();
    }
    if n >= LIMIT {
        return Err(a.error(vm, 1, "array too big"));
    }
    let compare = a.get(2);
    if !compare.is_nil() {
        a.check_function(vm, 2)?;
    }
    let n = n as usize;
    if compare.is_nil()
        && let Some(t) = plain
    {
        // SAFETY: an argument; nothing runs between reading and writing.
        let elements = unsafe { (*t).element_range(1, n) };
        let sorted = match elements {
            Some(elements) => sort_primitives(vm, elements)?,
            None => None,
        };
        if let Some(sorted) = sorted {
            // SAFETY: as above; the values are the table's own.
            unsafe { (*t).set_range(&mut vm.heap, 1, &sorted) };
            return a.ret0();
        }
    }
    let first = copy_out(vm, a, n)?;
    let mut sorter = Sorter { vm, first, compare };
    sorter.sort(0, n - 1, 0)?;
    // SAFETY: the copy has `n` elements and is in this frame.
    let sorted = unsafe { std::slice::from_raw_parts(first, n) };
    match plain_table(a, 1) {
        // SAFETY: an argument; the copy is no part of it.
        Some(t) => unsafe { (*t).set_range(&mut vm.heap, 1, sorted) },
        None => {
            for (i, v) in sorted.iter().enumerate() {
                put_index(vm, a.get(1), i as i64 + 1, *v)?;
            }
        }
    }
    a.ret0()
}

/// Copies elements 1 to `n` to where they survive collections.
fn copy_out(vm: &mut Vm, a: Args, n: usize) -> Result<*mut Value, Throw> {
    let t = a.get(1);
    let first = if n <= IN_FRAME {
        let top = vm.top;
        vm.ensure_stack(top, n)?;
        for _ in 0..n {
            vm.push(Value::NIL);
        }
        top
    } else {
        let plain = vm.heap.shapes.plain;
        let copy = new_table(&mut vm.heap, n + 1, plain);
        vm.push(Value::table(copy));
        // All elements in use, so that the collector sees what is stored below, with one more, so
        // that the last is no nil; of all kinds.
        vm.settled()?;
        // SAFETY: just made, in the frame.
        unsafe {
            for first in (1..=n + 1).step_by(FILL.len()) {
                let part = FILL.len().min(n + 2 - first);
                (*copy).set_range(&mut vm.heap, first as i64, &FILL[..part]);
            }
            vm.settled()?;
            (*copy).header.aux |= INT | FLOAT | OTHER | HOLES;
            (*copy).header.flags |= table_flags::INTERNAL;
            (*copy).arr
        }
    };
    if let Some(table) = plain_table(a, 1)
        // SAFETY: an argument.
        && let Some(elements) = unsafe { (*table).element_range(1, n) }
    {
        // SAFETY: the copy has room for `n` values and overlaps nothing.
        unsafe { std::ptr::copy_nonoverlapping(elements.as_ptr(), first, n) };
    } else {
        for i in 0..n {
            let v = get_index(vm, t, i as i64 + 1)?;
            // SAFETY: below `n`.
            unsafe { *first.add(i) = v };
        }
    }
    if n > IN_FRAME {
        // The copy may be scanned already: it is again.
        let copy = vm.top.wrapping_sub(1);
        // SAFETY: the pushed table.
        unsafe { vm.barrier_back((*copy).ptr::<crate::object::Table>()) };
    }
    Ok(first)
}

/// Sorts numbers (without NaN) or strings, where no metamethod can be asked. `None` for other
/// values.
///
/// # Errors
/// `not enough memory`
fn sort_primitives(vm: &mut Vm, elements: &[Value]) -> Result<Option<Vec<Value>>, Throw> {
    // Given back at once.
    let mut sorted = Vec::new();
    if vm.heap.admit(size_of_val(elements)).is_err()
        || sorted.try_reserve_exact(elements.len()).is_err()
    {
        return Err(out_of_memory(vm));
    }
    sorted.extend_from_slice(elements);
    if elements.iter().all(|v| v.is_small_int()) {
        sorted.sort_unstable_by_key(|v| v.small_int_payload());
    } else if elements.iter().all(|v| v.as_float().is_some_and(|x| !x.is_nan())) {
        sorted.sort_unstable_by(|x, y| {
            let (x, y) = (f64::from_bits(x.0), f64::from_bits(y.0));
            x.partial_cmp(&y).unwrap_or(Ordering::Equal)
        });
    } else if elements.iter().all(|v| v.is_string()) {
        for v in elements {
            bytes_of(vm, v.ptr())?;
        }
        // SAFETY: the elements are live strings, flat now.
        let bytes = |v: &Value| unsafe { (*v.ptr::<crate::object::LuaString>()).flat_bytes() };
        sorted.sort_unstable_by(|x, y| bytes(x).cmp(&bytes(y)));
    } else if elements.iter().all(|v| v.is_number() && v.as_float().is_none_or(|x| !x.is_nan())) {
        let less = |x: &Value, y: &Value| compare_numbers(*x, *y, false).unwrap_or(false);
        sorted.sort_unstable_by(|x, y| {
            if less(x, y) {
                Ordering::Less
            } else if less(y, x) {
                Ordering::Greater
            } else {
                Ordering::Equal
            }
        });
    } else {
        return Ok(None);
    }
    Ok(Some(sorted))
}

struct Sorter<'a> {
    vm: &'a mut Vm,
    /// The elements.
    first: *mut Value,
    /// The comparison function or nil.
    compare: Value,
}

impl Sorter<'_> {
    #[inline(always)]
    fn get(&self, i: usize) -> Value {
        // SAFETY: indices are within the copy: `partition` checks its own.
        unsafe { *self.first.add(i) }
    }

    #[inline(always)]
    fn swap(&mut self, i: usize, j: usize) {
        // SAFETY: as in `get`.
        unsafe { std::ptr::swap(self.first.add(i), self.first.add(j)) }
    }

    #[inline(always)]
    fn less(&mut self, x: Value, y: Value) -> Result<bool, Throw> {
        if self.compare.is_nil() {
            return match compare_numbers(x, y, false) {
                Some(less) => Ok(less),
                None => self.vm.less_than(x, y),
            };
        }
        Ok(self.vm.call1(self.compare, &[x, y])?.is_truthy())
    }

    /// Sorts elements `low ..= up`.
    fn sort(&mut self, mut low: usize, mut up: usize, mut spread: usize) -> Result<(), Throw> {
        while low < up {
            if self.less(self.get(up), self.get(low))? {
                self.swap(low, up);
            }
            if up - low == 1 {
                break;
            }
            let pivot = if up - low < LARGE || spread == 0 {
                low + (up - low) / 2
            } else {
                // Within the middle half.
                let quarter = (up - low) / 4;
                low + quarter + spread % (quarter * 2)
            };
            if self.less(self.get(pivot), self.get(low))? {
                self.swap(pivot, low);
            } else if self.less(self.get(up), self.get(pivot))? {
                self.swap(pivot, up);
            }
            if up - low == 2 {
                break;
            }
            // The pivot waits just below the end, where it stays a root.
            self.swap(pivot, up - 1);
            let middle = self.partition(low, up)?;
            let size = up - low;
            let smaller;
            if middle - low < up - middle {
                self.sort(low, middle - 1, spread)?;
                smaller = middle - low;
                low = middle + 1;
            } else {
                self.sort(middle + 1, up, spread)?;
                smaller = up - middle;
                up = middle - 1;
            }
            if size / 128 > smaller {
                // Badly balanced: choose pivots differently from now on.
                spread = spread.wrapping_mul(0x5851_F42D).wrapping_add(size | 1);
            }
        }
        Ok(())
    }

    /// Splits `low ..= up` around the pivot at `up - 1`; answers where it ended up. The ends are in
    /// their places already (not greater, not smaller than the pivot).
    fn partition(&mut self, low: usize, up: usize) -> Result<usize, Throw> {
        let pivot = self.get(up - 1);
        let (mut i, mut j) = (low, up - 1);
        loop {
            i += 1;
            while self.less(self.get(i), pivot)? {
                if i == up - 1 {
                    return Err(self.vm.error("invalid order function for sorting"));
                }
                i += 1;
            }
            j -= 1;
            while self.less(pivot, self.get(j))? {
                if j < i {
                    return Err(self.vm.error("invalid order function for sorting"));
                }
                j -= 1;
            }
            if j < i {
                self.swap(up - 1, i);
                return Ok(i);
            }
            self.swap(i, j);
        }
    }
}
