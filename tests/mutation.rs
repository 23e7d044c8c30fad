//! Bytes that nobody wrote: sources, precompiled chunks and patterns with changes at random places.
//! What is done with them is what the fuzz targets do (`fuzz/src/targets.rs`).
//!
//! Some seconds in CI; `PERILUNE_FUZZ_SECONDS=600` goes on for that long with new seeds
//! (`PERILUNE_FUZZ_SEED` sets the first). What crashes is left in the target directory, and its
//! name printed.

mod generator;
mod harness;
#[path = "../fuzz/src/targets.rs"]
mod targets;

use perilune::{Function, Lua};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A small generator of pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// Changes some bytes: replaced, bits flipped, removed, doubled, or taken from another place.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        const INTERESTING: [u8; 8] = [0, 1, 2, 0x7F, 0x80, 0xFF, 0xFE, 0x40];
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            match self.below(7) {
                0 => bytes[at] = self.below(256) as u8,
                1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes[at] = INTERESTING[self.below(INTERESTING.len())],
                3 => bytes[at] = bytes[at].wrapping_add(1),
                4 => {
                    bytes.remove(at);
                }
                5 => bytes.insert(at, bytes[at]),
                _ => {
                    let from = self.below(bytes.len());
                    let length = self.below(8).min(bytes.len() - from.max(at));
                    bytes.copy_within(from..from + length, at);
                }
            }
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn sources() -> Vec<Vec<u8>> {
    let files = harness::lua_files_of(&harness::root().join("tests/lua"));
    files.iter().map(|file| std::fs::read(file).unwrap_or_default()).collect()
}

/// Gives changed copies of `inputs` to `target` for a while; the one at hand is in a file, so that
/// it is not lost in a crash.
fn run(name: &str, inputs: &[Vec<u8>], target: impl Fn(&[u8])) {
    let seconds = number("PERILUNE_FUZZ_SECONDS");
    let seed = number("PERILUNE_FUZZ_SEED").unwrap_or(1);
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(3));
    let path: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutation-{name}"));
    println!("the input at hand is in {}", path.display());
    let mut count = 0;
    while Instant::now() < end {
        let mut input = inputs[random.below(inputs.len())].clone();
        random.mutate(&mut input);
        std::fs::write(&path, &input).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        target(&input);
        count += 1;
    }
    println!("{name}: {count} inputs");
}

#[test]
fn changed_sources_are_parsed() {
    run("parse", &sources(), targets::parse);
}

#[test]
fn changed_chunks_do_no_harm() {
    let lua = Lua::new();
    let mut chunks = Vec::new();
    for source in sources() {
        // Those that are no valid programs are tested elsewhere.
        let Ok(function) = lua.load(source).into_function() else { continue };
        let function: Function = function;
        chunks.extend([false, true].iter().filter_map(|&strip| function.dump(strip)));
    }
    // Short chunks are changed where it matters more often.
    for source in ["return 1", "local a, b = ... for i = 1, 9 do a = a + i end return a, b, {...}"]
    {
        let function = lua.load(source).into_function().expect("it is valid");
        chunks.extend(function.dump(true));
    }
    run("load", &chunks, targets::load);
}

#[test]
fn changed_patterns_are_answered() {
    let inputs: Vec<Vec<u8>> = [
        "(%a+)=(%d+)\u{ff}key=42",
        "%b()%f[%w]%w*[^%s]-$",
        "^(.-)%s*(()x?)%1[a-z%-]+",
        "<i4>d s1z!8 b B h H l j J T f n s4 x X",
        "%5.2f %-10d %q %a %s %c %x",
    ]
    .iter()
    .map(|text| {
        let mut bytes: Vec<u8> = text.bytes().collect();
        bytes.push(0xFF);
        bytes.extend_from_slice(b"aaab (x(y)z) key = value, 12 %d");
        bytes
    })
    .collect();
    run("pattern", &inputs, targets::pattern);
}

#[test]
fn programs_from_bytes_agree() {
    let inputs: Vec<Vec<u8>> =
        (0..8u8).map(|k| (0..200u8).map(|i| i.wrapping_mul(k * 2 + 1)).collect()).collect();
    run("differential", &inputs, targets::differential);
}

#[test]
fn limits_hold_for_programs_from_bytes() {
    let inputs: Vec<Vec<u8>> =
        (0..8u8).map(|k| (0..200u8).map(|i| i.wrapping_mul(k * 2 + 1)).collect()).collect();
    run("limits", &inputs, targets::limits);
}

#[test]
fn floats_of_any_bits_stay_floats() {
    run("floats", &[hostile_floats()], targets::floats);
}

/// Every tag as the payload of a NaN of each class, with each operation.
fn hostile_floats() -> Vec<u8> {
    let mut bytes = Vec::new();
    for (i, top) in (0x7FF0..=0x7FFFu64).chain(0xFFF0..=0xFFFF).enumerate() {
        bytes.extend_from_slice(&(top << 48 | 0x7F55_0000_1230).to_le_bytes());
        bytes.push(i as u8);
    }
    bytes
}
