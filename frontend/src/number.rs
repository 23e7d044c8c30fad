//! Numerals: the text of a Lua number to its value (manual §3.1 and §3.4.3).
//!
//! Shared with the runtime, whose `tonumber` and string coercions accept
//! exactly what [`parse_number`] accepts: optional white space, an optional
//! sign, then a decimal or hexadecimal integer or float.

/// The value of a numeral.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
}

/// Reads a whole string as a number, as `tonumber` and arithmetic on strings
/// do. Surrounding white space is allowed; anything else left over is not.
///
/// Decimal integers that do not fit 64 bits become floats; hexadecimal
/// integers wrap around.
///
/// ```
/// use perilune_frontend::number::{Number, parse_number};
/// assert_eq!(parse_number(b" 0x10 "), Some(Number::Int(16)));
/// assert_eq!(parse_number(b"1e1"), Some(Number::Float(10.0)));
/// assert_eq!(parse_number(b"1e"), None);
/// ```
pub fn parse_number(text: &[u8]) -> Option<Number> {
    let text = trim(text);
    let (negative, digits) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    match digits {
        [b'0', b'x' | b'X', rest @ ..] => hexadecimal(rest, negative),
        _ => decimal(digits, negative),
    }
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text {
        if !is_space(*first) {
            break;
        }
        text = rest;
    }
    while let [rest @ .., last] = text {
        if !is_space(*last) {
            break;
        }
        text = rest;
    }
    text
}

/// White space as C's `isspace` has it in the "C" locale.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// The value of a hexadecimal digit.
pub(crate) fn hex_value(byte: u8) -> Option<u32> {
    (byte as char).to_digit(16)
}

fn decimal(digits: &[u8], negative: bool) -> Option<Number> {
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        // The magnitude may be 2^63 when negated, which wraps to itself.
        let limit = i64::MAX as u64 + u64::from(negative);
        let mut value: u64 = 0;
        let mut fits = true;
        for &digit in digits {
            let next = value.checked_mul(10).and_then(|v| v.checked_add(u64::from(digit - b'0')));
            match next {
                Some(next) if next <= limit => value = next,
                _ => {
                    fits = false;
                    break;
                }
            }
        }
        if fits {
            let value = value as i64;
            return Some(Number::Int(if negative { value.wrapping_neg() } else { value }));
        }
    }
    if !is_decimal_float(digits) {
        return None;
    }
    let value: f64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(Number::Float(if negative { -value } else { value }))
}

