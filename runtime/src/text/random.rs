//! The generator behind `math.random`: xoshiro256**, seeded and projected as in Lua 5.4, so that a
//! given seed gives the reference implementation's sequence.

/// Generator state; one per Lua state.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The generator after `math.randomseed(n1, n2)`.
    ///
    /// ```
    /// use perilune_runtime::text::random::Random;
    /// assert_eq!(Random::new(42, 0).next_u64() as i64, -1276290044721465627);
    /// ```
    pub fn new(n1: i64, n2: i64) -> Random {
        let mut random = Random { state: [n1 as u64, 0xff, n2 as u64, 0] };
        for _ in 0..16 {
            random.next_u64();
        }
        random
    }

    /// The next 64 random bits (`math.random(0)`).
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.state;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let s2 = s2 ^ s0;
        let s3 = s3 ^ s1;
        self.state = [s0 ^ s3, s1 ^ s2, s2 ^ (s1 << 17), s3.rotate_left(45)];
        result
    }

    /// The float in `[0, 1)` that random bits stand for (`math.random()`).
    #[inline]
    pub fn float_of(bits: u64) -> f64 {
        (bits >> 11) as f64 * (0.5 / (1u64 << 52) as f64)
    }

    /// The integer in `[low, up]`, which must not be empty, that random bits stand for
    /// (`math.random(low, up)`); draws more where these say nothing.
    #[inline]
    pub fn in_range(&mut self, bits: u64, low: i64, up: i64) -> i64 {
        debug_assert!(low <= up);
        let width = (up as u64).wrapping_sub(low as u64);
        (low as u64).wrapping_add(self.project(bits, width)) as i64
    }

    /// Projects `bits` onto `[0, n]` without bias: masks to the smallest 2^b - 1 not below `n` and
    /// draws again while the result lies above `n`.
    #[inline]
    fn project(&mut self, mut bits: u64, n: u64) -> u64 {
        if n & n.wrapping_add(1) == 0 {
            return bits & n;
        }
        let mask = u64::MAX >> n.leading_zeros();
        loop {
            bits &= mask;
            if bits <= n {
                return bits;
            }
            bits = self.next_u64();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranged(r: &mut Random, low: i64, up: i64) -> i64 {
        let bits = r.next_u64();
        r.in_range(bits, low, up)
    }

    #[test]
    fn same_sequence_as_the_reference() {
        let mut r = Random::new(42, 0);
        assert_eq!(r.next_u64() as i64, -1276290044721465627);
        assert_eq!(r.next_u64() as i64, 8333941968102511665);
        assert_eq!(r.next_u64() as i64, -8358531260401861301);
        // 0x1.965157f81204bp-1, 0x1.3c110ea35f10ap-1, 0x1.3a9865608e04p-7
        let pow = |e: i32| 2f64.powi(e);
        assert_eq!(Random::float_of(r.next_u64()), 0x1965157f81204b_u64 as f64 * pow(-53));
        assert_eq!(Random::float_of(r.next_u64()), 0x13c110ea35f10a_u64 as f64 * pow(-53));
        assert_eq!(Random::float_of(r.next_u64()), 0x13a9865608e040_u64 as f64 * pow(-59));
        let five: Vec<i64> = (0..5).map(|_| ranged(&mut r, 1, 100)).collect();
        assert_eq!(five, [7, 25, 3, 24, 24]);
        let three: Vec<i64> = (0..3).map(|_| ranged(&mut r, -7, i64::MAX)).collect();
        assert_eq!(three, [1351074849451138809, 786156329281515705, 7487668995028120566]);
        assert_eq!(ranged(&mut r, i64::MIN, i64::MAX), 7963262146711715687);
        assert_eq!(ranged(&mut r, 5, 5), 5);
        assert_eq!(ranged(&mut r, 1, 8), 6);
        assert_eq!(Random::new(123, 456).next_u64() as i64, -7482266044409867603);
    }
}
