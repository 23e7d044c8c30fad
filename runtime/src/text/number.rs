//! Numbers from and to text (manual §3.1, §3.4.3), and exact float to integer conversion.
//!
//! [`str2number`] accepts exactly what `tonumber` accepts for a string; [`NumBuf`] prints numbers
//! as `tostring` does, into a stack buffer.

use std::io::Write;

/// A Lua number outside of any value representation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// The integer subtype.
    Int(i64),
    /// The float subtype.
    Float(f64),
}

/// Whether `c` is white space in the C locale (`isspace`).
#[inline]
pub const fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// `s` without white space at either end.
pub fn trim(mut s: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = s
        && is_space(*first)
    {
        s = rest;
    }
    while let [rest @ .., last] = s
        && is_space(*last)
    {
        s = rest;
    }
    s
}

/// The value of a hexadecimal digit.
#[inline]
pub const fn hex_value(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}

/// Reads a whole string as a Lua number: decimal and hexadecimal integers (hexadecimal ones wrap
/// around, decimal ones that overflow become floats) and floats, with white space around and an
/// optional sign. `inf` and `nan` are not numbers.
pub fn str2number(s: &[u8]) -> Option<Number> {
    let s = trim(s);
    let (negative, body) = match s {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, s),
    };
    if let [b'0', b'x' | b'X', digits @ ..] = body {
        return hex_number(digits, negative);
    }
    let first = *body.first()?;
    if !first.is_ascii_digit() && first != b'.' {
        return None;
    }
    let mut value: u64 = 0;
    let mut overflow = false;
    let mut at = 0;
    while at < body.len() && body[at].is_ascii_digit() {
        let digit = u64::from(body[at] - b'0');
        match value.checked_mul(10).and_then(|v| v.checked_add(digit)) {
            Some(v) => value = v,
            None => overflow = true,
        }
        at += 1;
    }
    if at == body.len() && !overflow {
        if negative && value <= 1 << 63 {
            return Some(Number::Int((value as i64).wrapping_neg()));
        }
        if let Ok(value) = i64::try_from(value) {
            return Some(Number::Int(value));
        }
    }
    decimal_float(s, body).map(Number::Float)
}

/// Parses a decimal float; `body` is `signed` without its sign.
fn decimal_float(signed: &[u8], body: &[u8]) -> Option<f64> {
    let mut at = 0;
    let mut digits = 0;
    let skip = |at: &mut usize| {
        let from = *at;
        while *at < body.len() && body[*at].is_ascii_digit() {
            *at += 1;
        }
        *at - from
    };
    digits += skip(&mut at);
    if body.get(at) == Some(&b'.') {
        at += 1;
        digits += skip(&mut at);
    }
    if digits == 0 {
        return None;
    }
    if matches!(body.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(body.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        if skip(&mut at) == 0 {
            return None;
        }
    }
    if at != body.len() {
        return None;
    }
    std::str::from_utf8(signed).ok()?.parse().ok()
}

/// Parses what follows `0x`: an integer that wraps around, or a float when there is a point or an
/// exponent.
fn hex_number(body: &[u8], negative: bool) -> Option<Number> {
    let mut at = 0;
    let mut value: u64 = 0;
    // The float reading: up to 64 significant bits, then a sticky bit, and a binary exponent.
    let mut mantissa: u64 = 0;
    let mut sticky = false;
    let mut exponent: i64 = 0;
    let mut digits = 0usize;
    let mut point = false;
    while at < body.len() {
        let c = body[at];
        if c == b'.' && !point {
            point = true;
        } else if let Some(digit) = hex_value(c) {
            digits += 1;
            value = value.wrapping_shl(4) | u64::from(digit);
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
                exponent -= if point { 4 } else { 0 };
            } else {
                sticky |= digit != 0;
                exponent += if point { 0 } else { 4 };
            }
        } else {
            break;
        }
        at += 1;
    }
    if digits == 0 {
        return None;
    }
    if at == body.len() && !point {
        let value = value as i64;
        return Some(Number::Int(if negative { value.wrapping_neg() } else { value }));
    }
    if matches!(body.get(at), Some(b'p' | b'P')) {
        at += 1;
        let down = match body.get(at) {
            Some(b'-') => {
                at += 1;
                true
            }
            Some(b'+') => {
                at += 1;
                false
            }
            _ => false,
        };
        let from = at;
        let mut power: i64 = 0;
        while at < body.len() && body[at].is_ascii_digit() {
            power = power.saturating_mul(10).saturating_add(i64::from(body[at] - b'0'));
            at += 1;
        }
        if at == from {
            return None;
        }
        // Far beyond any digit count a string can have, and safe to add.
        let power = power.min(1 << 60);
        exponent += if down { -power } else { power };
    }
    if at != body.len() {
        return None;
    }
    let magnitude = scale(mantissa, sticky, exponent);
    Some(Number::Float(if negative { -magnitude } else { magnitude }))
}

