//! The heap: allocation, collection, and what the rest of the runtime must do to keep both right.
//!
//! # Allocation
//!
//! Objects of at most [`MAX_SMALL`] bytes live in the cells of size-class blocks ([`block`]); larger
//! ones are single allocations. [`Heap::room`] holds a run of free cells per class, off which objects
//! are cut; compiled code may do so inline. **Allocation never collects**: it asks the [`door`], counts (when
//! the runs of another block are taken, and for memory outside of cells) and raises `Vm::poll`.
//!
//! ```text
//!   live cell   | kind color flags aux extra:u32 | object's fields …
//!   free run    | Kind::Free     cells:u32       | next run or null | anything
//! ```
//!
//! Compiled code may allocate an object of a constant `size` (at most [`MAX_SMALL`]) like this, with
//! `r` = `room[class_of(size)]`: `cell = r.next`; `next = cell + class_of(size) * GRANULE`; where `next`
//! is above `r.end`, the runtime does it all; else `r.next = next`, the header is one store of
//! `kind | alloc_color << 8 | flags << 16 | aux << 24 | extra << 32`, and every other field is set before
//! the next poll. No barrier, no poll, no accounting. While `gc_stress` is on all rooms are empty, so that
//! the runtime sees each allocation.
//!
//! # Colours
//!
//! Two whites, gray and black. New objects have the current white ([`Heap::alloc_color`]).
//! Invariant while marking: **a black object never points to a white one.** Who stores a heap
//! value into an object keeps it with a barrier, *after* the store (and before the next safepoint):
//!
//! * tables, userdata, native functions' upvalues: [`Heap::barrier_back`] (the parent becomes gray again);
//! * upvalue cells, prototypes, shapes: [`Heap::barrier_forward`] (the child is marked);
//! * VM stacks need none: they are scanned again before a cycle ends.
//!
//! Objects just allocated are white, so initialising stores need none.

pub mod block;
pub mod byte_buffer;
pub mod control;
pub mod cycle;
pub mod door;
mod facade;
pub mod finalize;
pub mod handles;
pub mod huge;
mod mark;
pub mod roots;
pub mod sweep;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_tables;
#[cfg(test)]
mod tests_vm;
mod verify;
pub mod weak;

pub use byte_buffer::ByteBuffer;
pub use control::{collect, out_of_memory, relieve, reopen, safepoint, step, verify};
pub use door::OutOfMemory;
pub use finalize::close;
pub use handles::{RootId, RootSet};
pub use roots::Roots;

use std::alloc::Layout;
use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::ptr;
use std::rc::Rc;

use self::block::{Block, FreeRun, Room};
use self::door::{Account, Door};
use self::huge::prefer_large_pages;
use crate::hash::Multiplier;
use crate::meta::{MetaNames, Metamethod, TypeNames};
use crate::object::{Header, Kind, Proto, Shape, Table, Thread, WideInt};
use crate::shape::ShapeRoots;
use crate::string::StringTable;
use crate::table::KeyError;
use crate::thread::StatusNames;
use crate::value::{Type, Value};
use crate::vm::{POLL_GC, Poll};

/// One of the two whites.
pub const WHITE0: u8 = 0;
/// The other white.
pub const WHITE1: u8 = 1;
/// Reached, its references not yet.
pub const GRAY: u8 = 2;
/// Reached, and all it refers to. The greatest: the barrier's test is `color >= BLACK`.
pub const BLACK: u8 = 3;

/// Cell sizes are multiples of this.
pub const GRANULE: usize = 16;
/// Largest object that lives in a block.
pub const MAX_SMALL: usize = 512;
/// Entries of [`Heap::room`]; an object of `size` bytes uses entry `size.div_ceil(GRANULE)`.
pub const CLASSES: usize = MAX_SMALL / GRANULE + 1;

/// The class of objects of `size` bytes.
#[inline(always)]
pub const fn class_of(size: usize) -> usize {
    size.div_ceil(GRANULE)
}

