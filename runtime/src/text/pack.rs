//! `string.pack` formats (manual §6.4.2): reading the options, and integers to and from bytes.
//!
//! [`Reader`] walks a format and tells, for each option, what to read or write and how much padding
//! comes before; the caller owns the values. Sizes of native types are those of a 64-bit platform.

use std::fmt;

/// The largest integer size a format can ask for.
pub const MAX_INT_SIZE: usize = 16;
/// The natural alignment that `!` without a number asks for.
const MAX_ALIGN: usize = 8;
/// Sizes in a format stop growing here, as `int` does.
const MAX_SIZE: usize = 0x7FFF_FFFF;

/// What one option packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A signed integer of `size` bytes.
    Int,
    /// An unsigned integer of `size` bytes.
    Uint,
    /// A 4-byte float.
    Float,
    /// An 8-byte float (`d` and `n`).
    Double,
    /// A string of exactly `size` bytes (`cn`).
    Chars,
    /// A string after its length, which takes `size` bytes (`sn`).
    String,
    /// A string up to a zero.
    Zstr,
    /// One byte of padding (`x`).
    Padding,
    /// Alignment only (`Xop`).
    Align,
    /// Nothing: a change of settings.
    Nop,
}

/// One option with its layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is packed.
    pub kind: Kind,
    /// Bytes it takes, without padding; 0 for `Zstr`.
    pub size: usize,
    /// Padding before it.
    pub padding: usize,
    /// Byte order in force.
    pub little: bool,
}

/// Why a format is rejected; prints as the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackError {
    /// A size outside of 1 to 16.
    IntSize(i64),
    /// `c` without a size.
    MissingSize,
    /// An unknown option.
    Option(u8),
    /// `X` without an option that has an alignment. An error of argument 1.
    NextOption,
    /// An alignment that is not a power of 2. An error of argument 1.
    NotPowerOfTwo,
}

impl PackError {
    /// Whether the error is reported as one of argument 1.
    pub fn is_argument(&self) -> bool {
        match self {
            PackError::NextOption | PackError::NotPowerOfTwo => true,
            PackError::IntSize(_) | PackError::MissingSize | PackError::Option(_) => false,
        }
    }

    /// The message, in bytes since it may quote the format.
    pub fn message(&self) -> Vec<u8> {
        match self {
            PackError::IntSize(n) => {
                format!("integral size ({n}) out of limits [1,{MAX_INT_SIZE}]").into_bytes()
            }
            PackError::MissingSize => b"missing size for format option 'c'".to_vec(),
            PackError::Option(c) => [&b"invalid format option '"[..], &[*c], b"'"].concat(),
            PackError::NextOption => b"invalid next option for option 'X'".to_vec(),
            PackError::NotPowerOfTwo => b"format asks for alignment not power of 2".to_vec(),
        }
    }
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.message()))
    }
}

