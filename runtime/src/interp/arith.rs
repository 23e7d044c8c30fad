//! Arithmetic and bitwise operations: everything beyond the interpreter's inline fast paths.

use perilune_ir::bytecode::{Op, Word};

use super::operators::{note_metamethod, note_result};
use super::{constants, sync};
use crate::heap::Heap;
use crate::meta::Metamethod;
use crate::object::{Kind, WideInt};
use crate::text::number::float_to_int;
use crate::value::{TAG_OTHER, Value};
use crate::vm::{Throw, Vm};

/// An arithmetic or bitwise operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Arith {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `//`
    IDiv,
    /// `&`
    BAnd,
    /// `|`
    BOr,
    /// `~`
    BXor,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// Unary `-`
    Unm,
    /// Unary `~`
    BNot,
}

impl Arith {
    /// The metamethod of the operation.
    pub fn metamethod(self) -> Metamethod {
        match self {
            Arith::Add => Metamethod::Add,
            Arith::Sub => Metamethod::Sub,
            Arith::Mul => Metamethod::Mul,
            Arith::Div => Metamethod::Div,
            Arith::Mod => Metamethod::Mod,
            Arith::Pow => Metamethod::Pow,
            Arith::IDiv => Metamethod::IDiv,
            Arith::BAnd => Metamethod::BAnd,
            Arith::BOr => Metamethod::BOr,
            Arith::BXor => Metamethod::BXor,
            Arith::Shl => Metamethod::Shl,
            Arith::Shr => Metamethod::Shr,
            Arith::Unm => Metamethod::Unm,
            Arith::BNot => Metamethod::BNot,
        }
    }

    /// Whether it works on integers only.
    pub fn is_bitwise(self) -> bool {
        matches!(
            self,
            Arith::BAnd | Arith::BOr | Arith::BXor | Arith::Shl | Arith::Shr | Arith::BNot
        )
    }

    /// The operation of an instruction, and whether its second operand is a constant.
    pub fn of(op: Op) -> Option<(Arith, bool)> {
        Some(match op {
            Op::Add => (Arith::Add, false),
            Op::Sub => (Arith::Sub, false),
            Op::Mul => (Arith::Mul, false),
            Op::Div => (Arith::Div, false),
            Op::Mod => (Arith::Mod, false),
            Op::Pow => (Arith::Pow, false),
            Op::IDiv => (Arith::IDiv, false),
            Op::BAnd => (Arith::BAnd, false),
            Op::BOr => (Arith::BOr, false),
            Op::BXor => (Arith::BXor, false),
            Op::Shl => (Arith::Shl, false),
            Op::Shr => (Arith::Shr, false),
            Op::AddK => (Arith::Add, true),
            Op::SubK => (Arith::Sub, true),
            Op::MulK => (Arith::Mul, true),
            Op::DivK => (Arith::Div, true),
            Op::ModK => (Arith::Mod, true),
            Op::PowK => (Arith::Pow, true),
            Op::IDivK => (Arith::IDiv, true),
            Op::BAndK => (Arith::BAnd, true),
            Op::BOrK => (Arith::BOr, true),
            Op::BXorK => (Arith::BXor, true),
            Op::ShlK => (Arith::Shl, true),
            Op::ShrK => (Arith::Shr, true),
            Op::Unm => (Arith::Unm, false),
            Op::BNot => (Arith::BNot, false),
            Op::Move
            | Op::LoadI
            | Op::LoadK
            | Op::LoadKX
            | Op::LoadNil
            | Op::LoadFalse
            | Op::LFalseSkip
            | Op::LoadTrue
            | Op::GetUpval
            | Op::SetUpval
            | Op::GetTabUp
            | Op::SetTabUp
            | Op::GetTable
            | Op::GetI
            | Op::GetField
            | Op::SetTable
            | Op::SetI
            | Op::SetField
            | Op::NewTable
            | Op::SelfField
            | Op::Not
            | Op::Len
            | Op::Concat
            | Op::Close
            | Op::Tbc
            | Op::Jmp
            | Op::Loop
            | Op::Eq
            | Op::Lt
            | Op::Le
            | Op::EqK
            | Op::LtK
            | Op::LeK
            | Op::GtK
            | Op::GeK
            | Op::Test
            | Op::TestSet
            | Op::Call
            | Op::TailCall
            | Op::Return
            | Op::Return0
            | Op::Return1
            | Op::ForPrep
            | Op::ForLoop
            | Op::TForPrep
            | Op::TForCall
            | Op::TForLoop
            | Op::SetList
            | Op::Closure
            | Op::Vararg
            | Op::VarargPrep => return None,
        })
    }
}

/// `a // b` for integers, `b` not 0: rounds down.
#[inline(always)]
pub fn floor_div(a: i64, b: i64) -> i64 {
    if b == -1 {
        return a.wrapping_neg();
    }
    let q = a / b;
    if (a ^ b) < 0 && q * b != a { q - 1 } else { q }
}

