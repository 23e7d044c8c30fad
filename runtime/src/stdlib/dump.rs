//! Precompiled chunks: `string.dump`, and loading what it made.

use perilune_ir::bytecode::{Constant, Function};

use crate::heap::out_of_memory;
use crate::load::LoadError;
use crate::object::LuaClosure;
use crate::value::Value;
use crate::vm::{Throw, Vm};

/// The chunk of a Lua function, for the host.
pub fn dump(closure: *mut LuaClosure, strip: bool) -> Vec<u8> {
    perilune_ir::dump::dump(function_of(closure), strip)
}

/// The compiled form of a live closure.
fn function_of<'a>(closure: *mut LuaClosure) -> &'a Function {
    // SAFETY: the callers' closure is an argument, or rooted.
    unsafe { &(*(*closure).proto).function }
}

/// The chunk of a Lua function, as a string.
///
/// # Errors
/// `not enough memory`
pub fn dump_string(vm: &mut Vm, closure: *mut LuaClosure, strip: bool) -> Result<Value, Throw> {
    let function = function_of(closure);
    let most = dump_bound(function);
    if vm.heap.admit(most).is_err() {
        return Err(out_of_memory(vm));
    }
    Ok(Value::string(vm.heap.string_from_vec(perilune_ir::dump::dump(function, strip))))
}

/// More bytes than the chunk of a function takes while it is made.
fn dump_bound(f: &Function) -> usize {
    let constant = |c: &Constant| match c {
        Constant::Str(s) => 16 + s.len(),
        Constant::Nil | Constant::Bool(_) | Constant::Int(_) | Constant::Float(_) => 16,
    };
    let own = 256
        + f.source.len()
        + f.code.len() * 4
        + f.lines.len() * 4
        + f.constants.iter().map(constant).sum::<usize>()
        + f.locals.iter().map(|l| 32 + l.name.len()).sum::<usize>()
        + f.upvalues.iter().map(|u| 16 + u.name.len()).sum::<usize>()
        + f.templates.iter().map(|t| 8 + t.len() * 2).sum::<usize>();
    // The vector doubles.
    own * 2 + f.functions.iter().map(|f| dump_bound(f)).sum::<usize>()
}

/// Loads a precompiled chunk.
///
/// # Errors
/// The message, as a value: the chunk is not valid.
pub fn undump(vm: &mut Vm, chunk: &[u8], name: &[u8], env: Value) -> Result<Value, Value> {
    match crate::load::undump(vm, chunk) {
        Ok(function) => vm.new_chunk(&function, env),
        Err(LoadError::Thrown(Throw)) => Err(vm.thrown),
        Err(LoadError::Syntax(error)) => Err(vm.string(&error.message)),
        Err(LoadError::Binary(reason)) => {
            let name = match name {
                [b'@' | b'=', rest @ ..] => rest,
                // The chunk itself serves as its name.
                [0x1b, ..] => b"binary string",
                _ => name,
            };
            let text = [name, b": bad binary format (", reason.as_bytes(), b")"].concat();
            Err(vm.string(&text))
        }
    }
}
