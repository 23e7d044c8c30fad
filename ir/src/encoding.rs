//! The bit patterns of values: the one place that knows them. `runtime::value` documents the scheme.

/// Shift of the 16-bit tag.
pub const TAG_SHIFT: u32 = 48;
/// Payload bits.
pub const PAYLOAD: u64 = (1 << TAG_SHIFT) - 1;
/// The greatest bit pattern of a double: the negative canonical NaN.
pub const MAX_DOUBLE: u64 = 0xFFF8_0000_0000_0000;
/// The bit of a double's sign.
const SIGN: u64 = 1 << 63;
/// The positive canonical NaN: quiet, with payload 0.
const QUIET_NAN: u64 = MAX_DOUBLE & !SIGN;
/// Tag of nil, false and true. Everything below is a double.
pub const TAG_IMMEDIATE: u64 = 0xFFF9;
/// Tag of inline integers.
pub const TAG_INT: u64 = 0xFFFA;
/// Tag of strings.
pub const TAG_STRING: u64 = 0xFFFB;
/// Tag of tables.
pub const TAG_TABLE: u64 = 0xFFFC;
/// Tag of functions.
pub const TAG_FUNCTION: u64 = 0xFFFD;
/// Tag of other heap objects.
pub const TAG_OTHER: u64 = 0xFFFE;
/// Tag of light userdata.
pub const TAG_LIGHT: u64 = 0xFFFF;
/// `nil`
pub const NIL: u64 = TAG_IMMEDIATE << TAG_SHIFT;
/// `false`
pub const FALSE: u64 = NIL | 2;
/// `true`
pub const TRUE: u64 = NIL | 3;

/// What `next` answers in compiled code for a key that the table does not have: no value at all.
pub const NEXT_FAILED: u64 = NIL | 7;

/// The inline form of an integer that fits 48 bits.
pub const fn inline_int(i: i64) -> Option<u64> {
    if (i << 16) >> 16 == i { Some(i as u64 & PAYLOAD | TAG_INT << TAG_SHIFT) } else { None }
}

/// The bits of the float `x` as a value: the one door for doubles whose bits the engine did not compute itself.
/// A NaN becomes the *canonical* one of its sign, `0x7FF8_0000_0000_0000` or `0xFFF8_0000_0000_0000`: quiet, with
/// payload 0.
///
/// To test that the bits are below the tags is not enough. A negative signalling NaN is (`0xFFF4_…`), and so are
/// all positive ones (`0x7FFC_…`), but the next operation sets the quiet bit or flips the sign, and the result
/// (`0xFFFC_…`) reads as a reference of the script's choice. The two canonical NaNs need no such care, since the floats
/// that are either no NaN or canonical are closed under everything that the engine computes:
///
/// * *Sign operations* (negation, `abs`, `copysign`) turn one canonical NaN into the other.
/// * *Selections* (`min`, `max`, conditional moves, bit casts, loads, stores) return an operand's bits.
/// * *Arithmetic* (`+ - * /`, square root, `floor`, `ceil`, in Rust also `%`) on x86-64 and AArch64 returns, where the
///   result is a NaN, either an operand with the quiet bit set, so a canonical NaN itself, or the default NaN, which is
///   the negative (x86-64) or the positive (AArch64, whatever `FPCR` says) canonical one. Rust promises the same of
///   its own operations, and of their constant folding: a NaN is quiet with payload 0, or an operand's, on targets
///   without additions to that rule, of which these two are. Cranelift folds nothing to a NaN but constants' signs.
/// * *Conversions* from integers make no NaN; a 32-bit float enters by this door after its conversion.
/// * The *mathematical library* (`sin`, `pow`, …) belongs to the system and promises nothing: its results come in by
///   this door.
///
/// So registers, stack slots, elements, unboxed parameters and results are canonical once what enters is: by this
/// door values of the host, numbers read from text or binary data, results of library functions, constants of
/// compiled code, floats that an exit stores, all arithmetic out of line. Beside it pass only the results of
/// inline `+ - * /` and of compiled arithmetic, by the closure above. The heap's verifier checks
/// [`is_canonical`] for every value that it reaches.
#[inline(always)]
pub const fn float(x: f64) -> u64 {
    let bits = x.to_bits();
    if x.is_nan() { bits & SIGN | QUIET_NAN } else { bits }
}

/// Whether the bits of a double may be those of a value: those of a number or of a canonical NaN. See [`float`].
pub const fn is_canonical(bits: u64) -> bool {
    !f64::from_bits(bits).is_nan() || bits & !SIGN == QUIET_NAN
}

/// A set of observed types, as bits.
pub mod types {
    /// nil
    pub const NIL: u16 = 1;
    /// false
    pub const FALSE: u16 = 2;
    /// true
    pub const TRUE: u16 = 4;
    /// integer, inline
    pub const INT: u16 = 8;
    /// float
    pub const FLOAT: u16 = 16;
    /// string
    pub const STRING: u16 = 32;
    /// table
    pub const TABLE: u16 = 64;
    /// Lua or native function
    pub const FUNCTION: u16 = 128;
    /// wide integer, userdata, thread
    pub const OTHER: u16 = 256;
    /// light userdata
    pub const LIGHT: u16 = 512;
}

/// A frame link word (see `runtime::vm::Link`): instruction, distance to the caller's base, kind.
pub const fn link(pc: u32, delta: usize, kind: u64) -> u64 {
    pc as u64 | (delta as u64) << 32 | kind << 56
}
/// Bit of the poll word: a hook is set.
pub const POLL_HOOK: u32 = 4;
/// Link kind of a frame whose caller is interpreted (in the same activation).
pub const LINK_INTERPRETED: u64 = 0;
/// Link bit of a frame that replaced its caller by a tail call.
pub const LINK_TAIL: u64 = 4;
/// Link kind of a frame called from Rust or compiled code.
pub const LINK_BOUNDARY: u64 = 1;
