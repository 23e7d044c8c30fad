//! Keyed hashing: whatever a script chooses as keys, it does not choose where they land.
//!
//! | key | hash |
//! |---|---|
//! | bytes of strings | rapidhash, with all its secrets derived from the seed; whole strings, never samples |
//! | numbers, booleans, addresses | high half of the product with a secret odd multiplier |
//!
//! Multiplication by a secret odd number and taking high bits is a universal family (Dietzfelbinger et
//! al., 1997): two given words meet in a table of `m` places with a probability of at most `2 / m`, whatever
//! they are. A fixed multiplier has no such bound: the program can choose words for it.
//!
//! A state's seed is random unless the host fixes it. It shows in no result: no order depends on a hash.
//! Equal seeds give equal hashes on all machines. Nothing here withstands a program that learns the secrets
//! from timing.

use std::hash::{BuildHasher, Hasher};

use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline, rapidhash_v3_seeded};

use crate::heap::GRANULE;
use crate::text::random::Random;

/// Longest strings that are hashed inline by the variant with least code, which is the fastest for them.
const INLINE: usize = 48;

/// The secrets of a state's hashes.
#[derive(Clone, Copy, Debug)]
pub struct HashKey {
    secrets: RapidSecrets,
    multiplier: Multiplier,
}

impl HashKey {
    /// The secrets that follow from a seed.
    pub fn new(seed: u64) -> HashKey {
        let secrets = RapidSecrets::seed(seed);
        HashKey { secrets, multiplier: Multiplier::new(secrets.secrets[6]) }
    }

    /// The hash of a string's bytes.
    #[inline(always)]
    pub fn bytes(&self, bytes: &[u8]) -> u32 {
        let hash = if bytes.len() <= INLINE {
            rapidhash_v3_nano_inline::<true, false>(bytes, &self.secrets)
        } else {
            long(bytes, &self.secrets)
        };
        hash as u32
    }

    /// The multiplier for keys that are words.
    #[inline(always)]
    pub fn multiplier(&self) -> Multiplier {
        self.multiplier
    }
}

#[inline(never)]
fn long(bytes: &[u8], secrets: &RapidSecrets) -> u64 {
    rapidhash_v3_seeded(bytes, secrets)
}

/// A seed that the program cannot know, from the system.
pub fn random_seed() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// The secret odd multiplier that hashes words.
#[derive(Clone, Copy, Debug)]
pub struct Multiplier(u64);

impl Multiplier {
    /// The first of the odd numbers that follow from `secret` which spreads addresses evenly: one in 70 does.
    /// (With any odd number, string maps took 4 % more instructions than with a fixed good one.)
    fn new(secret: u64) -> Multiplier {
        let mut random = Random::new(secret as i64, 0);
        loop {
            let n = random.next_u64() | 1;
            if spreads_neighbours(n) {
                return Multiplier(n);
            }
        }
    }

    /// The hash of a word; its high bits are the best ones.
    #[inline(always)]
    pub fn word(self, word: u64) -> u32 {
        (self.product(word) >> 32) as u32
    }

    /// The product, whose high bits are the hash.
    #[inline(always)]
    pub fn product(self, word: u64) -> u64 {
        word.wrapping_mul(self.0)
    }
}

/// Whether the products of neighbouring cells' addresses are about equally far from each other: the continued
/// fraction of what a cell adds to a product has small terms only, up to denominators as great as tables
/// are. (The golden ratio has the smallest, but it is no secret.)
fn spreads_neighbours(multiplier: u64) -> bool {
    const LARGEST_TERM: u64 = 4;
    const TABLE: u64 = 1 << 24;
    let step = multiplier.wrapping_mul(GRANULE as u64);
    // The first term, of the whole circle, is that of 2^64 by the step.
    let (mut a, mut b) = (step, step.wrapping_neg() % step.max(1));
    let mut term = (1u128 << 64) / u128::from(step.max(1));
    let (mut before, mut denominator) = (0u64, 1u64);
    while denominator < TABLE {
        if term > u128::from(LARGEST_TERM) || b == 0 {
            return false;
        }
        (before, denominator) = (denominator, term as u64 * denominator + before);
        term = u128::from(a / b);
        (a, b) = (b, a % b);
    }
    true
}

impl BuildHasher for Multiplier {
    type Hasher = AddressHasher;

    #[inline]
    fn build_hasher(&self) -> AddressHasher {
        AddressHasher { multiplier: *self, hash: 0 }
    }
}

/// Hasher for addresses: a multiplication, with the well-mixed high bits on top and folded below.
#[derive(Clone, Copy)]
pub struct AddressHasher {
    multiplier: Multiplier,
    hash: u64,
}

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.hash
    }
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.write_usize(*b as usize);
        }
    }
    #[inline]
    fn write_usize(&mut self, n: usize) {
        let h = self.multiplier.product(self.hash ^ n as u64);
        self.hash = h ^ h >> 32;
    }
}

