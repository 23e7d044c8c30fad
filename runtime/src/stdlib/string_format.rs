//! `string.format` (manual §6.4).

use super::{Outcome, bytes_of, finish_buffer, take_buffer};
use crate::heap::ByteBuffer;
use crate::text::float_format::push_float;
use crate::text::format::{
    Conversion, FloatStyle, Spec, push_int, push_quoted_float, push_quoted_int, push_quoted_part,
    push_str,
};
use crate::text::number::NumBuf;
use crate::value::{Type, Value};
use crate::vm::{Args, Throw, Vm};

pub(super) fn format(vm: &mut Vm, a: Args) -> Outcome {
    let text = a.check_bytes(vm, 1)?;
    let mut out = take_buffer(vm);
    let mut rest = text;
    let mut n = 1;
    while let Some(at) = memchr::memchr(b'%', rest) {
        super::poll(vm)?;
        out.extend(vm, &rest[..at])?;
        rest = &rest[at + 1..];
        match rest {
            [b'%', tail @ ..] => {
                out.push(vm, b'%')?;
                rest = tail;
            }
            [b'd', tail @ ..] => {
                n += 1;
                present(vm, a, n)?;
                let i = a.check_int(vm, n)?;
                out.extend(vm, NumBuf::int(i).as_bytes())?;
                rest = tail;
            }
            [b's', tail @ ..] => {
                n += 1;
                present(vm, a, n)?;
                let s = vm.to_display(a.get(n))?;
                let bytes = bytes_of(vm, s)?;
                out.extend(vm, bytes)?;
                rest = tail;
            }
            _ => {
                let (spec, used) = match Spec::parse(rest) {
                    Ok(parsed) => parsed,
                    Err(e) => return Err(spec_error(vm, a, n, &e)),
                };
                n += 1;
                present(vm, a, n)?;
                convert(vm, a, n, &spec, &mut out)?;
                rest = &rest[used..];
            }
        }
    }
    out.extend(vm, rest)?;
    let s = finish_buffer(vm, out)?;
    a.ret1(s)
}

/// A missing argument is reported before a bad specification.
#[cold]
fn spec_error(vm: &mut Vm, a: Args, n: usize, e: &crate::text::format::SpecError) -> Throw {
    if a.is_none(n + 1) {
        return a.error(vm, n + 1, "no value");
    }
    // So is an argument of the wrong kind, where the conversion takes a number.
    let checked = match e.conversion() {
        Some(
            Conversion::Decimal | Conversion::Unsigned | Conversion::Octal | Conversion::Hex { .. },
        ) => a.check_int(vm, n + 1).map(|_| ()),
        Some(Conversion::Float(style, _)) if style != FloatStyle::Hex => {
            a.check_float(vm, n + 1).map(|_| ())
        }
        Some(
            Conversion::Float(..)
            | Conversion::Char
            | Conversion::Pointer
            | Conversion::Quoted
            | Conversion::String,
        )
        | None => Ok(()),
    };
    if let Err(throw) = checked {
        return throw;
    }
    vm.error_bytes(&e.message())
}

/// Argument `n` must be given.
#[inline(always)]
fn present(vm: &mut Vm, a: Args, n: usize) -> Result<(), Throw> {
    if a.is_none(n) { Err(a.error(vm, n, "no value")) } else { Ok(()) }
}

/// Bytes of a string that are quoted at a time.
const QUOTED: usize = 1024;
/// More bytes than a converted number has, or what is added to a string.
const LONGEST: usize = 512;

fn convert(vm: &mut Vm, a: Args, n: usize, spec: &Spec, out: &mut ByteBuffer) -> Result<(), Throw> {
    match spec.conversion {
        Conversion::Char => {
            let c = a.check_int(vm, n)? as u8;
            push_str(out.room(vm, LONGEST)?, spec, &[c]);
        }
        Conversion::Decimal | Conversion::Unsigned | Conversion::Octal | Conversion::Hex { .. } => {
            let i = a.check_int(vm, n)?;
            push_int(out.room(vm, LONGEST)?, spec, i);
        }
        Conversion::Float(..) => {
            let x = a.check_float(vm, n)?;
            push_float(out.room(vm, LONGEST)?, spec, x);
        }
        Conversion::Pointer => pointer(a.get(n), spec, out.room(vm, LONGEST)?),
        Conversion::Quoted => quoted(vm, a, n, out)?,
        Conversion::String => {
            let v = a.get(n);
            let s = vm.to_display(v)?;
            let bytes = bytes_of(vm, s)?;
            if spec.is_plain() {
                return out.extend(vm, bytes);
            }
            if bytes.contains(&0) {
                return Err(a.error(vm, n, "string contains zeros"));
            }
            if spec.precision.is_none() && bytes.len() >= 100 {
                out.extend(vm, bytes)?;
            } else {
                let most = bytes.len().min(spec.precision.unwrap_or(usize::MAX));
                push_str(out.room(vm, most + LONGEST)?, spec, bytes);
            }
        }
    }
    Ok(())
}

/// `%p`: the address of what has one.
fn pointer(v: Value, spec: &Spec, out: &mut Vec<u8>) {
    let address = match v.ty() {
        Type::String
        | Type::Table
        | Type::Function
        | Type::Userdata
        | Type::Thread
        | Type::LightUserdata => v.payload(),
        Type::Nil | Type::Boolean | Type::Integer | Type::Float => 0,
    };
    if address == 0 {
        push_str(out, spec, b"(null)");
    } else {
        push_str(out, spec, format!("{address:#x}").as_bytes());
    }
}

fn quoted(vm: &mut Vm, a: Args, n: usize, out: &mut ByteBuffer) -> Result<(), Throw> {
    let v = a.get(n);
    match v.ty() {
        Type::String => {
            let bytes = a.check_bytes(vm, n)?;
            // By parts: most bytes stay as they are, some take four.
            out.push(vm, b'"')?;
            for part in 0..bytes.len().div_ceil(QUOTED) {
                let end = bytes.len().min((part + 1) * QUOTED);
                let room = out.room(vm, 4 * QUOTED)?;
                push_quoted_part(room, &bytes[part * QUOTED..end], bytes.get(end).copied());
            }
            out.push(vm, b'"')?;
        }
        Type::Integer => {
            push_quoted_int(out.room(vm, LONGEST)?, v.as_int().unwrap_or_default());
        }
        Type::Float => {
            push_quoted_float(out.room(vm, LONGEST)?, v.as_float().unwrap_or_default());
        }
        Type::Nil | Type::Boolean => {
            let s = vm.to_display(v)?;
            let bytes = bytes_of(vm, s)?;
            out.extend(vm, bytes)?;
        }
        Type::LightUserdata | Type::Table | Type::Function | Type::Userdata | Type::Thread => {
            return Err(a.error(vm, n, "value has no literal form"));
        }
    }
    Ok(())
}