/// Walks a format string.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    format: &'a [u8],
    little: bool,
    max_align: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `format`, with native byte order and no alignment.
    pub fn new(format: &'a [u8]) -> Reader<'a> {
        Reader { format, little: cfg!(target_endian = "little"), max_align: 1 }
    }

    /// The next option, given how many bytes come before it.
    pub fn next(&mut self, total: usize) -> Result<Option<Item>, PackError> {
        if self.format.is_empty() {
            return Ok(None);
        }
        let (kind, size) = self.option()?;
        let mut align = size;
        if kind == Kind::Align {
            if self.format.is_empty() {
                return Err(PackError::NextOption);
            }
            let (next, next_size) = self.option()?;
            align = next_size;
            if next == Kind::Chars || align == 0 {
                return Err(PackError::NextOption);
            }
        }
        let aligned = match kind {
            Kind::Int | Kind::Uint | Kind::Float | Kind::Double | Kind::String | Kind::Align => {
                true
            }
            Kind::Chars | Kind::Zstr | Kind::Padding | Kind::Nop => false,
        };
        let mut padding = 0;
        if aligned && align > 1 {
            align = align.min(self.max_align);
            if !align.is_power_of_two() {
                return Err(PackError::NotPowerOfTwo);
            }
            padding = (align - (total & (align - 1))) & (align - 1);
        }
        let size = if kind == Kind::Align { 0 } else { size };
        Ok(Some(Item { kind, size, padding, little: self.little }))
    }

    /// Reads a number, or gives `default`. Stops before the value could overflow an `int`.
    fn number(&mut self) -> Option<usize> {
        let mut value = None;
        while let [c @ b'0'..=b'9', rest @ ..] = self.format {
            let so_far = value.unwrap_or(0);
            if so_far > (MAX_SIZE - 9) / 10 {
                break;
            }
            value = Some(so_far * 10 + usize::from(c - b'0'));
            self.format = rest;
        }
        value
    }

    fn int_size(&mut self, default: usize) -> Result<usize, PackError> {
        let size = self.number().unwrap_or(default);
        if (1..=MAX_INT_SIZE).contains(&size) {
            Ok(size)
        } else {
            Err(PackError::IntSize(size as i64))
        }
    }

    /// The next option character with its size.
    fn option(&mut self) -> Result<(Kind, usize), PackError> {
        let [c, rest @ ..] = self.format else {
            unreachable!("the format has an option");
        };
        self.format = rest;
        Ok(match c {
            b'b' => (Kind::Int, 1),
            b'B' => (Kind::Uint, 1),
            b'h' => (Kind::Int, 2),
            b'H' => (Kind::Uint, 2),
            b'i' => (Kind::Int, self.int_size(4)?),
            b'I' => (Kind::Uint, self.int_size(4)?),
            b'l' | b'j' => (Kind::Int, 8),
            b'L' | b'J' | b'T' => (Kind::Uint, 8),
            b'f' => (Kind::Float, 4),
            b'd' | b'n' => (Kind::Double, 8),
            b's' => (Kind::String, self.int_size(8)?),
            b'c' => (Kind::Chars, self.number().ok_or(PackError::MissingSize)?),
            b'z' => (Kind::Zstr, 0),
            b'x' => (Kind::Padding, 1),
            b'X' => (Kind::Align, 0),
            b' ' => (Kind::Nop, 0),
            b'<' | b'>' | b'=' => {
                self.little = *c == b'<' || (*c == b'=' && cfg!(target_endian = "little"));
                (Kind::Nop, 0)
            }
            b'!' => {
                self.max_align = self.int_size(MAX_ALIGN)?;
                (Kind::Nop, 0)
            }
            _ => return Err(PackError::Option(*c)),
        })
    }
}

/// Whether a signed integer fits in `size` bytes.
pub fn fits_signed(value: i64, size: usize) -> bool {
    size >= 8 || {
        let limit = 1i64 << (size * 8 - 1);
        (-limit..limit).contains(&value)
    }
}

/// Whether an unsigned integer fits in `size` bytes.
pub fn fits_unsigned(value: u64, size: usize) -> bool {
    size >= 8 || value >> (size * 8) == 0
}

/// Appends the low `size` bytes of an integer, extended by its sign if `signed`.
pub fn push_int(out: &mut Vec<u8>, value: i64, size: usize, little: bool, signed: bool) {
    let fill = if signed && value < 0 { 0xFF } else { 0 };
    let mut bytes = [fill; MAX_INT_SIZE];
    bytes[..8].copy_from_slice(&value.to_le_bytes());
    if !little {
        bytes[..size].reverse();
    }
    out.extend_from_slice(&bytes[..size]);
}