/// What the collector is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Between cycles: every object is white.
    Pause,
    /// Marking: the barrier's invariant holds.
    Mark,
    /// Marking is done: objects of the other white are dead, and are being freed.
    Sweep,
}

/// Allocator and collector state. The leading fields are read by compiled code.
#[repr(C)]
pub struct Heap {
    /// By size class: where the next objects go.
    pub room: [Room; CLASSES],
    /// Colour of new objects.
    pub alloc_color: u8,
    /// What the collector is doing.
    pub phase: Phase,
    /// Bytes in use: cells handed out, in `room` or in `runs`; large objects; and accounted outside
    /// memory.
    pub bytes: usize,
    /// Bytes of free cells in blocks, which `bytes` does not count.
    pub(crate) idle: usize,
    /// Bytes held for the state by what is no object.
    pub(crate) outside: Rc<Account>,
    /// Bytes allocated beyond those at which the next step is due; below 0: not yet.
    pub debt: isize,
    /// The word to raise (`Vm::poll`), null before [`Heap::attach`].
    poll: *const Poll,
    /// Bumped when an inherited-field or absent-metamethod cache may have become wrong (see
    /// [`crate::table::cache`]).
    pub method_epoch: Cell<u32>,
    /// Field accesses of sites that see many shapes.
    pub(crate) shared_fields: crate::table::cache::SharedCache,
    /// The shapes that tables start from. Roots.
    pub shapes: ShapeRoots,
    /// The names of metamethods. Roots.
    pub meta_names: MetaNames,
    /// Interned names of types.
    pub type_names: TypeNames,
    /// The strings of one byte that were needed so far, else null. Roots.
    pub byte_strings: [*mut crate::object::LuaString; 256],
    /// Interned names of what coroutines do.
    pub status_names: StatusNames,
    /// `not enough memory`, interned.
    pub memory_message: *mut crate::object::LuaString,
    /// By size class: further runs of the block that `room` is in.
    runs: [*mut FreeRun; CLASSES],
    /// Blocks and large objects.
    pub(crate) store: block::Store,
    /// Interned strings.
    pub(crate) strings: StringTable,
    /// The mark stack: references still to be followed.
    pub(crate) gray: Vec<*mut Header>,
    /// Objects to be visited again at the end of marking.
    pub(crate) gray_again: Vec<*mut Header>,
    /// True in the atomic end of marking.
    atomic: bool,
    /// The colour of what a sweep frees.
    pub(crate) dead_color: u8,
    /// Why the collector does not run: [`cycle::stop`].
    stopped: u8,
    /// Sweep position: the class, and the number of large objects still to look at.
    sweep_class: usize,
    sweep_large: usize,
    /// Shapes reached in this cycle.
    marked_shapes: Vec<*mut Shape>,
    /// Weak tables reached, and other tables with removed entries.
    weak_tables: Vec<*mut Table>,
    removed_keys: Vec<*mut Table>,
    ephemerons: Vec<weak::Ephemeron>,
    /// Every prototype and thread.
    protos: Vec<*mut Proto>,
    threads: Vec<*mut Thread>,
    /// Objects with finalizers, in order of registration; and those to be finalized, in order.
    finalizable: Vec<*mut Header>,
    pending: VecDeque<*mut Header>,
    /// Calls a finalizer.
    pub finalizer: Option<finalize::FinalizerHook>,
    /// Values that a host keeps.
    pub handles: RootSet,
    /// Host values of dead objects, to be dropped at a safepoint.
    graveyard: Vec<Box<dyn Any>>,
    /// Parameters of `collectgarbage`.
    pub parameters: cycle::Parameters,
    /// What grants memory.
    door: Door,
    /// Bytes in use at the end of the last cycle.
    live_estimate: usize,
    /// Why a table did not take a key, until that has become an error.
    refused: Option<KeyError>,
    /// A table found no room for a larger array: `arr_len + 1` may be in its hash part.
    pub(crate) kept_in_hash: bool,
    /// Most elements of a table's array, and words of the index of its hash part. Only tests lower it.
    pub max_table: usize,
    /// Cycles ended so far.
    pub cycles: u64,
    /// Bumped whenever a safepoint changes what a program can see: a finalizer or host callback
    /// runs, a weak table loses entries. Compiled code that kept loaded values leaves then.
    pub disturbances: u64,
    /// A program was loaded that may look at the locals of running functions or set hooks:
    /// compiled code keeps them in memory.
    pub locals_observed: Cell<bool>,
    /// See [`Heap::set_stress`].
    stress: u32,
    stress_count: u32,
    verify_cycles: bool,
}