/// `mantissa * 2^exponent`, rounded once, to nearest even; `sticky` stands for non-zero bits below
/// the mantissa (which then has at least 60 significant bits).
fn scale(mantissa: u64, sticky: bool, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = mantissa.leading_zeros();
    let mantissa = mantissa << shift;
    let exponent = exponent - i64::from(shift);
    // The value is now 1.xxx * 2^top.
    let top = exponent + 63;
    if top > 1023 {
        return f64::INFINITY;
    }
    let drop = if top >= -1022 { 11 } else { 11 + (-1022 - top) };
    if drop > 64 {
        return 0.0;
    }
    let wide = u128::from(mantissa) << 64 | u128::from(sticky);
    let kept = wide.checked_shr(64 + drop as u32).unwrap_or(0) as u64;
    let rest = wide << (64 - drop);
    let half = 1u128 << 127;
    let round_up = rest > half || (rest == half && kept & 1 == 1);
    let bits = kept + u64::from(round_up);
    // For normal numbers bit 52 of `bits` carries into the exponent field by itself.
    let biased = if top >= -1022 { (top + 1022) as u64 } else { 0 };
    f64::from_bits((biased << 52) + bits)
}

/// Digits of 0 to 99, two each.
const PAIRS: [u8; 200] = {
    let mut table = [0; 200];
    let mut i = 0;
    while i < 100 {
        table[2 * i] = b'0' + (i / 10) as u8;
        table[2 * i + 1] = b'0' + (i % 10) as u8;
        i += 1;
    }
    table
};

/// A printed number, held on the stack.
///
/// ```
/// use perilune_runtime::text::number::NumBuf;
/// assert_eq!(NumBuf::int(-42).as_bytes(), b"-42");
/// assert_eq!(NumBuf::float(1e15).as_bytes(), b"1e+15");
/// ```
#[derive(Clone)]
pub struct NumBuf {
    bytes: [u8; 32],
    start: u8,
    end: u8,
}

impl NumBuf {
    /// Prints an integer (`%d`).
    #[inline]
    pub fn int(value: i64) -> NumBuf {
        let mut out = NumBuf { bytes: [0; 32], start: 32, end: 32 };
        let mut rest = value.unsigned_abs();
        let mut at = 32;
        while rest >= 100 {
            let pair = (rest % 100) as usize * 2;
            rest /= 100;
            at -= 2;
            out.bytes[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        }
        if rest >= 10 {
            let pair = rest as usize * 2;
            at -= 2;
            out.bytes[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        } else {
            at -= 1;
            out.bytes[at] = b'0' + rest as u8;
        }
        if value < 0 {
            at -= 1;
            out.bytes[at] = b'-';
        }
        out.start = at as u8;
        out
    }

    /// Prints a float as `tostring` does: `%.14g`, and `.0` after what looks like an integer.
    pub fn float(value: f64) -> NumBuf {
        if value.is_nan() {
            return NumBuf::text(if value.is_sign_negative() { b"-nan" } else { b"nan" });
        }
        if value.is_infinite() {
            return NumBuf::text(if value < 0.0 { b"-inf" } else { b"inf" });
        }
        if value.abs() < 1e14 && value.trunc() == value {
            if value == 0.0 && value.is_sign_negative() {
                return NumBuf::text(b"-0.0");
            }
            let mut out = NumBuf::int(value as i64);
            // Make room at the end: at most 15 digits and a sign lie at the right edge.
            let (start, len) = (usize::from(out.start), usize::from(out.end - out.start));
            out.bytes.copy_within(start..start + len, 0);
            out.bytes[len] = b'.';
            out.bytes[len + 1] = b'0';
            (out.start, out.end) = (0, len as u8 + 2);
            return out;
        }
        NumBuf::float_slow(value)
    }

    /// A finite float that is not a small whole number.
    fn float_slow(value: f64) -> NumBuf {
        // 14 significant digits: "d.ddddddddddddde[-]x".
        let mut scratch = [0u8; 32];
        let mut cursor = &mut scratch[..];
        write!(cursor, "{:.13e}", value.abs()).expect("14 digits fit the buffer");
        let len = 32 - cursor.len();
        let mut digits = [0u8; 14];
        digits[0] = scratch[0];
        digits[1..].copy_from_slice(&scratch[2..15]);
        let mut exponent = 0i32;
        let down = scratch[16] == b'-';
        for &c in &scratch[16 + usize::from(down)..len] {
            exponent = exponent * 10 + i32::from(c - b'0');
        }
        if down {
            exponent = -exponent;
        }
        let count = 14 - digits.iter().rev().take_while(|&&c| c == b'0').count();
        let mut out = NumBuf { bytes: [0; 32], start: 0, end: 0 };
        if value < 0.0 {
            out.push(b'-');
        }
        if (-4..14).contains(&exponent) {
            if exponent < 0 {
                out.extend(b"0.");
                (1..-exponent).for_each(|_| out.push(b'0'));
                out.extend(&digits[..count]);
            } else {
                let whole = exponent as usize + 1;
                out.extend(&digits[..whole]);
                out.push(b'.');
                if count > whole {
                    out.extend(&digits[whole..count]);
                } else {
                    out.push(b'0');
                }
            }
        } else {
            out.push(digits[0]);
            if count > 1 {
                out.push(b'.');
                out.extend(&digits[1..count]);
            }
            out.extend(if down { b"e-" } else { b"e+" });
            let magnitude = exponent.unsigned_abs() as usize;
            if magnitude >= 100 {
                out.push(b'0' + (magnitude / 100) as u8);
            }
            let pair = magnitude % 100 * 2;
            out.extend(&PAIRS[pair..pair + 2]);
        }
        out
    }

    /// Prints either subtype.
    pub fn number(value: Number) -> NumBuf {
        match value {
            Number::Int(i) => NumBuf::int(i),
            Number::Float(f) => NumBuf::float(f),
        }
    }

    /// The printed bytes (ASCII).
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..usize::from(self.end)]
    }

