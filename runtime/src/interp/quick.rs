//! What the dispatch loop asks of values, in the form that compiles to the fewest instructions and
//! keeps its registers free.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use perilune_ir::encoding;

use crate::object::LuaString;
use crate::value::{TAG_INT, Value};

/// The tag of a value, computed so that the compiler does not know how: comparisons with it then use
/// small immediate operands. Left to itself, it turns them into masks and 64-bit constants, which it
/// keeps in registers that the loop needs.
#[inline(always)]
pub fn tag(v: Value) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let mut bits = v.0;
        // SAFETY: a shift of a register.
        unsafe {
            std::arch::asm!(
                "shr {0}, 48", inout(reg) bits, options(pure, nomem, nostack)
            );
        }
        bits as u32
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    {
        v.tag() as u32
    }
}

/// See [`crate::value`].
pub const INT: u32 = TAG_INT as u32;
/// See [`crate::value`].
pub const STRING: u32 = crate::value::TAG_STRING as u32;
/// See [`crate::value`].
pub const TABLE: u32 = crate::value::TAG_TABLE as u32;
/// See [`crate::value`].
pub const OTHER: u32 = crate::value::TAG_OTHER as u32;
/// See [`crate::value`].
pub const FUNCTION: u32 = crate::value::TAG_FUNCTION as u32;
/// See [`crate::value`].
pub const IMMEDIATE: u32 = crate::value::TAG_IMMEDIATE as u32;

/// True for `nil` and `false`, given the tag.
#[inline(always)]
pub fn is_falsy(v: Value) -> bool {
    tag(v) == IMMEDIATE && v.0 & 1 == 0
}

/// A number as float, without wide integers.
#[inline(always)]
pub fn quick_float(v: Value) -> Option<f64> {
    let tag = tag(v);
    if tag < IMMEDIATE {
        Some(f64::from_bits(v.0))
    } else if tag == INT {
        Some(v.small_int_payload() as f64)
    } else {
        None
    }
}

/// Whether one of two strings is interned.
///
/// # Safety
/// Both values are strings.
#[inline(always)]
pub unsafe fn is_interned(a: Value, b: Value) -> bool {
    // SAFETY: the caller's contract; values in use are live.
    let flags =
        unsafe { (*a.ptr::<LuaString>()).header.flags | (*b.ptr::<LuaString>()).header.flags };
    flags & LuaString::INTERNED != 0
}

/// The value of a float that `+`, `-`, `*` or `/` computed from the floats of values. On the machines named here it
/// is canonical since its operands are (see `encoding::float`), so it needs no check.
#[inline(always)]
pub fn computed(x: f64) -> Value {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        debug_assert!(encoding::is_canonical(x.to_bits()));
        Value(x.to_bits())
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        Value::float(x)
    }
}

/// Marks the way that calls it as rare.
#[cold]
#[inline(always)]
fn rare() {}

/// The condition; tells the compiler that it mostly holds, so that its code comes next in line.
#[inline(always)]
pub fn likely(condition: bool) -> bool {
    if !condition {
        rare();
    }
    condition
}
