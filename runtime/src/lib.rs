//! Values, heap, interpreter and standard library of Perilune: a complete Lua 5.4 interpreter that a
//! compiler can be plugged into (see [`tier`]).

// Objects are passed as raw pointers throughout. They are live by contract: nothing is freed between
// safepoints (see `vm`).
#![allow(clippy::not_unsafe_ptr_arg_deref)]

pub mod call;
pub mod error;
pub mod frame;
pub mod hash;
pub mod heap;
pub mod hooks;
pub mod interp;
pub mod load;
pub mod meta;
pub mod metamethod;
pub mod native;
pub mod object;
pub mod proto;
pub mod shape;
pub mod stack;
pub mod state;
pub mod stdlib;
pub mod stop;
pub mod string;
pub mod table;
pub mod text;
pub mod thread;
pub mod tier;
pub mod value;
pub mod variables;
pub mod varinfo;
pub mod vm;