    /// The printed text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("numbers print as ASCII")
    }

    fn text(text: &[u8]) -> NumBuf {
        let mut out = NumBuf { bytes: [0; 32], start: 0, end: 0 };
        out.extend(text);
        out
    }

    fn push(&mut self, c: u8) {
        self.bytes[usize::from(self.end)] = c;
        self.end += 1;
    }

    fn extend(&mut self, text: &[u8]) {
        let at = usize::from(self.end);
        self.bytes[at..at + text.len()].copy_from_slice(text);
        self.end += text.len() as u8;
    }
}

/// 2^63 as a float: the first one above every integer.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// The integer equal to `f`, if there is one.
#[inline]
pub fn float_to_int(f: f64) -> Option<i64> {
    let i = f as i64; // saturates; NaN gives 0
    if i as f64 == f && f != TWO_63 { Some(i) } else { None }
}

/// The greatest integer not above `f`, if it fits.
#[inline]
pub fn floor_to_int(f: f64) -> Option<i64> {
    float_to_int(f.floor())
}

/// The least integer not below `f`, if it fits.
#[inline]
pub fn ceil_to_int(f: f64) -> Option<i64> {
    float_to_int(f.ceil())
}

/// The integer equal to the number a string holds, if there is one.
pub fn str2int(s: &[u8]) -> Option<i64> {
    match str2number(s)? {
        Number::Int(i) => Some(i),
        Number::Float(f) => float_to_int(f),
    }
}

