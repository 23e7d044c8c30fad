//! Properties that hold for all numbers: the encoding of values, and numbers to text and back.
//!
//! Corners are enumerated (every power of two, its neighbours and their negations; every exponent with
//! extreme mantissas; all kinds of NaN), the space between is sampled.

use perilune_ir::encoding;
use perilune_runtime::state::Options;
use perilune_runtime::text::number::{NumBuf, Number, float_to_int, str2number};
use perilune_runtime::value::{MAX_DOUBLE, TAG_IMMEDIATE, Type, Value};
use perilune_runtime::vm::Vm;

/// A small generator: the sequence is the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// Samples between the corners. Miri runs fewer.
const SAMPLES: usize = if cfg!(miri) { 200 } else { 100_000 };

fn integers() -> Vec<i64> {
    let mut all = vec![0, 1, -1, i64::MAX, i64::MIN];
    for shift in 0..64 {
        let power = 1i64.wrapping_shl(shift);
        for near in -2..=2 {
            let i = power.wrapping_add(near);
            all.extend([i, i.wrapping_neg(), !i]);
        }
    }
    let mut random = Random(1);
    for _ in 0..SAMPLES {
        let bits = random.next();
        all.push((bits as i64) >> (random.next() % 64));
    }
    all
}

fn floats() -> Vec<f64> {
    let mut all = vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE];
    let mantissas = [0, 1, 2, (1 << 52) - 1, (1 << 52) - 2, 1 << 51, (1 << 51) - 1, (1 << 51) + 1];
    for exponent in 0..0x800u64 {
        for mantissa in mantissas {
            let bits = exponent << 52 | mantissa;
            all.extend([f64::from_bits(bits), f64::from_bits(bits | 1 << 63)]);
        }
    }
    let mut random = Random(2);
    all.extend((0..SAMPLES).map(|_| f64::from_bits(random.next())));
    all.extend(integers().into_iter().map(|i| i as f64));
    all
}

#[test]
fn integers_keep_their_value() {
    let mut vm = Vm::new(Options::default());
    for i in integers() {
        let v = vm.int(i);
        assert_eq!(v.as_int(), Some(i));
        assert_eq!(v.ty(), Type::Integer);
        assert!(v.is_number() && !v.is_float() && !v.is_nil() && v.is_truthy());
        assert_eq!(v.to_float(), Some(i as f64));
        // Inline exactly when it fits 48 bits: then equality is that of bits.
        let fits = (-(1 << 47)..1 << 47).contains(&i);
        assert_eq!(v.is_small_int(), fits, "{i}");
        assert_eq!(v.is_heap(), !fits, "{i}");
        assert_eq!(Value::inline_int(i).is_some(), fits);
        assert_eq!(encoding::inline_int(i), fits.then_some(v.0), "both tables of bits agree");
    }
}

#[test]
fn floats_keep_their_bits() {
    for x in floats() {
        let v = Value::float(x);
        assert!(
            v.is_float() && v.is_number() && v.is_truthy() && !v.is_heap() && !v.is_small_int()
        );
        assert_eq!(v.ty(), Type::Float);
        assert!(v.0 <= MAX_DOUBLE && v.tag() < TAG_IMMEDIATE, "{:x}", v.0);
        let back = v.as_float().expect("a float");
        if x.is_nan() {
            assert!(back.is_nan(), "{:x}", x.to_bits());
        } else {
            assert_eq!(back.to_bits(), x.to_bits());
        }
        assert_eq!(v.as_int(), None);
    }
    // A NaN keeps its sign and nothing else, quiet or not.
    for top in (0x7FF0..=0x7FFF).chain(0xFFF0..=0xFFFFu64) {
        for low in [1, 2, 3, 1 << 47, (1 << 48) - 1] {
            let v = Value::float(f64::from_bits(top << 48 | low));
            assert_eq!(v.0, top >> 15 << 63 | 0x7FF8 << 48, "{:x}", top << 48 | low);
        }
    }
}

