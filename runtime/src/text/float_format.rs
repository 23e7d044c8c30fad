//! C's `%a`, `%e`, `%f` and `%g` conversions with all flags, correctly rounded at any precision.
//!
//! Decimal digits come from Rust's exact `{:.N}` and `{:.Ne}` formatting; this file arranges them.

use super::format::{Conversion, FloatStyle, Spec};
use std::io::Write;

/// Converts a float by `%a`, `%e`, `%f` or `%g`, or the upper case forms.
///
/// ```
/// use perilune_runtime::text::{float_format::push_float, format::Spec};
/// let mut out = Vec::new();
/// push_float(&mut out, &Spec::parse(b"8.2f").unwrap().0, 3.14159);
/// assert_eq!(out, b"    3.14");
/// ```
///
/// # Panics
/// If the conversion is another one.
pub fn push_float(out: &mut Vec<u8>, spec: &Spec, value: f64) {
    let Conversion::Float(style, upper) = spec.conversion else {
        unreachable!("not a float conversion");
    };
    let from = out.len();
    let sign = spec.sign(value.is_sign_negative());
    let magnitude = value.abs();
    if !value.is_finite() {
        spec.pad_number(out, sign, if value.is_nan() { b"nan" } else { b"inf" }, false);
    } else {
        let mut digits = Vec::with_capacity(32);
        match style {
            FloatStyle::Hex => {
                hex(&mut digits, magnitude, spec);
                let prefix = [sign, b"0x"].concat();
                spec.pad_number(out, &prefix, &digits, spec.zero);
            }
            FloatStyle::Exponent => {
                exponent(&mut digits, magnitude, spec);
                spec.pad_number(out, sign, &digits, spec.zero);
            }
            FloatStyle::Fixed => {
                let precision = spec.precision.unwrap_or(6);
                write!(digits, "{magnitude:.precision$}").expect("writing to memory");
                if precision == 0 && spec.alternate {
                    digits.push(b'.');
                }
                spec.pad_number(out, sign, &digits, spec.zero);
            }
            FloatStyle::General => {
                general(&mut digits, magnitude, spec);
                spec.pad_number(out, sign, &digits, spec.zero);
            }
        }
    }
    if upper {
        out[from..].make_ascii_uppercase();
    }
}

/// The `count` significant digits of a float and its decimal exponent.
fn significant(magnitude: f64, count: usize) -> (Vec<u8>, i32) {
    let mut text = Vec::with_capacity(count + 8);
    write!(text, "{:.*e}", count - 1, magnitude).expect("writing to memory");
    let e = text.iter().rposition(|&c| c == b'e').expect("an exponent");
    let power = std::str::from_utf8(&text[e + 1..]).ok().and_then(|s| s.parse().ok());
    text.truncate(e);
    if count > 1 {
        text.remove(1); // the point
    }
    (text, power.expect("a decimal exponent"))
}

fn push_exponent(out: &mut Vec<u8>, power: i32) {
    let sign = if power < 0 { '-' } else { '+' };
    write!(out, "e{sign}{:02}", power.unsigned_abs()).expect("writing to memory");
}

/// `d.ddde±dd` from digits.
fn push_scientific(out: &mut Vec<u8>, digits: &[u8], power: i32, point: bool) {
    out.push(digits[0]);
    if digits.len() > 1 || point {
        out.push(b'.');
    }
    out.extend_from_slice(&digits[1..]);
    push_exponent(out, power);
}

/// `%e`.
fn exponent(out: &mut Vec<u8>, magnitude: f64, spec: &Spec) {
    let (digits, power) = significant(magnitude, spec.precision.unwrap_or(6) + 1);
    push_scientific(out, &digits, power, spec.alternate);
}

