//! Checks of every invariant, in the manner of `ltests.c`: for tests and `gc_stress`.
//!
//! Independent of the marker: it walks all memory rather than the graph, so it sees objects that
//! no root reaches too. Checked: blocks and free lists; that every reference of every object leads to
//! a live cell of an expected kind; the colours; tables, shapes, strings, upvalues; the lists of
//! the collector.

use std::collections::{HashMap, HashSet};
use std::ptr;

use perilune_ir::encoding;

use super::block::Block;
use super::{BLACK, CLASSES, GRANULE, GRAY, Heap, Phase, Roots};
use crate::object::{
    Header, Kind, LuaClosure, LuaString, NativeFunction, Proto, Shape, Table, Thread, Upvalue,
    Userdata, element_kind, table_flags,
};
use crate::value::{TAG_FUNCTION, TAG_INT, TAG_OTHER, TAG_STRING, TAG_TABLE, Value};

/// The kinds that a value of this tag may refer to.
fn kinds_of(v: Value) -> &'static [Kind] {
    match v.tag() {
        TAG_STRING => &[Kind::String],
        TAG_TABLE => &[Kind::Table],
        TAG_FUNCTION => &[Kind::LuaClosure, Kind::NativeFunction],
        TAG_OTHER => &[Kind::WideInt, Kind::Userdata, Kind::Thread],
        _ => &[],
    }
}

/// A walk over the heap.
struct Walk<'a> {
    heap: &'a Heap,
    /// Addresses of all objects that may be referred to.
    live: HashSet<usize>,
    /// Addresses of what the mark stack holds.
    gray: HashSet<usize>,
    problem: Option<String>,
}

