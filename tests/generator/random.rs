//! A small seeded generator of pseudo-random numbers (xorshift64*).

/// The state; equal seeds give equal sequences on every machine.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
    /// Decide first, one for each number, from the end.
    bytes: Vec<u8>,
}

impl Random {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Random {
        // Neighbouring seeds must not give neighbouring sequences, and the state may not be 0.
        let state = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Random { state, bytes: Vec::new() }
    }

    /// Numbers from `bytes`, and when there are no more of them, from a seed that they give.
    pub fn from_bytes(bytes: &[u8]) -> Random {
        let seed =
            bytes.iter().fold(0u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01B3));
        let mut random = Random::new(seed);
        random.bytes = bytes.iter().rev().copied().collect();
        random
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        if let Some(byte) = self.bytes.pop()
            && limit <= 256
        {
            return byte as usize % limit.max(1);
        }
        (self.next() % limit.max(1) as u64) as usize
    }

    /// A number from `low` to `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as usize) as i64
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}
