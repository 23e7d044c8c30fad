//! Coroutines (to be written).
/// State of a coroutine.
pub struct ThreadDetail {}
