//! Table constructors.

use perilune_ir::bytecode::{NO_TEMPLATE, Op, Word};

use super::chain::Key;
use super::{Compiler, Reg, Result};
use crate::ast::{Expr, Field};

/// Positional values that wait in registers before they are stored.
const FIELDS_PER_FLUSH: usize = 50;
/// Keys in a record template, at most.
const MAX_TEMPLATE: usize = 128;

impl Compiler<'_> {
    pub(super) fn table(&mut self, index: u32, dst: Reg, line: u32) -> Result<()> {
        let table = &self.ast.tables[index as usize];
        let saved = self.free;
        let items = table.fields.iter().filter(|field| matches!(field, Field::Item(_))).count();
        let open_tail = match table.fields.last() {
            Some(&Field::Item(last)) => self.ast.expr(last).is_multi(),
            _ => false,
        };
        // A call at the end mostly gives one value.
        let unknown = match table.fields.last() {
            Some(&Field::Item(last)) => matches!(self.ast.expr(last), Expr::Vararg),
            _ => false,
        };
        let sized = u16::try_from(items - usize::from(unknown)).unwrap_or(u16::MAX);
        let template = self.template(&table.fields);
        // The items follow the table in the registers above it; and until it
        // is complete, an assigned variable keeps its old value.
        let at_top = self.is_temporary(dst) && usize::from(dst) + 1 == self.free;
        let register = if at_top || table.fields.is_empty() { dst } else { self.reserve(1, line)? };
        self.emit_extra(Word::abc(Op::NewTable, register, 0, 0), Word::pair(sized, template), line);

        let mut stored: u32 = 0;
        let mut waiting = 0;
        for (position, field) in table.fields.iter().enumerate() {
            match *field {
                Field::Item(value) => {
                    if waiting == FIELDS_PER_FLUSH {
                        self.set_list(register, waiting, waiting, stored, table.end_line);
                        stored += waiting as u32;
                        waiting = 0;
                        self.free = usize::from(register) + 1;
                    }
                    if open_tail && position + 1 == table.fields.len() {
                        self.multi(value, None)?;
                        self.set_list(register, 0, waiting, stored, table.end_line);
                        waiting = 0;
                    } else {
                        self.expr_next(value)?;
                        waiting += 1;
                    }
                }
                Field::Pair(key, value, line) => {
                    let top = self.free;
                    let key = self.key(key)?;
                    let value = self.expr_any(value)?;
                    self.store_index(register, key, value, line);
                    self.free = top;
                }
            }
        }
        if waiting > 0 {
            self.set_list(register, waiting, waiting, stored, table.end_line);
        }
        self.free = saved;
        self.move_to(dst, register, line);
        Ok(())
    }

    /// Stores the values above `table`: `count`, or for 0 up to the top.
    fn set_list(&mut self, table: Reg, count: usize, waiting: usize, stored: u32, line: u32) {
        debug_assert!(count == 0 || count == waiting);
        self.emit_extra(Word::abc(Op::SetList, table, count as u8, 0), stored, line);
    }

    /// `table[key] = value`
    pub(super) fn store_index(&mut self, table: Reg, key: Key, value: Reg, line: u32) {
        let word = match key {
            Key::Field(name) => {
                let extra = self.feedback_word(name);
                self.emit_extra(Word::abc(Op::SetField, table, value, 0), extra, line);
                return;
            }
            Key::Int(key) => Word::abc(Op::SetI, table, key, value),
            Key::Register(key) => Word::abc(Op::SetTable, table, key, value),
        };
        let extra = self.feedback_word(0);
        self.emit_extra(word, extra, line);
    }

    /// The index of the template with the record's string keys, in order.
    fn template(&mut self, fields: &[Field]) -> u16 {
        let mut keys = Vec::new();
        for field in fields {
            if let Field::Pair(key, value, _) = *field
                && let Expr::Str(name) = self.ast.expr(key)
                && self.ast.expr(value) != Expr::Nil
                && keys.len() < MAX_TEMPLATE
                && let Some(index) = self.constant16(name)
                && !keys.contains(&index)
            {
                keys.push(index);
            }
        }
        if keys.is_empty() {
            return NO_TEMPLATE;
        }
        let known = self.templates.iter().position(|template| **template == *keys);
        match known {
            Some(index) => index as u16,
            None if self.templates.len() < usize::from(NO_TEMPLATE) => {
                self.templates.push(keys.into());
                (self.templates.len() - 1) as u16
            }
            None => NO_TEMPLATE,
        }
    }
}
