//! Concatenation.

use perilune_ir::bytecode::Word;

use super::sync;
use crate::error::Operand;
use crate::heap::{OutOfMemory, out_of_memory, relieve};
use crate::meta::Metamethod;
use crate::metamethod::print_number;
use crate::object::LuaString;
use crate::value::Value;
use crate::vm::{Throw, Vm};

/// Results up to this length are put together on the native stack.
const SMALL: usize = 256;

/// Whether a value takes part in concatenation without metamethods.
#[inline]
fn is_plain(v: Value) -> bool {
    v.is_string() || v.is_number()
}

/// Concatenates strings and numbers, two or more.
fn concat_plain(vm: &mut Vm, values: &[Value]) -> Result<Value, Throw> {
    // Short results: gather the bytes.
    let mut buffer = [0u8; SMALL];
    let mut at = 0usize;
    let mut small = true;
    for &v in values {
        if let Some(s) = v.as_string() {
            // SAFETY: operands are live.
            let bytes = match unsafe { (*s).flat_bytes() } {
                Some(bytes) if at + bytes.len() <= SMALL => bytes,
                _ => {
                    small = false;
                    break;
                }
            };
            buffer[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        } else {
            let text = print_number(v);
            let bytes = text.as_bytes();
            if at + bytes.len() > SMALL {
                small = false;
                break;
            }
            buffer[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        }
    }
    if small && at <= LuaString::MAX_SHORT {
        return Ok(vm.string(&buffer[..at]));
    }
    let mut total = 0usize;
    let mut two: [*mut LuaString; 2] = [std::ptr::null_mut(); 2];
    let mut many = Vec::new();
    for (i, &v) in values.iter().enumerate() {
        let s = match v.as_string() {
            Some(s) => s,
            None => vm.number_to_string(v)?,
        };
        // SAFETY: live strings; none is freed before the next safepoint.
        total = match total.checked_add(unsafe { (*s).len }) {
            Some(total) if total <= isize::MAX as usize / 2 => total,
            _ => return Err(vm.runtime_error(b"string length overflow")),
        };
        if values.len() == 2 {
            two[i] = s;
        } else {
            many.push(s);
        }
    }
    let made =
        if values.len() == 2 { vm.heap.concat(two[0], two[1]) } else { vm.heap.concat_many(&many) };
    match made {
        Ok(s) => Ok(Value::string(s)),
        Err(OutOfMemory) => Err(out_of_memory(vm)),
    }
}

/// `values[0] .. values[1] .. …`, right associative, with metamethods. The slots are overwritten.
///
/// # Errors
/// As the operation.
pub fn concat_values(vm: &mut Vm, values: &mut [Value]) -> Result<Value, Throw> {
    concat_with(vm, values, |_| Operand::None)
}

fn concat_with(
    vm: &mut Vm,
    values: &mut [Value],
    operand: impl Fn(usize) -> Operand,
) -> Result<Value, Throw> {
    let mut n = values.len();
    while n > 1 {
        let (a, b) = (values[n - 2], values[n - 1]);
        if is_plain(a) && is_plain(b) {
            let mut first = n - 2;
            while first > 0 && is_plain(values[first - 1]) {
                first -= 1;
            }
            values[first] = concat_plain(vm, &values[first..n])?;
            n = first + 1;
            continue;
        }
        let mut handler = vm.metamethod(a, Metamethod::Concat);
        if handler.is_nil() {
            handler = vm.metamethod(b, Metamethod::Concat);
        }
        if handler.is_nil() {
            let rb = if n == values.len() { operand(n - 1) } else { Operand::None };
            return Err(vm.concat_error(a, b, operand(n - 2), rb));
        }
        values[n - 2] = vm.call1(handler, &[a, b])?;
        n -= 1;
    }
    Ok(values[0])
}

/// Performs the `CONCAT` at `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
#[inline(never)]
pub unsafe fn concat(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<(), Throw> {
    // SAFETY: verified code: the window is within the frame. The operands stay in their registers
    // while metamethods run, so they are reachable.
    unsafe {
        sync(vm, base, ip);
        let word = Word(*ip);
        let first = base.add(word.a() as usize);
        let values = std::slice::from_raw_parts_mut(first, word.b() as usize);
        let result = if values.iter().all(|v| is_plain(*v)) {
            match concat_plain(vm, values) {
                Ok(result) => result,
                Err(Throw) => {
                    // Once more without the garbage. The operands are in their registers.
                    relieve(vm);
                    concat_plain(vm, values)?
                }
            }
        } else {
            let a = word.a();
            concat_with(vm, values, |i| Operand::Register(a + i as u8))?
        };
        *first = result;
        Ok(())
    }
}
