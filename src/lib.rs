//! Perilune: a Lua 5.4 engine with a method JIT, to be embedded.
//!
//! No C toolchain and no C in the process; an API of the shape that `mlua` users know; functions that
//! run often become native code.
//!
//! ```
//! use perilune::{Function, Lua, Result};
//!
//! fn main() -> Result<()> {
//!     let lua = Lua::new();
//!     let double = lua.create_function(|_, x: i64| Ok(2 * x))?;
//!     lua.globals().set("double", double)?;
//!     let sum: i64 = lua.load("double(20) + 2").eval()?;
//!     assert_eq!(sum, 42);
//!
//!     let fib: Function = lua
//!         .load("local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end return fib")
//!         .eval()?;
//!     assert_eq!(fib.call::<i64>(20)?, 6765);
//!     Ok(())
//! }
//! ```
//!
//! # Values and handles
//!
//! [`Value`] is any Lua value. [`Table`], [`Function`], [`LuaString`], [`Thread`] and [`AnyUserData`] are
//! handles: they keep the value alive, and the state too. Rust types become Lua values and back by
//! [`IntoLua`] and [`FromLua`]; lists of arguments and results by [`IntoLuaMulti`] and
//! [`FromLuaMulti`].
//!
//! # Errors and panics
//!
//! Everything that can fail answers a [`Result`] with an [`Error`]. An error returned by a host function is
//! thrown in Lua, where `pcall` can catch it; an error that Lua code does not catch comes out of
//! the call into Lua. A panic in a host function is not an error: no Lua code can catch it, it
//! goes on in the Rust code that called into Lua, and the state stays usable.
//!
//! # Limits
//!
//! Running code can be stopped from outside ([`Lua::interrupt_handle`]), and kept within a time limit
//! ([`Lua::set_time_limit`]) and a memory limit ([`Lua::set_memory_limit`]), compiled or not. A [stop](Stopped)
//! cannot be caught by Lua code.
//!
//! # Programs that are not trusted
//!
//! [`Lua::sandboxed`] makes states without what reaches the system, within [`Limits`], in which each chunk has
//! globals of its own. `SECURITY.md` says what is promised to hosts of such programs.

mod arguments;
mod callback;
mod chunk;
mod collections;
mod convert;
mod error;
mod function;
mod interrupt;
mod lua;
mod mismatch;
mod multi;
mod multi_values;
mod names;
mod sandbox;
mod state;
mod stdlib;
mod string;
mod table;
mod thread;
mod timer;
mod userdata;
mod value;

pub use chunk::{AsChunk, Chunk};
pub use convert::{FromLua, IntoLua};
pub use error::{Error, ErrorExt, Result, RuntimeError, StopReason, Stopped};
pub use function::Function;
pub use interrupt::InterruptHandle;
pub use lua::{Lua, LuaOptions, WeakLua};
pub use multi::{FromLuaMulti, IntoLuaMulti, IntoValues, MultiValue, Variadic};
pub use perilune_ir::exits::ExitReason;
pub use perilune_jit::options::{Dump as JitDump, DumpStages, Options as JitOptions};
pub use perilune_jit::stats::{SiteStats, Stats as JitStats};
pub use sandbox::Limits;
pub use stdlib::StdLib;
pub use string::LuaString;
pub use table::{Table, TablePairs, TableSequence};
pub use thread::{Thread, ThreadStatus};
pub use userdata::{
    AnyUserData, UserData, UserDataFields, UserDataMethods, UserDataRef, UserDataRefMut,
};
pub use value::{LightUserData, Value};

/// The version that this crate and the command line report.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
