//! Sweeping: block by block, by allocation that needs cells or by collector steps.
//!
//! What runs a host's destructor (userdata, host callbacks) is not dropped here but moved to
//! [`Heap::graveyard`], which the safepoint empties when no part of the heap is borrowed: a sweep
//! may happen inside any allocation.

use std::any::Any;
use std::ptr;

use super::block::{Block, FreeRun, Room};
use super::{CLASSES, GRANULE, Heap};
use crate::object::{Feedback, Header, Kind, NativeFunction, Proto, Table, Thread, Userdata};
use crate::value::Value;

impl Heap {
    /// Prepares to sweep everything; objects of colour `dead` are to be freed.
    pub(super) fn begin_sweep(&mut self, dead: u8) {
        self.dead_color = dead;
        for class in 1..CLASSES {
            let unused = self.unused_bytes(class);
            self.forget_bytes(unused);
            self.idle += unused;
            // SAFETY: a room of this heap. What is left of it is a run now.
            unsafe { self.room[class].seal(class * GRANULE, ptr::null_mut()) };
            self.room[class] = Room::NONE;
            self.runs[class] = ptr::null_mut();
            let class = &mut self.store.classes[class];
            class.available.clear();
            class.unswept.clone_from(&class.blocks);
            for &block in &class.unswept {
                // SAFETY: blocks of a class are valid.
                unsafe { (*block).swept = false };
            }
        }
        self.sweep_class = 1;
        self.sweep_large = self.store.large.len();
    }

    /// Sweeps for about `budget` bytes; true when everything has been swept.
    pub(super) fn sweep_some(&mut self, mut budget: isize) -> bool {
        while self.sweep_class < self.store.classes.len() {
            let Some(block) = self.store.classes[self.sweep_class].unswept.pop() else {
                self.sweep_class += 1;
                continue;
            };
            if budget <= 0 {
                self.store.classes[self.sweep_class].unswept.push(block);
                return false;
            }
            budget -= super::block::BLOCK as isize;
            // SAFETY: an unswept block is in no list.
            unsafe {
                self.sweep_block(block);
                if (*block).free_count > 0 {
                    self.store.classes[self.sweep_class].available.push(block);
                }
            }
        }
        while self.sweep_large > 0 {
            if budget <= 0 {
                return false;
            }
            self.sweep_large -= 1;
            let large = self.store.large[self.sweep_large];
            budget -= 256;
            // SAFETY: large objects in the list are valid; dead ones are not used again.
            unsafe {
                if (*large.object).color == self.dead_color {
                    self.drop_object(large.object);
                    self.forget_bytes(large.size);
                    // The last one takes its place: either swept already or new.
                    self.store.free_large(self.sweep_large);
                } else {
                    (*large.object).color = self.alloc_color;
                }
            }
        }
        true
    }

    /// Frees the dead objects of a block, whitens the others and builds its free list.
    ///
    /// # Safety
    /// `block` must be an unswept block, in no list.
    pub(super) unsafe fn sweep_block(&mut self, block: *mut Block) {
        // SAFETY: the caller's contract; each cell starts with a header or is in a run, live objects
        // are valid.
        unsafe {
            let size = (*block).cell_size as usize;
            let white = self.alloc_color;
            let dead = self.dead_color;
            // Kind and colour of the objects that die in the greatest numbers, side by side.
            let dead_integer = u16::from_ne_bytes([Kind::WideInt as u8, dead]);
            let (mut free, mut freed) = (0u32, 0usize);
            let mut link = &raw mut (*block).free;
            let mut cell = Block::cell(block, 0);
            let end = Block::cell(block, (*block).cells as usize);
            while cell < end {
                let header = cell.cast::<Header>();
                if (*header).color != dead && (*header).kind != Kind::Free {
                    (*header).color = white;
                    cell = cell.add(size);
                    continue;
                }
                let start = cell;
                let mut known = 0;
                loop {
                    while cell < end && cell.cast::<u16>().read() == dead_integer {
                        cell = cell.add(size);
                    }
                    if cell >= end {
                        break;
                    }
                    let header = cell.cast::<Header>();
                    if (*header).kind == Kind::Free {
                        known += (*header).extra;
                        cell = cell.add((*header).extra as usize * size);
                        continue;
                    }
                    if (*header).color != dead {
                        break;
                    }
                    match (*header).kind {
                        Kind::Upvalue | Kind::LuaClosure => {}
                        Kind::Table if is_compact(cell.cast()) => {}
                        _ => self.drop_object(header),
                    }
                    cell = cell.add(size);
                }
                let n = (cell.offset_from_unsigned(start) / size) as u32;
                freed += (n - known) as usize;
                let run = FreeRun::write(start, n, ptr::null_mut());
                *link = run;
                link = &raw mut (*run).next;
                free += n;
            }
            *link = ptr::null_mut();
            (*block).free_count = free;
            (*block).swept = true;
            self.idle += freed * size;
            self.forget_bytes(freed * size);
        }
    }

