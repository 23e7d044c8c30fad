//! Names of functions, as their definitions show them: for listings.

use perilune_ir::bytecode::{Constant, Function, Op, Word};

/// The name that the function with this index in `outer` is given: by the local variable, global or field
/// that it is stored in first.
pub(crate) fn name_of(outer: &Function, index: usize) -> Option<String> {
    let mut pc = 0;
    while pc < outer.code.len() {
        let op = Op::decode(outer.code[pc])?;
        let word = Word(outer.code[pc]);
        let next = pc + op.words();
        if op == Op::Closure && usize::from(word.d()) == index {
            return stored_in(outer, next, word.a());
        }
        pc = next;
    }
    None
}

/// What the instruction at `pc` stores the register in.
fn stored_in(outer: &Function, pc: usize, register: u8) -> Option<String> {
    let local = outer.locals.iter().find(|l| l.register == register && l.start_pc as usize == pc);
    if let Some(local) = local {
        return Some(String::from_utf8_lossy(&local.name).into_owned());
    }
    let code = *outer.code.get(pc)?;
    let (op, word) = (Op::decode(code)?, Word(code));
    if !matches!(op, Op::SetTabUp | Op::SetField) || word.b() != register {
        return None;
    }
    let key = *outer.code.get(pc + 1)? as u16;
    match outer.constants.get(usize::from(key))? {
        Constant::Str(name) => Some(String::from_utf8_lossy(name).into_owned()),
        _ => None,
    }
}

/// `name chunk:line` of a function, as compiled code is named too; without the name where it is unknown.
pub(crate) fn full_name(function: &Function, name: Option<&str>) -> String {
    let source = perilune_frontend::chunk_id(&function.source);
    match name {
        Some(name) => format!("{name} {source}:{}", function.line_defined),
        None => format!("{source}:{}", function.line_defined),
    }
}
