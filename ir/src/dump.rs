//! Compiled functions to and from bytes: precompiled chunks.
//!
//! ```text
//!   chunk     = header "peri" format(1) length(8) checksum(8) function
//!   header    = "\x1bLua" 0x54 0 "\x19\x93\r\n\x1a\n" 4 8 8 integer(0x5678) float(370.5)
//!   function  = source line_defined last_line num_params is_vararg max_stack feedback_count
//!               code constants upvalues templates lines locals functions
//! ```
//!
//! Numbers are little-endian base 128 varints, words and floats fixed 4 and 8 bytes; a list is its length
//! and its items. Length and checksum are of everything after them. The header is that of the reference
//! implementation's chunks on a 64-bit little-endian machine; they end in `corrupted chunk` here.
//! Invariant: [`undump`] returns verified functions only, so a corrupt or forged chunk is an error and
//! never undefined behaviour. A list in a chunk may take many times its bytes in memory: all of it is
//! charged to a budget first.

use std::sync::Arc;

use crate::budget::{Budget, Meter, POLL_BYTES, Refusal};
use crate::bytecode::{Constant, Function, LocalVar, UpvalueDesc};
use crate::verify::VerifyError;

/// The parts of the header, and what is wrong with a chunk that differs there.
const HEADER: [(&[u8], &str); 6] = [
    (b"\x1bLua", "not a binary chunk"),
    (b"\x54", "version mismatch"),
    (b"\0", "format mismatch"),
    (b"\x19\x93\r\n\x1a\n", CORRUPT),
    (b"\x04\x08\x08", "size mismatch"),
    (b"\x78\x56\0\0\0\0\0\0\0\0\0\0\0\x28\x77\x40", "number format mismatch"),
];
/// Marks this engine's chunks; the last byte is the format's number.
const MARK: &[u8; 5] = b"peri\x01";
const TRUNCATED: &str = "truncated chunk";
const CORRUPT: &str = "corrupted chunk";
/// Functions nested deeper than this are rejected (the compiler makes at most 200 levels).
const MAX_DEPTH: u32 = 220;

/// The chunk of a function; `strip` leaves out lines, names and the source.
pub fn dump(function: &Function, strip: bool) -> Vec<u8> {
    let mut body = Writer { out: Vec::new(), strip };
    body.function(function, None);
    let mut out = Vec::with_capacity(body.out.len() + 52);
    for (part, _) in HEADER {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(MARK);
    out.extend_from_slice(&(body.out.len() as u64).to_le_bytes());
    out.extend_from_slice(&checksum(&body.out).to_le_bytes());
    out.extend_from_slice(&body.out);
    out
}

/// Puts the length and the checksum of a chunk right after its bytes were changed: for tests of what
/// is checked besides. False: it is too short to be one.
pub fn seal(chunk: &mut [u8]) -> bool {
    let start = HEADER.iter().map(|(part, _)| part.len()).sum::<usize>() + MARK.len();
    let Some((_, rest)) = chunk.split_at_mut_checked(start) else { return false };
    let Some((length, rest)) = rest.split_at_mut_checked(8) else { return false };
    let Some((sum, body)) = rest.split_at_mut_checked(8) else { return false };
    length.copy_from_slice(&(body.len() as u64).to_le_bytes());
    sum.copy_from_slice(&checksum(body).to_le_bytes());
    true
}

/// Why there is no function for a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndumpError {
    /// What is wrong with it.
    Invalid(&'static str),
    /// The budget refused what it takes.
    Refused(Refusal),
}

impl From<&'static str> for UndumpError {
    fn from(problem: &'static str) -> UndumpError {
        UndumpError::Invalid(problem)
    }
}

impl From<Refusal> for UndumpError {
    fn from(refusal: Refusal) -> UndumpError {
        UndumpError::Refused(refusal)
    }
}

/// Reads a chunk made by [`dump`].
///
/// # Errors
/// What is wrong with it, or a refusal of the budget.
pub fn undump(chunk: &[u8], budget: &mut dyn Budget) -> Result<Arc<Function>, UndumpError> {
    let mut meter = Meter::new(budget);
    let mut r = Reader { rest: chunk, meter: &mut meter };
    for (part, problem) in HEADER {
        if r.take(part.len())? != part {
            return Err(problem.into());
        }
    }
    if r.take(MARK.len())? != MARK {
        return Err(CORRUPT.into());
    }
    let (length, sum) = (r.word()?, r.word()?);
    if (r.rest.len() as u64) < length {
        return Err(TRUNCATED.into());
    }
    if r.rest.len() as u64 > length || checked_sum(r.rest, r.meter)? != sum {
        return Err(CORRUPT.into());
    }
    // What a stripped chunk shows as its source.
    let unknown: Arc<[u8]> = Arc::from(&b"=?"[..]);
    let function = r.function(&unknown, 0)?;
    if !r.rest.is_empty() {
        return Err(CORRUPT.into());
    }
    match crate::verify::verify(&function, &mut meter) {
        Ok(()) => Ok(Arc::new(function)),
        Err(VerifyError::Broken { .. }) => Err("invalid bytecode".into()),
        Err(VerifyError::Refused(refusal)) => Err(refusal.into()),
    }
}