/// `a % b` for integers, `b` not 0: the sign of `b`.
#[inline(always)]
pub fn floor_mod(a: i64, b: i64) -> i64 {
    if b == -1 {
        return 0;
    }
    let r = a % b;
    if r != 0 && (r ^ b) < 0 { r + b } else { r }
}

/// `a % b` for floats: the sign of `b`.
#[inline]
pub fn float_mod(a: f64, b: f64) -> f64 {
    // Integers in floats are common, and the general function is slow.
    let (i, j) = (a as i64, b as i64);
    if i as f64 == a && j as f64 == b && j != 0 && i.unsigned_abs() < 1 << 53 {
        let r = if (i | j) as u64 >> 32 == 0 {
            i64::from(i as u32 % j as u32)
        } else {
            floor_mod(i, j)
        };
        return if r == 0 { 0f64.copysign(a) } else { r as f64 };
    }
    float_mod_any(a, b)
}

#[inline(never)]
fn float_mod_any(a: f64, b: f64) -> f64 {
    let r = a % b;
    // The product of tiny numbers would be 0.
    if r != 0.0 && (r < 0.0) != (b < 0.0) { r + b } else { r }
}

/// `a ^ b`
#[inline]
pub fn float_pow(a: f64, b: f64) -> f64 {
    if b == 2.0 { a * a } else { a.powf(b) }
}

/// `a << b` on 64 bits; a negative `b` shifts right; 64 and more give 0.
#[inline(always)]
pub fn shift_left(a: i64, b: i64) -> i64 {
    if (b as u64) < 64 {
        ((a as u64) << b) as i64
    } else if b < 0 && b > -64 {
        ((a as u64) >> -b) as i64
    } else {
        0
    }
}

/// `a >> b`
#[inline(always)]
pub fn shift_right(a: i64, b: i64) -> i64 {
    if (b as u64) < 64 {
        ((a as u64) >> b) as i64
    } else if b < 0 && b > -64 {
        ((a as u64) << -b) as i64
    } else {
        0
    }
}