impl Heap {
    /// What keys that are words are hashed with.
    #[inline(always)]
    pub fn multiplier(&self) -> Multiplier {
        self.strings.key.multiplier()
    }

    /// An empty heap, whose hashes depend on `seed`.
    pub fn new(seed: u64) -> Heap {
        let mut heap = Heap {
            room: [Room::NONE; CLASSES],
            alloc_color: WHITE0,
            phase: Phase::Pause,
            bytes: 0,
            idle: 0,
            outside: Rc::default(),
            debt: -(cycle::MIN_THRESHOLD as isize),
            poll: ptr::null(),
            method_epoch: Cell::new(1),
            shared_fields: crate::table::cache::SharedCache::new(),
            shapes: ShapeRoots { plain: ptr::null_mut(), dictionary: ptr::null_mut() },
            meta_names: MetaNames([ptr::null_mut(); Metamethod::ALL.len()]),
            type_names: TypeNames([ptr::null_mut(); Type::NAMES.len()]),
            byte_strings: [ptr::null_mut(); 256],
            status_names: StatusNames([ptr::null_mut(); 4]),
            memory_message: ptr::null_mut(),
            runs: [ptr::null_mut(); CLASSES],
            store: block::Store::default(),
            strings: StringTable::new(seed),
            gray: Vec::new(),
            gray_again: Vec::new(),
            atomic: false,
            dead_color: u8::MAX,
            stopped: 0,
            sweep_class: CLASSES,
            sweep_large: 0,
            marked_shapes: Vec::new(),
            weak_tables: Vec::new(),
            removed_keys: Vec::new(),
            ephemerons: Vec::new(),
            protos: Vec::new(),
            threads: Vec::new(),
            finalizable: Vec::new(),
            pending: VecDeque::new(),
            finalizer: None,
            handles: RootSet::default(),
            graveyard: Vec::new(),
            parameters: cycle::Parameters::default(),
            door: Door::new(),
            live_estimate: 0,
            refused: None,
            kept_in_hash: false,
            max_table: crate::table::array::MAX_ARRAY,
            cycles: 0,
            disturbances: 0,
            locals_observed: Cell::new(false),
            stress: 0,
            stress_count: 0,
            verify_cycles: false,
        };
        heap.memory_message = heap.intern(b"not enough memory");
        heap.shapes = ShapeRoots::new(&mut heap);
        heap.meta_names = MetaNames::intern(&mut heap);
        heap.type_names = TypeNames::intern(&mut heap);
        heap.status_names = StatusNames::intern(&mut heap);
        heap
    }

    /// Names the poll word, `Vm::poll` of the state that holds this heap. To be called once the
    /// state has its final address.
    ///
    /// # Safety
    /// `poll` must stay valid as long as the heap allocates.
    pub unsafe fn attach(&mut self, poll: *const Poll) {
        self.poll = poll;
    }

    /// Asks for a safepoint.
    #[cold]
    pub fn raise_poll(&self) {
        if !self.poll.is_null() {
            // SAFETY: `attach`'s contract.
            unsafe { (*self.poll).raise(POLL_GC) };
        }
    }

