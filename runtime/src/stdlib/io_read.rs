//! Read formats (manual, `file:read`): lines, bytes, numerals, everything.

use std::io;

use super::Outcome;
use super::io::failed;
use super::stream::{Shared, Stream};
use crate::heap::ByteBuffer;
use crate::text::number::{Number, str2number};
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// Reads by the given formats and returns the values; `first` is the number of the first format as an
/// argument.
pub(super) fn read(
    vm: &mut Vm,
    a: Args,
    stream: &Shared,
    formats: &[Value],
    first: usize,
) -> Outcome {
    let (values, error) = read_values(vm, a, stream, formats, first)?;
    match error {
        Some(e) => failed(vm, a, None, &e),
        None => match values[..] {
            [v] => a.ret1(v),
            _ => a.ret_slice(vm, &values),
        },
    }
}

/// The values read, the last of which is nil where reading failed, and the error, if it was one.
pub(super) fn read_values(
    vm: &mut Vm,
    a: Args,
    stream: &Shared,
    formats: &[Value],
    first: usize,
) -> Result<(Vec<Value>, Option<io::Error>), Throw> {
    let mut values = Vec::with_capacity(formats.len().max(1));
    let mut stream = stream.borrow_mut();
    if formats.is_empty() {
        return Ok(match line(vm, &mut stream, false)? {
            Ok(v) => (vec![v], None),
            Err(e) => (values, Some(e)),
        });
    }
    for (i, format) in formats.iter().enumerate() {
        let value = if format.is_number() {
            match vm.to_integer(*format) {
                Some(n) => bytes(vm, &mut stream, n)?,
                None => {
                    return Err(a.error(vm, first + i, "number has no integer representation"));
                }
            }
        } else {
            let Some(s) = format.as_string() else {
                return Err(a.type_error(vm, first + i, "string"));
            };
            let text = super::bytes_of(vm, s)?;
            match text.strip_prefix(b"*").unwrap_or(text).first() {
                Some(b'n') => number(vm, &mut stream),
                Some(b'l') => line(vm, &mut stream, false)?,
                Some(b'L') => line(vm, &mut stream, true)?,
                Some(b'a') => all(vm, &mut stream)?,
                _ => return Err(a.error(vm, first + i, "invalid format")),
            }
        };
        match value {
            Ok(v) => {
                values.push(v);
                if v.is_nil() {
                    break;
                }
            }
            Err(e) => return Ok((values, Some(e))),
        }
    }
    Ok((values, None))
}

/// A value that was read, or why not.
type Read = Result<io::Result<Value>, Throw>;

fn line(vm: &mut Vm, stream: &mut Stream, keep: bool) -> Read {
    // Most lines lie in the buffer as a whole.
    let available = match stream.available() {
        Ok(available) => available,
        Err(e) => return Ok(Err(e)),
    };
    if let Some(end) = memchr::memchr(b'\n', available) {
        let v = vm.try_string(&available[..if keep { end + 1 } else { end }])?;
        stream.consume(end + 1);
        return Ok(Ok(v));
    }
    let mut out = super::take_buffer(vm);
    let found = stream.read_line(keep, |bytes| out.extend(vm, bytes))?;
    finish(vm, out, found)
}

fn finish(vm: &mut Vm, out: ByteBuffer, found: io::Result<bool>) -> Read {
    match found {
        Ok(true) => super::finish_buffer(vm, out).map(Ok),
        Ok(false) => {
            super::return_buffer(vm, out);
            Ok(Ok(Value::NIL))
        }
        Err(e) => {
            super::return_buffer(vm, out);
            Ok(Err(e))
        }
    }
}

fn all(vm: &mut Vm, stream: &mut Stream) -> Read {
    let mut out = super::take_buffer(vm);
    let read = stream.read_bytes(usize::MAX, |bytes| out.extend(vm, bytes))?;
    finish(vm, out, read.map(|()| true))
}

fn bytes(vm: &mut Vm, stream: &mut Stream, n: i64) -> Read {
    if n <= 0 {
        // Tests for the end of the file.
        let more = stream.available().map(|bytes| !bytes.is_empty());
        return Ok(more.map(|more| if more { vm.string(b"") } else { Value::NIL }));
    }
    let mut out = super::take_buffer(vm);
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let read = stream.read_bytes(n, |bytes| out.extend(vm, bytes))?;
    let found = read.map(|()| !out.is_empty());
    finish(vm, out, found)
}

/// Longest numeral that is read.
const MAX_NUMERAL: usize = 200;

/// Reads the longest prefix of the input that may be a numeral.
struct Numeral<'a> {
    stream: &'a mut Stream,
    text: Vec<u8>,
    failed: bool,
}

impl Numeral<'_> {
    /// Takes the next byte if it is one of `wanted`.
    fn accept(&mut self, wanted: &[u8]) -> io::Result<bool> {
        match self.stream.peek()? {
            Some(c) if wanted.contains(&c) => self.take(c),
            _ => Ok(false),
        }
    }

    fn take(&mut self, c: u8) -> io::Result<bool> {
        if self.text.len() >= MAX_NUMERAL {
            self.failed = true;
            return Ok(false);
        }
        self.text.push(c);
        self.stream.consume(1);
        Ok(true)
    }

    /// Takes digits; answers how many.
    fn digits(&mut self, hex: bool) -> io::Result<usize> {
        let mut n = 0;
        while let Some(c) = self.stream.peek()?
            && (if hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() })
            && self.take(c)?
        {
            n += 1;
        }
        Ok(n)
    }
}

fn number(vm: &mut Vm, stream: &mut Stream) -> io::Result<Value> {
    while let Some(c) = stream.peek()?
        && crate::text::number::is_space(c)
    {
        stream.consume(1);
    }
    let mut n = Numeral { stream, text: Vec::new(), failed: false };
    n.accept(b"+-")?;
    let mut count = 0;
    let mut hex = false;
    if n.accept(b"0")? {
        if n.accept(b"xX")? {
            hex = true;
        } else {
            count = 1;
        }
    }
    count += n.digits(hex)?;
    if n.accept(b".")? {
        count += n.digits(hex)?;
    }
    if count > 0 && n.accept(if hex { b"pP" } else { b"eE" })? {
        n.accept(b"+-")?;
        n.digits(false)?;
    }
    if n.failed {
        return Ok(Value::NIL);
    }
    Ok(match str2number(&n.text) {
        Some(Number::Int(i)) => vm.int(i),
        Some(Number::Float(x)) => Value::float(x),
        None => Value::NIL,
    })
}
