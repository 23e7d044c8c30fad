//! Conversion specifications of `string.format` (manual §6.4): parsing, and C's `printf`
//! conversions of integers and strings. Floats are in [`float_format`](super::float_format).
//!
//! [`Spec::parse`] reads what follows a `%`; the caller fetches the argument the conversion wants
//! and hands it to one of the `push_*` functions.

use std::fmt;

/// A conversion character of `string.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// `%c`: the byte with a given code.
    Char,
    /// `%d`, `%i`: signed decimal integer.
    Decimal,
    /// `%u`: unsigned decimal integer.
    Unsigned,
    /// `%o`.
    Octal,
    /// `%x` and `%X` (upper).
    Hex {
        /// Digits and prefix in upper case.
        upper: bool,
    },
    /// `%a`, `%A`, `%e`, `%E`, `%f`, `%g`, `%G`: a float.
    Float(FloatStyle, /* upper case: */ bool),
    /// `%p`.
    Pointer,
    /// `%q`; never has modifiers.
    Quoted,
    /// `%s`.
    String,
}

/// How a float is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatStyle {
    /// `%a`: hexadecimal with binary exponent.
    Hex,
    /// `%e`: decimal with exponent.
    Exponent,
    /// `%f`: decimal without exponent.
    Fixed,
    /// `%g`: the shorter of the two.
    General,
}

/// A parsed conversion specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// What to convert to.
    pub conversion: Conversion,
    /// `-`: pad on the right.
    pub left: bool,
    /// `+`: a sign before positive numbers too.
    pub plus: bool,
    /// Space: a space where the sign would be.
    pub space: bool,
    /// `#`: the alternative form.
    pub alternate: bool,
    /// `0`: pad with zeros after the sign.
    pub zero: bool,
    /// Least number of bytes.
    pub width: usize,
    /// Digits or greatest length, if given.
    pub precision: Option<usize>,
}

/// Why a conversion specification is rejected; prints as the error message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecError {
    /// Unknown conversion character, with the specification after `%`.
    Conversion(Vec<u8>),
    /// Flags, width or precision that the conversion does not take.
    Modifiers(Conversion, Vec<u8>),
    /// More modifiers than any sensible specification has.
    TooLong,
    /// `%q` with modifiers.
    QuotedModifiers,
}

impl SpecError {
    /// The conversion that does not take its modifiers.
    pub fn conversion(&self) -> Option<Conversion> {
        match self {
            SpecError::Modifiers(conversion, _) => Some(*conversion),
            SpecError::Conversion(_) | SpecError::TooLong | SpecError::QuotedModifiers => None,
        }
    }

    /// The message, in bytes since it quotes the format.
    pub fn message(&self) -> Vec<u8> {
        let quote = |before: &str, spec: &[u8], after: &str| {
            // As C strings print: up to the first zero.
            let spec = spec.split(|&c| c == 0).next().unwrap_or(&[]);
            [before.as_bytes(), b" '%", spec, b"'", after.as_bytes()].concat()
        };
        match self {
            SpecError::Conversion(spec) => quote("invalid conversion", spec, " to 'format'"),
            SpecError::Modifiers(_, spec) => quote("invalid conversion specification:", spec, ""),
            SpecError::TooLong => b"invalid format (too long)".to_vec(),
            SpecError::QuotedModifiers => b"specifier '%q' cannot have modifiers".to_vec(),
        }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.message()))
    }
}

/// Modifiers longer than this (with the conversion character) are rejected unread.
const MAX_SPEC: usize = 22;

impl Spec {
    /// A specification without modifiers.
    pub const fn plain(conversion: Conversion) -> Spec {
        Spec {
            conversion,
            left: false,
            plus: false,
            space: false,
            alternate: false,
            zero: false,
            width: 0,
            precision: None,
        }
    }