    /// Gives back blocks without live objects, beyond a reserve of `keep` bytes.
    pub(super) fn release_empty(&mut self, keep: usize) {
        let mut kept = 0;
        for class in 1..self.store.classes.len() {
            let mut released: Vec<*mut Block> = Vec::new();
            self.store.classes[class].available.retain(|&block| {
                // SAFETY: blocks in `available` are valid.
                let empty = unsafe {
                    (*block).free_count == (*block).cells && (*block).cells == (*block).capacity
                };
                if !empty {
                    return true;
                }
                kept += super::block::BLOCK;
                if kept > keep {
                    released.push(block);
                }
                kept <= keep
            });
            if released.is_empty() {
                continue;
            }
            released.sort_unstable();
            self.store.classes[class].blocks.retain(|b| released.binary_search(b).is_err());
            for block in released {
                // SAFETY: no live object is in it, and it was taken out of all lists.
                unsafe {
                    self.idle -= ((*block).cells * (*block).cell_size) as usize;
                    self.store.release_block(block);
                }
            }
        }
    }

    /// Releases what a dead object owns outside of its cell.
    ///
    /// # Safety
    /// `object` must be valid and never be used again.
    #[inline]
    pub(super) unsafe fn drop_object(&mut self, object: *mut Header) {
        // SAFETY: the caller's contract; the kind says what the object is.
        unsafe {
            match (*object).kind {
                Kind::Free | Kind::WideInt | Kind::Upvalue | Kind::LuaClosure => {}
                Kind::String => self.drop_string(object.cast()),
                Kind::Table => self.drop_table(object.cast()),
                Kind::NativeFunction => {
                    let f = object.cast::<NativeFunction>();
                    self.forget_bytes((*f).outside as usize);
                    let host = ptr::read(&raw const (*f).host);
                    if let Some(host) = host {
                        self.bury(host);
                    }
                }
                Kind::Userdata => {
                    let u = object.cast::<Userdata>();
                    ptr::drop_in_place(&raw mut (*u).user_values);
                    if let Some(data) = ptr::read(&raw const (*u).data) {
                        self.bury(data);
                    }
                }
                Kind::Proto => {
                    let p = object.cast::<Proto>();
                    self.forget_bytes(proto_bytes(p));
                    (*p).feedback.iter().for_each(Feedback::release);
                    (*p).metamethods.borrow().iter().for_each(|(_, cell)| cell.release());
                    ptr::drop_in_place(p);
                }
                Kind::Shape => crate::shape::release(object.cast()),
                Kind::Thread => {
                    let detail = ptr::read(&raw const (*object.cast::<Thread>()).detail);
                    self.forget_bytes(detail.accounted());
                    self.bury(detail);
                }
            }
        }
    }

    /// Keeps something with a destructor that may run foreign code until the next safepoint.
    fn bury(&mut self, remains: Box<dyn Any>) {
        self.graveyard.push(remains);
        self.raise_poll();
    }

    /// # Safety
    /// `t` must be valid and never be used again.
    #[inline]
    unsafe fn drop_table(&mut self, t: *mut Table) {
        // What a sweep frees does not put off the next step (see `forget_bytes`).
        let debt = self.debt;
        // SAFETY: the caller's contract.
        unsafe { crate::table::release(self, t) }
        self.debt = debt;
    }

    /// Drops every object and all memory: the state is gone. Nothing may be used afterwards but
    /// what is returned: the host's values, to be dropped by the caller.
    pub(crate) fn free_all(&mut self) -> Vec<Box<dyn Any>> {
        self.seal_rooms();
        for class in 1..CLASSES {
            for i in 0..self.store.classes[class].blocks.len() {
                let block = self.store.classes[class].blocks[i];
                // SAFETY: blocks of a class are valid; each object is dropped once.
                unsafe {
                    Block::each_cell(block, |header| {
                        self.drop_last(header);
                        FreeRun::write(header.cast(), 1, ptr::null_mut());
                    });
                }
            }
        }
        for i in 0..self.store.large.len() {
            let object = self.store.large[i].object;
            // SAFETY: as above.
            unsafe {
                self.drop_last(object);
                (*object).kind = Kind::Free;
            }
        }
        self.room = [Room::NONE; CLASSES];
        self.runs = [ptr::null_mut(); CLASSES];
        std::mem::take(&mut self.graveyard)
    }

    /// # Safety
    /// As for [`Heap::drop_object`].
    unsafe fn drop_last(&mut self, object: *mut Header) {
        // SAFETY: the caller's contract. The string table needs no upkeep any more.
        unsafe {
            if (*object).kind == Kind::String {
                (*object).flags &= !crate::object::LuaString::INTERNED;
            }
            self.drop_object(object);
        }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        drop(self.free_all());
    }
}

/// Whether a table holds nothing outside of its cell.
///
/// # Safety
/// `t` must be valid.
#[inline(always)]
unsafe fn is_compact(t: *mut Table) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let inline = (&raw mut (*t).inline).cast::<Value>();
        (*t).hash.is_null()
            && (*t).slots == inline
            && (*t).arr == inline.add((*t).slot_cap as usize)
    }
}

/// Bytes that a prototype holds outside of its cell (bytecode included).
///
/// # Safety
/// `p` must be valid.
pub unsafe fn proto_bytes(p: *const Proto) -> usize {
    // SAFETY: the caller's contract.
    unsafe {
        let p = &*p;
        p.constants.len() * 8
            + std::mem::size_of_val(&*p.feedback)
            + p.arg_types.len() * 2
            + p.protos.len() * 8
            + p.templates.len() * 8
            + p.function.footprint()
            + p.upvalue_variables.len() * 4
            + p.captured.len() * 8
    }
}
