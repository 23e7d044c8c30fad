//! The strings of one chunk, each held once and named by a [`StrId`].

use std::collections::HashMap;
use std::sync::Arc;

use perilune_ir::budget::{Meter, Refusal};
use rapidhash::quality::RandomState;

/// Names a string of the chunk being compiled; equal ids are equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StrId(pub u32);

/// A map whose keys a program chooses: hashed with random secrets, so that no source text can be made to
/// have all of them in one place.
pub(crate) type KeyedMap<K, V> = HashMap<K, V, RandomState>;

/// The set of all strings and names of a chunk.
#[derive(Default, Debug)]
pub struct Strings {
    ids: KeyedMap<Arc<[u8]>, StrId>,
    bytes: Vec<Arc<[u8]>>,
}

impl Strings {
    /// The id of `bytes`, which is added when new.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn intern(&mut self, bytes: &[u8], meter: &mut Meter) -> Result<StrId, Refusal> {
        if let Some(&id) = self.ids.get(bytes) {
            return Ok(id);
        }
        let id = StrId(self.bytes.len() as u32);
        let shared = meter.shared(bytes)?;
        meter.push(&mut self.bytes, shared.clone())?;
        meter.insert(&mut self.ids, shared, id)?;
        Ok(id)
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
