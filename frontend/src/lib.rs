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

pub use error::{SyntaxError, chunk_id, chunk_id_bytes};

use perilune_ir::bytecode::Function;

/// Compiles a chunk, whose main function has one upvalue, `_ENV`.
///
/// `chunk_name` is as for Lua's `load`: `@file`, `=name`, or the source
/// itself. A first line that starts with `#` is the caller's to remove.
///
/// # Errors
/// The first syntax error, or a limit of the bytecode that the chunk exceeds.
///
/// ```
/// let function = perilune_frontend::compile(b"return 1 + x", b"=example").unwrap();
/// assert!(function.is_vararg);
/// let error = perilune_frontend::compile(b"x = = 1", b"=example").unwrap_err();
/// assert_eq!(error.to_string(), "example:1: unexpected symbol near '='");
/// ```
pub fn compile(source: &[u8], chunk_name: &[u8]) -> Result<Function, SyntaxError> {
    let ast = parser::parse(source, chunk_name)?;
    compiler::compile(&ast, chunk_name)
}

/// Parses a chunk without compiling it.
///
/// # Errors
/// The first syntax error.
pub fn parse(source: &[u8], chunk_name: &[u8]) -> Result<ast::Ast, SyntaxError> {
    parser::parse(source, chunk_name)
}
