//! What the fuzz targets run; see [`targets`].

#[path = "../../tests/generator/mod.rs"]
mod generator;
pub mod targets;
