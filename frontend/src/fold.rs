//! Constant folding, as the parser builds operators.
//!
//! Only what can neither fail nor lose information is folded: no division by
//! zero, no bitwise operator on a float without an integer value, and no
//! result that is a NaN or a zero float (constants compare by value, so that
//! `0.0` and `-0.0` would share a slot).

use crate::ast::{BinOp, Expr, UnOp};
use crate::number::Number;

/// The value of `op` applied to a constant, when it folds.
pub(crate) fn unary(op: UnOp, operand: Expr) -> Option<Expr> {
    match op {
        UnOp::Minus => match number(operand)? {
            Number::Int(value) => Some(Expr::Int(value.wrapping_neg())),
            Number::Float(value) => float(-value),
        },
        UnOp::BNot => Some(Expr::Int(!integer(number(operand)?)?)),
        UnOp::Not => operand.is_constant().then(|| Expr::Bool(!truthy(operand))),
        UnOp::Len => None,
    }
}

/// Whether a constant counts as true.
pub(crate) fn truthy(constant: Expr) -> bool {
    !matches!(constant, Expr::Nil | Expr::Bool(false))
}

/// The value of an arithmetic or bitwise operator applied to constants.
pub(crate) fn binary(op: BinOp, left: Expr, right: Expr) -> Option<Expr> {
    let (left, right) = (number(left)?, number(right)?);
    match op {
        BinOp::Add => arith(left, right, i64::wrapping_add, |a, b| a + b),
        BinOp::Sub => arith(left, right, i64::wrapping_sub, |a, b| a - b),
        BinOp::Mul => arith(left, right, i64::wrapping_mul, |a, b| a * b),
        BinOp::Div if !is_zero(right) => float(to_float(left) / to_float(right)),
        BinOp::Mod if !is_zero(right) => arith(left, right, floor_mod, float_mod),
        BinOp::IDiv if !is_zero(right) => arith(left, right, floor_div, |a, b| (a / b).floor()),
        BinOp::Div | BinOp::Mod | BinOp::IDiv => None,
        BinOp::Pow => {
            let (base, power) = (to_float(left), to_float(right));
            float(if power == 2.0 { base * base } else { base.powf(power) })
        }
        BinOp::BAnd => bitwise(left, right, |a, b| a & b),
        BinOp::BOr => bitwise(left, right, |a, b| a | b),
        BinOp::BXor => bitwise(left, right, |a, b| a ^ b),
        BinOp::Shl => bitwise(left, right, shift_left),
        BinOp::Shr => bitwise(left, right, |a, b| shift_left(a, b.wrapping_neg())),
        BinOp::Concat
        | BinOp::Eq
        | BinOp::Ne
        | BinOp::Lt
        | BinOp::Le
        | BinOp::Gt
        | BinOp::Ge
        | BinOp::And
        | BinOp::Or => None,
    }
}

fn number(expr: Expr) -> Option<Number> {
    match expr {
        Expr::Int(value) => Some(Number::Int(value)),
        Expr::Float(value) => Some(Number::Float(value)),
        _ => None,
    }
}

fn to_float(number: Number) -> f64 {
    match number {
        Number::Int(value) => value as f64,
        Number::Float(value) => value,
    }
}

fn is_zero(number: Number) -> bool {
    to_float(number) == 0.0
}

fn float(value: f64) -> Option<Expr> {
    (!value.is_nan() && value != 0.0).then_some(Expr::Float(value))
}

fn arith(
    left: Number,
    right: Number,
    int: fn(i64, i64) -> i64,
    flt: fn(f64, f64) -> f64,
) -> Option<Expr> {
    match (left, right) {
        (Number::Int(a), Number::Int(b)) => Some(Expr::Int(int(a, b))),
        _ => float(flt(to_float(left), to_float(right))),
    }
}

fn bitwise(left: Number, right: Number, op: fn(i64, i64) -> i64) -> Option<Expr> {
    Some(Expr::Int(op(integer(left)?, integer(right)?)))
}

/// The integer equal to `number`, if there is one.
fn integer(number: Number) -> Option<i64> {
    match number {
        Number::Int(value) => Some(value),
        Number::Float(value) => {
            let fits = value.floor() == value
                && (-9223372036854775808.0..9223372036854775808.0).contains(&value);
            fits.then_some(value as i64)
        }
    }
}

fn floor_div(a: i64, b: i64) -> i64 {
    let quotient = a.wrapping_div(b);
    if a.wrapping_rem(b) != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}

fn floor_mod(a: i64, b: i64) -> i64 {
    let rest = a.wrapping_rem(b);
    if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
}

fn float_mod(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest * b < 0.0 { rest + b } else { rest }
}

/// Logical shift; a negative count shifts right.
fn shift_left(value: i64, count: i64) -> i64 {
    let bits = value as u64;
    let shifted = match count {
        0..64 => bits << count,
        -63..0 => bits >> -count,
        _ => 0,
    };
    shifted as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds() {
        use BinOp::*;
        use Expr::{Float, Int};
        for (op, a, b, expected) in [
            (Add, Int(i64::MAX), Int(1), Some(Int(i64::MIN))),
            (Div, Int(7), Int(2), Some(Float(3.5))),
            (Div, Int(1), Int(0), None),
            (Div, Int(0), Int(1), None),
            (IDiv, Int(-7), Int(2), Some(Int(-4))),
            (IDiv, Int(i64::MIN), Int(-1), Some(Int(i64::MIN))),
            (Mod, Int(-7), Int(2), Some(Int(1))),
            (Mod, Int(i64::MIN), Int(-1), Some(Int(0))),
            (Mod, Float(-7.5), Int(2), Some(Float(0.5))),
            (Mod, Int(5), Float(f64::NEG_INFINITY), Some(Float(f64::NEG_INFINITY))),
            (Sub, Float(1.0), Int(1), None),
            (BAnd, Float(3.0), Int(6), Some(Int(2))),
            (BAnd, Float(3.5), Int(6), None),
            (Shl, Int(1), Int(64), Some(Int(0))),
            (Shl, Int(1), Int(63), Some(Int(i64::MIN))),
            (Shr, Int(-1), Int(1), Some(Int(i64::MAX))),
            (Shl, Int(2), Int(-1), Some(Int(1))),
            (Shr, Int(1), Int(i64::MIN), Some(Int(0))),
            (Pow, Int(2), Int(10), Some(Float(1024.0))),
            (Lt, Int(1), Int(2), None),
        ] {
            assert_eq!(binary(op, a, b), expected, "{op:?} {a:?} {b:?}");
        }
        assert_eq!(unary(UnOp::Minus, Int(i64::MIN)), Some(Int(i64::MIN)));
        assert_eq!(unary(UnOp::Minus, Float(0.0)), None);
        assert_eq!(unary(UnOp::BNot, Float(0.0)), Some(Int(-1)));
        assert_eq!(unary(UnOp::Not, Expr::Nil), Some(Expr::Bool(true)));
    }
}
