//! Values, heap, interpreter and standard library of Perilune: a complete Lua 5.4 interpreter that a
//! compiler can be plugged into (see [`tier`]).

// Objects are passed as raw pointers throughout. They are live by contract: nothing is freed between
// safepoints (see `vm`).
#![allow(clippy::not_unsafe_ptr_arg_deref)]

pub mod heap;
pub mod meta;
pub mod native;
pub mod object;
pub mod shape;
pub mod stack;
pub mod state;
pub mod string;
mod stubs;
pub mod table;
pub mod text;
pub mod thread;
pub mod tier;
pub mod value;
pub mod vm;