/// Why a numeric operation failed.
enum Failure {
    /// Not two numbers of the right kind: a metamethod is asked.
    Operands,
    /// The message of the error.
    Message(&'static str),
}

/// A number as integer, exactly.
#[inline]
fn exact_int(v: Value) -> Option<i64> {
    match v.as_float() {
        Some(x) => float_to_int(x),
        None => v.as_int(),
    }
}

fn on_numbers(heap: &mut Heap, op: Arith, a: Value, b: Value) -> Result<Value, Failure> {
    if op.is_bitwise() {
        let (Some(x), Some(y)) = (exact_int(a), exact_int(b)) else {
            return Err(Failure::Operands);
        };
        let result = match op {
            Arith::BAnd => x & y,
            Arith::BOr => x | y,
            Arith::BXor => x ^ y,
            Arith::Shl => shift_left(x, y),
            Arith::Shr => shift_right(x, y),
            Arith::BNot => !x,
            Arith::Add
            | Arith::Sub
            | Arith::Mul
            | Arith::Div
            | Arith::Mod
            | Arith::Pow
            | Arith::IDiv
            | Arith::Unm => return Err(Failure::Operands),
        };
        return Ok(heap.int(result));
    }
    if op != Arith::Div
        && op != Arith::Pow
        && let (Some(x), Some(y)) = (a.as_int(), b.as_int())
    {
        let result = match op {
            Arith::Add => x.wrapping_add(y),
            Arith::Sub => x.wrapping_sub(y),
            Arith::Mul => x.wrapping_mul(y),
            Arith::Unm => x.wrapping_neg(),
            Arith::Mod if y == 0 => return Err(Failure::Message("attempt to perform 'n%0'")),
            Arith::Mod => floor_mod(x, y),
            Arith::IDiv if y == 0 => return Err(Failure::Message("attempt to divide by zero")),
            Arith::IDiv => floor_div(x, y),
            Arith::Div
            | Arith::Pow
            | Arith::BAnd
            | Arith::BOr
            | Arith::BXor
            | Arith::Shl
            | Arith::Shr
            | Arith::BNot => return Err(Failure::Operands),
        };
        return Ok(heap.int(result));
    }
    let (Some(x), Some(y)) = (a.to_float(), b.to_float()) else {
        return Err(Failure::Operands);
    };
    Ok(Value::float(match op {
        Arith::Add => x + y,
        Arith::Sub => x - y,
        Arith::Mul => x * y,
        Arith::Div => x / y,
        Arith::Mod => float_mod(x, y),
        Arith::Pow => float_pow(x, y),
        Arith::IDiv => (x / y).floor(),
        Arith::Unm => -x,
        Arith::BAnd | Arith::BOr | Arith::BXor | Arith::Shl | Arith::Shr | Arith::BNot => {
            return Err(Failure::Operands);
        }
    }))
}

impl Vm {
    /// An arithmetic or bitwise operation with metamethods; unary ones take the operand twice.
    ///
    /// # Errors
    /// As the operation.
    pub fn arith(&mut self, op: Arith, a: Value, b: Value) -> Result<Value, Throw> {
        match on_numbers(&mut self.heap, op, a, b) {
            Ok(v) => Ok(v),
            Err(Failure::Message(message)) => Err(self.runtime_error(message.as_bytes())),
            Err(Failure::Operands) => {
                let mut handler = self.metamethod(a, op.metamethod());
                if handler.is_nil() {
                    handler = self.metamethod(b, op.metamethod());
                }
                if handler.is_nil() {
                    return Err(self.arith_error(op.is_bitwise(), a, b));
                }
                self.call1(handler, &[a, b])
            }
        }
    }
}

/// What the operations on numbers below answer where they do not apply (no arithmetic gives this light
/// userdata).
pub const NO_NUMBER: Value = Value(u64::MAX);

/// The integer that a value is, or what the other branch gives.
macro_rules! integer_or {
    ($v:ident, $other:expr) => {
        if $v.is_small_int() {
            $v.small_int_payload()
        } else if $v.tag() == TAG_OTHER && $v.kind() == Kind::WideInt {
            // SAFETY: the kind says so, and a value in use is live.
            unsafe { (*$v.ptr::<WideInt>()).value }
        } else {
            return $other;
        }
    };
}

/// Operations on numbers of any kind; [`NO_NUMBER`] for other operands and for division by zero.
/// Integers, the wide ones foremost, come first and in a straight line.
macro_rules! on_any_numbers {
    ($($name:ident, |$heap:ident, $x:ident, $y:ident| $int:expr, |$b:ident, $c:ident| $float:expr;)*) => {
        $(
            #[doc = concat!("See [`NO_NUMBER`]: `", stringify!($int), "`.")]
            #[inline(never)]
            pub fn $name($heap: &mut Heap, $b: Value, $c: Value) -> Value {
                let $x = integer_or!($b, $float);
                let $y = integer_or!($c, $float);
                $heap.int($int)
            }
        )*
    };
}

on_any_numbers! {
    add_numbers, |heap, x, y| x.wrapping_add(y), |b, c| on_floats(b, c, |f, g| f + g);
    sub_numbers, |heap, x, y| x.wrapping_sub(y), |b, c| on_floats(b, c, |f, g| f - g);
    mul_numbers, |heap, x, y| x.wrapping_mul(y), |b, c| on_floats(b, c, |f, g| f * g);
    mod_numbers, |heap, x, y| if y != 0 { floor_mod(x, y) } else { return NO_NUMBER },
        |b, c| on_floats(b, c, float_mod);
    idiv_numbers, |heap, x, y| if y != 0 { floor_div(x, y) } else { return NO_NUMBER },
        |b, c| on_floats(b, c, |f, g| (f / g).floor());
    and_numbers, |heap, x, y| x & y, |b, c| on_exact(heap, b, c, |x, y| x & y);
    or_numbers, |heap, x, y| x | y, |b, c| on_exact(heap, b, c, |x, y| x | y);
    xor_numbers, |heap, x, y| x ^ y, |b, c| on_exact(heap, b, c, |x, y| x ^ y);
    shl_numbers, |heap, x, y| shift_left(x, y), |b, c| on_exact(heap, b, c, shift_left);
    shr_numbers, |heap, x, y| shift_right(x, y), |b, c| on_exact(heap, b, c, shift_right);
}

/// An operation on two numbers that are not both integers.
#[inline(never)]
fn on_floats(b: Value, c: Value, f: fn(f64, f64) -> f64) -> Value {
    match (b.to_float(), c.to_float()) {
        (Some(x), Some(y)) => Value::float(f(x, y)),
        _ => NO_NUMBER,
    }
}

/// A bitwise operation on two numbers that are not both integers.
#[cold]
#[inline(never)]
fn on_exact(heap: &mut Heap, b: Value, c: Value, f: fn(i64, i64) -> i64) -> Value {
    match (exact_int(b), exact_int(c)) {
        (Some(x), Some(y)) => heap.int(f(x, y)),
        _ => NO_NUMBER,
    }
}

/// Performs the arithmetic or bitwise instruction at `ip`, of any operands.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` one of its instructions of that kind.
#[inline(never)]
pub unsafe fn arith_slow(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<(), Throw> {
    // SAFETY: verified code: operands are in range.
    unsafe {
        sync(vm, base, ip);
        let word = Word(*ip);
        let op = Op::decode(*ip).unwrap_unchecked();
        let (arith, constant) = Arith::of(op).unwrap_unchecked();
        let a = *base.add(word.b() as usize);
        let b = if constant {
            *constants(base).add(word.c() as usize)
        } else if matches!(arith, Arith::Unm | Arith::BNot) {
            a
        } else {
            *base.add(word.c() as usize)
        };
        note_metamethod(vm, base, ip, arith.metamethod(), [a, b]);
        let result = if constant && arith == Arith::Sub && a.is_float() && b == Value::small_int(0)
        {
            // As in the reference, `x - 0` adds 0: it turns -0.0 into 0.0.
            vm.arith(Arith::Add, a, b)?
        } else {
            vm.arith(arith, a, b)?
        };
        note_result(vm, base, ip, result);
        *base.add(word.a() as usize) = result;
        Ok(())
    }
}