/// `%g`: fixed notation when the exponent lies between -4 and the precision.
fn general(out: &mut Vec<u8>, magnitude: f64, spec: &Spec) {
    let count = spec.precision.unwrap_or(6).max(1);
    let (mut digits, power) = significant(magnitude, count);
    if !spec.alternate {
        while digits.len() > 1 && digits.last() == Some(&b'0') {
            digits.pop();
        }
    }
    if power < -4 || power >= count as i32 {
        return push_scientific(out, &digits, power, spec.alternate);
    }
    if power < 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-power - 1) as usize, b'0');
        out.extend_from_slice(&digits);
        return;
    }
    let whole = power as usize + 1;
    if digits.len() <= whole {
        digits.resize(whole, b'0');
    }
    out.extend_from_slice(&digits[..whole]);
    if digits.len() > whole || spec.alternate {
        out.push(b'.');
    }
    out.extend_from_slice(&digits[whole..]);
}

/// `%a` without sign and `0x`.
fn hex(out: &mut Vec<u8>, magnitude: f64, spec: &Spec) {
    let bits = magnitude.to_bits();
    let biased = (bits >> 52) as i32;
    let fraction = bits & ((1 << 52) - 1);
    // One hexadecimal digit before the point, 13 behind it.
    let mut digits = fraction | if biased == 0 { 0 } else { 1 << 52 };
    let power = match (biased, fraction) {
        (0, 0) => 0,
        (0, _) => -1022,
        _ => biased - 1023,
    };
    let mut count = 13;
    match spec.precision {
        None => count -= (fraction.trailing_zeros() as usize / 4).min(13),
        Some(precision) if precision < 13 => {
            count = precision;
            let drop = 4 * (13 - precision);
            let rest = digits & ((1 << drop) - 1);
            let half = 1 << (drop - 1);
            let kept = digits >> drop;
            digits = (kept + u64::from(rest > half || (rest == half && kept & 1 == 1))) << drop;
        }
        Some(_) => {}
    }
    out.push(b'0' + (digits >> 52) as u8);
    let precision = spec.precision.unwrap_or(count);
    if precision > 0 || spec.alternate {
        out.push(b'.');
    }
    for i in 0..precision {
        let digit = if i < 13 { digits >> (48 - 4 * i) & 0xF } else { 0 };
        out.push(b"0123456789abcdef"[digit as usize]);
    }
    let sign = if power < 0 { '-' } else { '+' };
    write!(out, "p{sign}{}", power.unsigned_abs()).expect("writing to memory");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(format: &str, value: f64) -> String {
        let (spec, _) = Spec::parse(format.as_bytes()).unwrap();
        let mut out = Vec::new();
        push_float(&mut out, &spec, value);
        String::from_utf8(out).unwrap()
    }

    /// Each row of expectations is what the reference implementation prints.
    fn check(format: &str, values: &[f64], expected: &str) {
        let got: Vec<String> = values.iter().map(|&v| float(format, v)).collect();
        assert_eq!(got.join(";"), expected, "%{format}");
    }

    #[test]
    fn hexadecimal() {
        let v = [1.5, 0.0, -0.0, 1.0 / 3.0, 1e-310, 5e-324, f64::INFINITY, 1.03125, f64::MAX];
        for (f, s) in [
            (".0a", "0x2p+0;0x0p+0;-0x0p+0;0x1p-2;0x0p-1022;0x0p-1022;inf;0x1p+0;0x2p+1023"),
            (
                ".1a",
                "0x1.8p+0;0x0.0p+0;-0x0.0p+0;0x1.5p-2;0x0.0p-1022;0x0.0p-1022;inf;0x1.0p+0;\
                 0x2.0p+1023",
            ),
            (
                "#.0a",
                "0x2.p+0;0x0.p+0;-0x0.p+0;0x1.p-2;0x0.p-1022;0x0.p-1022;inf;0x1.p+0;0x2.p+1023",
            ),
            (
                "020a",
                "0x0000000000001.8p+0;0x000000000000000p+0;-0x00000000000000p+0;\
                 0x1.5555555555555p-2;0x0.012688b70e62bp-1022;0x0.0000000000001p-1022;\
                 \x20                inf;0x000000000001.08p+0;0x1.fffffffffffffp+1023",
            ),
            (
                "A",
                "0X1.8P+0;0X0P+0;-0X0P+0;0X1.5555555555555P-2;0X0.012688B70E62BP-1022;\
                 0X0.0000000000001P-1022;INF;0X1.08P+0;0X1.FFFFFFFFFFFFFP+1023",
            ),
        ] {
            check(f, &v, s);
        }
        assert_eq!(float(".20a", 1.5), "0x1.80000000000000000000p+0");
        assert_eq!(float("a", f64::NAN.copysign(-1.0)), "-nan");
    }

    #[test]
    fn decimal() {
        let v = [1.5, 0.0, -0.0, 2.5, 1e-310, 123456789.0, 0.0001, 1e-5, 999999.5, 1e15, 0.1];
        for (f, s) in [
            (".0e", "2e+00;0e+00;-0e+00;2e+00;1e-310;1e+08;1e-04;1e-05;1e+06;1e+15;1e-01"),
            (
                "#.0e",
                "2.e+00;0.e+00;-0.e+00;2.e+00;1.e-310;1.e+08;1.e-04;1.e-05;1.e+06;1.e+15;1.e-01",
            ),
            (
                "E",
                "1.500000E+00;0.000000E+00;-0.000000E+00;2.500000E+00;1.000000E-310;1.234568E+08;\
                 1.000000E-04;1.000000E-05;9.999995E+05;1.000000E+15;1.000000E-01",
            ),
            (".0f", "2;0;-0;2;0;123456789;0;0;1000000;1000000000000000;0"),
            ("#.0f", "2.;0.;-0.;2.;0.;123456789.;0.;0.;1000000.;1000000000000000.;0."),
            (
                "010.2f",
                "0000001.50;0000000.00;-000000.00;0000002.50;0000000.00;123456789.00;0000000.00;\
                 0000000.00;0999999.50;1000000000000000.00;0000000.10",
            ),
            ("g", "1.5;0;-0;2.5;1e-310;1.23457e+08;0.0001;1e-05;1e+06;1e+15;0.1"),
            (".0g", "2;0;-0;2;1e-310;1e+08;0.0001;1e-05;1e+06;1e+15;0.1"),
            (
                "#.3g",
                "1.50;0.00;-0.00;2.50;1.00e-310;1.23e+08;0.000100;1.00e-05;1.00e+06;1.00e+15;0.100",
            ),
            (
                ".20g",
                "1.5;0;-0;2.5;9.9999999999999694493e-311;123456789;0.00010000000000000000479;\
                 1.0000000000000000818e-05;999999.5;1000000000000000;0.10000000000000000555",
            ),
            (
                ".30f",
                "1.500000000000000000000000000000;0.000000000000000000000000000000;\
                 -0.000000000000000000000000000000;2.500000000000000000000000000000;\
                 0.000000000000000000000000000000;123456789.000000000000000000000000000000;\
                 0.000100000000000000004792173602;0.000010000000000000000818030539;\
                 999999.500000000000000000000000000000;\
                 1000000000000000.000000000000000000000000000000;\
                 0.100000000000000005551115123126",
            ),
        ] {
            check(f, &v, s);
        }
        assert_eq!(float("020g", f64::INFINITY), "                 inf");
        assert_eq!(float("+g", f64::NAN.copysign(1.0)), "+nan");
        assert_eq!(float("-10.2f|", 1.5), "1.50      ");
        assert_eq!(
            float(".99f", 0.1),
            format!("0.1000000000000000055511151231257827021181583404541015625{}", "0".repeat(44))
        );
        assert_eq!(float(".3f", f64::MAX).len(), 309 + 4);
    }

    #[test]
    fn ties_go_to_even() {
        check(".0f", &[0.5, 1.5, 2.5, 3.5, 4.5], "0;2;2;4;4");
        check(".1f", &[0.25, 0.75, 0.125], "0.2;0.8;0.1");
        check(".0e", &[15.0, 25.0, 35.0, 0.5], "2e+01;2e+01;4e+01;5e-01");
        check(".2g", &[1.25, 1.35, 12.5, 125.0], "1.2;1.4;12;1.2e+02");
    }
}
