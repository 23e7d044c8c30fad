//! `table.sort`: quicksort that makes the same comparisons as PUC Lua's, so that a comparison
//! function with side effects or without order behaves as there.
//!
//! It works in place, so that comparisons, `__index` and `__newindex` see what they see there. Numbers and
//! strings in a table without metatable are sorted at once.

use std::cmp::Ordering;

use super::table::{Uses, check_table_like, get_index, plain_table, put_index};
use super::{Outcome, bytes_of, length};
use crate::heap::out_of_memory;
use crate::metamethod::compare_numbers;
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// So many elements are too many.
const LIMIT: i64 = i32::MAX as i64;
/// The most elements that are sorted at once: this takes some 20 ms.
const AT_ONCE: usize = 1 << 19;
/// The most bytes that strings sorted at once have together.
const LONG: usize = 4 << 20;
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
    // Two elements at a time are held where the collector sees them; behind them is the pivot.
    let held = vm.top;
    vm.ensure_stack(held, HELD)?;
    for _ in 0..HELD {
        vm.push(Value::NIL);
    }
    let mut sorter = Sorter { vm, table: a.get(1), held, compare };
    sorter.sort(1, n, 0)?;
    a.ret0()
}

/// Sorts numbers (without NaN) or strings, where no metamethod can be asked. `None` for other
/// values.
///
/// # Errors
/// `not enough memory`
fn sort_primitives(vm: &mut Vm, elements: &[Value]) -> Result<Option<Vec<Value>>, Throw> {
    if elements.len() > AT_ONCE || is_long(vm, elements)? {
        return Ok(None);
    }
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

/// Whether comparing strings takes so long that it has to be interruptible: they are long, and may begin alike.
fn is_long(vm: &mut Vm, elements: &[Value]) -> Result<bool, Throw> {
    let mut bytes = 0usize;
    for v in elements {
        let Some(s) = v.as_string() else { return Ok(false) };
        bytes = bytes.saturating_add(bytes_of(vm, s)?.len());
    }
    Ok(bytes > LONG)
}

struct Sorter<'a> {
    vm: &'a mut Vm,
    /// The table, or what stands in for one.
    table: Value,
    /// Slots of this frame for the values in use.
    held: *mut Value,
    /// The comparison function or nil.
    compare: Value,
}

/// Slots for values in use.
const HELD: usize = 3;
/// The slot of the pivot; the others hold the elements to be exchanged.
const PIVOT: usize = 2;

impl Sorter<'_> {
    /// Reads element `i` into a slot.
    #[inline(always)]
    fn load(&mut self, slot: usize, i: usize) -> Result<Value, Throw> {
        let v = get_index(self.vm, self.table, i as i64)?;
        // SAFETY: one of the slots that were made.
        unsafe { *self.held.add(slot) = v };
        Ok(v)
    }

    #[inline(always)]
    fn held(&self, slot: usize) -> Value {
        // SAFETY: as above.
        unsafe { *self.held.add(slot) }
    }

    #[inline(always)]
    fn store(&mut self, i: usize, v: Value) -> Result<(), Throw> {
        put_index(self.vm, self.table, i as i64, v)
    }

    /// Exchanges elements `i` and `j`, which were read into slots 0 and 1.
    #[inline(always)]
    fn exchange(&mut self, i: usize, j: usize) -> Result<(), Throw> {
        self.store(i, self.held(1))?;
        self.store(j, self.held(0))
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

    /// Sorts elements `low ..= up`. Each comparison's element is read by `get_index`, which polls.
    fn sort(&mut self, mut low: usize, mut up: usize, mut spread: usize) -> Result<(), Throw> {
        while low < up {
            let (first, last) = (self.load(0, low)?, self.load(1, up)?);
            if self.less(last, first)? {
                self.exchange(low, up)?;
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
            let (middle, first) = (self.load(0, pivot)?, self.load(1, low)?);
            if self.less(middle, first)? {
                self.exchange(pivot, low)?;
            } else {
                let last = self.load(1, up)?;
                if self.less(last, self.held(0))? {
                    self.exchange(pivot, up)?;
                }
            }
            if up - low == 2 {
                break;
            }
            // The pivot waits just below the end.
            let middle = self.load(0, pivot)?;
            // SAFETY: as in `load`.
            unsafe { *self.held.add(PIVOT) = middle };
            self.load(1, up - 1)?;
            self.exchange(pivot, up - 1)?;
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
        let (mut i, mut j) = (low, up - 1);
        loop {
            i += 1;
            loop {
                let v = self.load(0, i)?;
                if !self.less(v, self.held(PIVOT))? {
                    break;
                }
                if i == up - 1 {
                    return Err(self.vm.error("invalid order function for sorting"));
                }
                i += 1;
            }
            j -= 1;
            loop {
                let v = self.load(1, j)?;
                if !self.less(self.held(PIVOT), v)? {
                    break;
                }
                if j < i {
                    return Err(self.vm.error("invalid order function for sorting"));
                }
                j -= 1;
            }
            if j < i {
                self.store(up - 1, self.held(0))?;
                self.store(i, self.held(PIVOT))?;
                return Ok(i);
            }
            self.exchange(i, j)?;
        }
    }
}
