//! Marking: from roots to black.
//!
//! The mark stack ([`Heap::gray`]) holds references still to be followed. They are pushed without
//! looking at the object, which may be marked by the time it is popped; so white objects on the stack count as
//! gray.
//!
//! Threads and open upvalues stay gray until the atomic end, because VM stacks are written
//! without a barrier; weak tables because what they refer to is decided there ([`super::weak`]).

use std::ptr;

use super::{BLACK, GRAY, Heap, Roots};
use crate::object::{
    Header, Kind, LuaClosure, LuaString, NativeFunction, Proto, Shape, Table, Thread, Upvalue,
    Userdata, element_kind, table_flags,
};
use crate::value::Value;

impl Heap {
    /// Marks a value.
    ///
    /// # Safety
    /// A heap value must point to a live object.
    #[inline(always)]
    pub unsafe fn mark_value(&mut self, v: Value) {
        if v.is_heap() {
            self.gray.push(v.ptr());
        }
    }

    /// Marks an object, or nothing for null.
    ///
    /// # Safety
    /// `object` must be null or live.
    #[inline(always)]
    pub unsafe fn mark_object<T>(&mut self, object: *mut T) {
        if !object.is_null() {
            self.gray.push(object.cast());
        }
    }

    /// Marks an object whose header is likely in the processor's cache, or that is likely marked.
    ///
    /// # Safety
    /// `object` must be a live object.
    #[inline(always)]
    pub(crate) unsafe fn mark_header(&mut self, object: *mut Header) {
        // SAFETY: the caller's contract.
        if unsafe { (*object).color } < GRAY {
            self.gray.push(object);
        }
    }

    /// Works through the mark stack until it is empty or `budget` bytes of work are done; returns the
    /// budget that is left.
    ///
    /// Objects pass through a short queue between being fetched and being looked at: marking waits for
    /// memory more than for anything else.
    pub(super) fn propagate(&mut self, roots: &mut dyn Roots, mut budget: isize) -> isize {
        let mut queue = [ptr::null_mut::<Header>(); QUEUE];
        let (mut at, mut empty) = (0, 0);
        while budget > 0 && empty < QUEUE {
            let next = self.gray.pop().unwrap_or(ptr::null_mut());
            prefetch(next);
            let object = std::mem::replace(&mut queue[at], next);
            at = (at + 1) % QUEUE;
            if object.is_null() {
                // The queue is filling up, or nothing is left when this happens all around.
                empty = if next.is_null() { empty + 1 } else { 0 };
                continue;
            }
            empty = 0;
            // SAFETY: what the stack holds is live.
            unsafe {
                if (*object).color < GRAY {
                    budget -= self.scan(roots, object) as isize;
                }
            }
        }
        self.gray.extend(queue.iter().filter(|o| !o.is_null()));
        budget
    }

    /// Empties the mark stack.
    pub(super) fn propagate_all(&mut self, roots: &mut dyn Roots) {
        while !self.gray.is_empty() {
            self.propagate(roots, isize::MAX);
        }
    }

