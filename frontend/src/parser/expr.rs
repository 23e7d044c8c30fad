//! Expressions.

use super::{Parser, Result};
use crate::ast::{BinOp, Expr, ExprId, Field, List, Table, UnOp};
use crate::fold;
use crate::lexer::Token;
use crate::scope::Variable;
use crate::strings::StrId;

/// How tightly unary operators bind.
const UNARY_PRIORITY: u8 = 12;

fn unary_operator(token: Token) -> Option<UnOp> {
    match token {
        Token::Not => Some(UnOp::Not),
        Token::Byte(b'-') => Some(UnOp::Minus),
        Token::Byte(b'~') => Some(UnOp::BNot),
        Token::Byte(b'#') => Some(UnOp::Len),
        _ => None,
    }
}

/// The operator with its left and right priorities; right-associative ones
/// have a lower right priority.
fn binary_operator(token: Token) -> Option<(BinOp, u8, u8)> {
    Some(match token {
        Token::Byte(b'+') => (BinOp::Add, 10, 10),
        Token::Byte(b'-') => (BinOp::Sub, 10, 10),
        Token::Byte(b'*') => (BinOp::Mul, 11, 11),
        Token::Byte(b'%') => (BinOp::Mod, 11, 11),
        Token::Byte(b'^') => (BinOp::Pow, 14, 13),
        Token::Byte(b'/') => (BinOp::Div, 11, 11),
        Token::IDiv => (BinOp::IDiv, 11, 11),
        Token::Byte(b'&') => (BinOp::BAnd, 6, 6),
        Token::Byte(b'|') => (BinOp::BOr, 4, 4),
        Token::Byte(b'~') => (BinOp::BXor, 5, 5),
        Token::Shl => (BinOp::Shl, 7, 7),
        Token::Shr => (BinOp::Shr, 7, 7),
        Token::Concat => (BinOp::Concat, 9, 8),
        Token::Eq => (BinOp::Eq, 3, 3),
        Token::Ne => (BinOp::Ne, 3, 3),
        Token::Byte(b'<') => (BinOp::Lt, 3, 3),
        Token::Le => (BinOp::Le, 3, 3),
        Token::Byte(b'>') => (BinOp::Gt, 3, 3),
        Token::Ge => (BinOp::Ge, 3, 3),
        Token::And => (BinOp::And, 2, 2),
        Token::Or => (BinOp::Or, 1, 1),
        _ => return None,
    })
}

impl Parser<'_, '_> {
    pub(super) fn expr(&mut self) -> Result<ExprId> {
        self.sub_expr(0)
    }

    pub(super) fn expr_list(&mut self) -> Result<List> {
        let from = self.pending.exprs.len();
        loop {
            let expr = self.expr()?;
            self.lexer.meter.push(&mut self.pending.exprs, expr)?;
            if !self.accept_byte(b',')? {
                return self.list_from(from);
            }
        }
    }

    /// A list of one expression.
    fn list_of(&mut self, expr: ExprId) -> Result<List> {
        Ok(self.ast.add_list(&[expr], self.lexer.meter)?)
    }

    /// Operators that bind tighter than `limit`, and their operands.
    fn sub_expr(&mut self, limit: u8) -> Result<ExprId> {
        self.enter()?;
        let mut left = match unary_operator(self.lexer.token) {
            Some(op) => {
                let line = self.lexer.line;
                self.lexer.next()?;
                let operand = self.sub_expr(UNARY_PRIORITY)?;
                self.unary(op, operand, line)?
            }
            None => self.simple_expr()?,
        };
        while let Some((op, left_priority, right_priority)) = binary_operator(self.lexer.token) {
            if left_priority <= limit {
                break;
            }
            let line = self.lexer.line;
            self.lexer.next()?;
            let right = self.sub_expr(right_priority)?;
            left = self.binary(op, left, right, line)?;
        }
        self.leave();
        Ok(left)
    }

