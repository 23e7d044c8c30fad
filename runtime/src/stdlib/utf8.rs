//! The UTF-8 library (manual §6.5).

use super::{Outcome, bytes_of};
use crate::object::Table;
use crate::text::utf8::{MAX_VALUE, decode, encode, is_continuation};
use crate::value::Value;
use crate::vm::{Args, Vm};

/// Makes the library's table.
pub fn open(vm: &mut Vm) -> *mut Table {
    let library = super::new_table(vm);
    vm.register(
        library,
        &[
            ("char", char, 0),
            ("codepoint", codepoint, 0),
            ("codes", codes, 0),
            ("len", len, 0),
            ("offset", offset, 0),
        ],
    );
    let pattern = vm.string(b"[\0-\x7F\xC2-\xFD][\x80-\xBF]*");
    vm.set_field_raw(library, "charpattern", pattern);
    library
}

/// A position as the library reads it: negative counts from the end, 0 where that is before the start.
fn position(pos: i64, len: usize) -> i64 {
    if pos >= 0 {
        pos
    } else if pos < -(len as i64) {
        0
    } else {
        len as i64 + pos + 1
    }
}

fn char(vm: &mut Vm, a: Args) -> Outcome {
    let mut out = super::take_buffer(vm);
    for i in 1..=a.count() {
        let code = a.check_int(vm, i)?;
        match u32::try_from(code) {
            Ok(code) if code <= MAX_VALUE => out.extend(vm, encode(code).as_bytes())?,
            _ => return Err(a.error(vm, i, "value out of range")),
        }
    }
    let s = super::finish_buffer(vm, out)?;
    a.ret1(s)
}

fn codepoint(vm: &mut Vm, a: Args) -> Outcome {
    let s = a.check_bytes(vm, 1)?;
    let from = position(a.opt_int(vm, 2, 1)?, s.len());
    let to = position(a.opt_int(vm, 3, from)?, s.len());
    let strict = a.get(4).is_falsy();
    if from < 1 {
        return Err(a.error(vm, 2, "out of bounds"));
    }
    if to > s.len() as i64 {
        return Err(a.error(vm, 3, "out of bounds"));
    }
    if from > to {
        return a.ret0();
    }
    let (mut at, end) = (from as usize - 1, to as usize);
    // Results are gathered above the arguments.
    let first = vm.top;
    if vm.ensure_stack(first, end - at).is_err() {
        return Err(vm.error("stack overflow (string slice too long)"));
    }
    while at < end {
        let Some((code, n)) = decode(&s[at..], strict) else {
            return Err(vm.error("invalid UTF-8 code"));
        };
        vm.push(Value::small_int(i64::from(code)));
        at += n;
    }
    // SAFETY: the pushed values, above the arguments.
    unsafe { a.ret_stack(vm, first, vm.top.offset_from_unsigned(first)) }
}

fn len(vm: &mut Vm, a: Args) -> Outcome {
    let s = a.check_bytes(vm, 1)?;
    let from = position(a.opt_int(vm, 2, 1)?, s.len());
    let to = position(a.opt_int(vm, 3, -1)?, s.len());
    let strict = a.get(4).is_falsy();
    if from < 1 || from > s.len() as i64 + 1 {
        return Err(a.error(vm, 2, "initial position out of bounds"));
    }
    if to > s.len() as i64 {
        return Err(a.error(vm, 3, "final position out of bounds"));
    }
    let (mut at, end) = (from as usize - 1, to.max(0) as usize);
    let mut count = 0;
    while at < end {
        let Some((_, n)) = decode(&s[at..], strict) else {
            return a.ret2(Value::NIL, Value::small_int(at as i64 + 1));
        };
        at += n;
        count += 1;
        if count & 0xFFFF == 0 {
            super::poll(vm)?;
        }
    }
    a.ret1(Value::small_int(count))
}

fn offset(vm: &mut Vm, a: Args) -> Outcome {
    let s = a.check_bytes(vm, 1)?;
    let mut n = a.check_int(vm, 2)?;
    let default = if n >= 0 { 1 } else { s.len() as i64 + 1 };
    let at = position(a.opt_int(vm, 3, default)?, s.len()) - 1;
    if at < 0 || at > s.len() as i64 {
        return Err(a.error(vm, 3, "position out of bounds"));
    }
    let mut at = at as usize;
    let continues = |at: usize| s.get(at).is_some_and(|&c| is_continuation(c));
    if n == 0 {
        while at > 0 && continues(at) {
            at -= 1;
        }
        return a.ret1(Value::small_int(at as i64 + 1));
    }
    if continues(at) {
        return Err(vm.error("initial position is a continuation byte"));
    }
    if n < 0 {
        while n < 0 && at > 0 {
            at -= 1;
            while at > 0 && continues(at) {
                at -= 1;
            }
            n += 1;
        }
    } else {
        n -= 1;
        while n > 0 && at < s.len() {
            at += 1;
            while continues(at) {
                at += 1;
            }
            n -= 1;
        }
    }
    a.ret1(if n == 0 { Value::small_int(at as i64 + 1) } else { Value::NIL })
}

fn codes(vm: &mut Vm, a: Args) -> Outcome {
    let s = a.check_bytes(vm, 1)?;
    let lax = a.get(2).is_truthy();
    if s.first().is_some_and(|&c| is_continuation(c)) {
        return Err(a.error(vm, 1, "invalid UTF-8 code"));
    }
    let step = vm.native(if lax { codes_lax } else { codes_strict });
    a.ret3(step, a.get(1), Value::small_int(0))
}

fn codes_strict(vm: &mut Vm, a: Args) -> Outcome {
    codes_step(vm, a, true)
}

fn codes_lax(vm: &mut Vm, a: Args) -> Outcome {
    codes_step(vm, a, false)
}

fn codes_step(vm: &mut Vm, a: Args, strict: bool) -> Outcome {
    let s = a.check_str(vm, 1)?;
    let s = bytes_of(vm, s)?;
    let mut at = usize::try_from(a.check_int(vm, 2)?).unwrap_or(usize::MAX);
    // Past the continuation bytes of the character at the last position (counted from 1).
    while s.get(at).is_some_and(|&c| is_continuation(c)) {
        at += 1;
    }
    if at >= s.len() {
        return a.ret0();
    }
    match decode(&s[at..], strict) {
        Some((code, n)) if !s.get(at + n).is_some_and(|&c| is_continuation(c)) => {
            a.ret2(Value::small_int(at as i64 + 1), Value::small_int(i64::from(code)))
        }
        _ => Err(vm.error("invalid UTF-8 code")),
    }
}
