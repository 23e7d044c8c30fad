//! Statements.

use super::{Parser, Result};
use crate::ast::{
    Arm, Attrib, Block, Branches, Expr, ExprId, GenericFor, List, LocalId, NumericFor, Stat,
    StatKind,
};
use crate::lexer::Token;
use crate::strings::StrId;

impl Parser<'_, '_> {
    /// Statements up to the end of the block, in the scope that is open.
    pub(super) fn statements(&mut self) -> Result<Block> {
        let from = self.pending.statements.len();
        while !self.ends_block(true) {
            let returns = self.lexer.token == Token::Return;
            self.statement()?;
            if returns {
                break;
            }
        }
        let statements = &self.pending.statements[from..];
        let statements = self.ast.add_statements(statements, self.lexer.meter)?;
        self.pending.statements.truncate(from);
        Ok(Block { statements, end_line: self.lexer.last_line })
    }

    /// A statement, appended to the pending ones.
    fn statement(&mut self) -> Result<()> {
        self.enter()?;
        let line = self.lexer.line;
        let (kind, line) = match self.lexer.token {
            Token::Byte(b';') => {
                self.lexer.next()?;
                self.leave();
                return Ok(());
            }
            Token::If => (self.if_statement(line)?, line),
            Token::While => self.while_statement(line)?,
            Token::Do => {
                self.lexer.next()?;
                let block = self.block()?;
                self.expect_match(Token::End, Token::Do, line)?;
                (StatKind::Do(block), line)
            }
            Token::For => self.for_statement(line)?,
            Token::Repeat => self.repeat_statement(line)?,
            Token::Function => (self.function_statement(line)?, line),
            Token::Local => {
                self.lexer.next()?;
                let kind = if self.accept(Token::Function)? {
                    self.local_function()?
                } else {
                    self.local_statement()?
                };
                (kind, self.lexer.last_line)
            }
            Token::DoubleColon => {
                self.lexer.next()?;
                let name = self.name()?;
                (self.label(name, line)?, line)
            }
            Token::Return => {
                self.lexer.next()?;
                let ends = self.ends_block(true) || self.at(b';');
                let values = if ends { List::EMPTY } else { self.expr_list()? };
                let line = self.lexer.last_line;
                self.accept_byte(b';')?;
                (StatKind::Return(values), line)
            }
            Token::Break => {
                self.lexer.next()?;
                let name = self.lexer.break_name;
                let noted = self.scopes.add_break(name, line, self.lexer.meter);
                self.scoped(noted)?;
                (StatKind::Break, line)
            }
            Token::Goto => {
                self.lexer.next()?;
                let line = self.lexer.line;
                let name = self.name()?;
                let noted = self.scopes.add_goto(name, line, self.lexer.meter);
                (StatKind::Goto(self.scoped(noted)?), line)
            }
            _ => self.expression_statement()?,
        };
        self.lexer.meter.push(&mut self.pending.statements, Stat { kind, line })?;
        self.leave();
        Ok(())
    }

    fn if_statement(&mut self, line: u32) -> Result<StatKind> {
        let from = self.pending.arms.len();
        let mut otherwise = None;
        loop {
            self.lexer.next()?; // `if` or `elseif`
            let condition = self.expr()?;
            let then_line = self.lexer.line;
            self.expect(Token::Then)?;
            let block = self.block()?;
            let arm = Arm { condition, then_line, block };
            self.lexer.meter.push(&mut self.pending.arms, arm)?;
            if self.lexer.token != Token::Elseif {
                break;
            }
        }
        if self.accept(Token::Else)? {
            otherwise = Some(self.block()?);
        }
        self.expect_match(Token::End, Token::If, line)?;
        let arms = self.ast.add_arms(&self.pending.arms[from..], self.lexer.meter)?;
        self.pending.arms.truncate(from);
        let index = self.ast.branches.len() as u32;
        self.lexer.meter.push(&mut self.ast.branches, Branches { arms, otherwise })?;
        Ok(StatKind::If(index))
    }

    fn while_statement(&mut self, line: u32) -> Result<(StatKind, u32)> {
        self.lexer.next()?;
        let condition = self.expr()?;
        self.open_block(true)?;
        self.expect(Token::Do)?;
        let body = self.block()?;
        let back_line = body.end_line;
        self.expect_match(Token::End, Token::While, line)?;
        self.close_block()?;
        Ok((StatKind::While { condition, body }, back_line))
    }

