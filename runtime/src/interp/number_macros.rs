//! The dispatch loop's macros for arithmetic, bitwise operations and comparisons: what is inline of them.
//!
//! They belong to the loop: they use its `reg!`, `done!`, `slow!`, `test_jump!` and `metamethod_frame!`, and its variables by the
//! names that `number_macros!` is given. As functions that answer an option they made float
//! arithmetic a tenth slower (mandelbrot, nbody).

/// Defines the macros in the dispatch loop. The first argument is a dollar sign.
macro_rules! number_macros {
    ($d:tt $vm:ident $base:ident $ip:ident) => {
        macro_rules! arith_slow {
            () => {{
                metamethod_frame!(2, metaframe::arith($vm, $base, $ip));
                slow!(arith::arith_slow($vm, $base, $ip));
                done!(1)
            }};
        }
        macro_rules! any_numbers {
            ($d word:expr, $d function:ident, $d b:expr, $d c:expr) => {{
                let v = arith::$d function(&mut $vm.heap, $d b, $d c);
                if v != NO_NUMBER {
                    reg!($d word.a()) = v;
                    done!(1)
                }
                arith_slow!()
            }};
        }
        // As `any_numbers`, with the wide integers first and inline.
        macro_rules! wide_numbers {
            ($d word:expr, $d function:ident, $d b:expr, $d c:expr, |$d x:ident, $d y:ident| $d int:expr) => {{
                let wide = 'ints: {
                    let $d x = wide_or!($d b, 'ints);
                    let $d y = wide_or!($d c, 'ints);
                    Some($d int)
                };
                if let Some(result) = wide {
                    let v = $vm.heap.int(result);
                    reg!($d word.a()) = v;
                    done!(1)
                }
                any_numbers!($d word, $d function, $d b, $d c)
            }};
        }
        // The integer, wide or not; leaves the block for anything else.
        macro_rules! wide_or {
            ($d v:expr, $d other:lifetime) => {{
                let v: Value = $d v;
                let tag = tag(v);
                if likely(tag == OTHER) {
                    if !likely(v.kind() == Kind::WideInt) {
                        break $d other None;
                    }
                    (*v.ptr::<WideInt>()).value
                } else if tag == INT {
                    v.small_int_payload()
                } else {
                    break $d other None;
                }
            }};
        }
        // Addition and subtraction: 48-bit integers are shifted to the top, so that the overflow flag
        // tells when the result needs a cell.
        macro_rules! add_like {
            ($d overflowing:ident, $d wrapping:ident, $d op:tt, $d mixed:ident, $d word:expr, $d c:expr) => {{
                let (b, c): (Value, Value) = (reg!($d word.b()), $d c);
                let (tb, tc) = (tag(b), tag(c));
                if likely(tb == INT && tc == INT) {
                    let (sum, overflow) =
                        ((b.0 << 16) as i64).$d overflowing((c.0 << 16) as i64);
                    if likely(!overflow) {
                        reg!($d word.a()) = Value(sum as u64 >> 16 | TAG_INT << TAG_SHIFT);
                        done!(1)
                    }
                } else if tb < IMMEDIATE && tc < IMMEDIATE {
                    reg!($d word.a()) = computed(f64::from_bits(b.0) $d op f64::from_bits(c.0));
                    done!(1)
                } else if let (Some(x), Some(y)) = (quick_float(b), quick_float(c)) {
                    reg!($d word.a()) = computed(x $d op y);
                    done!(1)
                }
                wide_numbers!($d word, $d mixed, b, c, |x, y| x.$d wrapping(y))
            }};
        }
        macro_rules! add {
            ($d word:expr, $d c:expr) => {
                add_like!(overflowing_add, wrapping_add, +, add_numbers, $d word, $d c)
            };
        }
        macro_rules! sub {
            ($d word:expr, $d c:expr) => {
                add_like!(overflowing_sub, wrapping_sub, -, sub_numbers, $d word, $d c)
            };
        }
        // As in the reference, `x - 0` adds 0: it turns -0.0 into 0.0.
        macro_rules! sub_constant {
            ($d word:expr, $d c:expr) => {{
                let (b, c): (Value, Value) = (reg!($d word.b()), $d c);
                if tag(b) < IMMEDIATE && tag(c) == INT {
                    let y = c.small_int_payload().wrapping_neg() as f64;
                    reg!($d word.a()) = computed(f64::from_bits(b.0) + y);
                    done!(1)
                }
                sub!($d word, c)
            }};
        }
        macro_rules! mul {
            ($d word:expr, $d c:expr) => {{
                let (b, c): (Value, Value) = (reg!($d word.b()), $d c);
                let (tb, tc) = (tag(b), tag(c));
                if tb < IMMEDIATE && tc < IMMEDIATE {
                    reg!($d word.a()) = computed(f64::from_bits(b.0) * f64::from_bits(c.0));
                    done!(1)
                } else if tb == INT && tc == INT {
                    let (product, overflow) =
                        b.small_int_payload().overflowing_mul(c.small_int_payload());
                    if !overflow && let Some(v) = Value::inline_int(product) {
                        reg!($d word.a()) = v;
                        done!(1)
                    }
                } else if let (Some(x), Some(y)) = (quick_float(b), quick_float(c)) {
                    reg!($d word.a()) = computed(x * y);
                    done!(1)
                }
                wide_numbers!($d word, mul_numbers, b, c, |x, y| x.wrapping_mul(y))
            }};
        }
        macro_rules! float_only {
            ($d word:expr, $d c:expr, $d x:ident, $d y:ident, $d result:expr) => {{
                let (b, c): (Value, Value) = (reg!($d word.b()), $d c);
                if tag(b) < IMMEDIATE && tag(c) < IMMEDIATE {
                    let ($d x, $d y) = (f64::from_bits(b.0), f64::from_bits(c.0));
                    reg!($d word.a()) = $d result;
                    done!(1)
                }
                if let (Some($d x), Some($d y)) = (quick_float(b), quick_float(c)) {
                    reg!($d word.a()) = $d result;
                    done!(1)
                }
                arith_slow!()
            }};
        }
        // Division and remainder. Small positive operands use a 32-bit division.
        macro_rules! div_like {
            ($d word:expr, $d c:expr, $d small:tt, $d int:ident, $d any:ident, $d x:ident, $d y:ident, $d float:expr) => {{
                let (b, c): (Value, Value) = (reg!($d word.b()), $d c);
                if likely(tag(b) == INT && tag(c) == INT) {
                    let (m, n) = (b.small_int_payload(), c.small_int_payload());
                    if likely(n > 0) {
                        let result = if (m | n) as u64 >> 32 == 0 {
                            i64::from(m as u32 $d small n as u32)
                        } else {
                            $d int(m, n)
                        };
                        reg!($d word.a()) = Value::small_int(result);
                        done!(1)
                    }
                } else if tag(b) < IMMEDIATE && tag(c) < IMMEDIATE {
                    let ($d x, $d y) = (f64::from_bits(b.0), f64::from_bits(c.0));
                    reg!($d word.a()) = Value::float($d float);
                    done!(1)
                }
                let wide = 'ints: {
                    let x = wide_or!(b, 'ints);
                    let y = wide_or!(c, 'ints);
                    if y > 0 { Some($d int(x, y)) } else { None }
                };
                if let Some(result) = wide {
                    let v = $vm.heap.int(result);
                    reg!($d word.a()) = v;
                    done!(1)
                }
                any_numbers!($d word, $d any, b, c)
            }};
        }
        macro_rules! modulo {
            ($d word:expr, $d c:expr) => {
                div_like!($d word, $d c, %, floor_mod, mod_numbers, x, y, float_mod(x, y))
            };
        }
        macro_rules! divide {
            ($d word:expr, $d c:expr) => {
                div_like!($d word, $d c, /, floor_div, idiv_numbers, x, y, (x / y).floor())
            };
        }
        // On two tagged integers; the result keeps or gets its tag by `$d fix`.
        macro_rules! bits {
            ($d word:expr, $d c:expr, $d op:tt, $d fix:expr, $d any:ident) => {{
                let (b, c): (Value, Value) = (reg!($d word.b()), $d c);
                if likely(tag(b) == INT && tag(c) == INT) {
                    reg!($d word.a()) = Value((b.0 $d op c.0) | $d fix);
                    done!(1)
                }
                wide_numbers!($d word, $d any, b, c, |x, y| x $d op y)
            }};
        }
        macro_rules! shift {
            ($d word:expr, $d c:expr, $d function:ident, $d any:ident) => {{
                let (b, c): (Value, Value) = (reg!($d word.b()), $d c);
                if tag(b) == INT
                    && tag(c) == INT
                    && let Some(v) = Value::inline_int(arith::$d function(
                        b.small_int_payload(),
                        c.small_int_payload(),
                    ))
                {
                    reg!($d word.a()) = v;
                    done!(1)
                }
                wide_numbers!($d word, $d any, b, c, |x, y| arith::$d function(x, y))
            }};
        }
        macro_rules! compare_slow {
            ($d word:expr) => {{
                metamethod_frame!(2, metaframe::compare($vm, $base, $ip));
                match compare::compare_slow($vm, $base, $ip) {
                    Ok(answer) => test_jump!($d word, answer),
                    Err(throw) => return Err(throw),
                }
            }};
        }
        macro_rules! equal {
            ($d word:expr, $d b:expr) => {{
                let (a, b): (Value, Value) = (reg!($d word.a()), $d b);
                let (ta, tb) = (tag(a), tag(b));
                if a.0 == b.0 && ta >= IMMEDIATE {
                    test_jump!($d word, true)
                }
                // Unequal bits tell for a pair of integers, and where a nil or boolean is involved.
                if ta == INT && tb == INT || ta == IMMEDIATE || tb == IMMEDIATE {
                    test_jump!($d word, false)
                }
                // An interned string equals no other.
                if ta == STRING && tb == STRING && is_interned(a, b) {
                    test_jump!($d word, false)
                }
                if let (Some(x), Some(y)) = (quick_float(a), quick_float(b)) {
                    test_jump!($d word, (x == y))
                }
                compare_slow!($d word)
            }};
        }
        macro_rules! order {
            ($d word:expr, $d b:expr, $d op:tt) => {{
                let (a, b): (Value, Value) = (reg!($d word.a()), $d b);
                if likely(tag(a) == INT && tag(b) == INT) {
                    let answer = ((a.0 << 16) as i64) $d op ((b.0 << 16) as i64);
                    test_jump!($d word, answer)
                }
                if tag(a) < IMMEDIATE && tag(b) < IMMEDIATE {
                    let answer = f64::from_bits(a.0) $d op f64::from_bits(b.0);
                    test_jump!($d word, answer)
                }
                // Inline integers are exact as floats.
                if let (Some(x), Some(y)) = (quick_float(a), quick_float(b)) {
                    test_jump!($d word, (x $d op y))
                }
                compare_slow!($d word)
            }};
        }
    };
}
pub(super) use number_macros;