    /// Allocates an object of `size` bytes (header and trailing values included) and writes its
    /// header: `kind`, the current white, all else 0. The caller initialises every other field
    /// before the next safepoint. Never collects, never fails: see [`door`].
    #[inline(always)]
    pub fn alloc<T>(&mut self, kind: Kind, size: usize) -> *mut T {
        debug_assert!(size >= size_of::<T>().min(GRANULE));
        if size <= MAX_SMALL {
            let class = class_of(size);
            let room = &mut self.room[class];
            let cell = room.next;
            let next = cell.wrapping_add(class * GRANULE);
            if next <= room.end {
                room.next = next;
                // SAFETY: a cell of this class that nobody else uses.
                unsafe { cell.cast::<Header>().write(self.header(kind)) };
                self.list_object(kind, cell);
                return cell.cast();
            }
        }
        self.alloc_slow(kind, size).cast()
    }

    /// Allocates an object and writes `value` into it; the header is overwritten with that of a new
    /// object of `kind`, but `flags`, `aux` and `extra` are kept. `tail` bytes follow the struct and
    /// are to be initialised by the caller before the next safepoint.
    #[inline]
    pub fn alloc_with<T>(&mut self, kind: Kind, tail: usize, value: T) -> *mut T {
        let p: *mut T = self.alloc(kind, size_of::<T>() + tail);
        // SAFETY: `alloc` returned room for a `T`, and every object starts with a header.
        unsafe {
            p.write(value);
            let header = p.cast::<Header>();
            (*header).kind = kind;
            (*header).color = self.alloc_color;
        }
        p
    }

    /// The header of a new object.
    #[inline(always)]
    pub fn header(&self, kind: Kind) -> Header {
        Header { kind, color: self.alloc_color, flags: 0, aux: 0, extra: 0 }
    }

    /// A wide integer cell. Use `Heap::int` unless the inline form is known not to do.
    #[inline(always)]
    pub fn wide_int(&mut self, value: i64) -> *mut WideInt {
        let p: *mut WideInt = self.alloc(Kind::WideInt, size_of::<WideInt>());
        // SAFETY: freshly allocated with that size.
        unsafe { (*p).value = value };
        p
    }

    /// The value of an integer, in a cell where it needs one.
    #[inline(always)]
    pub fn int(&mut self, i: i64) -> Value {
        match Value::inline_int(i) {
            Some(v) => v,
            None => Value::wide_int(self.wide_int(i)),
        }
    }