    /// Marks what `object` refers to and makes it black (or leaves it gray for the atomic end).
    /// Returns the bytes looked at.
    ///
    /// # Safety
    /// `object` must be live.
    pub(super) unsafe fn scan(&mut self, roots: &mut dyn Roots, object: *mut Header) -> usize {
        // SAFETY: the kind says what the object is; everything a live object refers to is live.
        unsafe {
            (*object).color = BLACK;
            match (*object).kind {
                Kind::Table => self.scan_table(object.cast()),
                Kind::LuaClosure => {
                    let f = object.cast::<LuaClosure>();
                    let n = (*object).extra as usize;
                    self.mark_header((*f).proto.cast());
                    let upvalues = (&raw mut (*f).upvalues).cast::<*mut Upvalue>();
                    for i in 0..n {
                        self.mark_object(*upvalues.add(i));
                    }
                    size_of::<LuaClosure>() + n * 8
                }
                Kind::Upvalue => {
                    let u = object.cast::<Upvalue>();
                    self.mark_value(*(*u).location);
                    if (*u).location != &raw mut (*u).closed {
                        self.keep_gray(object);
                    }
                    size_of::<Upvalue>()
                }
                Kind::NativeFunction => {
                    let f = object.cast::<NativeFunction>();
                    let n = (*object).extra as usize;
                    let upvalues = (&raw mut (*f).upvalues).cast::<Value>();
                    for i in 0..n {
                        self.mark_value(*upvalues.add(i));
                    }
                    size_of::<NativeFunction>() + n * 8
                }
                Kind::Proto => {
                    let p = object.cast::<Proto>();
                    for &v in &(*p).constants {
                        self.mark_value(v);
                    }
                    for &nested in &(*p).protos {
                        self.mark_object(nested);
                    }
                    for &shape in &(*p).templates {
                        self.mark_object(shape);
                    }
                    roots.visit_code(p, &mut |o| self.mark_object(o));
                    size_of::<Proto>() + super::sweep::proto_bytes(p)
                }
                Kind::Shape => self.scan_shape(object.cast()),
                Kind::Userdata => {
                    let u = object.cast::<Userdata>();
                    self.mark_object((*u).meta);
                    for &v in &(*u).user_values {
                        self.mark_value(v);
                    }
                    size_of::<Userdata>()
                }
                Kind::Thread => {
                    let thread = object.cast::<Thread>();
                    self.keep_gray(object);
                    let atomic = self.atomic;
                    roots.visit_thread(thread, atomic, &mut |o| self.mark_object(o))
                }
                Kind::String => {
                    let s = object.cast::<LuaString>();
                    // It may have been flattened since it became gray.
                    if (*s).data.is_null() {
                        let [left, right] = LuaString::halves(s);
                        self.mark_object(left);
                        self.mark_object(right);
                    }
                    size_of::<LuaString>()
                }
                Kind::WideInt | Kind::Free => GRANULE_WORK,
            }
        }
    }

    /// Before the atomic end: leaves an object gray, to be scanned again there.
    ///
    /// # Safety
    /// `object` must be live.
    unsafe fn keep_gray(&mut self, object: *mut Header) {
        if !self.atomic {
            // SAFETY: the caller's contract.
            unsafe { (*object).color = GRAY };
            self.gray_again.push(object);
        }
    }

    /// # Safety
    /// `t` must be live.
    #[inline]
    unsafe fn scan_table(&mut self, t: *mut Table) -> usize {
        // SAFETY: the caller's contract; the table's invariants bound its parts.
        unsafe {
            let shape = (*t).shape;
            self.mark_header(shape.cast());
            let n = (*shape).len as usize;
            if !(*shape).meta.is_null() {
                (*t).update_weak_mode(self);
            }
            if (*t).header.flags & (table_flags::WEAK_KEYS | table_flags::WEAK_VALUES) != 0 {
                if !self.atomic {
                    self.keep_gray(t.cast());
                    return size_of::<Table>();
                }
                return self.scan_weak(t);
            }
            for i in 0..n {
                self.mark_value(*(*t).slots.add(i));
            }
            let mut work = size_of::<Table>() + n * 8;
            if (*t).header.aux & element_kind::OTHER != 0 {
                for i in 0..(*t).arr_len as usize {
                    self.mark_value(*(*t).arr.add(i));
                }
                work += (*t).arr_len as usize * 8;
            }
            if !(*t).hash.is_null() {
                let entries = &(*(*t).hash).entries;
                let mut removed = false;
                for &(k, v) in entries {
                    if v.is_nil() {
                        removed |= k.is_heap();
                    } else {
                        self.mark_value(k);
                        self.mark_value(v);
                    }
                }
                if removed {
                    self.removed_keys.push(t);
                }
                work += entries.len() * 16;
            }
            work
        }
    }

    /// # Safety
    /// `shape` must be live.
    unsafe fn scan_shape(&mut self, shape: *mut Shape) -> usize {
        // SAFETY: the caller's contract.
        unsafe {
            self.mark_object((*shape).meta);
            self.mark_object((*shape).parent);
            self.mark_object((*shape).key);
            for key in (*shape).keys() {
                self.mark_object(key.get());
            }
            self.marked_shapes.push(shape);
            size_of::<Shape>() + (*shape).len as usize * 8
        }
    }
}

/// Objects between fetching and scanning.
const QUEUE: usize = 8;

/// Asks for an object's memory.
#[inline(always)]
fn prefetch(object: *mut Header) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch may be of any address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(object.cast());
        _mm_prefetch::<_MM_HINT_T0>(object.cast::<i8>().wrapping_add(64));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = object;
}

/// Work of visiting an object without references.
const GRANULE_WORK: usize = 16;