    fn repeat_statement(&mut self, line: u32) -> Result<(StatKind, u32)> {
        self.open_block(true)?;
        self.open_block(false)?;
        self.lexer.next()?;
        let body = self.statements()?;
        self.expect_match(Token::Until, Token::Repeat, line)?;
        let condition = self.expr()?;
        let back_line = self.lexer.last_line;
        self.close_block()?;
        self.close_block()?;
        Ok((StatKind::Repeat { body, condition }, back_line))
    }

    fn for_statement(&mut self, line: u32) -> Result<(StatKind, u32)> {
        self.open_block(true)?;
        self.lexer.next()?;
        let name = self.name()?;
        let result = match self.lexer.token {
            Token::Byte(b'=') => self.numeric_for(name, line)?,
            Token::Byte(b',') | Token::In => self.generic_for(name)?,
            _ => return Err(self.lexer.error_near("'=' or 'in' expected")),
        };
        self.expect_match(Token::End, Token::For, line)?;
        self.close_block()?;
        Ok(result)
    }

    fn numeric_for(&mut self, name: StrId, line: u32) -> Result<(StatKind, u32)> {
        let state = self.declare(self.state_name, Attrib::Regular, 0)?;
        self.declare(self.state_name, Attrib::Regular, 1)?;
        self.declare(self.state_name, Attrib::Regular, 2)?;
        self.declare(name, Attrib::Regular, 3)?;
        self.expect_byte(b'=')?;
        let start = self.expr()?;
        self.expect_byte(b',')?;
        let limit = self.expr()?;
        let step = if self.accept_byte(b',')? { Some(self.expr()?) } else { None };
        self.activate(state, 3)?;
        let (body, do_line) = self.for_body(LocalId(state.0 + 3), 1)?;
        let index = self.ast.numeric_fors.len() as u32;
        let statement = NumericFor { state, start, limit, step, body, do_line };
        self.lexer.meter.push(&mut self.ast.numeric_fors, statement)?;
        Ok((StatKind::ForNum(index), line))
    }

    fn generic_for(&mut self, name: StrId) -> Result<(StatKind, u32)> {
        let state = self.declare(self.state_name, Attrib::Regular, 0)?;
        self.declare(self.state_name, Attrib::Regular, 1)?;
        self.declare(self.state_name, Attrib::Regular, 2)?;
        self.declare(self.state_name, Attrib::Close, 3)?;
        self.declare(name, Attrib::Regular, 4)?;
        let mut count = 1;
        while self.accept_byte(b',')? {
            let name = self.name()?;
            self.declare(name, Attrib::Regular, 4 + count)?;
            count += 1;
        }
        self.expect(Token::In)?;
        let line = self.lexer.line;
        let values = self.expr_list()?;
        self.activate(state, 4)?;
        self.scopes.mark_close();
        let (body, do_line) = self.for_body(LocalId(state.0 + 4), count)?;
        let end_line = self.lexer.line;
        let index = self.ast.generic_fors.len() as u32;
        let statement = GenericFor { state, count, values, body, do_line, end_line };
        self.lexer.meter.push(&mut self.ast.generic_fors, statement)?;
        Ok((StatKind::ForIn(index), line))
    }

    /// `do block` in the scope of the loop's own variables.
    fn for_body(&mut self, first: LocalId, count: u32) -> Result<(Block, u32)> {
        self.expect(Token::Do)?;
        let do_line = self.lexer.last_line;
        self.open_block(false)?;
        self.activate(first, count)?;
        let body = self.block()?;
        self.close_block()?;
        Ok((body, do_line))
    }

    fn function_statement(&mut self, line: u32) -> Result<StatKind> {
        self.lexer.next()?;
        let name_line = self.lexer.line;
        let name = self.name()?;
        let mut target = self.variable(name, name_line)?;
        while self.at(b'.') {
            target = self.field_name(target)?;
        }
        let is_method = self.at(b':');
        if is_method {
            target = self.field_name(target)?;
        }
        let function = self.function_body(is_method, line)?;
        // A function in it may have set `constant_name`: resolve the name anew.
        if matches!(self.ast.expr(target), Expr::Index { .. }) {
            self.constant_name = None;
        } else {
            target = self.variable(name, name_line)?;
        }
        self.check_assignable(target)?;
        Ok(StatKind::Function { target, function })
    }