/// `tonumber(s, base)`: an integer in base 2 to 36, with sign and white space around; wraps around.
pub fn str2int_base(s: &[u8], base: u32) -> Option<i64> {
    let s = trim(s);
    let (negative, body) = match s {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, s),
    };
    if body.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for &c in body {
        let digit = char::from(c).to_digit(36)?;
        if digit >= base {
            return None;
        }
        value = value.wrapping_mul(i64::from(base)).wrapping_add(i64::from(digit));
    }
    Some(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(s: &str) -> i64 {
        match str2number(s.as_bytes()) {
            Some(Number::Int(i)) => i,
            other => panic!("{s}: {other:?}"),
        }
    }

    fn float(s: &str) -> f64 {
        match str2number(s.as_bytes()) {
            Some(Number::Float(f)) => f,
            other => panic!("{s}: {other:?}"),
        }
    }

    #[test]
    fn integers() {
        for (s, i) in [
            ("0x10", 16),
            ("0xffffffffffffffffff", -1),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            (" 12 ", 12),
            ("\x0b1\x0c", 1),
            ("+1", 1),
            ("-0x1", -1),
            ("-0", 0),
            ("0x7fffffffffffffff", i64::MAX),
            ("0x8000000000000000", i64::MIN),
            ("00000000000000000000000000000000007", 7),
        ] {
            assert_eq!(int(s), i, "{s}");
        }
    }

    #[test]
    fn floats() {
        for (s, f) in [
            ("0x.8p1", 1.0),
            ("0xA.8p-2", 2.625),
            ("9223372036854775808", 9223372036854775808.0),
            ("-9223372036854775809", -9223372036854775808.0),
            ("1e1 ", 10.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("5.e1", 50.0),
            ("-0x10p1", -32.0),
            ("0x1p-1080", 0.0),
            ("0x1.fffffffffffffp1024", f64::INFINITY),
            ("0x1p99999999999", f64::INFINITY),
            ("0x0p99999999999", 0.0),
            ("1e99999999999999", f64::INFINITY),
            ("0e999999999999999", 0.0),
            ("0x1.8", 1.5),
            ("0x1P+4", 16.0),
            ("0x0.00000000000000000000000001p104", 1.0),
            ("0x10000000000000000000000000.p-100", 1.0),
            ("1e-400", 0.0),
            ("5e-324", 5e-324),
            ("0x1p-1074", 5e-324),
            ("0x0.8p-1074", 0.0),
            ("0x0.80000000000000000000000000001p-1074", 5e-324),
            ("0x1.8p-1074", 1e-323),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.000000000000081p0", 1.0 + f64::EPSILON),
            ("0x1.00000000000008000000000000000000001p0", 1.0 + f64::EPSILON),
            ("0x1.00000000000018p0", 1.0 + 2.0 * f64::EPSILON),
            ("0x1.fffffffffffff8p1023", f64::INFINITY),
            ("0x1.fffffffffffff7fp1023", f64::MAX),
            ("0x.fffffffffffffcp-1022", f64::MIN_POSITIVE),
        ] {
            assert_eq!(float(s).to_bits(), f.to_bits(), "{s}");
        }
        assert!(float("-0.0").is_sign_negative());
    }

    #[test]
    fn not_numbers() {
        for s in [
            "", " ", "1e", "0x", "0x1p", "1e+", "inf", "nan", "-inf", "1 2", "0x.", ".", "- 1",
            "--1", "1_0", "1d", "0xg", "1\0", "\0", "0x1p+", "e1", ".e1", "1..2", "0x1.2.3",
            "infinity", "0xinf", "1e1.5", "+", "-",
        ] {
            assert_eq!(str2number(s.as_bytes()), None, "{s:?}");
        }
    }

    #[test]
    fn printing() {
        for (f, s) in [
            (0.1, "0.1"),
            (1e15, "1e+15"),
            (1e14, "1e+14"),
            (123456789012345.0, "1.2345678901234e+14"),
            (1e100, "1e+100"),
            (-0.0, "-0.0"),
            (0.0, "0.0"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (1.23456789012345, "1.2345678901235"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (-0.00012345, "-0.00012345"),
            (123456789.0, "123456789.0"),
            (9007199254740992.0, "9.007199254741e+15"),
            (TWO_63, "9.2233720368548e+18"),
            (99999999999999.5, "1e+14"),
            (9999999999999.97, "10000000000000.0"),
            (5e-324, "4.9406564584125e-324"),
            (f64::MAX, "1.7976931348623e+308"),
            (-f64::MAX, "-1.7976931348623e+308"),
            (100.0, "100.0"),
            (-99999999999999.0, "-99999999999999.0"),
            (12345678901234.5, "12345678901234.0"),
            (1.5, "1.5"),
        ] {
            assert_eq!(NumBuf::float(f).as_str(), s);
        }
        assert_eq!(NumBuf::float(f64::NAN.copysign(1.0)).as_str(), "nan");
        assert_eq!(NumBuf::float(f64::NAN.copysign(-1.0)).as_str(), "-nan");
        for i in [0, 1, 9, 10, 99, 100, 101, 999, 1000, 12345, i64::MAX, i64::MIN, -1, -10, -100] {
            assert_eq!(NumBuf::int(i).as_str(), i.to_string());
        }
    }

    #[test]
    fn conversions() {
        assert_eq!(float_to_int(TWO_63), None);
        assert_eq!(float_to_int(-TWO_63), Some(i64::MIN));
        assert_eq!(float_to_int(f64::NAN), None);
        assert_eq!(float_to_int(f64::INFINITY), None);
        assert_eq!(float_to_int(-0.0), Some(0));
        assert_eq!(float_to_int(0.5), None);
        assert_eq!(floor_to_int(-0.5), Some(-1));
        assert_eq!(ceil_to_int(-0.5), Some(0));
        assert_eq!(str2int(b" 0x1p4 "), Some(16));
        assert_eq!(str2int_base(b"  -zZ ", 36), Some(-1295));
        assert_eq!(str2int_base(b"8", 8), None);
        assert_eq!(str2int_base(b"7fffffffffffffffF", 16), Some(-1));
    }
}
