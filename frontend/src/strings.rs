//! The strings of one chunk, each held once and named by a [`StrId`].

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// Names a string of the chunk being compiled; equal ids are equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StrId(pub u32);

/// A multiplicative hash over eight bytes at a time: the interner's keys come
/// from one source text, so hash flooding only slows its own author.
#[derive(Default)]
pub(crate) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

pub(crate) type WordMap<K, V> = HashMap<K, V, BuildHasherDefault<WordHasher>>;

/// The set of all strings and names of a chunk.
#[derive(Default, Debug)]
pub struct Strings {
    ids: WordMap<Arc<[u8]>, StrId>,
    bytes: Vec<Arc<[u8]>>,
}

impl Strings {
    /// The id of `bytes`, which is added when new.
    pub fn intern(&mut self, bytes: &[u8]) -> StrId {
        if let Some(&id) = self.ids.get(bytes) {
            return id;
        }
        let id = StrId(self.bytes.len() as u32);
        let shared: Arc<[u8]> = bytes.into();
        self.bytes.push(shared.clone());
        self.ids.insert(shared, id);
        id
    }

    /// The bytes of `id`, shared with the compiled functions.
    pub fn shared(&self, id: StrId) -> Arc<[u8]> {
        self.bytes[id.0 as usize].clone()
    }

    /// The bytes of `id`.
    pub fn get(&self, id: StrId) -> &[u8] {
        &self.bytes[id.0 as usize]
    }
}
