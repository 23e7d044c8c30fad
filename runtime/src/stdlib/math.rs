//! The mathematical library (manual §6.7), with what `LUA_COMPAT_MATHLIB` keeps.

use perilune_ir::intrinsic::Intrinsic;

use super::{LibraryState, Outcome};
use crate::metamethod::compare_numbers;
use crate::object::Table;
use crate::text::number::{ceil_to_int, floor_to_int};
use crate::text::random::Random;
use crate::value::Value;
use crate::vm::{Args, Vm};

/// The generator of `math.random`, seeded at random.
pub struct Generator(pub Random);

impl Default for Generator {
    fn default() -> Generator {
        let (n1, n2) = random_seed();
        Generator(Random::new(n1, n2))
    }
}

/// A seed that differs between runs: the time, and what the system made random.
fn random_seed() -> (i64, i64) {
    let time = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos() as i64);
    (time, crate::hash::random_seed() as i64)
}

/// Makes the library's table.
pub fn open(vm: &mut Vm) -> *mut Table {
    if let Some(seed) = vm.detail.fixed_seed {
        vm.library_state::<LibraryState>().random.0 = Random::new(seed as i64, 0);
    }
    let library = super::new_table(vm);
    vm.register(
        library,
        &[
            ("abs", abs, Intrinsic::MathAbs.number()),
            ("acos", |vm, a| unary(vm, a, f64::acos), Intrinsic::MathAcos.number()),
            ("asin", |vm, a| unary(vm, a, f64::asin), Intrinsic::MathAsin.number()),
            ("atan", atan, Intrinsic::MathAtan.number()),
            ("ceil", ceil, Intrinsic::MathCeil.number()),
            ("cos", |vm, a| unary(vm, a, f64::cos), Intrinsic::MathCos.number()),
            ("cosh", |vm, a| unary(vm, a, f64::cosh), 0),
            ("deg", |vm, a| unary(vm, a, |x| x * (180.0 / std::f64::consts::PI)), 0),
            ("exp", |vm, a| unary(vm, a, f64::exp), Intrinsic::MathExp.number()),
            ("floor", floor, Intrinsic::MathFloor.number()),
            ("fmod", fmod, Intrinsic::MathFmod.number()),
            ("frexp", frexp, 0),
            ("ldexp", ldexp, 0),
            ("log", log, Intrinsic::MathLog.number()),
            ("log10", |vm, a| unary(vm, a, f64::log10), 0),
            ("max", max, Intrinsic::MathMax.number()),
            ("min", min, Intrinsic::MathMin.number()),
            ("modf", modf, Intrinsic::MathModf.number()),
            ("pow", pow, Intrinsic::MathPow.number()),
            ("rad", |vm, a| unary(vm, a, |x| x * (std::f64::consts::PI / 180.0)), 0),
            ("random", random, Intrinsic::MathRandom.number()),
            ("randomseed", randomseed, 0),
            ("sin", |vm, a| unary(vm, a, f64::sin), Intrinsic::MathSin.number()),
            ("sinh", |vm, a| unary(vm, a, f64::sinh), 0),
            ("sqrt", |vm, a| unary(vm, a, f64::sqrt), Intrinsic::MathSqrt.number()),
            ("tan", |vm, a| unary(vm, a, f64::tan), Intrinsic::MathTan.number()),
            ("tanh", |vm, a| unary(vm, a, f64::tanh), 0),
            ("tointeger", tointeger, Intrinsic::MathTointeger.number()),
            ("type", type_, Intrinsic::MathType.number()),
            ("ult", ult, Intrinsic::MathUlt.number()),
            ("atan2", atan, Intrinsic::MathAtan.number()),
        ],
    );
    vm.set_field_raw(library, "pi", Value::float(std::f64::consts::PI));
    vm.set_field_raw(library, "huge", Value::float(f64::INFINITY));
    let (least, greatest) = (vm.int(i64::MIN), vm.int(i64::MAX));
    vm.set_field_raw(library, "maxinteger", greatest);
    vm.set_field_raw(library, "mininteger", least);
    library
}

