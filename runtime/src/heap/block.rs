//! Where objects live: blocks of equal cells, carved from chunks, and single large objects.
//!
//! ```text
//!   chunk (2 MiB)  = 64 blocks
//!   block (32 KiB) = | Block (64 bytes) | cell | cell | … |     aligned to its size
//! ```
//!
//! A block's free cells form *runs*, listed in address order. The first cell of a run says how many there
//! are; the others hold whatever was there. The heap takes the whole list of a block at a time, and cuts
//! objects off the start of a run. A block without live cells goes back to its chunk, a chunk without blocks in use to the
//! system (one is kept).

use std::alloc::{Layout, alloc, dealloc};
use std::ptr;

use super::huge::{alloc_zeroed, free_zeroed, prefer_large_pages, release_pages};
use super::{CLASSES, GRANULE};
use crate::object::{Header, Kind};

/// Bytes of a block, and its alignment.
pub const BLOCK: usize = 32 << 10;
/// Bytes of a chunk.
pub const CHUNK: usize = 2 << 20;
/// Bytes of cells made at a time.
const PAGE: usize = 4096;
/// Bytes before the first cell.
pub const BLOCK_HEAD: usize = 64;

/// The head of a block.
#[repr(C)]
pub struct Block {
    /// Bytes of a cell.
    pub cell_size: u32,
    /// Number of cells made so far. The memory behind them is zero, never used yet.
    pub cells: u32,
    /// Number of cells that fit.
    pub capacity: u32,
    /// First free run, while the block's list is not in use by the heap.
    pub free: *mut FreeRun,
    /// Free cells in that list.
    pub free_count: u32,
    /// True when the cells have been swept since the last marking.
    pub swept: bool,
}

const _: () = assert!(size_of::<Block>() <= BLOCK_HEAD);

/// What the first cell of a run of free cells holds.
#[repr(C)]
pub struct FreeRun {
    /// Kind [`Kind::Free`]; `extra`: number of cells, at least 1.
    pub header: Header,
    /// The next run of the block, or null.
    pub next: *mut FreeRun,
}

const _: () = assert!(size_of::<FreeRun>() <= GRANULE);

impl FreeRun {
    /// Makes a run of the `n` cells at `cell`.
    ///
    /// # Safety
    /// The cells belong to one block and are not in use.
    #[inline(always)]
    pub unsafe fn write(cell: *mut u8, n: u32, next: *mut FreeRun) -> *mut FreeRun {
        let run = cell.cast::<FreeRun>();
        let header = Header { kind: Kind::Free, color: 0, flags: 0, aux: 0, extra: n };
        // SAFETY: the caller's contract; a cell is large enough.
        unsafe { run.write(FreeRun { header, next }) };
        run
    }

    /// The number of cells of this run and those that follow it.
    ///
    /// # Safety
    /// `run` is null or a listed run.
    pub unsafe fn count(mut run: *const FreeRun) -> usize {
        let mut n = 0;
        // SAFETY: the caller's contract.
        unsafe {
            while !run.is_null() {
                n += (*run).header.extra as usize;
                run = (*run).next;
            }
        }
        n
    }
}

/// Where new objects of a class are cut off: free cells that no list has. Compiled code does so inline.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Room {
    /// The next object's cell.
    pub next: *mut u8,
    /// The end of the cells.
    pub end: *mut u8,
}

impl Room {
    /// Room for nothing.
    pub const NONE: Room = Room { next: ptr::null_mut(), end: ptr::null_mut() };

    /// Bytes left.
    pub fn bytes(&self) -> usize {
        self.end.addr() - self.next.addr()
    }

    /// Makes a run of what is left, for whoever walks the block. The room stays usable.
    ///
    /// # Safety
    /// This is a room of a heap, with cells of `cell_size`.
    pub unsafe fn seal(&self, cell_size: usize, next: *mut FreeRun) -> *mut FreeRun {
        match self.bytes() / cell_size {
            0 => next,
            // SAFETY: the cells from `next` to `end` are in one block and not in use.
            n => unsafe { FreeRun::write(self.next, n as u32, next) },
        }
    }
}

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

    /// Calls `f` for every cell of the block at `b` that is not in a free run.
    ///
    /// # Safety
    /// `b` must be a block, and the heap's room in it sealed. `f` may make its cell a run.
    pub unsafe fn each_cell(b: *mut Block, mut f: impl FnMut(*mut Header)) {
        // SAFETY: the caller's contract; each cell in use starts with a header, and so does each run.
        unsafe {
            let mut i = 0;
            while i < (*b).cells as usize {
                let header = Block::cell(b, i).cast::<Header>();
                if (*header).kind == Kind::Free {
                    i += (*header).extra as usize;
                } else {
                    f(header);
                    i += 1;
                }
            }
        }
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
    unused: u64,
    /// Bit i: block i is zero, because it was never used.
    zero: u64,
}

