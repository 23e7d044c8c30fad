//! The collector's cycle: pause, mark, the atomic end of marking, sweep; and its pacing.
//!
//! A cycle starts when the heap has grown to `pause` percent of what the last one left (and to
//! [`MIN_THRESHOLD`] at least). Then each [`STEP`] bytes of allocation pay for a step of several
//! times as much marking or sweeping, so the cycle ends before the heap has grown much further.

use std::ptr;

use super::{CLASSES, GRAY, Heap, Phase, Roots, WHITE0, WHITE1};
use crate::object::{CacheKind, Feedback, FieldEntry, Header, Proto, Shape, Thread};

/// A cycle does not start below this many bytes.
pub const MIN_THRESHOLD: usize = 1 << 20;
/// Bytes of allocation between steps.
pub const STEP: usize = 128 << 10;
/// Bytes of work per allocated byte at a step multiplier of 100.
const WORK_PER_BYTE: usize = 4;

/// Reasons for not collecting: bits of `Heap::stopped`.
pub mod stop {
    /// `collectgarbage("stop")`
    pub const USER: u8 = 1;
    /// A finalizer is running.
    pub const FINALIZER: u8 = 2;
    /// The state is closing.
    pub const CLOSING: u8 = 4;
}

/// The collector's mode as `collectgarbage` knows it. Both run the same incremental cycle; the mode
/// chooses the parameter that says when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `"incremental"`
    Incremental,
    /// `"generational"`
    Generational,
}

/// Parameters, in `collectgarbage`'s units.
#[derive(Clone, Copy, Debug)]
pub struct Parameters {
    /// Mode.
    pub mode: Mode,
    /// Percentage of the live heap at which the next cycle starts.
    pub pause: u32,
    /// Work per allocation, in percent of the default.
    pub step_multiplier: u32,
    /// Binary logarithm of a step's size in bytes.
    pub step_size: u32,
    /// Kept only: there are no young collections.
    pub minor_multiplier: u32,
    /// In generational mode, the growth of the live heap in percent after which a cycle starts.
    pub major_multiplier: u32,
}

impl Parameters {
    /// Percentage of the live heap at which the next cycle starts, in either mode.
    fn growth(&self) -> u32 {
        match self.mode {
            Mode::Incremental => self.pause,
            Mode::Generational => self.major_multiplier.saturating_add(100),
        }
    }
}

impl Default for Parameters {
    fn default() -> Parameters {
        Parameters {
            mode: Mode::Incremental,
            pause: 200,
            step_multiplier: 100,
            step_size: 13,
            minor_multiplier: 20,
            major_multiplier: 100,
        }
    }
}

impl Heap {
    /// Bytes in use, exactly.
    pub fn count(&self) -> usize {
        let unused = (1..CLASSES).map(|class| self.unused_bytes(class)).sum();
        self.bytes.saturating_sub(unused)
    }

    /// Asks for the next step after so many bytes of allocation.
    pub(super) fn next_step_after(&mut self, bytes: usize) {
        let bytes = if self.stopped == 0 { bytes } else { usize::MAX };
        self.debt = -(bytes.min(isize::MAX as usize / 2) as isize);
    }

    fn work(&self, bytes: usize) -> isize {
        let multiplier = self.parameters.step_multiplier.max(25) as usize;
        (bytes.saturating_mul(WORK_PER_BYTE * multiplier) / 100).min(isize::MAX as usize) as isize
    }

    /// What is due when allocation asked for it: a step of work in proportion.
    pub(super) fn allocation_step(&mut self, roots: &mut dyn Roots) {
        if self.debt < 0 {
            return;
        }
        let debt = if self.phase == Phase::Pause { 0 } else { self.debt as usize };
        let work = self.work(STEP + debt.min(64 * STEP));
        self.single_step(roots, work);
    }