/// FNV-1a over words, of which `part` is a whole number, unless it is the last one.
fn hash_words(mut h: u64, part: &[u8]) -> u64 {
    for part in part.chunks(8) {
        let mut word = [0; 8];
        word[..part.len()].copy_from_slice(part);
        h = (h ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3);
        h ^= h >> 29;
    }
    h
}

fn hash_start(bytes: &[u8]) -> u64 {
    0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64
}

fn checksum(bytes: &[u8]) -> u64 {
    hash_words(hash_start(bytes), bytes)
}

/// [`checksum`] that polls.
fn checked_sum(bytes: &[u8], meter: &mut Meter) -> Result<u64, Refusal> {
    let mut h = hash_start(bytes);
    for part in bytes.chunks(POLL_BYTES) {
        h = hash_words(h, part);
        meter.scan(part.len())?;
    }
    Ok(h)
}

struct Writer {
    out: Vec<u8>,
    strip: bool,
}

impl Writer {
    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.out.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.out.push(n as u8);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// A function. A source equal to the enclosing function's is left out.
    fn function(&mut self, f: &Function, outer: Option<&[u8]>) {
        let same = outer == Some(&f.source[..]);
        if self.strip || same {
            self.number(0);
        } else {
            self.number(f.source.len() as u64 + 1);
            self.out.extend_from_slice(&f.source);
        }
        self.number(f.line_defined.into());
        self.number(f.last_line_defined.into());
        self.out.push(f.num_params);
        self.out.push(u8::from(f.is_vararg));
        self.out.push(f.max_stack);
        self.number(f.feedback_count.into());
        self.number(f.code.len() as u64);
        for word in &f.code {
            self.out.extend_from_slice(&word.to_le_bytes());
        }
        self.number(f.constants.len() as u64);
        for constant in &f.constants {
            self.constant(constant);
        }
        self.number(f.upvalues.len() as u64);
        for up in &f.upvalues {
            self.bytes(if self.strip { &[] } else { &up.name });
            self.out.push(u8::from(up.in_stack) | u8::from(up.constant) << 1);
            self.out.push(up.index);
        }
        self.number(f.templates.len() as u64);
        for template in &f.templates {
            self.number(template.len() as u64);
            for key in template {
                self.number((*key).into());
            }
        }
        let (lines, locals) =
            if self.strip { (&[][..], &[][..]) } else { (&f.lines[..], &f.locals[..]) };
        self.number(lines.len() as u64);
        let mut last = i64::from(f.line_defined);
        for line in lines {
            // Zigzag difference.
            let d = i64::from(*line) - last;
            self.number((d << 1 ^ d >> 63) as u64);
            last = i64::from(*line);
        }
        self.number(locals.len() as u64);
        for local in locals {
            self.bytes(&local.name);
            self.number(local.start_pc.into());
            self.number(local.end_pc.into());
            self.out.push(local.register);
        }
        self.number(f.functions.len() as u64);
        for nested in &f.functions {
            self.function(nested, Some(&f.source));
        }
    }

    fn constant(&mut self, constant: &Constant) {
        match constant {
            Constant::Nil => self.out.push(0),
            Constant::Bool(b) => self.out.push(1 + u8::from(*b)),
            Constant::Int(i) => {
                self.out.push(3);
                self.out.extend_from_slice(&i.to_le_bytes());
            }
            Constant::Float(x) => {
                self.out.push(4);
                self.out.extend_from_slice(&x.to_le_bytes());
            }
            Constant::Str(s) => {
                self.out.push(5);
                self.bytes(s);
            }
        }
    }
}

type Read<T> = Result<T, UndumpError>;

struct Reader<'a, 'm, 'b> {
    rest: &'a [u8],
    meter: &'m mut Meter<'b>,
}

