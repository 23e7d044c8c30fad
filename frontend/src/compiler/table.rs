//! Table constructors.

use std::sync::Arc;

use perilune_ir::bytecode::{NO_TEMPLATE, Op, Word};

use super::chain::Key;
use super::{Compiler, Reg, Result};
use crate::ast::{Expr, Field};

/// Positional values that wait in registers before they are stored.
const FIELDS_PER_FLUSH: usize = 50;
/// Keys in a record template, at most.
const MAX_TEMPLATE: usize = 128;

impl Compiler<'_, '_> {
    pub(super) fn table(&mut self, index: u32, dst: Reg, line: u32) -> Result<()> {
        let ast = self.ast;
        let table = ast.tables[index as usize];
        let fields = ast.fields(table.fields);
        let saved = self.free;
        let items = fields.iter().filter(|field| matches!(field, Field::Item(_))).count();
        let open_tail = match fields.last() {
            Some(&Field::Item(last)) => self.ast.expr(last).is_multi(),
            _ => false,
        };
        // A call at the end mostly gives one value.
        let unknown = match fields.last() {
            Some(&Field::Item(last)) => matches!(self.ast.expr(last), Expr::Vararg),
            _ => false,
        };
        let sized = u16::try_from(items - usize::from(unknown)).unwrap_or(u16::MAX);
        let template = self.template(fields)?;
        // The items follow the table in the registers above it; and until it
        // is complete, an assigned variable keeps its old value.
        let at_top = self.is_temporary(dst) && usize::from(dst) + 1 == self.free;
        let register = if at_top || fields.is_empty() { dst } else { self.reserve(1, line)? };
        self.emit_extra(
            Word::abc(Op::NewTable, register, 0, 0),
            Word::pair(sized, template),
            line,
        )?;

        let mut stored: u32 = 0;
        let mut waiting = 0;
        for (position, field) in fields.iter().enumerate() {
            match *field {
                Field::Item(value) => {
                    if waiting == FIELDS_PER_FLUSH {
                        self.set_list(register, waiting, waiting, stored, table.end_line)?;
                        stored += waiting as u32;
                        waiting = 0;
                        self.free = usize::from(register) + 1;
                    }
                    if open_tail && position + 1 == fields.len() {
                        self.multi(value, None)?;
                        self.set_list(register, 0, waiting, stored, table.end_line)?;
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
                    self.store_index(register, key, value, line)?;
                    self.free = top;
                }
            }
        }
        if waiting > 0 {
            self.set_list(register, waiting, waiting, stored, table.end_line)?;
        }
        self.free = saved;
        self.move_to(dst, register, line)?;
        Ok(())
    }

    /// Stores the values above `table`: `count`, or for 0 up to the top.
    fn set_list(
        &mut self,
        table: Reg,
        count: usize,
        waiting: usize,
        stored: u32,
        line: u32,
    ) -> Result<()> {
        debug_assert!(count == 0 || count == waiting);
        self.emit_extra(Word::abc(Op::SetList, table, count as u8, 0), stored, line)
    }

    /// `table[key] = value`
    pub(super) fn store_index(
        &mut self,
        table: Reg,
        key: Key,
        value: Reg,
        line: u32,
    ) -> Result<()> {
        let word = match key {
            Key::Field(name) => {
                let extra = self.feedback_word(name);
                return self.emit_extra(Word::abc(Op::SetField, table, value, 0), extra, line);
            }
            Key::Int(key) => Word::abc(Op::SetI, table, key, value),
            Key::Register(key) => Word::abc(Op::SetTable, table, key, value),
        };
        let extra = self.feedback_word(0);
        self.emit_extra(word, extra, line)
    }

    /// The index of the template with the record's string keys, in order.
    fn template(&mut self, fields: &[Field]) -> Result<u16> {
        let mut keys: smallvec::SmallVec<[u16; MAX_TEMPLATE]> = smallvec::SmallVec::new();
        for field in fields {
            if let Field::Pair(key, value, _) = *field
                && let Expr::Str(name) = self.ast.expr(key)
                && self.ast.expr(value) != Expr::Nil
                && keys.len() < MAX_TEMPLATE
                && let Some(index) = self.constant16(name)?
                && !keys.contains(&index)
            {
                keys.push(index);
            }
        }
        if keys.is_empty() {
            return Ok(NO_TEMPLATE);
        }
        if let Some(&index) = self.template_index.get(&keys[..]) {
            return Ok(index);
        }
        if self.templates.len() >= usize::from(NO_TEMPLATE) {
            return Ok(NO_TEMPLATE);
        }
        let index = self.templates.len() as u16;
        self.meter.charge(size_of_val(&keys[..]) + 16)?;
        let keys: Arc<[u16]> = Arc::from(&keys[..]);
        self.meter.push(&mut self.templates, Arc::clone(&keys))?;
        self.meter.insert(&mut self.template_index, keys, index)?;
        Ok(index)
    }
}