    /// One step of work; true when it ended a cycle. A small heap takes one step for all of it, so
    /// that what is allocated meanwhile does not outweigh what lives.
    pub(super) fn single_step(&mut self, roots: &mut dyn Roots, mut work: isize) -> bool {
        let mut done = false;
        if self.phase == Phase::Pause {
            self.start_cycle(roots);
        }
        if self.phase == Phase::Mark {
            work = self.propagate(roots, work);
            if work > 0 {
                self.finish_marking(roots);
            }
        }
        if self.phase == Phase::Sweep && work > 0 && self.sweep_some(work) {
            self.finish_cycle(roots);
            done = true;
        }
        if !done {
            self.next_step_after(STEP);
        }
        done
    }

    /// A complete cycle from the start: everything unreachable now is freed.
    pub(super) fn full_cycle(&mut self, roots: &mut dyn Roots) {
        match self.phase {
            Phase::Pause => {}
            Phase::Mark => {
                // Forget the marks: nothing has the colour of the dead.
                self.begin_sweep(u8::MAX);
                self.sweep_some(isize::MAX);
            }
            Phase::Sweep => {
                self.sweep_some(isize::MAX);
            }
        }
        self.phase = Phase::Pause;
        self.start_cycle(roots);
        self.propagate_all(roots);
        self.finish_marking(roots);
        self.sweep_some(isize::MAX);
        self.finish_cycle(roots);
    }

    fn start_cycle(&mut self, roots: &mut dyn Roots) {
        self.gray.clear();
        self.gray_again.clear();
        self.marked_shapes.clear();
        self.weak_tables.clear();
        self.removed_keys.clear();
        self.ephemerons.clear();
        self.atomic = false;
        self.phase = Phase::Mark;
        self.mark_roots(roots);
    }

    fn mark_roots(&mut self, roots: &mut dyn Roots) {
        // SAFETY: roots are live objects.
        roots.visit(&mut |o| unsafe { self.mark_header(o) });
        // SAFETY: handles and pending finalizers keep live objects.
        unsafe {
            self.mark_object(self.shapes.plain);
            self.mark_object(self.shapes.dictionary);
            let names = self.meta_names.0.into_iter().chain(self.type_names.0);
            for name in names.chain(self.status_names.0).chain([self.memory_message]) {
                self.mark_object(name);
            }
            for text in self.byte_strings.into_iter().filter(|text| !text.is_null()) {
                self.mark_object(text);
            }
            for i in 0..self.handles.len() {
                self.mark_value(self.handles.at(i));
            }
            for i in 0..self.pending.len() {
                self.mark_header(self.pending[i]);
            }
        }
    }

    /// The atomic end of marking. Afterwards every object of the old white is dead.
    fn finish_marking(&mut self, roots: &mut dyn Roots) {
        self.atomic = true;
        self.mark_roots(roots);
        self.propagate_all(roots);
        // What was changed, or left for the end. Nothing is added to the list in the atomic phase.
        for i in 0..self.gray_again.len() {
            let object = self.gray_again[i];
            // SAFETY: the list holds live objects.
            unsafe {
                if (*object).color == GRAY {
                    self.scan(roots, object);
                }
            }
        }
        self.gray_again.clear();
        self.propagate_all(roots);
        self.converge_ephemerons(roots);
        self.clear_weak(true, false);
        self.separate_finalizable(false);
        for i in 0..self.pending.len() {
            // SAFETY: objects awaiting finalization are valid.
            unsafe { self.mark_header(self.pending[i]) };
        }
        self.propagate_all(roots);
        self.converge_ephemerons(roots);
        self.clear_weak(true, true);
        self.mark_kept_strings();
        self.propagate_all(roots);
        self.ephemerons.clear();
        self.clear_removed_keys();
        self.shared_fields.clear();
        self.drop_dead_shapes();
        self.drop_dead_protos(roots);
        self.drop_dead_threads(roots);
        self.atomic = false;
        let dead = self.alloc_color;
        self.alloc_color = if dead == WHITE0 { WHITE1 } else { WHITE0 };
        self.begin_sweep(dead);
        self.phase = Phase::Sweep;
    }