impl Walk<'_> {
    fn fail(&mut self, message: impl FnOnce() -> String) {
        if self.problem.is_none() {
            self.problem = Some(message());
        }
    }

    /// Checks a reference from `from` (null: a root).
    fn reference(&mut self, from: *mut Header, to: *mut Header, kinds: &[Kind], what: &str) {
        // SAFETY: `from` is null or an object of the walk; `to` is only read when it is one.
        unsafe {
            let origin = || match from.is_null() {
                true => "a root".to_string(),
                false => format!("{:?} {from:p}", (*from).kind),
            };
            if !self.live.contains(&to.addr()) {
                self.fail(|| format!("{what} of {} leads to no live object: {to:p}", origin()));
                return;
            }
            let kind = (*to).kind;
            if !kinds.contains(&kind) {
                self.fail(|| format!("{what} of {} is a {kind:?}", origin()));
            }
            if self.heap.phase == Phase::Mark
                && !from.is_null()
                && (*from).color >= BLACK
                && (*to).color < GRAY
                && !self.gray.contains(&to.addr())
            {
                self.fail(|| format!("black {} has a white {what}: {kind:?} {to:p}", origin()));
            }
        }
    }

    fn value(&mut self, from: *mut Header, v: Value, what: &str) {
        if v.is_heap() {
            self.reference(from, v.header(), kinds_of(v), what);
        } else if v.is_float() && !encoding::is_canonical(v.0) {
            self.fail(|| format!("{what} of {from:p} is the NaN {:#x}", v.0));
        }
    }

    fn object<T>(&mut self, from: *mut Header, to: *mut T, kind: Kind, what: &str) {
        if !to.is_null() {
            self.reference(from, to.cast(), &[kind], what);
        }
    }

    /// Checks an object and its references.
    ///
    /// # Safety
    /// `o` must be a live object.
    unsafe fn check(&mut self, o: *mut Header) {
        // SAFETY: the caller's contract; the kind says what the object is.
        unsafe {
            match (*o).kind {
                Kind::Free | Kind::WideInt => {}
                Kind::String => self.string(o.cast()),
                Kind::Table => self.table(o.cast()),
                Kind::LuaClosure => {
                    let f = o.cast::<LuaClosure>();
                    self.object(o, (*f).proto, Kind::Proto, "prototype");
                    let upvalues = (&raw mut (*f).upvalues).cast::<*mut Upvalue>();
                    for i in 0..(*o).extra as usize {
                        self.object(o, *upvalues.add(i), Kind::Upvalue, "upvalue");
                    }
                }
                Kind::NativeFunction => {
                    let f = o.cast::<NativeFunction>();
                    let upvalues = (&raw mut (*f).upvalues).cast::<Value>();
                    for i in 0..(*o).extra as usize {
                        self.value(o, *upvalues.add(i), "upvalue");
                    }
                }
                Kind::Upvalue => {
                    let u = o.cast::<Upvalue>();
                    if (*u).location == &raw mut (*u).closed {
                        self.value(o, (*u).closed, "closed value");
                    }
                }
                Kind::Proto => {
                    let p = o.cast::<Proto>();
                    for &v in &(*p).constants {
                        self.value(o, v, "constant");
                    }
                    for &nested in &(*p).protos {
                        self.object(o, nested, Kind::Proto, "nested prototype");
                    }
                    for &shape in &(*p).templates {
                        self.object(o, shape, Kind::Shape, "template");
                    }
                    self.feedback(p);
                }
                Kind::Shape => self.shape(o.cast()),
                Kind::Userdata => {
                    let u = o.cast::<Userdata>();
                    self.object(o, (*u).meta, Kind::Table, "metatable");
                    for &v in &(*u).user_values {
                        self.value(o, v, "user value");
                    }
                }
                // Its stack is looked at through `Roots`.
                Kind::Thread => {}
            }
        }
    }

    /// # Safety
    /// `s` must be live.
    unsafe fn string(&mut self, s: *mut LuaString) {
        // SAFETY: the caller's contract.
        unsafe {
            let flags = (*s).header.flags;
            let interned = flags & LuaString::INTERNED != 0;
            if interned != ((*s).len <= LuaString::MAX_SHORT) {
                self.fail(|| format!("string {s:p} of {} bytes: interned {interned}", (*s).len));
            }
            if (*s).data.is_null() {
                let [left, right] = LuaString::halves(s);
                self.object(s.cast(), left, Kind::String, "left half");
                self.object(s.cast(), right, Kind::String, "right half");
                if self.problem.is_none() && (*left).len + (*right).len != (*s).len {
                    self.fail(|| format!("length of rope {s:p} is wrong"));
                }
            } else if flags & LuaString::HASHED != 0 {
                let bytes = (*s).flat_bytes().unwrap_or_default();
                if self.heap.strings.hash(bytes) != (*s).hash {
                    self.fail(|| format!("hash of string {s:p} is wrong"));
                }
            }
        }
    }

    /// # Safety
    /// `t` must be live.
    unsafe fn table(&mut self, t: *mut Table) {
        // SAFETY: the caller's contract.
        unsafe {
            let o = t.cast::<Header>();
            if (*t).shape.is_null() {
                return self.fail(|| format!("table {t:p} has no shape"));
            }
            self.object(o, (*t).shape, Kind::Shape, "shape");
            if self.problem.is_some() {
                return;
            }
            let fields = (*(*t).shape).len;
            let (length, capacity) = ((*t).arr_len, (*t).arr_cap);
            if fields > (*t).slot_cap || length > capacity {
                return self.fail(|| {
                    format!(
                        "table {t:p}: {fields} fields in {} slots, {length} of {capacity} elements",
                        (*t).slot_cap
                    )
                });
            }
            // A weak table's contents are decided at the end of marking only.
            let from = if (*o).flags & (table_flags::WEAK_KEYS | table_flags::WEAK_VALUES) != 0 {
                ptr::null_mut()
            } else {
                o
            };
            for i in 0..fields as usize {
                self.value(from, *(*t).slots.add(i), "field");
            }
            let mut seen = element_kind::EMPTY;
            for i in 0..length as usize {
                let v = *(*t).arr.add(i);
                self.value(from, v, "element");
                seen |= match v {
                    v if v.is_nil() => element_kind::HOLES,
                    v if v.is_float() => element_kind::FLOAT,
                    v if v.tag() == TAG_INT => element_kind::INT,
                    _ => element_kind::OTHER,
                };
            }
            if seen & !(*o).aux != 0 {
                self.fail(|| format!("table {t:p}: element kinds {:#b}, seen {seen:#b}", (*o).aux));
            }
            if length > 0 && (*(*t).arr.add(length as usize - 1)).is_nil() {
                self.fail(|| format!("table {t:p}: the last element is nil"));
            }
            if (length..capacity).any(|i| !(*(*t).arr.add(i as usize)).is_nil()) {
                self.fail(|| format!("table {t:p}: a spare element is not nil"));
            }
            if (*t).hash.is_null() {
                return;
            }
            let hash = &*(*t).hash;
            // The last key that the array should have.
            let last = if self.heap.kept_in_hash { capacity } else { capacity.max(length + 1) };
            let mut live = 0;
            for &(k, v) in &hash.entries {
                if v.is_nil() {
                    // The key may be unmarked; it dangles never.
                    self.value(ptr::null_mut(), k, "removed key");
                    continue;
                }
                live += 1;
                self.value(from, k, "key");
                self.value(from, v, "value");
                if k.is_nil() || k == super::weak::DEAD_KEY {
                    self.fail(|| format!("table {t:p} has the key {k:?}"));
                }
                if let Some(i) = k.as_int()
                    && i >= 1
                    && i <= last as i64
                {
                    self.fail(|| {
                        format!(
                            "table {t:p}: key {i} in the hash part; {length} of {capacity} elements, flags {:#b}",
                            (*o).flags
                        )
                    });
                }
            }
            if live != hash.live {
                self.fail(|| format!("table {t:p}: {live} live entries, counted {}", hash.live));
            }
        }
    }

    /// # Safety
    /// `s` must be live.
    unsafe fn shape(&mut self, s: *mut Shape) {
        // SAFETY: the caller's contract.
        unsafe {
            let o = s.cast::<Header>();
            self.object(o, (*s).meta, Kind::Table, "metatable");
            self.object(o, (*s).parent, Kind::Shape, "parent");
            self.object(o, (*s).key, Kind::String, "key");
            if self.problem.is_some() {
                return;
            }
            let parent = (*s).parent;
            if !parent.is_null() && ((*parent).len + 1 != (*s).len || (*parent).meta != (*s).meta) {
                self.fail(|| format!("shape {s:p} does not extend its parent"));
            }
            for key in (*s).keys() {
                self.object(o, key.get(), Kind::String, "key");
                if self.problem.is_none() && !(*key.get()).is_interned() {
                    self.fail(|| format!("shape {s:p} has a key that is not interned"));
                }
            }
            let mut children = Vec::new();
            crate::shape::drop_dead_children(s, |child| {
                children.push(child);
                false
            });
            for child in children {
                self.object(ptr::null_mut(), child, Kind::Shape, "child");
                if self.problem.is_some() {
                    return;
                }
                let adds = (*child).len == (*s).len + 1 && (*child).meta == (*s).meta;
                if !adds && (*child).len != (*s).len {
                    self.fail(|| format!("shape {s:p} has an odd child {child:p}"));
                }
            }
        }
    }

    /// Inline caches refer to live objects (or nothing), though weakly.
    ///
    /// # Safety
    /// `p` must be live.
    unsafe fn feedback(&mut self, p: *mut Proto) {
        // SAFETY: the caller's contract.
        unsafe {
            let none = ptr::null_mut();
            let metamethods = (*p).metamethods.borrow();
            for cell in (*p).feedback.iter().chain(metamethods.iter().map(|(_, cell)| cell)) {
                for shape in [cell.shape.get(), cell.next_shape.get()] {
                    if !shape.is_null() {
                        // A call's second and third callee are kept in these fields.
                        let kinds = [Kind::Shape, Kind::LuaClosure, Kind::NativeFunction];
                        self.reference(none, shape.cast(), &kinds, "cached shape or callee");
                    }
                }
                let holder = cell.holder.get();
                if !holder.is_null() {
                    let kinds = [Kind::Table, Kind::LuaClosure, Kind::NativeFunction];
                    self.reference(none, holder.cast(), &kinds, "cached holder");
                }
                if let Some(more) = cell.more.get().as_ref() {
                    for entry in more {
                        self.object(none, entry.shape, Kind::Shape, "cached shape");
                        self.object(none, entry.next_shape, Kind::Shape, "cached next shape");
                        if !entry.holder.is_null() {
                            // Metamethods are kept in this field, too.
                            let kinds = [Kind::Table, Kind::LuaClosure];
                            self.reference(none, entry.holder.cast(), &kinds, "cached holder");
                        }
                    }
                }
            }
        }
    }
}

