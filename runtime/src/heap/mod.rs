//! The heap (to be written by its owner).

/// Allocator and collector state. `free` is read by compiled code.
#[repr(C)]
pub struct Heap {
    /// Free lists by size class: each free cell holds the next at offset 8.
    pub free: [*mut u8; 24],
    /// Colour of new objects.
    pub alloc_color: u8,
}