/// `digits [. digits] [e [sign] digits]` with a digit before the exponent.
fn is_decimal_float(text: &[u8]) -> bool {
    let mut at = 0;
    let mut mantissa = 0;
    let run = |at: &mut usize| {
        let start = *at;
        while text.get(*at).is_some_and(u8::is_ascii_digit) {
            *at += 1;
        }
        *at - start
    };
    mantissa += run(&mut at);
    if text.get(at) == Some(&b'.') {
        at += 1;
        mantissa += run(&mut at);
    }
    if mantissa == 0 {
        return false;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(text.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        if run(&mut at) == 0 {
            return false;
        }
    }
    at == text.len()
}

/// What follows `0x`: an integer that wraps around, or a float when it has a
/// point or a binary exponent.
fn hexadecimal(digits: &[u8], negative: bool) -> Option<Number> {
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit) {
        let value =
            digits.iter().fold(0u64, |v, &d| (v << 4) | u64::from(hex_value(d).unwrap_or(0)));
        let value = value as i64;
        return Some(Number::Int(if negative { value.wrapping_neg() } else { value }));
    }
    // The mantissa keeps the first 60 significant bits; lower ones only
    // matter as "something was there", which the last bit remembers.
    let mut mantissa: u64 = 0;
    let mut exponent: i64 = 0;
    let mut seen_digit = false;
    let mut seen_point = false;
    let mut at = 0;
    while let Some(&byte) = digits.get(at) {
        if byte == b'.' && !seen_point {
            seen_point = true;
        } else if let Some(value) = hex_value(byte) {
            seen_digit = true;
            if mantissa >> 60 == 0 {
                mantissa = (mantissa << 4) | u64::from(value);
                exponent -= if seen_point { 4 } else { 0 };
            } else {
                mantissa |= u64::from(value != 0);
                exponent += if seen_point { 0 } else { 4 };
            }
        } else {
            break;
        }
        at += 1;
    }
    if !seen_digit {
        return None;
    }
    if matches!(digits.get(at), Some(b'p' | b'P')) {
        at += 1;
        let down = match digits.get(at) {
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
        let start = at;
        let mut written: i64 = 0;
        while let Some(&byte) = digits.get(at).filter(|b| b.is_ascii_digit()) {
            written = (written * 10 + i64::from(byte - b'0')).min(1 << 50);
            at += 1;
        }
        if at == start {
            return None;
        }
        exponent += if down { -written } else { written };
    }
    if at != digits.len() {
        return None;
    }
    let value = scale(mantissa, exponent);
    Some(Number::Float(if negative { -value } else { value }))
}

/// `mantissa * 2^exponent`, rounded once, to nearest even.
fn scale(mantissa: u64, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let zeros = mantissa.leading_zeros();
    let mantissa = mantissa << zeros;
    // The value is 1.xxx * 2^top.
    let top = exponent - i64::from(zeros) + 63;
    if top > 1023 {
        return f64::INFINITY;
    }
    let precision = if top >= -1022 { 53 } else { 53 - (-1022 - top) };
    if precision < 0 {
        return 0.0;
    }
    let dropped = 64 - precision as u32;
    let (kept, rest, half) = if dropped == 64 {
        (0, mantissa, 1u64 << 63)
    } else {
        (mantissa >> dropped, mantissa & ((1 << dropped) - 1), 1u64 << (dropped - 1))
    };
    let kept = if rest > half || (rest == half && kept & 1 == 1) { kept + 1 } else { kept };
    // Exact from here on: `kept` has at most 53 bits (or is 2^53).
    let power = top - precision + 1;
    let first = power.clamp(-1000, 1000);
    kept as f64 * power_of_two(first) * power_of_two(power - first)
}

fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(text: &str) -> Option<i64> {
        match parse_number(text.as_bytes()) {
            Some(Number::Int(i)) => Some(i),
            _ => None,
        }
    }

    fn float(text: &str) -> Option<f64> {
        match parse_number(text.as_bytes()) {
            Some(Number::Float(f)) => Some(f),
            _ => None,
        }
    }

    #[test]
    fn integers() {
        assert_eq!(int("0"), Some(0));
        assert_eq!(int("  -12\n"), Some(-12));
        assert_eq!(int("9223372036854775807"), Some(i64::MAX));
        assert_eq!(int("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(float("9223372036854775808"), Some(9223372036854775808.0));
        assert_eq!(float("-9223372036854775809"), Some(-9223372036854775808.0));
        assert_eq!(int("0xffffffffffffffff"), Some(-1));
        assert_eq!(int("0x1ffffffffffffffff"), Some(-1));
        assert_eq!(int("-0x10"), Some(-16));
    }

    #[test]
    fn floats() {
        assert_eq!(float("1."), Some(1.0));
        assert_eq!(float(".5"), Some(0.5));
        assert_eq!(float("3e2"), Some(300.0));
        assert_eq!(float("1e400"), Some(f64::INFINITY));
        assert_eq!(float("0x.8"), Some(0.5));
        assert_eq!(float("0x1p-2"), Some(0.25));
        assert_eq!(float("0xA.8p0"), Some(10.5));
        assert_eq!(float("-0x0p1").map(f64::to_bits), Some((-0.0f64).to_bits()));
        assert_eq!(float("0x1p-1074"), Some(5e-324));
        assert_eq!(float("0x1p-1075"), Some(0.0));
        assert_eq!(float("0x1.8p-1075"), Some(5e-324));
        assert_eq!(float("0x1.fffffffffffffp1023"), Some(f64::MAX));
        assert_eq!(float("0x1.fffffffffffff8p1023"), Some(f64::INFINITY));
        assert_eq!(float("0x1p99999999999999999999"), Some(f64::INFINITY));
        assert_eq!(float("0x1.00000000000008000000000000000001p0"), Some(1.0000000000000002));
        assert_eq!(float("0x1.00000000000008p0"), Some(1.0));
    }

    #[test]
    fn rejected() {
        for text in [
            "", " ", "-", "0x", "0xp1", "1e", "1e+", "1..2", "nan", "inf", "1 2", "0x1p", "- 1",
            "--1", "0x.", ".", "1_000", "1f",
        ] {
            assert_eq!(parse_number(text.as_bytes()), None, "{text:?}");
        }
    }
}