impl Heap {
    /// Calls `f` for each object that is not known to be dead.
    pub(super) fn each_object(&self, mut f: impl FnMut(*mut Header)) {
        let dead = if self.phase == Phase::Sweep { self.dead_color } else { u8::MAX };
        self.seal_rooms();
        // SAFETY: blocks and large objects are valid.
        unsafe {
            for class in &self.store.classes {
                for &block in &class.blocks {
                    let dead = if (*block).swept { u8::MAX } else { dead };
                    Block::each_cell(block, |o| {
                        if (*o).color != dead {
                            f(o);
                        }
                    });
                }
            }
            for large in &self.store.large {
                if (*large.object).color != dead {
                    f(large.object);
                }
            }
        }
    }

    /// Checks the heap; see [`super::verify`].
    pub(super) fn verify(&mut self, roots: &mut dyn Roots) -> Result<(), String> {
        self.verify_blocks()?;
        self.verify_strings()?;
        let gray = self.gray.iter().map(|o| o.addr()).collect();
        let mut walk = Walk { heap: self, live: HashSet::new(), gray, problem: None };
        let mut objects = Vec::new();
        self.each_object(|o| objects.push(o));
        walk.live.extend(objects.iter().map(|o| o.addr()));
        for &o in &objects {
            // SAFETY: collected by `each_object`.
            unsafe { walk.check(o) };
        }
        for &o in self.finalizable.iter().chain(&self.pending) {
            let kinds = [Kind::Table, Kind::Userdata, Kind::Thread];
            walk.reference(ptr::null_mut(), o, &kinds, "object with finalizer");
        }
        for i in 0..self.handles.len() {
            walk.value(ptr::null_mut(), self.handles.at(i), "handle");
        }
        for &p in &self.protos {
            walk.object(ptr::null_mut(), p, Kind::Proto, "listed prototype");
        }
        for &t in &self.threads {
            walk.object(ptr::null_mut(), t, Kind::Thread, "listed thread");
        }
        let live = &walk.live;
        let mut dangling = None;
        roots.visit(&mut |o| {
            if !live.contains(&o.addr()) {
                dangling.get_or_insert(o);
            }
        });
        for &thread in &self.threads {
            roots.visit_thread(thread, false, &mut |o| {
                if !live.contains(&o.addr()) {
                    dangling.get_or_insert(o);
                }
            });
        }
        if let Some(o) = dangling {
            walk.fail(|| format!("a root leads to no live object: {o:p}"));
        }
        match walk.problem {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    /// Blocks: sizes, free lists, and that each free cell of a swept block is in exactly one list.
    fn verify_blocks(&self) -> Result<(), String> {
        let mut listed: HashMap<usize, usize> = HashMap::new();
        for class in 1..CLASSES {
            let size = class * GRANULE;
            let known: HashSet<usize> =
                self.store.classes[class].blocks.iter().map(|b| b.addr()).collect();
            // SAFETY: a room of this heap.
            let unused = unsafe { self.room[class].seal(size, self.runs[class]) };
            let mut lists = vec![(unused, None)];
            for &block in &self.store.classes[class].blocks {
                // SAFETY: blocks of a class are valid.
                unsafe {
                    if (*block).cell_size as usize != size {
                        return Err(format!("block {block:p} of class {class} has another size"));
                    }
                    if (*block).swept {
                        lists.push(((*block).free, Some((*block).free_count)));
                    }
                }
            }
            for (head, count) in lists {
                let (mut run, mut n) = (head, 0);
                while !run.is_null() {
                    let block = Block::containing(run);
                    let offset = run.addr() - block.addr() - super::block::BLOCK_HEAD;
                    if !known.contains(&block.addr()) || !offset.is_multiple_of(size) {
                        return Err(format!("free run {run:p} of class {class} is nowhere"));
                    }
                    // SAFETY: within a block of this class.
                    unsafe {
                        let cells = (*run).header.extra as usize;
                        if (*run).header.kind != Kind::Free || cells == 0 {
                            return Err(format!("cell {run:p} is in a free list but in use"));
                        }
                        if offset / size + cells > (*block).cells as usize {
                            return Err(format!("free run {run:p} leaves its block"));
                        }
                        if !(*run).next.is_null() && (*run).next <= run {
                            return Err(format!("free run {run:p} is not in order"));
                        }
                        run = (*run).next;
                        *listed.entry(block.addr()).or_default() += cells;
                        n += cells;
                    }
                }
                if count.is_some_and(|count| count != n as u32) {
                    return Err(format!("a block of class {class} has {n} free cells: {count:?}"));
                }
            }
            for &block in &self.store.classes[class].blocks {
                // SAFETY: blocks of a class are valid.
                unsafe {
                    if !(*block).swept {
                        continue;
                    }
                    let free = free_cells(block);
                    let n = listed.get(&block.addr()).copied().unwrap_or(0);
                    if free != n {
                        return Err(format!("block {block:p}: {free} free cells, {n} in lists"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Interned strings are unique, and exactly those in the table.
    fn verify_strings(&self) -> Result<(), String> {
        let mut seen: HashSet<&[u8]> = HashSet::new();
        let mut addresses = HashSet::new();
        for s in self.strings.iter() {
            if !self.store.contains(s.cast()) {
                return Err(format!("interned string {s:p} is no object"));
            }
            // SAFETY: a cell of a block.
            unsafe {
                if (*s).header.kind != Kind::String || (*s).header.flags & LuaString::INTERNED == 0
                {
                    return Err(format!("interned string {s:p} is a {:?}", (*s).header.kind));
                }
                let bytes = (*s).flat_bytes().unwrap_or_default();
                if !seen.insert(bytes) {
                    return Err(format!("interned twice: {:?}", String::from_utf8_lossy(bytes)));
                }
            }
            addresses.insert(s.addr());
        }
        if addresses.len() != self.strings.count {
            return Err(format!(
                "{} interned strings, counted {}",
                addresses.len(),
                self.strings.count
            ));
        }
        let mut missing = None;
        self.each_object(|o| {
            // SAFETY: an object.
            let interned =
                unsafe { (*o).kind == Kind::String && (*o).flags & LuaString::INTERNED != 0 };
            if interned && !addresses.contains(&o.addr()) {
                missing = Some(o);
            }
        });
        match missing {
            Some(o) => Err(format!("string {o:p} is not in the table")),
            None => Ok(()),
        }
    }

    /// Bytes in use as counted, and as found by looking at every object: equal while the heap is
    /// between cycles, unless someone forgot [`Heap::account`].
    pub fn audit(&self) -> (usize, usize) {
        let mut found = 0;
        let mut buffers: HashMap<usize, usize> = HashMap::new();
        self.each_object(|o| {
            // SAFETY: an object of that kind.
            unsafe {
                found += match (*o).kind {
                    Kind::Table => (*o.cast::<Table>()).outside_bytes(),
                    Kind::NativeFunction => (*o.cast::<NativeFunction>()).outside as usize,
                    Kind::Proto => super::sweep::proto_bytes(o.cast()),
                    Kind::String => {
                        let (bytes, buffer) = LuaString::outside_bytes(o.cast());
                        if buffer != 0 {
                            buffers.insert(buffer, bytes);
                            0
                        } else {
                            bytes
                        }
                    }
                    Kind::Free
                    | Kind::LuaClosure
                    | Kind::Upvalue
                    | Kind::Shape
                    | Kind::Userdata
                    | Kind::WideInt => 0,
                    Kind::Thread => (*o.cast::<Thread>()).detail.accounted(),
                };
            }
        });
        found += buffers.values().sum::<usize>() + self.strings.accounted();
        for class in &self.store.classes {
            for &block in &class.blocks {
                // SAFETY: blocks of a class are valid.
                unsafe {
                    let used = (*block).cells as usize - free_cells(block);
                    found += used * (*block).cell_size as usize;
                }
            }
        }
        found += self.store.large.iter().map(|l| l.size).sum::<usize>();
        (self.count(), found)
    }
}

/// The number of cells in a block's free runs.
///
/// # Safety
/// `block` is a block of a heap with sealed rooms.
unsafe fn free_cells(block: *mut Block) -> usize {
    let mut used = 0;
    // SAFETY: the caller's contract.
    unsafe {
        Block::each_cell(block, |_| used += 1);
        (*block).cells as usize - used
    }
}
