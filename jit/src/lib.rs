//! Perilune's method JIT: typed SSA to Cranelift to native code, and everything that runs around
//! native code.
//!
//! # Calling convention
//!
//! The *generic entry* of a function is a Cranelift `tail` function
//! `(vm: i64, base: i64, nargs: i64) -> (count: i64, first: i64)`. The frame header and the boxed
//! arguments are in place (see [`perilune_runtime::vm`]). The first result comes back in a register
//! (nil when there is none), the others in `base[-2 + i]` of the original base. A compiled function
//! that throws does not return: see [`entry`].
//!
//! # Exits
//!
//! A failed guard stores dirty slots and tail-calls the entry `Deopt` with an
//! [`exits::ExitDescriptor`]; the interpreter finishes the frame and its results are returned to
//! the caller as if compiled code had. OSR units return `(-1, descriptor)` to
//! the interpreter activation that entered them instead.
//!
//! Code outside this crate never sees Cranelift.

pub mod build;
mod calls;
mod collect;
pub mod compile;
mod cost;
pub mod entry;
pub mod exits;
mod generic;
mod guard;
pub mod helpers;
mod keep;
mod keep_entry;
pub mod lower;
mod make;
pub mod memory;
pub mod options;
mod policy;
mod seam;
mod stale;
pub mod stats;
mod tail_entry;
pub mod tier;
pub mod units;

#[cfg(test)]
mod baseline;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_lua;