#[test]
fn types_are_disjoint() {
    let mut vm = Vm::new(Options::default());
    let mut values = vec![Value::NIL, Value::FALSE, Value::TRUE, Value::light(0), Value::light(7)];
    values.extend([Value::float(0.0), Value::float(f64::NAN), vm.int(0), vm.int(i64::MAX)]);
    values.push(Value::table(vm.globals));
    values.push(Value::string(vm.heap.intern(b"text")));
    for v in values {
        let claims = [
            v.is_nil(),
            v.is_bool(),
            v.is_float(),
            v.is_small_int(),
            v.is_string(),
            v.is_table(),
            v.is_function(),
            v.ty() == Type::LightUserdata,
            v.as_wide_int().is_some(),
        ];
        assert_eq!(claims.iter().filter(|c| **c).count(), 1, "{v:?} {claims:?}");
        assert_eq!(v.is_falsy(), v == Value::NIL || v == Value::FALSE);
        assert_eq!(v.is_truthy(), !v.is_falsy());
    }
}

#[test]
fn integers_to_text_and_back() {
    for i in integers() {
        let text = NumBuf::int(i);
        assert_eq!(text.as_str(), i.to_string());
        assert_eq!(str2number(text.as_bytes()), Some(Number::Int(i)));
        assert_eq!(str2number(format!("  {i}\n").as_bytes()), Some(Number::Int(i)));
        let hex = format!("{}0x{:x}", if i < 0 { "-" } else { "" }, i.unsigned_abs());
        assert_eq!(str2number(hex.as_bytes()), Some(Number::Int(i)), "{hex}");
        // One digit more than fits is a float.
        let long = format!("{i}{:019}", 0);
        assert!(matches!(str2number(long.as_bytes()), Some(Number::Float(_))) || i == 0, "{long}");
    }
}

#[test]
fn floats_to_text_and_back() {
    for x in floats() {
        if x.is_nan() {
            continue;
        }
        let short = NumBuf::float(x);
        let text = short.as_str();
        assert!(text.len() <= 24, "{text}");
        // What is printed looks like a float, and is right to 14 digits.
        assert!(text.contains(['.', 'e', 'n', 'i']), "{text}");
        if x.is_finite() {
            let Some(Number::Float(back)) = str2number(text.as_bytes()) else {
                panic!("{text} is no float")
            };
            let same = back == x || (back - x).abs() <= x.abs() * 1e-13 || x.abs() < 1e-300;
            assert!(same || back.is_infinite(), "{text} {x:e} {back:e}");
            assert_eq!(back.is_sign_negative(), x.is_sign_negative(), "{text}");
            // With all digits, decimal or hexadecimal, it is exact.
            let exact = format!("{x:e}");
            assert_eq!(bits(&exact), x.to_bits(), "{exact}");
            assert_eq!(bits(&hexadecimal(x)), x.to_bits(), "{}", hexadecimal(x));
        }
    }
}

/// The bits of a numeral as float, whatever its subtype.
fn bits(text: &str) -> u64 {
    match str2number(text.as_bytes()) {
        Some(Number::Float(x)) => x.to_bits(),
        Some(Number::Int(i)) => (i as f64).to_bits(),
        None => panic!("{text} is no number"),
    }
}

/// As C's `%a`.
fn hexadecimal(x: f64) -> String {
    let bits = x.to_bits();
    let sign = if x.is_sign_negative() { "-" } else { "" };
    let exponent = (bits >> 52 & 0x7FF) as i64;
    let mantissa = bits & ((1 << 52) - 1);
    match exponent {
        0 => format!("{sign}0x0.{mantissa:013x}p-1022"),
        _ => format!("{sign}0x1.{mantissa:013x}p{:+}", exponent - 1023),
    }
}

#[test]
fn floats_become_integers_exactly_or_not_at_all() {
    for x in floats() {
        let whole = x.is_finite() && x == x.trunc();
        let in_range = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x);
        match float_to_int(x) {
            Some(i) => assert!(whole && in_range && i as f64 == x, "{x:e}"),
            None => assert!(!(whole && in_range), "{x:e}"),
        }
    }
}
