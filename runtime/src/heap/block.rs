//! Where objects live: blocks of equal cells, carved from chunks, and single large objects.
//!
//! ```text
//!   chunk (1 MiB)  = 32 blocks
//!   block (32 KiB) = | Block (64 bytes) | cell | cell | … |     aligned to its size
//! ```
//!
//! A block's free cells form a list in address order. The heap takes the whole list of a block at
//! a time. A block without live cells goes back to its chunk, a chunk without blocks in use to the
//! system (one is kept).

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr;

use super::{CLASSES, FREE_NEXT, GRANULE};
use crate::object::{Header, Kind};

/// Bytes of a block, and its alignment.
pub const BLOCK: usize = 32 << 10;
/// Bytes of a chunk.
pub const CHUNK: usize = 1 << 20;
/// Bytes before the first cell.
pub const BLOCK_HEAD: usize = 64;

/// The head of a block.
#[repr(C)]
pub struct Block {
    /// Bytes of a cell.
    pub cell_size: u32,
    /// Number of cells.
    pub cells: u32,
    /// First free cell, while the block's list is not in use by the heap.
    pub free: *mut u8,
    /// Length of that list.
    pub free_count: u32,
    /// True when the cells have been swept since the last marking.
    pub swept: bool,
}

const _: () = assert!(size_of::<Block>() <= BLOCK_HEAD);

impl Block {
    /// The cell number `i` of the block at `b`.
    ///
    /// # Safety
    /// `b` must be a block and `i` below its `cells`.
    #[inline(always)]
    pub unsafe fn cell(b: *mut Block, i: usize) -> *mut u8 {
        // SAFETY: the cells lie within the block.
        unsafe { b.cast::<u8>().add(BLOCK_HEAD + i * (*b).cell_size as usize) }
    }

    /// The block that contains the cell at `p`.
    pub fn containing<T>(p: *mut T) -> *mut Block {
        p.cast::<u8>().map_addr(|a| a & !(BLOCK - 1)).cast()
    }
}

/// A run of blocks.
struct Chunk {
    start: *mut u8,
    /// Bit i: block i is unused.
    unused: u32,
}

/// A large object.
#[derive(Clone, Copy, Debug)]
pub struct Large {
    /// The object.
    pub object: *mut Header,
    /// Its size in bytes.
    pub size: usize,
}

/// Blocks of one size class.
#[derive(Default)]
pub struct Class {
    /// Every block.
    pub blocks: Vec<*mut Block>,
    /// Swept blocks with free cells.
    pub available: Vec<*mut Block>,
    /// Blocks still to be swept.
    pub unswept: Vec<*mut Block>,
}

/// All memory of a heap's objects.
pub struct Store {
    chunks: Vec<Chunk>,
    /// By class.
    pub classes: [Class; CLASSES],
    /// Large objects.
    pub large: Vec<Large>,
}

const CHUNK_LAYOUT: Layout = match Layout::from_size_align(CHUNK, BLOCK) {
    Ok(layout) => layout,
    Err(_) => panic!("chunk layout"),
};

fn large_layout(size: usize) -> Layout {
    Layout::from_size_align(size, 16).expect("object too large")
}

impl Default for Store {
    /// Without any memory.
    fn default() -> Store {
        Store {
            chunks: Vec::new(),
            classes: std::array::from_fn(|_| Class::default()),
            large: Vec::new(),
        }
    }
}

impl Store {
    /// A large object's memory; the caller writes its header.
    pub fn alloc_large(&mut self, size: usize) -> *mut u8 {
        let layout = large_layout(size);
        // SAFETY: the size is not zero.
        let p = unsafe { alloc(layout) };
        if p.is_null() {
            handle_alloc_error(layout);
        }
        self.large.push(Large { object: p.cast(), size });
        p
    }

    /// Frees the memory of the large object number `i`; the last one takes its number.
    ///
    /// # Safety
    /// The object must have been dropped, and never be used again.
    pub unsafe fn free_large(&mut self, i: usize) {
        let large = self.large.swap_remove(i);
        // SAFETY: allocated by `alloc_large` with this layout.
        unsafe { dealloc(large.object.cast(), large_layout(large.size)) };
    }

