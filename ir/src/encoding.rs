//! The bit patterns of values: the one place that knows them. `runtime::value` documents the scheme.

/// Shift of the 16-bit tag.
pub const TAG_SHIFT: u32 = 48;
/// Payload bits.
pub const PAYLOAD: u64 = (1 << TAG_SHIFT) - 1;
/// The greatest bit pattern of a double: the canonical NaN.
pub const MAX_DOUBLE: u64 = 0xFFF8_0000_0000_0000;
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