#[inline(always)]
fn unary(vm: &mut Vm, a: Args, f: impl Fn(f64) -> f64) -> Outcome {
    let x = a.check_float(vm, 1)?;
    a.ret1(Value::float(f(x)))
}

fn abs(vm: &mut Vm, a: Args) -> Outcome {
    // A string that reads as an integer counts as a float here.
    let r = match a.get(1).as_int() {
        Some(i) => vm.int(i.wrapping_abs()),
        None => Value::float(a.check_float(vm, 1)?.abs()),
    };
    a.ret1(r)
}

fn floor(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.check_number(vm, 1)?;
    let Some(x) = v.as_float() else {
        return a.ret1(v);
    };
    let r = match floor_to_int(x) {
        Some(i) => vm.int(i),
        None => Value::float(x.floor()),
    };
    a.ret1(r)
}

fn ceil(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.check_number(vm, 1)?;
    let Some(x) = v.as_float() else {
        return a.ret1(v);
    };
    let r = match ceil_to_int(x) {
        Some(i) => vm.int(i),
        None => Value::float(x.ceil()),
    };
    a.ret1(r)
}

fn atan(vm: &mut Vm, a: Args) -> Outcome {
    let y = a.check_float(vm, 1)?;
    let x = a.opt_float(vm, 2, 1.0)?;
    a.ret1(Value::float(y.atan2(x)))
}

fn pow(vm: &mut Vm, a: Args) -> Outcome {
    let x = a.check_float(vm, 1)?;
    let y = a.check_float(vm, 2)?;
    a.ret1(Value::float(x.powf(y)))
}

fn log(vm: &mut Vm, a: Args) -> Outcome {
    let x = a.check_float(vm, 1)?;
    if a.is_none_or_nil(2) {
        return a.ret1(Value::float(x.ln()));
    }
    let base = a.check_float(vm, 2)?;
    let r = if base == 2.0 {
        x.log2()
    } else if base == 10.0 {
        x.log10()
    } else {
        x.ln() / base.ln()
    };
    a.ret1(Value::float(r))
}

fn fmod(vm: &mut Vm, a: Args) -> Outcome {
    if let (Some(m), Some(d)) = (a.get(1).as_int(), a.get(2).as_int()) {
        if d == 0 {
            return Err(a.error(vm, 2, "zero"));
        }
        let r = vm.int(m.wrapping_rem(d));
        return a.ret1(r);
    }
    // In the order in which PUC Lua, as usually compiled, looks at them.
    let y = a.check_float(vm, 2)?;
    let x = a.check_float(vm, 1)?;
    a.ret1(Value::float(x % y))
}

fn modf(vm: &mut Vm, a: Args) -> Outcome {
    if a.get(1).as_int().is_some() {
        return a.ret2(a.get(1), Value::float(0.0));
    }
    let x = a.check_float(vm, 1)?;
    let whole = x.trunc();
    let fraction = if x == whole { 0.0 } else { x - whole };
    let whole = match floor_to_int(whole) {
        Some(i) => vm.int(i),
        None => Value::float(whole),
    };
    a.ret2(whole, Value::float(fraction))
}

fn frexp(vm: &mut Vm, a: Args) -> Outcome {
    let x = a.check_float(vm, 1)?;
    if x == 0.0 || !x.is_finite() {
        return a.ret2(Value::float(x), Value::small_int(0));
    }
    // Subnormals are scaled up first.
    let (scaled, shift) =
        if x.abs() < f64::MIN_POSITIVE { (x * 2f64.powi(64), 64) } else { (x, 0) };
    let bits = scaled.to_bits();
    let exponent = (bits >> 52 & 0x7FF) as i64 - 1022 - shift;
    let mantissa = f64::from_bits(bits & !(0x7FF << 52) | 1022 << 52);
    a.ret2(Value::float(mantissa), Value::small_int(exponent))
}