/// A map from addresses.
pub type AddressMap<V> = std::collections::HashMap<usize, V, Multiplier>;

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    /// The most keys with the same lowest 16 bits of the hash, which is what small tables look at.
    fn most_alike(hashes: impl Iterator<Item = u32>, bits: impl Fn(u32) -> u32) -> usize {
        let mut places: HashMap<u32, usize> = HashMap::new();
        for hash in hashes {
            *places.entry(bits(hash)).or_default() += 1;
        }
        places.into_values().max().unwrap_or(0)
    }

    const SEEDS: [u64; 6] = [0, 1, 2, 0xa076_1d64_78bd_642f, u64::MAX, 1 << 63];

    /// 4,096 strings each that follow a pattern of which some hash makes little.
    fn patterns() -> Vec<(&'static str, Vec<Vec<u8>>)> {
        let number = |i: u32| format!("{i:08}").into_bytes();
        let make = |f: &dyn Fn(u32) -> Vec<u8>| (0..4096).map(f).collect::<Vec<_>>();
        // First words that are constants of multiplicative hashes: with them a product is 0.
        let constants = [
            0xa076_1d64_78bd_642fu64,
            0xe703_7ed1_a0b4_28db,
            0x2d35_8dcc_aa6c_78a5,
            0x8bb8_4b93_962e_acc9,
            0x4b33_a62e_d433_d4a3,
        ];
        let mut all: Vec<(&str, Vec<Vec<u8>>)> = vec![
            ("counted", make(&|i| number(i))),
            (
                "common start",
                make(&|i| [&b"a common start of thirty bytes"[..], &number(i)].concat()),
            ),
            ("common end", make(&|i| [&number(i)[..], b"a common end"].concat())),
            ("zeros", make(&|i| vec![0; i as usize])),
            ("two bytes", make(&|i| vec![i as u8, (i >> 8) as u8])),
            // One of many thousand bytes differs, where a hash of samples does not look.
            ("middle of long ones", {
                (0..4096usize)
                    .map(|i| {
                        let mut text = vec![b'x'; 5000];
                        text[400 + i] = b'y';
                        text
                    })
                    .collect()
            }),
            // Words that a hash by rotation, addition and one multiplication does not tell apart: what
            // the first word adds the second one takes away.
            ("multiplied away", {
                const K: u64 = 0x9E37_79B9_7F4A_7C15;
                make(&|i| {
                    let first = u64::from(i);
                    let second = first.wrapping_mul(K).rotate_left(5);
                    [first.to_le_bytes(), second.to_le_bytes()].concat()
                })
            }),
        ];
        for constant in constants {
            for n in [1, 2, 4] {
                let pattern = make(&|i| {
                    let mut text = Vec::new();
                    for _ in 0..n {
                        text.extend_from_slice(&constant.to_le_bytes());
                        text.extend_from_slice(&number(i));
                    }
                    text
                });
                all.push(("constant words", pattern));
            }
            // With the length, as wyhash has it.
            let pattern = make(&|i| [&(constant ^ 16).to_le_bytes()[..], &number(i)].concat());
            all.push(("constant and length", pattern));
            let pattern = make(&|i| [&number(i)[..], &constant.to_le_bytes()].concat());
            all.push(("constant at the end", pattern));
        }
        all
    }

    #[test]
    fn no_pattern_of_strings_collides() {
        for seed in SEEDS {
            let key = HashKey::new(seed);
            for (name, strings) in patterns() {
                let distinct: HashSet<u32> = strings.iter().map(|s| key.bytes(s)).collect();
                assert!(distinct.len() >= 4094, "{name}, seed {seed}: {} hashes", distinct.len());
                // 4,096 in as many places: more than a dozen at one is no chance.
                let low = most_alike(strings.iter().map(|s| key.bytes(s)), |h| h & 0xFFF);
                assert!(low <= 14, "{name}, seed {seed}: {low} at one place");
            }
        }
    }

    /// PUC Lua's hash of a string, from the state that the bytes before left behind.
    fn puc(mut state: u32, bytes: &[u8]) -> u32 {
        for byte in bytes.iter().rev() {
            state ^= (state << 5).wrapping_add(state >> 2).wrapping_add(u32::from(*byte));
        }
        state
    }

    /// 2,048 strings that PUC Lua's hash does not tell apart: eleven pairs of pieces, each of which leads from
    /// one state to another by two ways.
    #[test]
    fn colliding_strings_of_another_hash_do_not() {
        const LENGTH: u32 = 11 * 8;
        let mut state = LENGTH;
        let mut pairs = Vec::new();
        let mut random = crate::text::random::Random::new(5, 6);
        while pairs.len() < 11 {
            let mut seen = HashMap::new();
            let (piece, other) = loop {
                let piece = random.next_u64().to_le_bytes();
                if let Some(other) = seen.insert(puc(state, &piece), piece)
                    && other != piece
                {
                    break (piece, other);
                }
            };
            state = puc(state, &piece);
            pairs.push([piece, other]);
        }
        let strings: Vec<Vec<u8>> = (0..1usize << pairs.len())
            .map(|i| {
                pairs.iter().enumerate().rev().flat_map(|(n, pair)| pair[i >> n & 1]).collect()
            })
            .collect();
        assert!(strings.iter().all(|s| puc(LENGTH, s) == state));
        for seed in SEEDS {
            let key = HashKey::new(seed);
            let distinct: HashSet<u32> = strings.iter().map(|s| key.bytes(s)).collect();
            assert!(distinct.len() >= strings.len() - 2, "seed {seed}: {}", distinct.len());
        }
    }

    #[test]
    fn hashes_depend_on_the_seed() {
        let (one, two) = (HashKey::new(1), HashKey::new(2));
        let same = (0..1000).filter(|i| {
            let text = format!("key{i}");
            one.bytes(text.as_bytes()) == two.bytes(text.as_bytes())
        });
        assert_eq!(same.count(), 0);
        assert_ne!(one.multiplier().0, two.multiplier().0);
        assert_ne!(random_seed(), random_seed());
    }

    /// The hash is the same everywhere: replays depend on it.
    #[test]
    fn a_seed_gives_known_hashes() {
        let key = HashKey::new(42);
        let got: Vec<u32> = [&b""[..], b"a", b"abcd", b"a string of 22 bytes..", &[b'z'; 100]]
            .map(|s| key.bytes(s))
            .into();
        assert_eq!(got, KNOWN);
    }

    const KNOWN: [u32; 5] = [3237299215, 2009802837, 1374227627, 3235812009, 663685837];
}
