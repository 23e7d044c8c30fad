//! Perilune.