fn ldexp(vm: &mut Vm, a: Args) -> Outcome {
    let x = a.check_float(vm, 1)?;
    let mut exponent = a.check_int(vm, 2)? as i32;
    if x == 0.0 || !x.is_finite() {
        return a.ret1(Value::float(x));
    }
    // By steps, each exact but the last: a subnormal result is rounded once.
    let mut x = x;
    while exponent > 1000 && x.is_finite() && x != 0.0 {
        x *= 2f64.powi(1000);
        exponent -= 1000;
    }
    while exponent < -1000 && x != 0.0 {
        if x.abs() >= f64::MIN_POSITIVE * 2f64.powi(53) {
            let step = (-exponent).min(900);
            let lowest = x.abs().log2() as i32 + 960;
            let step = step.min(lowest.max(1));
            x *= 2f64.powi(-step);
            exponent += step;
        } else {
            x *= 2f64.powi(-500) * 2f64.powi(-500);
            exponent = 0;
        }
    }
    a.ret1(Value::float(x * 2f64.powi(exponent.clamp(-1000, 1000))))
}

fn max(vm: &mut Vm, a: Args) -> Outcome {
    extreme(vm, a, false)
}

fn min(vm: &mut Vm, a: Args) -> Outcome {
    extreme(vm, a, true)
}

#[inline(always)]
fn extreme(vm: &mut Vm, a: Args, least: bool) -> Outcome {
    if a.is_none(1) {
        return Err(a.error(vm, 1, "value expected"));
    }
    if let [x, y] = a.slice()
        && x.is_small_int()
        && y.is_small_int()
    {
        let first = (x.small_int_payload() <= y.small_int_payload()) == least;
        return a.ret1(if first || x == y { *x } else { *y });
    }
    let mut best = 1;
    for i in 2..=a.count() {
        let (x, y) = if least { (a.get(i), a.get(best)) } else { (a.get(best), a.get(i)) };
        let before = match compare_numbers(x, y, false) {
            Some(before) => before,
            None => vm.less_than(x, y)?,
        };
        if before {
            best = i;
        }
    }
    a.ret1(a.get(best))
}

fn random(vm: &mut Vm, a: Args) -> Outcome {
    // Also a call that fails takes a number, as in the reference.
    let bits = vm.library_state::<LibraryState>().random.0.next_u64();
    let (low, up) = match a.count() {
        0 => return a.ret1(Value::float(Random::float_of(bits))),
        1 => {
            let up = a.check_int(vm, 1)?;
            if up == 0 {
                let v = vm.int(bits as i64);
                return a.ret1(v);
            }
            (1, up)
        }
        2 => (a.check_int(vm, 1)?, a.check_int(vm, 2)?),
        _ => return Err(vm.error("wrong number of arguments")),
    };
    if low > up {
        return Err(a.error(vm, 1, "interval is empty"));
    }
    let r = vm.library_state::<LibraryState>().random.0.in_range(bits, low, up);
    let v = vm.int(r);
    a.ret1(v)
}

fn randomseed(vm: &mut Vm, a: Args) -> Outcome {
    let (n1, n2) = if !a.is_none(1) {
        (a.check_int(vm, 1)?, a.opt_int(vm, 2, 0)?)
    } else if vm.detail.fixed_seed.is_some() {
        // In a replay nothing is random.
        let random = &mut vm.library_state::<LibraryState>().random.0;
        (random.next_u64() as i64, random.next_u64() as i64)
    } else {
        random_seed()
    };
    vm.library_state::<LibraryState>().random.0 = Random::new(n1, n2);
    let (n1, n2) = (vm.int(n1), vm.int(n2));
    a.ret2(n1, n2)
}

fn tointeger(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.get(1);
    if v.is_small_int() {
        return a.ret1(v);
    }
    match vm.to_integer(v) {
        Some(i) => {
            let v = vm.int(i);
            a.ret1(v)
        }
        None => {
            a.check_any(vm, 1)?;
            a.ret1(Value::NIL)
        }
    }
}

fn type_(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.check_any(vm, 1)?;
    let name = if v.is_float() {
        vm.string(b"float")
    } else if v.is_number() {
        vm.string(b"integer")
    } else {
        Value::NIL
    };
    a.ret1(name)
}

fn ult(vm: &mut Vm, a: Args) -> Outcome {
    let (x, y) = (a.check_int(vm, 1)?, a.check_int(vm, 2)?);
    a.ret1(Value::bool((x as u64) < y as u64))
}
