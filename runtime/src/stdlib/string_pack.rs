//! `string.pack`, `packsize` and `unpack` (manual §6.4.2).

use super::{Outcome, finish_buffer, take_buffer};
use crate::text::pack::{Kind, PackError, Reader, fits_signed, fits_unsigned, push_int, read_int};
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// What padding is filled with.
const FILL: u8 = 0;
/// The largest size that `packsize` answers.
const MAX_SIZE: usize = i32::MAX as usize;

#[cold]
fn format_error(vm: &mut Vm, e: PackError) -> Throw {
    let message = e.message();
    if e.is_argument() { vm.argument_error(1, &message) } else { vm.error_bytes(&message) }
}

/// The error of a missing argument, for items that take one: the reference finds a nil there.
#[cold]
fn missing(vm: &mut Vm, n: usize, kind: Kind) -> Result<(), Throw> {
    let expected = match kind {
        Kind::Int | Kind::Uint | Kind::Float | Kind::Double => "number",
        Kind::Chars | Kind::String | Kind::Zstr => "string",
        Kind::Padding | Kind::Align | Kind::Nop => return Ok(()),
    };
    Err(vm.argument_error(n, format!("{expected} expected, got nil").as_bytes()))
}

pub(super) fn pack(vm: &mut Vm, a: Args) -> Outcome {
    let format = a.check_bytes(vm, 1)?;
    let mut reader = Reader::new(format);
    let mut out = take_buffer(vm);
    let mut n = 1;
    loop {
        let item = match reader.next(out.len()) {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(e) => return Err(format_error(vm, e)),
        };
        if a.is_none(n + 1) {
            missing(vm, n + 1, item.kind)?;
        }
        out.fill(vm, item.padding, FILL)?;
        match item.kind {
            Kind::Int | Kind::Uint => {
                n += 1;
                let i = a.check_int(vm, n)?;
                if item.kind == Kind::Int && !fits_signed(i, item.size) {
                    return Err(a.error(vm, n, "integer overflow"));
                }
                if item.kind == Kind::Uint && !fits_unsigned(i as u64, item.size) {
                    return Err(a.error(vm, n, "unsigned overflow"));
                }
                let room = out.room(vm, item.size)?;
                push_int(room, i, item.size, item.little, item.kind == Kind::Int);
            }
            Kind::Float => {
                n += 1;
                let x = a.check_float(vm, n)? as f32;
                let bytes = if item.little { x.to_le_bytes() } else { x.to_be_bytes() };
                out.extend(vm, &bytes)?;
            }
            Kind::Double => {
                n += 1;
                let x = a.check_float(vm, n)?;
                let bytes = if item.little { x.to_le_bytes() } else { x.to_be_bytes() };
                out.extend(vm, &bytes)?;
            }
            Kind::Chars => {
                n += 1;
                let s = a.check_bytes(vm, n)?;
                if s.len() > item.size {
                    return Err(a.error(vm, n, "string longer than given size"));
                }
                out.room(vm, item.size)?.extend_from_slice(s);
                out.fill(vm, item.size - s.len(), FILL)?;
            }
            Kind::String => {
                n += 1;
                let s = a.check_bytes(vm, n)?;
                if !fits_unsigned(s.len() as u64, item.size) {
                    return Err(a.error(vm, n, "string length does not fit in given size"));
                }
                let room = out.room(vm, item.size)?;
                push_int(room, s.len() as i64, item.size, item.little, false);
                out.extend(vm, s)?;
            }
            Kind::Zstr => {
                n += 1;
                let s = a.check_bytes(vm, n)?;
                if s.contains(&0) {
                    return Err(a.error(vm, n, "string contains zeros"));
                }
                out.extend(vm, s)?;
                out.push(vm, 0)?;
            }
            Kind::Padding => out.push(vm, FILL)?,
            Kind::Align | Kind::Nop => {}
        }
    }
    let s = finish_buffer(vm, out)?;
    a.ret1(s)
}

pub(super) fn packsize(vm: &mut Vm, a: Args) -> Outcome {
    let format = a.check_bytes(vm, 1)?;
    let mut reader = Reader::new(format);
    let mut total = 0usize;
    loop {
        let item = match reader.next(total) {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(e) => return Err(format_error(vm, e)),
        };
        if matches!(item.kind, Kind::String | Kind::Zstr) {
            return Err(a.error(vm, 1, "variable-length format"));
        }
        let size = item.size + item.padding;
        if total > MAX_SIZE - size.min(MAX_SIZE) {
            return Err(a.error(vm, 1, "format result too large"));
        }
        total += size;
    }
    a.ret1(Value::small_int(total as i64))
}

pub(super) fn unpack(vm: &mut Vm, a: Args) -> Outcome {
    let format = a.check_bytes(vm, 1)?;
    let data = a.check_bytes(vm, 2)?;
    let init = a.opt_int(vm, 3, 1)?;
    let mut at = super::string::start_position(init, data.len()) - 1;
    if at > data.len() {
        return Err(a.error(vm, 3, "initial position out of string"));
    }
    let mut reader = Reader::new(format);
    // Results are gathered above the arguments.
    let first = vm.top;
    loop {
        let item = match reader.next(at) {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(e) => return Err(format_error(vm, e)),
        };
        if vm.ensure_stack(vm.top, 2).is_err() {
            return Err(vm.error("stack overflow (too many results)"));
        }
        if item.padding + item.size > data.len() - at {
            return Err(a.error(vm, 2, "data string too short"));
        }
        at += item.padding;
        let field = &data[at..at + item.size];
        at += item.size;
        match item.kind {
            Kind::Int | Kind::Uint => {
                let i = integer(vm, field, item.little, item.kind == Kind::Int)?;
                let v = vm.int(i);
                vm.push(v);
            }
            Kind::Float => {
                let mut bytes = [0; 4];
                bytes.copy_from_slice(field);
                let x =
                    if item.little { f32::from_le_bytes(bytes) } else { f32::from_be_bytes(bytes) };
                vm.push(Value::float(f64::from(x)));
            }
            Kind::Double => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(field);
                let x =
                    if item.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) };
                vm.push(Value::float(x));
            }
            Kind::Chars => {
                let s = vm.try_string(field)?;
                vm.push(s);
            }
            Kind::String => {
                let len = integer(vm, field, item.little, false)? as u64;
                if len > (data.len() - at) as u64 {
                    return Err(a.error(vm, 2, "data string too short"));
                }
                let s = vm.try_string(&data[at..at + len as usize])?;
                at += len as usize;
                vm.push(s);
            }
            Kind::Zstr => {
                let Some(len) = memchr::memchr(0, &data[at..]) else {
                    return Err(a.error(vm, 2, "unfinished string for format 'z'"));
                };
                let s = vm.try_string(&data[at..at + len])?;
                at += len + 1;
                vm.push(s);
            }
            Kind::Padding | Kind::Align | Kind::Nop => {}
        }
    }
    let next = vm.int(at as i64 + 1);
    if vm.ensure_stack(vm.top, 1).is_err() {
        return Err(vm.error("stack overflow (too many results)"));
    }
    vm.push(next);
    vm.settled()?;
    // SAFETY: the pushed values, above the arguments.
    unsafe { a.ret_stack(vm, first, vm.top.offset_from_unsigned(first)) }
}

fn integer(vm: &mut Vm, bytes: &[u8], little: bool, signed: bool) -> Result<i64, Throw> {
    match read_int(bytes, little, signed) {
        Some(i) => Ok(i),
        None => {
            let message = format!("{}-byte integer does not fit into Lua Integer", bytes.len());
            Err(vm.error(&message))
        }
    }
}