    /// Parses the specification at the start of `text` (just after the `%`, which is not `%%`);
    /// returns it with its length.
    pub fn parse(text: &[u8]) -> Result<(Spec, usize), SpecError> {
        let modifiers = text
            .iter()
            .position(|c| !matches!(c, b'-' | b'+' | b' ' | b'#' | b'.' | b'0'..=b'9'))
            .unwrap_or(text.len());
        if modifiers + 1 >= MAX_SPEC {
            return Err(SpecError::TooLong);
        }
        let whole = &text[..text.len().min(modifiers + 1)];
        let Some(&letter) = text.get(modifiers) else {
            return Err(SpecError::Conversion(whole.to_vec()));
        };
        use Conversion as C;
        let (conversion, flags, with_precision): (_, &[u8], _) = match letter {
            b'c' => (C::Char, b"-", false),
            b'd' | b'i' => (C::Decimal, b"-+0 ", true),
            b'u' => (C::Unsigned, b"-0", true),
            b'o' => (C::Octal, b"-#0", true),
            b'x' | b'X' => (C::Hex { upper: letter == b'X' }, b"-#0", true),
            b'a' | b'A' => (C::Float(FloatStyle::Hex, letter == b'A'), b"-+#0 ", true),
            b'e' | b'E' => (C::Float(FloatStyle::Exponent, letter == b'E'), b"-+#0 ", true),
            b'f' => (C::Float(FloatStyle::Fixed, false), b"-+#0 ", true),
            b'g' | b'G' => (C::Float(FloatStyle::General, letter == b'G'), b"-+#0 ", true),
            b'p' => (C::Pointer, b"-", false),
            b's' => (C::String, b"-", true),
            b'q' if modifiers == 0 => (C::Quoted, b"", false),
            b'q' => return Err(SpecError::QuotedModifiers),
            _ => return Err(SpecError::Conversion(whole.to_vec())),
        };
        let mut spec = Spec::plain(conversion);
        let mut at = 0;
        while flags.contains(&text[at]) {
            match text[at] {
                b'-' => spec.left = true,
                b'+' => spec.plus = true,
                b' ' => spec.space = true,
                b'#' => spec.alternate = true,
                _ => spec.zero = true,
            }
            at += 1;
        }
        let two_digits = |at: &mut usize| {
            let mut value = 0;
            for _ in 0..2 {
                if text[*at].is_ascii_digit() {
                    value = value * 10 + usize::from(text[*at] - b'0');
                    *at += 1;
                }
            }
            value
        };
        if text[at] != b'0' {
            spec.width = two_digits(&mut at);
            if text[at] == b'.' && with_precision {
                at += 1;
                spec.precision = Some(two_digits(&mut at));
            }
        }
        if at != modifiers {
            return Err(SpecError::Modifiers(conversion, whole.to_vec()));
        }
        Ok((spec, modifiers + 1))
    }

    /// Whether there is nothing but the conversion character.
    pub fn is_plain(&self) -> bool {
        *self == Spec::plain(self.conversion)
    }

    /// Writes a number: sign or prefix, then digits, padded to the width.
    pub(super) fn pad_number(&self, out: &mut Vec<u8>, prefix: &[u8], digits: &[u8], zero: bool) {
        let missing = self.width.saturating_sub(prefix.len() + digits.len());
        let fill = |out: &mut Vec<u8>, c: u8| out.resize(out.len() + missing, c);
        if !self.left && !zero {
            fill(out, b' ');
        }
        out.extend_from_slice(prefix);
        if !self.left && zero {
            fill(out, b'0');
        }
        out.extend_from_slice(digits);
        if self.left {
            fill(out, b' ');
        }
    }

    /// Sign of a signed conversion.
    pub(super) fn sign(&self, negative: bool) -> &'static [u8] {
        if negative {
            b"-"
        } else if self.plus {
            b"+"
        } else if self.space {
            b" "
        } else {
            b""
        }
    }
}

