//! Plain data shared by every layer of Perilune: bytecode, profile snapshots and the typed SSA.
//!
//! This crate holds the tables from which the other crates are built (bytecode ops, SSA ops) and
//! nothing that runs Lua. It depends on nothing and contains no unsafe code.
#![forbid(unsafe_code)]

pub mod budget;
pub mod bytecode;
pub mod dump;
pub mod encoding;
pub mod exits;
pub mod intrinsic;
pub mod listing;
pub mod profile;
pub mod ssa;
pub mod verify;
