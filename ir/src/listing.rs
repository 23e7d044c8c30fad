//! The bytecode listing: what `--dump=bytecode` and the goldens show.
//!
//! One line per instruction: word index, source line, name, operands (`r`
//! registers, `u` upvalues, `f` nested functions, constants by value) and the
//! target of a jump. Feedback indices are left out, and the chunk's name too,
//! so that a listing depends on the function alone.

use std::fmt::Write;

use crate::bytecode::{Constant, Extra, Format, Function, NO_TEMPLATE, Op, Operand, Word};

/// The listing of a function and of all functions in it, outer ones first.
pub fn listing(function: &Function) -> String {
    let mut text = String::new();
    let mut pending = vec![function];
    while let Some(function) = pending.pop() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&listing_one(function));
        pending.extend(function.functions.iter().rev().map(|inner| &**inner));
    }
    text
}

/// The listing of a function without the functions in it.
pub fn listing_one(function: &Function) -> String {
    let mut out = String::new();
    header(function, &mut out);
    let mut pc = 0;
    while pc < function.code.len() {
        let _ = write!(out, "  {pc:04} [{}] ", function.line(pc));
        let Some(op) = Op::decode(function.code[pc]) else {
            let _ = writeln!(out, "?{:08x}", function.code[pc]);
            pc += 1;
            continue;
        };
        instruction(function, pc, op, &mut out);
        out.push('\n');
        pc += op.words();
    }
    out
}

fn header(function: &Function, out: &mut String) {
    if function.line_defined == 0 {
        out.push_str("main");
    } else {
        let _ = write!(out, "function at {}-{}", function.line_defined, function.last_line_defined);
    }
    let vararg = if function.is_vararg { ", ..." } else { "" };
    let _ = writeln!(
        out,
        " (params {}{vararg}; registers {})",
        function.num_params, function.max_stack
    );
    for (index, upvalue) in function.upvalues.iter().enumerate() {
        let from = if upvalue.in_stack { 'r' } else { 'u' };
        let constant = if upvalue.constant { " constant" } else { "" };
        let name = upvalue.name.escape_ascii();
        let _ = writeln!(out, "  upvalue u{index} {name} = {from}{}{constant}", upvalue.index);
    }
    for local in &function.locals {
        let name = local.name.escape_ascii();
        let _ = writeln!(
            out,
            "  local r{} {name} {:04}-{:04}",
            local.register, local.start_pc, local.end_pc
        );
    }
}

fn instruction(function: &Function, pc: usize, op: Op, out: &mut String) {
    let info = op.info();
    let word = Word(function.code[pc]);
    let _ = write!(out, "{:<10}", info.mnemonic);
    let next = pc + op.words();
    let jump = |out: &mut String, distance: i64| {
        let _ = write!(out, " -> {:04}", next as i64 + distance);
    };
    let fields = match info.format {
        Format::Abc => [u32::from(word.a()), u32::from(word.b()), u32::from(word.c())],
        Format::Ad => [u32::from(word.a()), u32::from(word.d()), 0],
        Format::Sj => {
            jump(out, i64::from(word.j()));
            return;
        }
    };
    for (kind, field) in info.operands.into_iter().zip(fields) {
        let _ = match kind {
            Operand::None => Ok(()),
            Operand::Def | Operand::Use | Operand::Window => write!(out, " r{field}"),
            Operand::Up => write!(out, " u{field}"),
            Operand::K => write!(out, " {}", constant(function, field as usize)),
            Operand::Imm | Operand::Flag => write!(out, " {field}"),
            Operand::SImm => write!(out, " {}", field as u16 as i16),
            Operand::Func => write!(out, " f{field}"),
        };
    }
    let extra = function.code.get(pc + 1).copied().unwrap_or(0);
    match info.extra {
        Extra::None | Extra::Feedback => {}
        Extra::Jump => jump(out, i64::from(extra as i32)),
        Extra::KeyFeedback => {
            let _ = write!(out, " {}", constant(function, (extra & 0xFFFF) as usize));
        }
        Extra::Table => {
            let _ = write!(out, " array {}", extra & 0xFFFF);
            if let Some(template) = function.templates.get((extra >> 16) as usize)
                && (extra >> 16) != u32::from(NO_TEMPLATE)
            {
                let keys: Vec<_> =
                    template.iter().map(|&key| constant(function, usize::from(key))).collect();
                let _ = write!(out, " fields {}", keys.join(" "));
            }
        }
        Extra::Word if op == Op::LoadKX => {
            let _ = write!(out, " {}", constant(function, extra as usize));
        }
        Extra::Word => {
            let _ = write!(out, " {extra}");
        }
    }
}

/// A constant as a Lua literal; long strings are cut.
fn constant(function: &Function, index: usize) -> String {
    const SHOWN: usize = 40;
    match function.constants.get(index) {
        None => format!("k{index}?"),
        Some(Constant::Nil) => "nil".to_string(),
        Some(Constant::Bool(value)) => value.to_string(),
        Some(Constant::Int(value)) => value.to_string(),
        Some(Constant::Float(value)) => format!("{value:?}"),
        Some(Constant::Str(bytes)) if bytes.len() <= SHOWN => {
            format!("\"{}\"", bytes.escape_ascii())
        }
        Some(Constant::Str(bytes)) => format!("\"{}\"…", bytes[..SHOWN].escape_ascii()),
    }
}