    fn unary(&mut self, op: UnOp, operand: ExprId, line: u32) -> Result<ExprId> {
        let expr = match fold::unary(op, self.ast.expr(operand)) {
            Some(value) => value,
            None => Expr::Unary(op, operand),
        };
        self.add(expr, line)
    }

    fn binary(&mut self, op: BinOp, left: ExprId, right: ExprId, line: u32) -> Result<ExprId> {
        let (left_expr, right_expr) = (self.ast.expr(left), self.ast.expr(right));
        let line = match op {
            // (`"text" or x` keeps its jump: what it gives has no name in messages.)
            BinOp::Or if matches!(left_expr, Expr::Str(_)) => line,
            BinOp::And | BinOp::Or if left_expr.is_constant() => {
                // The left operand decides which of the two the result is.
                let takes_right = fold::truthy(left_expr) == (op == BinOp::And);
                return if takes_right { self.single(right) } else { Ok(left) };
            }
            // Code of a comparison belongs to the end of its operands.
            BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
                self.lexer.last_line
            }
            _ => line,
        };
        let expr = match fold::binary(op, left_expr, right_expr) {
            Some(value) => value,
            None => Expr::Binary(op, left, right),
        };
        self.add(expr, line)
    }

    /// `expr` adjusted to one value, and no longer a variable.
    fn single(&mut self, expr: ExprId) -> Result<ExprId> {
        match self.ast.expr(expr) {
            Expr::Vararg
            | Expr::Call { .. }
            | Expr::Method { .. }
            | Expr::Local(_)
            | Expr::Upvalue(_)
            | Expr::Index { .. } => {
                let line = self.ast.line(expr);
                self.add(Expr::Paren(expr), line)
            }
            _ => Ok(expr),
        }
    }

    fn simple_expr(&mut self) -> Result<ExprId> {
        let expr = match self.lexer.token {
            Token::Float(value) => Expr::Float(value),
            Token::Int(value) => Expr::Int(value),
            Token::Str(id) => Expr::Str(id),
            Token::Nil => Expr::Nil,
            Token::True => Expr::Bool(true),
            Token::False => Expr::Bool(false),
            Token::Dots => {
                if !self.scopes.is_vararg() {
                    return Err(self
                        .lexer
                        .error_near("cannot use '...' outside a vararg function"));
                }
                Expr::Vararg
            }
            Token::Byte(b'{') => return self.constructor(),
            Token::Function => {
                self.lexer.next()?;
                let line = self.lexer.line;
                return self.function_body(false, line);
            }
            _ => return self.suffixed_expr(),
        };
        let line = self.lexer.line;
        self.lexer.next()?;
        self.add(expr, line)
    }

    fn primary_expr(&mut self) -> Result<ExprId> {
        match self.lexer.token {
            Token::Name(name) => {
                let line = self.lexer.line;
                self.lexer.next()?;
                self.variable(name, line)
            }
            Token::Byte(b'(') => {
                let line = self.lexer.line;
                self.lexer.next()?;
                let inner = self.expr()?;
                self.expect_match(Token::Byte(b')'), Token::Byte(b'('), line)?;
                self.constant_name = None;
                self.single(inner)
            }
            _ => Err(self.lexer.error_near("unexpected symbol")),
        }
    }

    /// The expression that a name stands for.
    pub(super) fn variable(&mut self, name: StrId, line: u32) -> Result<ExprId> {
        let found = self.scopes.resolve(name, self.lexer.meter);
        let expr = match self.scoped(found)? {
            Variable::Local(id) => Expr::Local(id),
            Variable::Upvalue(index) => Expr::Upvalue(index),
            Variable::Constant(value) => self.ast.expr(value),
            Variable::Global => {
                let object = self.variable(self.env_name, line)?;
                let key = self.add(Expr::Str(name), line)?;
                Expr::Index { object, key }
            }
        };
        let id = self.add(expr, line)?;
        if expr.is_constant() {
            self.constant_name = Some((id, name));
        }
        Ok(id)
    }

    /// `.name` at the dot (or colon).
    pub(super) fn field_name(&mut self, object: ExprId) -> Result<ExprId> {
        self.lexer.next()?;
        let line = self.lexer.line;
        let name = self.name()?;
        let key = self.add(Expr::Str(name), line)?;
        self.add(Expr::Index { object, key }, line)
    }

    /// `[key]` at the bracket.
    fn bracket_key(&mut self) -> Result<ExprId> {
        self.lexer.next()?;
        let key = self.expr()?;
        self.expect_byte(b']')?;
        Ok(key)
    }

    pub(super) fn suffixed_expr(&mut self) -> Result<ExprId> {
        let mut expr = self.primary_expr()?;
        loop {
            match self.lexer.token {
                Token::Byte(b'.') => expr = self.field_name(expr)?,
                Token::Byte(b'[') => {
                    let key = self.bracket_key()?;
                    expr = self.add(Expr::Index { object: expr, key }, self.lexer.last_line)?;
                }
                Token::Byte(b':') => {
                    self.lexer.next()?;
                    let name = self.name()?;
                    let (args, line) = self.call_args()?;
                    expr = self.add(Expr::Method { object: expr, name, args }, line)?;
                }
                Token::Byte(b'(' | b'{') | Token::Str(_) => {
                    let (args, line) = self.call_args()?;
                    expr = self.add(Expr::Call { callee: expr, args }, line)?;
                }
                _ => return Ok(expr),
            }
        }
    }

    /// The arguments of a call and the line they begin on.
    fn call_args(&mut self) -> Result<(List, u32)> {
        let line = self.lexer.line;
        let args = match self.lexer.token {
            Token::Byte(b'(') => {
                self.lexer.next()?;
                let args = if self.at(b')') { List::EMPTY } else { self.expr_list()? };
                self.expect_match(Token::Byte(b')'), Token::Byte(b'('), line)?;
                args
            }
            Token::Byte(b'{') => {
                let table = self.constructor()?;
                self.list_of(table)?
            }
            Token::Str(_) => {
                let string = self.simple_expr()?;
                self.list_of(string)?
            }
            _ => return Err(self.lexer.error_near("function arguments expected")),
        };
        Ok((args, line))
    }

    fn constructor(&mut self) -> Result<ExprId> {
        let line = self.lexer.line;
        let from = self.pending.fields.len();
        self.expect_byte(b'{')?;
        while !self.at(b'}') {
            let field = self.constructor_field()?;
            self.lexer.meter.push(&mut self.pending.fields, field)?;
            if !self.accept_byte(b',')? && !self.accept_byte(b';')? {
                break;
            }
        }
        self.expect_match(Token::Byte(b'}'), Token::Byte(b'{'), line)?;
        let fields = self.ast.add_fields(&self.pending.fields[from..], self.lexer.meter)?;
        self.pending.fields.truncate(from);
        let table = Table { fields, end_line: self.lexer.last_line };
        let index = self.ast.tables.len() as u32;
        self.lexer.meter.push(&mut self.ast.tables, table)?;
        self.add(Expr::Table(index), line)
    }

    fn constructor_field(&mut self) -> Result<Field> {
        let token = self.lexer.token;
        let key = match token {
            Token::Name(name) if self.lexer.peek()? == Token::Byte(b'=') => {
                let line = self.lexer.line;
                self.lexer.next()?;
                self.add(Expr::Str(name), line)?
            }
            Token::Byte(b'[') => self.bracket_key()?,
            _ => return Ok(Field::Item(self.expr()?)),
        };
        self.expect_byte(b'=')?;
        let value = self.expr()?;
        Ok(Field::Pair(key, value, self.lexer.last_line))
    }
}