impl<'a> Reader<'a, '_, '_> {
    fn take(&mut self, n: usize) -> Read<&'a [u8]> {
        if n > self.rest.len() {
            return Err(TRUNCATED.into());
        }
        let (taken, rest) = self.rest.split_at(n);
        self.rest = rest;
        Ok(taken)
    }

    fn word(&mut self) -> Read<u64> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn byte(&mut self) -> Read<u8> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Read<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let b = self.byte()?;
            n |= u64::from(b & 0x7F) << shift;
            if b & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err("integer overflow".into())
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Read<T> {
        T::try_from(self.number()?).map_err(|_| "integer overflow".into())
    }

    /// The length of a list whose items take at least `least` bytes each.
    fn length(&mut self, least: usize) -> Read<usize> {
        let n = self.small::<usize>()?;
        if n > self.rest.len() / least { Err(TRUNCATED.into()) } else { Ok(n) }
    }

    fn bytes(&mut self) -> Read<&'a [u8]> {
        let n = self.length(1)?;
        self.take(n)
    }

    fn text(&mut self) -> Read<Arc<[u8]>> {
        let bytes = self.bytes()?;
        self.meter.scan(bytes.len())?;
        Ok(self.meter.shared(bytes)?)
    }

    fn list<T>(
        &mut self,
        least: usize,
        mut item: impl FnMut(&mut Self) -> Read<T>,
    ) -> Read<Box<[T]>> {
        let n = self.length(least)?;
        let mut list = Vec::new();
        self.meter.reserve(&mut list, n)?;
        for _ in 0..n {
            self.meter.step()?;
            list.push(item(self)?);
        }
        Ok(self.meter.boxed(list)?)
    }

    fn function(&mut self, outer: &Arc<[u8]>, depth: u32) -> Read<Function> {
        if depth > MAX_DEPTH {
            return Err("functions nested too deeply".into());
        }
        let source: Arc<[u8]> = match self.length(1)? {
            0 => Arc::clone(outer),
            n => {
                let source = self.take(n - 1)?;
                self.meter.shared(source)?
            }
        };
        let line_defined: u32 = self.small()?;
        let last_line_defined = self.small()?;
        let num_params = self.byte()?;
        let is_vararg = self.byte()? != 0;
        let max_stack = self.byte()?;
        let feedback_count = self.small()?;
        let code = self.list(4, |r| {
            let mut word = [0; 4];
            word.copy_from_slice(r.take(4)?);
            Ok(u32::from_le_bytes(word))
        })?;
        let constants = self.list(1, Self::constant)?;
        let upvalues = self.list(3, |r| {
            let name = r.text()?;
            let flags = r.byte()?;
            let index = r.byte()?;
            Ok(UpvalueDesc { name, in_stack: flags & 1 != 0, index, constant: flags & 2 != 0 })
        })?;
        let templates = self.list(1, |r| r.list(1, |r| r.small()))?;
        let mut last = i64::from(line_defined);
        let lines = self.list(1, |r| {
            let z = r.number()?;
            last = last.wrapping_add((z >> 1) as i64 ^ -((z & 1) as i64));
            u32::try_from(last).map_err(|_| "integer overflow".into())
        })?;
        if !lines.is_empty() && lines.len() != code.len() {
            return Err("bad line information".into());
        }
        let locals = self.list(4, |r| {
            let name = r.text()?;
            let (start_pc, end_pc) = (r.small()?, r.small()?);
            Ok(LocalVar { name, start_pc, end_pc, register: r.byte()? })
        })?;
        let functions = self.list(10, |r| {
            r.meter.charge(size_of::<Function>() + 16)?;
            Ok(Arc::new(r.function(&source, depth + 1)?))
        })?;
        if locals.iter().any(|v| v.register >= max_stack) {
            return Err("bad local variable".into());
        }
        Ok(Function {
            code,
            constants,
            functions,
            upvalues,
            templates,
            lines,
            locals,
            source,
            line_defined,
            last_line_defined,
            num_params,
            is_vararg,
            max_stack,
            feedback_count,
        })
    }

    fn constant(&mut self) -> Read<Constant> {
        Ok(match self.byte()? {
            0 => Constant::Nil,
            1 => Constant::Bool(false),
            2 => Constant::Bool(true),
            3 => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(self.take(8)?);
                Constant::Int(i64::from_le_bytes(bytes))
            }
            4 => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(self.take(8)?);
                let x = f64::from_le_bytes(bytes);
                if x.is_nan() {
                    return Err("bad constant".into());
                }
                Constant::Float(x)
            }
            5 => Constant::Str(self.text()?),
            _ => return Err("bad constant".into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Unlimited;

    fn problem(chunk: &[u8]) -> &'static str {
        match undump(chunk, &mut Unlimited) {
            Err(UndumpError::Invalid(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rejects_what_is_not_a_chunk() {
        assert_eq!(problem(b""), TRUNCATED);
        assert_eq!(problem(b"\x1bLux"), "not a binary chunk");
        let mut header: Vec<u8> = HEADER.iter().flat_map(|(part, _)| part.to_vec()).collect();
        assert_eq!(header.len(), 31);
        for n in 0..header.len() {
            assert_eq!(problem(&header[..n]), TRUNCATED);
        }
        header.extend_from_slice(b"luac chunks go on otherwise");
        assert_eq!(problem(&header), CORRUPT);
    }
}