    fn local_function(&mut self) -> Result<StatKind> {
        let name = self.name()?;
        let local = self.declare(name, Attrib::Regular, 0)?;
        self.activate(local, 1)?;
        let line = self.lexer.line;
        let function = self.function_body(false, line)?;
        Ok(StatKind::LocalFunction { local, function })
    }

    fn local_statement(&mut self) -> Result<StatKind> {
        let mut first = LocalId(0);
        let mut count = 0;
        let mut closes = false;
        loop {
            let name = self.name()?;
            let local = self.declare(name, Attrib::Regular, count)?;
            if count == 0 {
                first = local;
            }
            let attrib = self.attribute()?;
            self.scopes.function().locals[local.0 as usize].attrib = attrib;
            if attrib == Attrib::Close {
                if closes {
                    let message = "multiple to-be-closed variables in local list";
                    return Err(self.lexer.error_plain(message));
                }
                closes = true;
            }
            count += 1;
            if !self.accept_byte(b',')? {
                break;
            }
        }
        let values = if self.accept_byte(b'=')? { self.expr_list()? } else { List::EMPTY };
        // The last variable is a compile-time constant if it can be.
        let list = self.ast.list(values);
        if list.len() == count as usize
            && let Some(&value) = list.last()
        {
            let last = &mut self.scopes.function().locals[(first.0 + count - 1) as usize];
            if last.attrib == Attrib::Const && self.ast.expr(value).is_constant() {
                last.value = Some(value);
            }
        }
        self.activate(first, count)?;
        if closes {
            self.scopes.mark_close();
        }
        Ok(StatKind::Local { first, count, values })
    }

    fn attribute(&mut self) -> Result<Attrib> {
        if !self.accept_byte(b'<')? {
            return Ok(Attrib::Regular);
        }
        let name = self.name()?;
        self.expect_byte(b'>')?;
        match self.lexer.strings.get(name) {
            b"const" => Ok(Attrib::Const),
            b"close" => Ok(Attrib::Close),
            _ => Err(self.naming("unknown attribute '", name, "'")),
        }
    }

    /// `::name::` after the name. Void statements after it are read first:
    /// the label may end the block behind them.
    fn label(&mut self, name: StrId, line: u32) -> Result<StatKind> {
        self.expect(Token::DoubleColon)?;
        while self.at(b';') || self.lexer.token == Token::DoubleColon {
            self.statement()?;
        }
        if let Some(other) = self.scopes.find_label(name) {
            let end = format!("' already defined on line {other}");
            return Err(self.naming("label '", name, &end));
        }
        let ends_block = self.ends_block(false);
        let label = self.scopes.add_label(name, line, ends_block, self.lexer.meter);
        Ok(StatKind::Label(self.scoped(label)?))
    }

    fn expression_statement(&mut self) -> Result<(StatKind, u32)> {
        let expr = self.suffixed_expr()?;
        if self.at(b'=') || self.at(b',') {
            return self.assignment(expr);
        }
        match self.ast.expr(expr) {
            Expr::Call { .. } | Expr::Method { .. } => {
                Ok((StatKind::Call(expr), self.ast.line(expr)))
            }
            _ => Err(self.lexer.error_near("syntax error")),
        }
    }

    fn assignment(&mut self, first: ExprId) -> Result<(StatKind, u32)> {
        let from = self.pending.exprs.len();
        self.lexer.meter.push(&mut self.pending.exprs, first)?;
        self.check_assignable(first)?;
        let level = self.level;
        while self.accept_byte(b',')? {
            let target = self.suffixed_expr()?;
            self.enter()?;
            self.check_assignable(target)?;
            self.lexer.meter.push(&mut self.pending.exprs, target)?;
        }
        let targets = self.list_from(from)?;
        self.expect_byte(b'=')?;
        let values = self.expr_list()?;
        self.level = level;
        Ok((StatKind::Assign { targets, values }, self.lexer.last_line))
    }

    /// Checks that `target` is a variable that can be assigned to.
    fn check_assignable(&mut self, target: ExprId) -> Result<()> {
        let expr = self.ast.expr(target);
        let constant = match expr {
            Expr::Index { .. } => None,
            Expr::Local(_) | Expr::Upvalue(_) => self.scopes.assign(expr),
            _ => match self.constant_name {
                Some((id, name)) if id == target => Some(name),
                _ => return Err(self.lexer.error_near("syntax error")),
            },
        };
        match constant {
            Some(name) => Err(self.naming("attempt to assign to const variable '", name, "'")),
            None => Ok(()),
        }
    }
}
