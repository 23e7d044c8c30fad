//! Text and number algorithms of the Lua library, on plain bytes and numbers.
//!
//! Nothing here knows the engine's values or heap: each module takes byte slices and machine
//! numbers and returns the same, so that it can be tested alone and used from the frontend of the
//! library (`stdlib`), the interpreter (coercions) and the host API alike.
//!
//! All code is safe Rust but for [`localtime`], the one file that asks the C library for the local
//! time zone.

pub mod civil;
pub mod date;
pub mod float_format;
pub mod format;
pub mod localtime;
pub mod number;
pub mod pack;
pub mod pattern;
pub mod pattern_compile;
pub mod random;
pub mod utf8;