/// Reads an integer of up to 16 bytes; `None` if its value needs more than 64 bits.
pub fn read_int(bytes: &[u8], little: bool, signed: bool) -> Option<i64> {
    let size = bytes.len();
    let mut le = [0u8; MAX_INT_SIZE];
    le[..size].copy_from_slice(bytes);
    if !little {
        le[..size].reverse();
    }
    let low = u64::from_le_bytes(le[..8].try_into().expect("8 bytes"));
    if size < 8 {
        if signed {
            let unused = 64 - size as u32 * 8;
            return Some((low << unused) as i64 >> unused);
        }
        return Some(low as i64);
    }
    let extension = if signed && (low as i64) < 0 { 0xFF } else { 0 };
    if le[8..size.max(8)].iter().any(|&b| b != extension) {
        return None;
    }
    Some(low as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `string.packsize`, or the message.
    fn size(format: &[u8]) -> Result<usize, String> {
        let mut reader = Reader::new(format);
        let mut total = 0;
        while let Some(item) = reader.next(total).map_err(|e| e.to_string())? {
            total += item.size + item.padding;
        }
        Ok(total)
    }

    #[test]
    fn sizes() {
        for (f, n) in [
            ("i16", 16),
            ("!3", 0),
            ("c0", 0),
            ("Xi3", 0),
            ("!2i4Xi8", 4),
            ("!4 i1 i4", 8),
            ("b!Xd", 8),
            ("bhiljJTfdn s4", 1 + 2 + 4 + 8 * 4 + 4 + 16 + 4),
            ("c2147483639i8", 2147483647),
        ] {
            assert_eq!(size(f.as_bytes()), Ok(n), "{f}");
        }
    }

    #[test]
    fn errors() {
        for (f, e) in [
            ("i17", "integral size (17) out of limits [1,16]"),
            ("i0", "integral size (0) out of limits [1,16]"),
            ("s17", "integral size (17) out of limits [1,16]"),
            ("!17", "integral size (17) out of limits [1,16]"),
            ("i99999999999", "integral size (999999999) out of limits [1,16]"),
            ("c", "missing size for format option 'c'"),
            ("cxx", "missing size for format option 'c'"),
            ("y", "invalid format option 'y'"),
            ("j16", "invalid format option '1'"),
            ("c99999999999999999999", "invalid format option '9'"),
            ("c2147483648", "invalid format option '8'"),
            ("c2147483647", "invalid format option '7'"),
            ("!3i4", "format asks for alignment not power of 2"),
            ("!4i3", "format asks for alignment not power of 2"),
            ("!8Xi3", "format asks for alignment not power of 2"),
            ("Xz", "invalid next option for option 'X'"),
            ("X", "invalid next option for option 'X'"),
            ("Xc3", "invalid next option for option 'X'"),
            ("X i4", "invalid next option for option 'X'"),
            ("X<", "invalid next option for option 'X'"),
        ] {
            assert_eq!(size(f.as_bytes()), Err(e.to_string()), "{f}");
        }
    }

    #[test]
    fn integers() {
        for n in 1..=16 {
            for value in [0, 1, -1, 127, -128, i64::MAX, i64::MIN, 0x1234_5678] {
                for little in [true, false] {
                    let mut out = Vec::new();
                    push_int(&mut out, value, n, little, true);
                    assert_eq!(out.len(), n);
                    if fits_signed(value, n) {
                        assert_eq!(read_int(&out, little, true), Some(value));
                    }
                    if value >= 0 && fits_unsigned(value as u64, n) {
                        assert_eq!(read_int(&out, little, false), Some(value));
                    }
                }
            }
        }
        assert!(fits_signed(-128, 1) && !fits_signed(128, 1) && !fits_signed(200, 1));
        assert!(fits_unsigned(255, 1) && !fits_unsigned(256, 1) && !fits_unsigned(u64::MAX, 7));
        let mut out = Vec::new();
        push_int(&mut out, 0x0102, 3, false, true);
        assert_eq!(out, [0, 1, 2]);
        assert_eq!(read_int(&[0, 0, 0, 0, 0, 0, 0, 0, 1], true, true), None);
        assert_eq!(read_int(&[255; 9], true, true), Some(-1));
        assert_eq!(read_int(&[255; 9], true, false), None);
        assert_eq!(read_int(&[255; 8], true, false), Some(-1));
    }
}