    /// Goes on in another run, or allocates a large object.
    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, kind: Kind, size: usize) -> *mut u8 {
        let p = if size > MAX_SMALL {
            self.admit_small(size);
            self.account(size as isize);
            match self.store.alloc_large(size) {
                Some(p) => p,
                None => {
                    self.exhausted();
                    let none = || std::alloc::handle_alloc_error(block::large_layout(size));
                    self.store.alloc_large(size).unwrap_or_else(none)
                }
            }
        } else {
            self.refill(class_of(size))
        };
        // SAFETY: both give exclusive memory of at least `size` bytes, aligned to 16.
        unsafe { p.cast::<Header>().write(self.header(kind)) };
        self.list_object(kind, p);
        p
    }

    /// Lists an object of the kinds that the collector walks.
    #[inline(always)]
    fn list_object(&mut self, kind: Kind, object: *mut u8) {
        if matches!(kind, Kind::Proto) {
            self.protos.push(object.cast());
        } else if matches!(kind, Kind::Thread) {
            self.threads.push(object.cast());
        }
    }

    /// Gives `class` new room and returns the cell before it.
    fn refill(&mut self, class: usize) -> *mut u8 {
        let size = class * GRANULE;
        // SAFETY: `runs` holds runs of a block of this class; a block taken is valid, in no list, and
        // has free cells.
        unsafe {
            if self.runs[class].is_null() {
                let block = self.block_with_free(class);
                if self.stress != 0 || self.awaits_fault() {
                    return self.single_cell(class, block);
                }
                self.runs[class] = (*block).free;
                let count = (*block).free_count as usize;
                (*block).free = ptr::null_mut();
                (*block).free_count = 0;
                self.admit_small(0);
                self.idle -= count * size;
                self.account((count * size) as isize);
            }
            let run = self.runs[class];
            self.runs[class] = (*run).next;
            let cell = run.cast::<u8>();
            let end = cell.add((*run).header.extra as usize * size);
            self.room[class] = Room { next: cell.add(size), end };
            cell
        }
    }

    /// Takes a single cell from a block, so that the next allocation comes by, too.
    ///
    /// # Safety
    /// As [`Heap::block_with_free`] answers it.
    unsafe fn single_cell(&mut self, class: usize, block: *mut Block) -> *mut u8 {
        // SAFETY: the first run of the block has at least one cell.
        unsafe {
            let run = (*block).free;
            let n = (*run).header.extra;
            (*block).free = match n {
                1 => (*run).next,
                _ => FreeRun::write(run.cast::<u8>().add(class * GRANULE), n - 1, (*run).next),
            };
            (*block).free_count -= 1;
            if (*block).free_count > 0 {
                self.store.classes[class].available.push(block);
            }
            self.admit_small(0);
            self.idle -= class * GRANULE;
            self.account((class * GRANULE) as isize);
            if self.stress != 0 {
                self.raise_poll();
            }
            run.cast()
        }
    }

    /// A swept block of `class` with free cells, taken out of all lists.
    fn block_with_free(&mut self, class: usize) -> *mut Block {
        loop {
            if let Some(block) = self.store.classes[class].available.pop() {
                return block;
            }
            let Some(block) = self.store.classes[class].unswept.pop() else {
                let Some((block, bytes)) = self.store.fresh_cells(class) else {
                    // The reserve has a chunk.
                    self.exhausted();
                    self.store.use_reserve();
                    continue;
                };
                self.idle += bytes;
                return block;
            };
            // SAFETY: an unswept block is in no other list.
            unsafe {
                self.sweep_block(block);
                if (*block).free_count > 0 {
                    return block;
                }
            }
        }
    }

    /// Gives all free cells back to their blocks.
    fn spill_rooms(&mut self) {
        for class in 1..CLASSES {
            let size = class * GRANULE;
            let room = std::mem::replace(&mut self.room[class], Room::NONE);
            let runs = std::mem::replace(&mut self.runs[class], ptr::null_mut());
            // SAFETY: room and runs are of one block, which is in no list of free cells.
            unsafe {
                let runs = room.seal(size, runs);
                if runs.is_null() {
                    continue;
                }
                let block = Block::containing(runs);
                let count = FreeRun::count(runs);
                debug_assert!((*block).free_count == 0);
                (*block).free = runs;
                (*block).free_count = count as u32;
                self.store.classes[class].available.push(block);
                self.idle += count * size;
                self.account(-((count * size) as isize));
            }
        }
    }

    /// Marks the unused cells of every room as free, for a walk over the blocks.
    pub(super) fn seal_rooms(&self) {
        for class in 1..CLASSES {
            // SAFETY: rooms of this heap; a sealed room is used as before.
            unsafe { self.room[class].seal(class * GRANULE, self.runs[class]) };
        }
    }

    /// Free bytes that `bytes` counts as used.
    pub(super) fn unused_bytes(&self, class: usize) -> usize {
        // SAFETY: listed runs.
        let runs = unsafe { FreeRun::count(self.runs[class]) };
        self.room[class].bytes() + runs * class * GRANULE
    }

    /// Counts memory that objects hold outside of their cell: positive when allocated, negative
    /// when freed. Sweeping an object takes back what it still holds ([`Heap::forget_bytes`]).
    #[inline]
    pub fn account(&mut self, delta: isize) {
        self.bytes = self.bytes.saturating_add_signed(delta);
        self.debt += delta;
        if delta > 0 && (self.debt >= 0 || self.is_alarming()) {
            self.raise_poll();
        }
    }

    /// Notes that a table has no room for a key. Who can throw asks with [`Heap::settled`]; else the next
    /// safepoint does.
    #[cold]
    pub fn refuse(&mut self, why: KeyError) {
        self.refused = Some(why);
        self.raise_poll();
    }

    /// Whether all keys set so far were taken.
    ///
    /// # Errors
    /// Why one was not; asked again, there is no error.
    #[inline(always)]
    pub fn settled(&mut self) -> Result<(), KeyError> {
        match self.refused {
            None => Ok(()),
            Some(_) => self.take_refusal(),
        }
    }

    /// Whether a key was refused and nobody has asked yet.
    pub(crate) fn has_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Whether something was refused for want of memory and nobody has asked yet.
    pub(crate) fn lacks_memory(&self) -> bool {
        self.refused == Some(KeyError::Memory)
    }

    #[cold]
    fn take_refusal(&mut self) -> Result<(), KeyError> {
        self.refused.take().map_or(Ok(()), Err)
    }

    /// Brings the next step nearer, as an allocation of `n` bytes would.
    #[inline]
    pub(crate) fn charge(&mut self, n: usize) {
        self.debt += n as isize;
        if self.debt >= 0 {
            self.raise_poll();
        }
    }

    /// Counts memory freed by a sweep: unlike [`Heap::account`] it does not put off the next step
    /// (while sweeping, allocation uses up what the sweep frees).
    #[inline]
    pub fn forget_bytes(&mut self, n: usize) {
        self.bytes = self.bytes.saturating_sub(n);
    }

    /// An array of `n` nils outside of any cell, accounted; null for 0. Table parts use these, and
    /// the sweeper frees what a dead table still holds.
    ///
    /// # Errors
    /// There is no memory.
    pub fn alloc_values(&mut self, n: usize) -> Result<*mut Value, OutOfMemory> {
        if n == 0 {
            return Ok(ptr::null_mut());
        }
        self.admit(n * 8)?;
        // SAFETY: the size is not zero.
        let p = unsafe { std::alloc::alloc(values_layout(n)) }.cast::<Value>();
        if p.is_null() {
            self.exhausted();
            return Err(OutOfMemory);
        }
        self.account((n * 8) as isize);
        prefer_large_pages(p, n);
        // SAFETY: `n` values were allocated.
        unsafe { fill_nil(p, n) };
        Ok(p)
    }

    /// [`Heap::alloc_values`] of a size that the program's text decides: a refusal is noted, and there is an
    /// array all the same.
    pub(crate) fn alloc_values_small(&mut self, n: usize) -> *mut Value {
        match self.alloc_values(n) {
            Ok(p) => p,
            Err(OutOfMemory) => {
                self.refuse(KeyError::Memory);
                // SAFETY: the size is not zero: that would have been granted.
                let p = unsafe { std::alloc::alloc(values_layout(n)) }.cast::<Value>();
                if p.is_null() {
                    std::alloc::handle_alloc_error(values_layout(n));
                }
                self.account((n * 8) as isize);
                // SAFETY: `n` values were allocated.
                unsafe { fill_nil(p, n) };
                p
            }
        }
    }

    /// Changes the size of an array made by [`Heap::alloc_values`]; new elements are nil.
    ///
    /// # Safety
    /// `p` must come from `alloc_values` or `resize_values` with size `old`; it is no longer valid, unless
    /// there is an error.
    ///
    /// # Errors
    /// There is no memory.
    pub unsafe fn resize_values(
        &mut self,
        p: *mut Value,
        old: usize,
        new: usize,
    ) -> Result<*mut Value, OutOfMemory> {
        if old == 0 {
            return self.alloc_values(new);
        }
        if new == 0 {
            // SAFETY: the caller's contract.
            unsafe { self.free_values(p, old) };
            return Ok(ptr::null_mut());
        }
        if new > old {
            self.admit(door::growth(old * 8, new * 8))?;
        }
        let layout = values_layout(new);
        // SAFETY: the caller's contract; the new size is not zero.
        let p = unsafe { std::alloc::realloc(p.cast(), values_layout(old), layout.size()) };
        if p.is_null() {
            self.exhausted();
            return Err(OutOfMemory);
        }
        self.account((new as isize - old as isize) * 8);
        self.note_freed(old * 8);
        let p = p.cast::<Value>();
        if new > old {
            prefer_large_pages(p, new);
            // SAFETY: the array now has `new` elements.
            unsafe { fill_nil(p.add(old), new - old) };
        }
        Ok(p)
    }

    /// Frees an array made by [`Heap::alloc_values`].
    ///
    /// # Safety
    /// `p` must come from `alloc_values` or `resize_values` with size `n`; it is no longer valid.
    pub unsafe fn free_values(&mut self, p: *mut Value, n: usize) {
        self.account(-((n * 8) as isize));
        // SAFETY: the caller's contract.
        unsafe { dealloc_values(p, n) };
        self.note_freed(n * 8);
    }

    /// To be called after a heap value was stored into `parent` (table, userdata, native function):
    /// a black parent becomes gray again.
    ///
    /// # Safety
    /// `parent` must be a live object.
    #[inline(always)]
    pub unsafe fn barrier_back<T>(&mut self, parent: *mut T) {
        let parent = parent.cast::<Header>();
        // SAFETY: the caller's contract.
        if unsafe { (*parent).color } >= BLACK {
            self.barrier_back_slow(parent);
        }
    }

    #[cold]
    #[inline(never)]
    fn barrier_back_slow(&mut self, parent: *mut Header) {
        if self.phase == Phase::Mark {
            // SAFETY: `parent` is live (barrier_back).
            unsafe { (*parent).color = GRAY };
            self.gray_again.push(parent);
        } else {
            // Not yet swept: sweep it now.
            // SAFETY: as above.
            unsafe { (*parent).color = self.alloc_color };
        }
    }

    /// To be called after `value` was stored into `parent` (upvalue cell, prototype, shape): when the
    /// parent is black and the value white, the value is marked.
    ///
    /// # Safety
    /// `parent` must be a live object and `value` a live value.
    #[inline(always)]
    pub unsafe fn barrier_forward<T>(&mut self, parent: *mut T, value: Value) {
        let parent = parent.cast::<Header>();
        // SAFETY: the caller's contract.
        if unsafe { (*parent).color } >= BLACK && value.is_heap() {
            self.barrier_forward_slow(parent, value.header());
        }
    }

    /// [`Heap::barrier_forward`] for objects that are not values (shapes, prototypes, upvalues).
    ///
    /// # Safety
    /// `parent` and `child` must be live objects; `child` may be null.
    #[inline(always)]
    pub unsafe fn barrier_object<T, U>(&mut self, parent: *mut T, child: *mut U) {
        let parent = parent.cast::<Header>();
        // SAFETY: the caller's contract.
        if unsafe { (*parent).color } >= BLACK && !child.is_null() {
            self.barrier_forward_slow(parent, child.cast());
        }
    }

    #[cold]
    #[inline(never)]
    fn barrier_forward_slow(&mut self, parent: *mut Header, child: *mut Header) {
        // SAFETY: both are live (callers' contracts).
        unsafe {
            if self.phase == Phase::Mark {
                self.mark_header(child);
            } else {
                (*parent).color = self.alloc_color;
            }
        }
    }

    /// To be called with an object found through a weak reference (a shape through a transition)
    /// that is going to be used.
    ///
    /// # Safety
    /// `object` must be a valid object.
    #[inline]
    pub unsafe fn revive<T>(&mut self, object: *mut T) {
        if self.phase == Phase::Mark {
            // SAFETY: the caller's contract.
            unsafe { self.mark_header(object.cast()) }
        }
    }
}

/// Frees an array of values without accounting.
///
/// # Safety
/// As for [`Heap::free_values`].
unsafe fn dealloc_values(p: *mut Value, n: usize) {
    if n != 0 {
        // SAFETY: the caller's contract.
        unsafe { std::alloc::dealloc(p.cast(), values_layout(n)) };
    }
}

/// Layout of an array of values.
fn values_layout(n: usize) -> Layout {
    Layout::array::<Value>(n).expect("value array too large")
}

/// Writes `n` nils.
///
/// # Safety
/// `p` must be valid for `n` writes.
pub unsafe fn fill_nil(p: *mut Value, n: usize) {
    for i in 0..n {
        // SAFETY: the caller's contract.
        unsafe { p.add(i).write(Value::NIL) };
    }
}
