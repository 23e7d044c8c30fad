//! Precompiled chunks: `string.dump`, and loading what it made.

use perilune_ir::bytecode::Function;

use crate::object::LuaClosure;
use crate::value::Value;
use crate::vm::Vm;

/// The chunk of a Lua function.
pub fn dump(closure: *mut LuaClosure, strip: bool) -> Vec<u8> {
    // SAFETY: the caller's closure is an argument.
    let function: &Function = unsafe { &(*(*closure).proto).function };
    perilune_ir::dump::dump(function, strip)
}

/// Loads a precompiled chunk.
///
/// # Errors
/// The message, as a value: the chunk is not valid.
pub fn undump(vm: &mut Vm, chunk: &[u8], name: &[u8], env: Value) -> Result<Value, Value> {
    match perilune_ir::dump::undump(chunk) {
        Ok(function) => Ok(Value::closure(vm.new_main_closure(&function, env))),
        Err(reason) => {
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