impl Chunk {
    /// A chunk of blocks that are not in use, if the system has memory for it.
    fn new(align: usize) -> Option<Chunk> {
        let start = alloc_zeroed(CHUNK, align)?;
        if align == CHUNK {
            prefer_large_pages(start, CHUNK);
        }
        Some(Chunk { start, unused: u64::MAX, zero: u64::MAX })
    }
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
pub struct Class {
    /// Every block.
    pub blocks: Vec<*mut Block>,
    /// Swept blocks with free cells.
    pub available: Vec<*mut Block>,
    /// Blocks still to be swept.
    pub unswept: Vec<*mut Block>,
    /// A block with cells still to be made, or null.
    pub fresh: *mut Block,
}

/// All memory of a heap's objects.
pub struct Store {
    chunks: Vec<Chunk>,
    /// By class.
    pub classes: [Class; CLASSES],
    /// Large objects.
    pub large: Vec<Large>,
    /// Bytes of blocks that are not in use and not zero: the system keeps memory for them.
    pub dirty: usize,
    /// A chunk for when the system has no other; `None` while it is in use.
    reserve: Option<Chunk>,
}

/// With so many chunks a heap is large enough for the next to be huge pages.
const MANY_CHUNKS: usize = 3;

/// Layout of a large object.
pub(super) fn large_layout(size: usize) -> Layout {
    Layout::from_size_align(size, 16).expect("object too large")
}

impl Default for Store {
    /// Without any memory.
    fn default() -> Store {
        Store {
            chunks: Vec::new(),
            classes: std::array::from_fn(|_| Class {
                blocks: Vec::new(),
                available: Vec::new(),
                unswept: Vec::new(),
                fresh: ptr::null_mut(),
            }),
            large: Vec::new(),
            dirty: 0,
            reserve: Chunk::new(BLOCK),
        }
    }
}

impl Store {
    /// A large object's memory, if the system has some; the caller writes its header.
    pub fn alloc_large(&mut self, size: usize) -> Option<*mut u8> {
        // SAFETY: the size is not zero.
        let p = unsafe { alloc(large_layout(size)) };
        if p.is_null() {
            return None;
        }
        self.large.push(Large { object: p.cast(), size });
        Some(p)
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

    /// A block of `class` with free cells that were never used, not in `available`, and their bytes: a page's
    /// worth at a time, so that a small program touches little memory. `None` when the system has none.
    pub fn fresh_cells(&mut self, class: usize) -> Option<(*mut Block, usize)> {
        let cell_size = class * GRANULE;
        let mut block = self.classes[class].fresh;
        if block.is_null() {
            block = self.unused_block()?.cast::<Block>();
            // SAFETY: an unused block is ours, BLOCK bytes long, aligned, and zero.
            unsafe {
                block.write(Block {
                    cell_size: cell_size as u32,
                    cells: 0,
                    capacity: ((BLOCK - BLOCK_HEAD) / cell_size) as u32,
                    free: ptr::null_mut(),
                    free_count: 0,
                    swept: true,
                });
            }
            self.classes[class].blocks.push(block);
            self.classes[class].fresh = block;
        }
        // SAFETY: the block is valid, and the cells behind `cells` are not in use.
        unsafe {
            let (from, capacity) = ((*block).cells, (*block).capacity);
            let to = (from + (PAGE / cell_size) as u32).min(capacity);
            let cell = Block::cell(block, from as usize);
            (*block).free = FreeRun::write(cell, to - from, (*block).free);
            (*block).free_count += to - from;
            (*block).cells = to;
            if to == capacity {
                self.classes[class].fresh = ptr::null_mut();
            }
            Some((block, (to - from) as usize * cell_size))
        }
    }

    /// Makes the chunk in reserve one like the others.
    ///
    /// # Panics
    /// It is in use already.
    pub fn use_reserve(&mut self) {
        self.chunks.push(self.reserve.take().expect("memory for objects"));
    }

    /// Takes a chunk for the reserve, if there is none.
    pub fn restock(&mut self) {
        if self.reserve.is_none() {
            self.reserve = Chunk::new(BLOCK);
        }
    }

    /// Takes an unused block from a chunk; its memory is zero.
    fn unused_block(&mut self) -> Option<*mut u8> {
        let at = match self.chunks.iter().position(|c| c.unused != 0) {
            Some(at) => at,
            None => {
                // Aligned, it is one huge page where the system has such.
                let align = if self.chunks.len() < MANY_CHUNKS { BLOCK } else { CHUNK };
                self.chunks.push(Chunk::new(align)?);
                self.chunks.len() - 1
            }
        };
        let chunk = &mut self.chunks[at];
        let i = chunk.unused.trailing_zeros();
        chunk.unused &= chunk.unused - 1;
        // SAFETY: 64 blocks fit the chunk, and this one is not in use.
        unsafe {
            let block = chunk.start.add(i as usize * BLOCK);
            if chunk.zero & 1 << i == 0 {
                ptr::write_bytes(block, 0, BLOCK);
                self.dirty -= BLOCK;
            }
            chunk.zero &= !(1 << i);
            Some(block)
        }
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
        self.dirty += BLOCK;
        let spare = self
            .chunks
            .iter()
            .any(|c| c.unused == u64::MAX && c.start.addr() != self.chunks[at].start.addr());
        if self.chunks[at].unused == u64::MAX && spare {
            let chunk = self.chunks.swap_remove(at);
            self.dirty -= (!chunk.zero).count_ones() as usize * BLOCK;
            // SAFETY: made by `Chunk::new`; none of its blocks is in use.
            unsafe { free_zeroed(chunk.start, CHUNK) };
        }
    }

    /// Gives the memory of all blocks that are not in use back to the system; the chunks stay.
    pub fn release_dirty(&mut self) {
        for chunk in &mut self.chunks {
            let mut dirty = chunk.unused & !chunk.zero;
            while dirty != 0 {
                let i = dirty.trailing_zeros();
                dirty &= dirty - 1;
                // SAFETY: a block of the chunk that is not in use.
                if unsafe { release_pages(chunk.start.add(i as usize * BLOCK), BLOCK) } {
                    chunk.zero |= 1 << i;
                    self.dirty -= BLOCK;
                }
            }
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
        for chunk in self.chunks.iter().chain(&self.reserve) {
            // SAFETY: as above; made by `Chunk::new`.
            unsafe { free_zeroed(chunk.start, CHUNK) };
        }
    }
}