/// Converts an integer by `%d`, `%i`, `%u`, `%o`, `%x` or `%X`.
///
/// # Panics
/// If the conversion is another one.
pub fn push_int(out: &mut Vec<u8>, spec: &Spec, value: i64) {
    let mut buffer = [0u8; 24];
    let mut at = buffer.len();
    let mut emit = |mut rest: u64, base: u64, alphabet: &[u8; 16]| {
        while rest != 0 {
            at -= 1;
            buffer[at] = alphabet[(rest % base) as usize];
            rest /= base;
        }
    };
    const LOWER: &[u8; 16] = b"0123456789abcdef";
    let mut prefix: &[u8] = b"";
    match spec.conversion {
        Conversion::Decimal => {
            emit(value.unsigned_abs(), 10, LOWER);
            prefix = spec.sign(value < 0);
        }
        Conversion::Unsigned => emit(value as u64, 10, LOWER),
        Conversion::Octal => emit(value as u64, 8, LOWER),
        Conversion::Hex { upper: false } => {
            emit(value as u64, 16, LOWER);
            if spec.alternate && value != 0 {
                prefix = b"0x";
            }
        }
        Conversion::Hex { upper: true } => {
            emit(value as u64, 16, b"0123456789ABCDEF");
            if spec.alternate && value != 0 {
                prefix = b"0X";
            }
        }
        Conversion::Char
        | Conversion::Float(..)
        | Conversion::Pointer
        | Conversion::Quoted
        | Conversion::String => unreachable!("not an integer conversion"),
    }
    let digits = &buffer[at..];
    let mut least = spec.precision.unwrap_or(1);
    if spec.alternate && spec.conversion == Conversion::Octal {
        least = least.max(digits.len() + 1);
    }
    // A precision turns the flag 0 off.
    let zero = spec.zero && spec.precision.is_none();
    if digits.len() >= least {
        spec.pad_number(out, prefix, digits, zero);
    } else {
        let mut padded = [b'0'; 100];
        padded[least - digits.len()..least].copy_from_slice(digits);
        spec.pad_number(out, prefix, &padded[..least], zero);
    }
}

/// Converts bytes by `%s`, `%c` or `%p`: cut to the precision, padded to the width.
pub fn push_str(out: &mut Vec<u8>, spec: &Spec, text: &[u8]) {
    let text = &text[..text.len().min(spec.precision.unwrap_or(usize::MAX))];
    spec.pad_number(out, b"", text, false);
}

/// Writes a string by `%q`: a literal that Lua reads back.
pub fn push_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    push_quoted_part(out, text, None);
    out.push(b'"');
}

/// Writes a part of a string as `%q` does, at most four times as long; `next` is the byte behind it.
pub fn push_quoted_part(out: &mut Vec<u8>, text: &[u8], next: Option<u8>) {
    for (i, &c) in text.iter().enumerate() {
        match c {
            b'"' | b'\\' | b'\n' => out.extend_from_slice(&[b'\\', c]),
            0..=31 | 127 => {
                out.push(b'\\');
                let follows = text.get(i + 1).copied().or(next);
                let digit_follows = follows.is_some_and(|c| c.is_ascii_digit());
                if digit_follows {
                    out.extend_from_slice(&[b'0' + c / 100, b'0' + c / 10 % 10, b'0' + c % 10]);
                } else {
                    out.extend_from_slice(super::number::NumBuf::int(i64::from(c)).as_bytes());
                }
            }
            _ => out.push(c),
        }
    }
}

/// Writes an integer by `%q`: the least one in hexadecimal, since its decimal literal is a float.
pub fn push_quoted_int(out: &mut Vec<u8>, value: i64) {
    if value == i64::MIN {
        out.extend_from_slice(b"0x8000000000000000");
    } else {
        out.extend_from_slice(super::number::NumBuf::int(value).as_bytes());
    }
}