    /// A new block, all of it free, not in `available`.
    pub fn new_block(&mut self, class: usize) -> *mut Block {
        let block = self.unused_block().cast::<Block>();
        let cell_size = class * GRANULE;
        let cells = (BLOCK - BLOCK_HEAD) / cell_size;
        // SAFETY: an unused block is ours, BLOCK bytes long, and aligned.
        unsafe {
            block.write(Block {
                cell_size: cell_size as u32,
                cells: cells as u32,
                free: ptr::null_mut(),
                free_count: cells as u32,
                swept: true,
            });
            let mut next = ptr::null_mut::<u8>();
            for i in (0..cells).rev() {
                let cell = Block::cell(block, i);
                cell.cast::<Header>().write(FREE_HEADER);
                cell.add(FREE_NEXT).cast::<*mut u8>().write(next);
                next = cell;
            }
            (*block).free = next;
        }
        self.classes[class].blocks.push(block);
        block
    }

    /// Takes an unused block from a chunk.
    fn unused_block(&mut self) -> *mut u8 {
        let at = match self.chunks.iter().position(|c| c.unused != 0) {
            Some(at) => at,
            None => {
                // SAFETY: the size is not zero.
                let start = unsafe { alloc(CHUNK_LAYOUT) };
                if start.is_null() {
                    handle_alloc_error(CHUNK_LAYOUT);
                }
                self.chunks.push(Chunk { start, unused: u32::MAX });
                self.chunks.len() - 1
            }
        };
        let chunk = &mut self.chunks[at];
        let i = chunk.unused.trailing_zeros();
        chunk.unused &= chunk.unused - 1;
        // SAFETY: 32 blocks fit the chunk.
        unsafe { chunk.start.add(i as usize * BLOCK) }
    }

    /// Gives the memory of a block back; it must no longer be in any list.
    ///
    /// # Safety
    /// No cell of the block may be used again.
    pub unsafe fn release_block(&mut self, block: *mut Block) {
        let addr = block.addr();
        let at = self
            .chunks
            .iter()
            .position(|c| addr.wrapping_sub(c.start.addr()) < CHUNK)
            .expect("block outside of every chunk");
        let chunk = &mut self.chunks[at];
        chunk.unused |= 1 << ((addr - chunk.start.addr()) / BLOCK);
        let spare = self
            .chunks
            .iter()
            .any(|c| c.unused == u32::MAX && c.start.addr() != self.chunks[at].start.addr());
        if self.chunks[at].unused == u32::MAX && spare {
            let chunk = self.chunks.swap_remove(at);
            // SAFETY: allocated by `unused_block`; none of its blocks is in use.
            unsafe { dealloc(chunk.start, CHUNK_LAYOUT) };
        }
    }

    /// Chunks allocated.
    pub fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// True when `p` is the start of a cell of a block or a large object, in use or not.
    pub fn contains(&self, p: *const Header) -> bool {
        let addr = p.addr();
        let in_block = self.chunks.iter().any(|c| {
            let offset = addr.wrapping_sub(c.start.addr());
            offset < CHUNK && c.unused & (1 << (offset / BLOCK)) == 0
        });
        if !in_block {
            return self.large.iter().any(|l| ptr::eq(l.object, p));
        }
        let block = Block::containing(p.cast_mut());
        let offset = addr - block.addr();
        // SAFETY: a block in use.
        let (size, cells) = unsafe { ((*block).cell_size as usize, (*block).cells as usize) };
        offset >= BLOCK_HEAD
            && (offset - BLOCK_HEAD).is_multiple_of(size)
            && (offset - BLOCK_HEAD) / size < cells
    }
}

impl Drop for Store {
    /// Frees all memory, without dropping objects (see `Heap::free_all`).
    fn drop(&mut self) {
        while !self.large.is_empty() {
            // SAFETY: nobody uses objects of a dropped heap.
            unsafe { self.free_large(self.large.len() - 1) };
        }
        for chunk in &self.chunks {
            // SAFETY: as above; allocated with this layout.
            unsafe { dealloc(chunk.start, CHUNK_LAYOUT) };
        }
    }
}

/// The header of a free cell.
pub const FREE_HEADER: Header = Header { kind: Kind::Free, color: 0, flags: 0, aux: 0, extra: 0 };
