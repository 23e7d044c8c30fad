//! The parser: tokens to the resolved tree (manual §9 has the grammar).
//!
//! Recursive descent, with the nesting of statements and expressions limited
//! as in PUC Lua (its C stack limit), so that native stack use is bounded;
//! what PUC Lua reads in a loop (suffixes, left-associative operators, `elseif`)
//! is a loop here too, and unlimited.

mod expr;
mod stat;
#[cfg(test)]
mod tests;

use perilune_ir::budget::{Meter, Refusal};

use crate::ast::{
    Arm, Ast, Attrib, Block, Expr, ExprId, Field, FuncId, Function, List, LocalId, Stat, Upvalue,
    UpvalueSource,
};
use crate::error::{CompileError, SyntaxError};
use crate::lexer::{Lexer, Token};
use crate::scope::{MAX_LOCALS, MAX_UPVALUES, ScopeError, Scopes};
use crate::strings::StrId;

/// How deep statements and expressions can nest.
const MAX_LEVELS: usize = 195;

type Result<T> = std::result::Result<T, CompileError>;

struct Parser<'s, 'b> {
    lexer: Lexer<'s, 'b>,
    ast: Ast,
    scopes: Scopes,
    pending: Pending,
    level: usize,
    /// The last name read that was a compile-time constant, and its
    /// expression: should it turn out to be assigned to, that is an error.
    constant_name: Option<(ExprId, StrId)>,
    env_name: StrId,
    state_name: StrId,
}

/// The lists being read, each behind those around it: their items go to the
/// tree when they are complete.
#[derive(Default)]
struct Pending {
    exprs: Vec<ExprId>,
    fields: Vec<Field>,
    statements: Vec<Stat>,
    arms: Vec<Arm>,
}

/// Parses a whole chunk.
pub(crate) fn parse<'s>(
    source: &'s [u8],
    chunk_name: &'s [u8],
    meter: &'s mut Meter<'_>,
) -> Result<Ast> {
    if source.len() > Ast::MAX_SOURCE {
        return Err(Refusal::Memory.into());
    }
    let mut lexer = Lexer::new(source, chunk_name, meter)?;
    let env_name = lexer.intern(b"_ENV")?;
    let state_name = lexer.intern(b"(for state)")?;
    let mut parser = Parser {
        lexer,
        ast: Ast::default(),
        scopes: Scopes::default(),
        pending: Pending::default(),
        level: 0,
        constant_name: None,
        env_name,
        state_name,
    };
    parser.chunk()?;
    let mut ast = parser.ast;
    ast.strings = parser.lexer.strings;
    Ok(ast)
}

impl Parser<'_, '_> {
    fn chunk(&mut self) -> Result<()> {
        let main = self.open_function(0)?;
        let env = Upvalue {
            name: self.env_name,
            source: UpvalueSource::Host,
            attrib: Attrib::Regular,
            assigned: false,
        };
        let function = self.scopes.function();
        self.lexer.meter.push(&mut function.upvalues, env)?;
        function.is_vararg = true;
        self.lexer.next()?;
        let body = self.statements()?;
        if self.lexer.token != Token::Eof {
            return Err(self.expected(Token::Eof));
        }
        let function = self.scopes.function();
        function.body = body;
        function.end_line = self.lexer.last_line;
        self.close_function(main)
    }

    fn open_function(&mut self, line: u32) -> Result<FuncId> {
        let id = FuncId(self.ast.functions.len() as u32);
        self.lexer.meter.push(&mut self.ast.functions, Function::default())?;
        let opened = self.scopes.open_function(id, line, self.lexer.meter);
        self.scoped(opened)?;
        Ok(id)
    }

    fn close_function(&mut self, id: FuncId) -> Result<()> {
        self.close_block()?;
        let (closed, function) = self.scopes.close_function();
        debug_assert_eq!(closed, id);
        self.ast.functions[id.0 as usize] = function;
        Ok(())
    }

    fn open_block(&mut self, is_loop: bool) -> Result<()> {
        let opened = self.scopes.open_block(is_loop, self.lexer.meter);
        self.scoped(opened)
    }

    fn close_block(&mut self) -> Result<()> {
        let closed = self.scopes.close_block(self.lexer.meter);
        let Some(lost) = self.scoped(closed)? else {
            return Ok(());
        };
        if lost.name == self.lexer.break_name {
            let message = format!("break outside loop at line {}", lost.line);
            return Err(self.lexer.error_plain(message));
        }
        let end = format!("' for <goto> at line {}", lost.line);
        Err(self.naming("no visible label '", lost.name, &end))
    }

    /// The error `before`, the name, `after`.
    fn naming(&mut self, before: &str, name: StrId, after: &str) -> CompileError {
        let name = self.lexer.strings.shared(name);
        self.lexer.error_pieces(&[before.as_bytes(), &name, after.as_bytes()])
    }

    fn add(&mut self, expr: Expr, line: u32) -> Result<ExprId> {
        Ok(self.ast.add(expr, line, self.lexer.meter)?)
    }

    /// The list of the pending expressions from `from` on.
    fn list_from(&mut self, from: usize) -> Result<List> {
        let list = self.ast.add_list(&self.pending.exprs[from..], self.lexer.meter)?;
        self.pending.exprs.truncate(from);
        Ok(list)
    }

    // ---- tokens ----

    fn at(&self, byte: u8) -> bool {
        self.lexer.token == Token::Byte(byte)
    }

    fn accept(&mut self, token: Token) -> Result<bool> {
        let found = self.lexer.token == token;
        if found {
            self.lexer.next()?;
        }
        Ok(found)
    }