/// Writes a float by `%q`: an expression with exactly this value.
pub fn push_quoted_float(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"(0/0)");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"1e9999" } else { b"-1e9999" });
    } else {
        let spec = Spec::plain(Conversion::Float(FloatStyle::Hex, false));
        super::float_format::push_float(out, &spec, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(format: &str, value: i64) -> String {
        let (spec, len) = Spec::parse(format.as_bytes()).unwrap();
        assert_eq!(len, format.len());
        let mut out = Vec::new();
        push_int(&mut out, &spec, value);
        String::from_utf8(out).unwrap()
    }

    fn text(format: &str, value: &str) -> String {
        let (spec, _) = Spec::parse(format.as_bytes()).unwrap();
        let mut out = Vec::new();
        push_str(&mut out, &spec, value.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn integers() {
        for (f, v, s) in [
            ("d", 10, "10"),
            ("+d", 10, "+10"),
            (" d", 10, " 10"),
            ("5.3d", -7, " -007"),
            ("05d", -7, "-0007"),
            ("05.3d", 7, "  007"),
            ("-5d", 7, "7    "),
            ("-05d", 7, "7    "),
            (".0d", 0, ""),
            ("+.0d", 0, "+"),
            ("5.0d", 0, "     "),
            (".d", 0, ""),
            ("d", i64::MIN, "-9223372036854775808"),
            ("u", -1, "18446744073709551615"),
            ("x", -1, "ffffffffffffffff"),
            ("#x", 255, "0xff"),
            ("#X", 255, "0XFF"),
            ("#x", 0, "0"),
            ("#o", 8, "010"),
            ("#o", 0, "0"),
            ("#.0o", 0, "0"),
            ("#.5o", 8, "00010"),
            ("#010x", 255, "0x000000ff"),
            ("#10.4x", 255, "    0x00ff"),
            (".99d", 1, &format!("{}1", "0".repeat(98))),
            ("99d", 1, &format!("{}1", " ".repeat(98))),
        ] {
            assert_eq!(int(f, v), s, "%{f}");
        }
    }

    #[test]
    fn strings() {
        assert_eq!(text("5s", "abc"), "  abc");
        assert_eq!(text("-5s|", "abc"), "abc  ");
        assert_eq!(text(".2s", "abc"), "ab");
        assert_eq!(text("5.1s", "abc"), "    a");
        assert_eq!(text(".s", "abc"), "");
        let mut out = Vec::new();
        push_quoted(&mut out, b"a\"b\\c\nd\0e\x001\r\x7f2\xff");
        assert_eq!(out, b"\"a\\\"b\\\\c\\\nd\\0e\\0001\\13\\1272\xff\"");
    }

    #[test]
    fn errors() {
        for (f, e) in [
            ("y", "invalid conversion '%y' to 'format'"),
            ("", "invalid conversion '%' to 'format'"),
            ("10", "invalid conversion '%10' to 'format'"),
            ("\0d", "invalid conversion '%' to 'format'"),
            ("ld", "invalid conversion '%l' to 'format'"),
            ("5%", "invalid conversion '%5%' to 'format'"),
            ("F", "invalid conversion '%F' to 'format'"),
            ("010.123d", "invalid conversion specification: '%010.123d'"),
            ("123d", "invalid conversion specification: '%123d'"),
            ("+c", "invalid conversion specification: '%+c'"),
            (".3c", "invalid conversion specification: '%.3c'"),
            ("05s", "invalid conversion specification: '%05s'"),
            (".3p", "invalid conversion specification: '%.3p'"),
            ("..d", "invalid conversion specification: '%..d'"),
            ("5-d", "invalid conversion specification: '%5-d'"),
            (".5q", "specifier '%q' cannot have modifiers"),
            ("00000000000000000000005d", "invalid format (too long)"),
        ] {
            assert_eq!(Spec::parse(f.as_bytes()).unwrap_err().to_string(), e, "%{f}");
        }
        assert!(Spec::parse(b"0000000000000000000d").is_ok());
    }
}