    fn finish_cycle(&mut self, roots: &mut dyn Roots) {
        self.phase = Phase::Pause;
        self.cycles += 1;
        let shrunk = self.strings.shrink();
        self.forget_bytes(shrunk);
        let live = self.bytes;
        self.live_estimate = live;
        self.set_alarm();
        self.release_empty(live / 2 + MIN_THRESHOLD);
        let pause = self.parameters.growth() as usize;
        let next = (live / 100).saturating_mul(pause).max(live + STEP).max(MIN_THRESHOLD);
        self.next_step_after(next - live);
        if self.verify_cycles {
            self.verify(roots).unwrap_or_else(|problem| panic!("heap: {problem}"));
        }
    }

    fn drop_dead_shapes(&mut self) {
        let shapes = std::mem::take(&mut self.marked_shapes);
        for &shape in &shapes {
            // SAFETY: marked shapes are live; their children valid until the sweep.
            unsafe {
                crate::shape::drop_dead_children(shape, |child| is_dead(child));
            }
        }
        self.marked_shapes = shapes;
    }

    fn drop_dead_protos(&mut self, roots: &mut dyn Roots) {
        let mut protos = std::mem::take(&mut self.protos);
        protos.retain(|&p| {
            // SAFETY: listed prototypes are valid until the sweep that follows.
            unsafe {
                if is_dead(p) {
                    if (*p).tier_id.get() != u32::MAX {
                        roots.forget_code(p);
                    }
                    return false;
                }
                clear_feedback(p);
                true
            }
        });
        self.protos = protos;
    }

    fn drop_dead_threads(&mut self, roots: &mut dyn Roots) {
        let mut threads = std::mem::take(&mut self.threads);
        threads.retain(|&thread: &*mut Thread| {
            // SAFETY: listed threads are valid until the sweep that follows.
            unsafe {
                let dead = is_dead(thread);
                roots.finish_thread(thread, dead);
                !dead
            }
        });
        self.threads = threads;
    }
}

/// At the end of marking: true for objects that were not reached.
///
/// # Safety
/// `object` must be valid.
pub(super) unsafe fn is_dead<T>(object: *mut T) -> bool {
    // SAFETY: the caller's contract.
    unsafe { (*object.cast::<Header>()).color < GRAY }
}

/// Forgets what inline caches know about dead shapes, callees and holders.
///
/// # Safety
/// `p` must be live, at the end of marking.
unsafe fn clear_feedback(p: *mut Proto) {
    // SAFETY: what a cache refers to was live when it was filled, and the caches of live
    // prototypes are cleared in every cycle before anything is freed.
    unsafe {
        let metamethods = (*p).metamethods.borrow();
        for cell in (*p).feedback.iter().chain(metamethods.iter().map(|(_, cell)| cell)) {
            let Feedback { shape, holder, next_shape, slot: _, epoch: _, types: _, cache, .. } =
                cell;
            if dead_or_null(shape.get(), holder.get().cast(), next_shape.get()) {
                shape.set(ptr::null_mut());
                holder.set(ptr::null_mut());
                next_shape.set(ptr::null_mut());
                if cache.get() != CacheKind::Megamorphic {
                    cache.set(CacheKind::Empty);
                }
            }
            let more = cell.more.get();
            if !more.is_null() {
                for entry in &mut *more {
                    if dead_or_null(entry.shape, entry.holder.cast(), entry.next_shape) {
                        *entry = FieldEntry {
                            shape: ptr::null_mut(),
                            holder: ptr::null_mut(),
                            next_shape: ptr::null_mut(),
                            slot: 0,
                            epoch: 0,
                            cache: CacheKind::Empty,
                        };
                    }
                }
            }
        }
    }
}

/// True when one of the three is dead.
///
/// # Safety
/// Each must be null or valid.
unsafe fn dead_or_null(shape: *mut Shape, holder: *mut Header, next: *mut Shape) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        !shape.is_null() && is_dead(shape)
            || !holder.is_null() && is_dead(holder)
            || !next.is_null() && is_dead(next)
    }
}