    fn accept_byte(&mut self, byte: u8) -> Result<bool> {
        self.accept(Token::Byte(byte))
    }

    fn expected(&mut self, token: Token) -> CompileError {
        self.lexer.error_near(format!("{} expected", Lexer::expected_text(token)))
    }

    fn expect(&mut self, token: Token) -> Result<()> {
        if self.accept(token)? { Ok(()) } else { Err(self.expected(token)) }
    }

    fn expect_byte(&mut self, byte: u8) -> Result<()> {
        self.expect(Token::Byte(byte))
    }

    /// Expects what closes `open` of `line`.
    fn expect_match(&mut self, close: Token, open: Token, line: u32) -> Result<()> {
        if self.accept(close)? {
            return Ok(());
        }
        if line == self.lexer.line {
            return Err(self.expected(close));
        }
        let message = format!(
            "{} expected (to close {} at line {line})",
            Lexer::expected_text(close),
            Lexer::expected_text(open)
        );
        Err(self.lexer.error_near(message))
    }

    fn name(&mut self) -> Result<StrId> {
        let Token::Name(name) = self.lexer.token else {
            return Err(self.lexer.error_near("<name> expected"));
        };
        self.lexer.next()?;
        Ok(name)
    }

    /// Whether the current token ends a block; `until` does if it is asked for.
    fn ends_block(&self, with_until: bool) -> bool {
        match self.lexer.token {
            Token::Else | Token::Elseif | Token::End | Token::Eof => true,
            Token::Until => with_until,
            _ => false,
        }
    }

    // ---- limits ----

    fn enter(&mut self) -> Result<()> {
        self.level += 1;
        if self.level <= MAX_LEVELS {
            return Ok(());
        }
        Err(SyntaxError {
            message: b"C stack overflow".to_vec(),
            incomplete: false,
            line: self.lexer.line,
        }
        .into())
    }

    fn leave(&mut self) {
        self.level -= 1;
    }

    fn limit_error(&mut self, what: &str, limit: usize, function_line: u32) -> CompileError {
        let place = if function_line == 0 {
            "main function".to_string()
        } else {
            format!("function at line {function_line}")
        };
        self.lexer.error_near(format!("too many {what} (limit is {limit}) in {place}"))
    }

    /// Declares a variable while `pending` others wait to be activated.
    fn declare(&mut self, name: StrId, attrib: Attrib, pending: u32) -> Result<LocalId> {
        if self.scopes.active() + pending as usize >= MAX_LOCALS {
            let line = self.scopes.function_line();
            return Err(self.limit_error("local variables", MAX_LOCALS, line));
        }
        let declared = self.scopes.declare(name, attrib, self.lexer.meter);
        self.scoped(declared)
    }

    /// Makes `count` declared variables from `first` on visible.
    fn activate(&mut self, first: LocalId, count: u32) -> Result<()> {
        let done = self.scopes.activate(first, count, self.lexer.meter);
        self.scoped(done)
    }

    /// What the resolver says, with its error worded.
    fn scoped<T>(&mut self, result: std::result::Result<T, ScopeError>) -> Result<T> {
        let error = match result {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        Err(match error {
            ScopeError::Refused(refusal) => refusal.into(),
            ScopeError::TooManyUpvalues { line } => {
                self.limit_error("upvalues", MAX_UPVALUES, line)
            }
            ScopeError::JumpsIntoScope { name, line, local } => {
                let between = format!("> at line {line} jumps into the scope of local '");
                let name = self.lexer.strings.shared(name);
                let local = self.lexer.strings.shared(local);
                let pieces: [&[u8]; 5] = [b"<goto ", &name, between.as_bytes(), &local, b"'"];
                self.lexer.error_pieces(&pieces)
            }
        })
    }

    // ---- blocks and functions ----

    /// A block with its own scope.
    fn block(&mut self) -> Result<Block> {
        self.open_block(false)?;
        let block = self.statements()?;
        self.close_block()?;
        Ok(block)
    }

    /// `(parameters) body end`; `line` is that of the definition.
    fn function_body(&mut self, is_method: bool, line: u32) -> Result<ExprId> {
        let id = self.open_function(line)?;
        self.expect_byte(b'(')?;
        let mut params = 0;
        let mut first = LocalId(0);
        if is_method {
            let name = self.lexer.intern(b"self")?;
            first = self.declare(name, Attrib::Regular, 0)?;
            params = 1;
        }
        let mut is_vararg = false;
        if !self.at(b')') {
            loop {
                match self.lexer.token {
                    Token::Name(name) => {
                        self.lexer.next()?;
                        let local = self.declare(name, Attrib::Regular, params)?;
                        if params == 0 {
                            first = local;
                        }
                        params += 1;
                    }
                    Token::Dots => {
                        self.lexer.next()?;
                        is_vararg = true;
                    }
                    _ => return Err(self.lexer.error_near("<name> or '...' expected")),
                }
                if is_vararg || !self.accept_byte(b',')? {
                    break;
                }
            }
        }
        self.activate(first, params)?;
        let function = self.scopes.function();
        function.params = params;
        function.is_vararg = is_vararg;
        self.expect_byte(b')')?;
        let body = self.statements()?;
        let end_line = self.lexer.line;
        self.expect_match(Token::End, Token::Function, line)?;
        let function = self.scopes.function();
        function.body = body;
        function.end_line = end_line;
        self.close_function(id)?;
        self.add(Expr::Function(id), end_line)
    }
}
