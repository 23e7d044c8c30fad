//! Marking: from roots through gray objects to black.
//!
//! Threads and open upvalues stay gray until the atomic end, because VM stacks are written
//! without a barrier; weak tables because what they refer to is decided there ([`super::weak`]).

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
            // SAFETY: the caller's contract.
            unsafe { self.mark_header(v.ptr()) }
        }
    }

    /// Marks an object, or nothing for null.
    ///
    /// # Safety
    /// `object` must be null or live.
    #[inline(always)]
    pub unsafe fn mark_object<T>(&mut self, object: *mut T) {
        if !object.is_null() {
            // SAFETY: the caller's contract.
            unsafe { self.mark_header(object.cast()) }
        }
    }

    /// Makes a white object gray, or black where it refers to nothing.
    ///
    /// # Safety
    /// `object` must be a live object.
    #[inline(always)]
    pub(crate) unsafe fn mark_header(&mut self, object: *mut Header) {
        // SAFETY: the caller's contract.
        unsafe {
            if (*object).color < GRAY {
                self.mark_white(object);
            }
        }
    }

    #[inline]
    unsafe fn mark_white(&mut self, object: *mut Header) {
        // SAFETY: `mark_header`'s contract.
        unsafe {
            match (*object).kind {
                Kind::WideInt => (*object).color = BLACK,
                Kind::String if !(*object.cast::<LuaString>()).data.is_null() => {
                    (*object).color = BLACK;
                }
                Kind::String
                | Kind::Table
                | Kind::LuaClosure
                | Kind::NativeFunction
                | Kind::Upvalue
                | Kind::Proto
                | Kind::Shape
                | Kind::Userdata
                | Kind::Thread => {
                    (*object).color = GRAY;
                    self.gray.push(object);
                }
                Kind::Free => debug_assert!(false, "reference to a free cell {object:p}"),
            }
        }
    }

    /// Blackens gray objects until none is left or `budget` bytes of work are done; returns the
    /// budget that is left.
    pub(super) fn propagate(&mut self, roots: &mut dyn Roots, mut budget: isize) -> isize {
        while budget > 0 {
            let Some(object) = self.gray.pop() else { break };
            // SAFETY: gray objects are live.
            budget -= unsafe { self.scan(roots, object) } as isize;
        }
        budget
    }

    /// Blackens all gray objects.
    pub(super) fn propagate_all(&mut self, roots: &mut dyn Roots) {
        while let Some(object) = self.gray.pop() {
            // SAFETY: gray objects are live.
            unsafe { self.scan(roots, object) };
        }
    }

    /// Marks what `object` refers to and makes it black (or leaves it gray for the atomic end).
    /// Returns the bytes looked at.
    ///
    /// # Safety
    /// `object` must be live.
    unsafe fn scan(&mut self, roots: &mut dyn Roots, object: *mut Header) -> usize {
        // SAFETY: the kind says what the object is; everything a live object refers to is live.
        unsafe {
            (*object).color = BLACK;
            match (*object).kind {
                Kind::Table => self.scan_table(object.cast()),
                Kind::LuaClosure => {
                    let f = object.cast::<LuaClosure>();
                    let n = (*object).extra as usize;
                    self.mark_object((*f).proto);
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
            self.mark_object(shape);
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

/// Work of visiting an object without references.
const GRANULE_WORK: usize = 16;
