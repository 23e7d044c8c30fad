//! Perilune's front end: Lua 5.4 source to bytecode.
//!
//! The stages, each a module: [`lexer`](mod@crate) (bytes to tokens), the
//! parser (tokens to the resolved tree of [`ast`], with constants folded), and
//! the compiler (tree to [`perilune_ir::bytecode::Function`]).
//!
//! Sources are untrusted bytes: whatever they hold, the answer is a function
//! or a [`SyntaxError`], in bounded native stack (at most 384 KiB, which the
//! tests keep to; an optimised build needs about 200).
#![forbid(unsafe_code)]

pub mod ast;
mod compiler;
mod error;
mod fold;
mod lexer;
pub mod number;
mod parser;
mod scope;
pub mod strings;

pub use error::{CompileError, SyntaxError, chunk_id, chunk_id_bytes};

use perilune_ir::budget::{Budget, Meter};
use perilune_ir::bytecode::Function;

/// Compiles a chunk, whose main function has one upvalue, `_ENV`.
///
/// `chunk_name` is as for Lua's `load`: `@file`, `=name`, or the source
/// itself. A first line that starts with `#` is the caller's to remove.
///
/// All memory that the source decides about is charged to `budget` before it is
/// taken, and given back when the function is done: that the function itself
/// stays is the caller's to count. `budget` is polled every few thousand tokens
/// and instructions.
///
/// # Errors
/// The first syntax error, a limit of the bytecode that the chunk exceeds, or a
/// refusal of the budget.
///
/// ```
/// use perilune_ir::budget::Unlimited;
///
/// let compile = |source: &[u8]| perilune_frontend::compile(source, b"=example", &mut Unlimited);
/// let function = compile(b"return 1 + x").unwrap();
/// assert!(function.is_vararg);
/// let error = compile(b"x = = 1").unwrap_err();
/// assert_eq!(error.to_string(), "example:1: unexpected symbol near '='");
/// ```
pub fn compile(
    source: &[u8],
    chunk_name: &[u8],
    budget: &mut dyn Budget,
) -> Result<Function, CompileError> {
    let mut meter = Meter::new(budget);
    let ast = parser::parse(source, chunk_name, &mut meter)?;
    compiler::compile(&ast, chunk_name, &mut meter)
}
