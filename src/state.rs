//! The state behind [`Lua`](crate::Lua), and the border between the host and the engine.
//!
//! # Who may touch the engine
//!
//! Every access goes through [`Lua::with`] (nothing that runs Lua code or drops host values happens) or
//! [`Lua::run`] (anything may). Both take the pointer that belongs to the innermost border: a
//! callback's trampoline replaces it by the one it was given, and puts the old one back. So there
//! is one usable `&mut Vm` at any time, and each is made from the one below it.
//!
//! # Handles
//!
//! A [`Handle`] roots a value of one state and keeps that state alive. Dropping one only notes its
//! number: handles are dropped at any time, also by destructors while the engine is busy. The next
//! border releases them. The same holds for host values (closures, userdata) of dead objects:
//! [`HostBox`] hands them to the [`Trash`], and they are dropped at a border.
//!
//! # Panics
//!
//! A panic in a callback unwinds through the interpreter (compiled frames are cut off) to the border it
//! was called through, which puts the stack in order and lets it go on. Lua cannot catch it.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use perilune_runtime::heap::RootId;
use perilune_runtime::object::Thread as RawThread;
use perilune_runtime::thread::{Ended, KILL};
use perilune_runtime::value::Value as Raw;
use perilune_runtime::vm::{POLL_GC, POLL_INTERRUPT, POLL_TIME, Throw, Vm};

use crate::error::{Error, Result, Stopped};
use crate::interrupt::Shared as InterruptShared;
use crate::lua::Lua;
use crate::timer;

/// How long finalizers may take in all when a state goes away, unless the host says otherwise.
const CLOSING_LIMIT: Duration = Duration::from_secs(1);

/// What the message handler noted of an error.
#[derive(Default)]
pub(crate) struct Noted {
    /// What `__tostring` made of an error object.
    pub message: Option<String>,
    /// The traceback.
    pub traceback: String,
}

/// What all clones of a [`Lua`](crate::Lua) share.
pub(crate) struct State {
    /// Where the engine lives. Freed with this.
    owner: NonNull<Vm>,
    /// The pointer that may be used now.
    current: Cell<NonNull<Vm>>,
    /// Borders passed and not left.
    pub depth: Cell<u32>,
    /// Handles dropped since the last border.
    released: RefCell<Vec<RootId>>,
    /// The same for errors, which may be dropped on any thread.
    pub foreign: Arc<ForeignReleases>,
    /// Host values of dead objects.
    pub trash: Rc<Trash>,
    /// Makes the running code stop.
    pub interrupt: Arc<InterruptShared>,
    /// The message handler of every call from the host.
    pub handler: Cell<Option<RootId>>,
    /// What the handler noted.
    pub noted: RefCell<Option<Noted>>,
    /// The coroutine that is being ended while a callback runs on it, and how often the callback was told.
    pub killed: Cell<(*mut RawThread, u32)>,
    /// Metatables of userdata by type.
    pub metatables: RefCell<HashMap<TypeId, RootId>>,
    /// Each chunk gets globals of its own, and has to be source text.
    pub sandboxed: Cell<bool>,
    /// Finalizers have run.
    closed: Cell<bool>,
    /// How long each call of the host may take.
    pub time_limit: Cell<Option<Duration>>,
    /// How long finalizers may take in all when the state goes away.
    pub closing_limit: Cell<Option<Duration>>,
}

/// Handles of errors that were dropped, on any thread.
#[derive(Debug, Default)]
pub(crate) struct ForeignReleases {
    list: Mutex<Vec<RootId>>,
    /// The list is not empty.
    pending: AtomicBool,
}

impl ForeignReleases {
    /// Notes a handle.
    pub fn push(&self, id: RootId) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        self.pending.store(true, Ordering::Release);
    }

    fn take(&self) -> Vec<RootId> {
        self.pending.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.list.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Host values waiting to be dropped.
#[derive(Default)]
pub(crate) struct Trash {
    values: RefCell<Vec<Box<dyn Any>>>,
}

/// A host value owned by the heap. See the module's head.
pub(crate) struct HostBox {
    value: ManuallyDrop<Box<dyn Any>>,
    trash: Rc<Trash>,
}

impl HostBox {
    /// Boxed once more, as the heap keeps it.
    pub fn boxed(value: impl Any, trash: &Rc<Trash>) -> Box<dyn Any> {
        Box::new(HostBox { value: ManuallyDrop::new(Box::new(value)), trash: Rc::clone(trash) })
    }

    /// The value, if it has this type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.value.downcast_ref()
    }
}

impl Drop for HostBox {
    fn drop(&mut self) {
        // SAFETY: taken once, here.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        self.trash.values.borrow_mut().push(value);
    }
}

impl State {
    /// Takes over an engine.
    pub fn new(vm: Box<Vm>) -> Rc<State> {
        let owner = NonNull::from(Box::leak(vm));
        // SAFETY: just made; the word stays where it is until `drop` detaches it.
        let interrupt = unsafe { InterruptShared::new(&raw const (*owner.as_ptr()).poll) };
        Rc::new(State {
            owner,
            current: Cell::new(owner),
            depth: Cell::new(0),
            released: RefCell::default(),
            foreign: Arc::default(),
            trash: Rc::default(),
            interrupt: Arc::new(interrupt),
            handler: Cell::new(None),
            noted: RefCell::default(),
            killed: Cell::new(NOBODY),
            metatables: RefCell::default(),
            sandboxed: Cell::new(false),
            closed: Cell::new(false),
            time_limit: Cell::new(None),
            closing_limit: Cell::new(Some(CLOSING_LIMIT)),
        })
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.interrupt.detach();
        // SAFETY: from `Box::leak`, and nobody else has the state any more.
        drop(unsafe { Box::from_raw(self.owner.as_ptr()) });
        // The trash is dropped last: what is in it may release handles to nowhere.
        loop {
            let Some(value) = self.trash.values.borrow_mut().pop() else { break };
            // Nobody is left to be told of a panic.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
        }
    }
}

impl State {
    /// The state as the innermost border has it.
    pub fn innermost(&self) -> *mut Vm {
        self.current.get().as_ptr()
    }

    /// Puts back what was when a border was passed.
    fn left(&self, outer: NonNull<Vm>, depth: u32) {
        self.current.set(outer);
        self.depth.set(depth);
    }
}

/// Where a border was passed: the coroutine, and how many borders had been passed on it.
struct Place {
    thread: *mut RawThread,
    borders: u32,
}

impl Place {
    /// Passes a border.
    fn enter(vm: &mut Vm) -> Place {
        let borders = vm.detail.stack.borders;
        vm.detail.stack.borders = borders + 1;
        Place { thread: vm.current, borders }
    }

    /// Leaves it. Those passed within it on this coroutine must have been left: a host that switches stacks
    /// itself can leave them in another order, and then frames would be used that others have written over.
    fn leave(&self, vm: &mut Vm) {
        if vm.current != self.thread || vm.detail.stack.borders != self.borders + 1 {
            eprintln!("perilune: calls into and out of Lua ended in another order than they began");
            std::process::abort();
        }
        vm.detail.stack.borders = self.borders;
    }
}

/// Puts the pointer of the border below back.
pub(crate) struct Border<'a> {
    state: &'a State,
    outer: NonNull<Vm>,
    inner: NonNull<Vm>,
    depth: u32,
    place: Place,
}

impl<'a> Border<'a> {
    /// Makes `vm` the pointer to be used.
    pub fn enter(state: &'a State, vm: &mut Vm) -> Border<'a> {
        let place = Place::enter(vm);
        let inner = NonNull::from(vm);
        let outer = state.current.replace(inner);
        let depth = state.depth.get();
        state.depth.set(depth + 1);
        Border { state, outer, inner, depth, place }
    }
}

impl Drop for Border<'_> {
    fn drop(&mut self) {
        // SAFETY: the state of `enter`, which is not used between that and this but through this pointer.
        self.place.leave(unsafe { self.inner.as_mut() });
        self.state.left(self.outer, self.depth);
    }
}

/// No coroutine is being ended.
pub(crate) const NOBODY: (*mut RawThread, u32) = (std::ptr::null_mut(), 0);

/// How often a callback may call what fails because its coroutine is being ended, until it is unwound. (The
/// collector ends coroutines, too, and must not wait for ever.)
const MOST_REFUSALS: u32 = 100;

/// What a border restores after a panic.
struct Snapshot {
    base: *mut Raw,
    top: *mut Raw,
    pc: u32,
    c_depth: u32,
    handler: Raw,
    outer_handlers: usize,
    in_overflow: bool,
    hook_running: bool,
    thread: *mut RawThread,
}

impl Snapshot {
    fn take(vm: &Vm) -> Snapshot {
        Snapshot {
            base: vm.base,
            top: vm.top,
            pc: vm.pc,
            c_depth: vm.c_depth,
            handler: vm.detail.stack.handler,
            outer_handlers: vm.detail.stack.outer_handlers.len(),
            in_overflow: vm.detail.stack.in_overflow,
            hook_running: vm.detail.stack.hook.running,
            thread: vm.current,
        }
    }

    #[cold]
    fn restore(&self, vm: &mut Vm) {
        assert!(vm.current == self.thread, "a panic left a coroutine");
        vm.base = self.base;
        vm.top = self.top;
        vm.pc = self.pc;
        vm.c_depth = self.c_depth;
        vm.detail.stack.handler = self.handler;
        vm.detail.stack.outer_handlers.truncate(self.outer_handlers);
        vm.detail.stack.in_overflow = self.in_overflow;
        if !self.in_overflow {
            vm.reset_error_stack();
        }
        vm.detail.stack.hook.running = self.hook_running;
        let level = vm.frame_end();
        vm.detail.stack.tbc.retain(|&slot| slot < level);
        // SAFETY: the level is the end of the frame that the border was passed from.
        unsafe { vm.close_upvalues(level) };
    }
}

impl Lua {
    /// Drops what was waiting for a border.
    #[inline]
    fn drain(&self, vm: &mut Vm) {
        if !self.0.released.borrow().is_empty() {
            for id in self.0.released.borrow_mut().drain(..) {
                vm.heap.handles.release(id);
            }
        }
        if self.0.foreign.pending.load(Ordering::Acquire) {
            for id in self.0.foreign.take() {
                vm.heap.handles.release(id);
            }
        }
    }

    /// Uses the engine for something that neither runs Lua code nor calls the host back.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Vm) -> R) -> R {
        // SAFETY: the pointer of the innermost border; what is below it does not run meanwhile, and
        // `f` is this crate's own code that calls nobody who could take it once more.
        let vm = unsafe { &mut *self.0.current.get().as_ptr() };
        self.drain(vm);
        f(vm)
    }

    /// As [`Lua::with`], after a collector step if one is due: for what allocates.
    pub(crate) fn allocate<R>(&self, f: impl FnOnce(&mut Vm) -> R) -> Result<R> {
        if self.with(|vm| vm.poll.load(Ordering::Relaxed)) & POLL_GC != 0 {
            return self.run(|vm| Ok(f(vm)));
        }
        Ok(self.with(f))
    }

    /// Drops host values of dead objects. Their destructors may use the state.
    pub(crate) fn empty_trash(&self) {
        loop {
            // Not borrowed while a destructor runs.
            let Some(value) = self.0.trash.values.borrow_mut().pop() else { return };
            drop(value);
        }
    }

    /// Runs something that may run Lua code, throw, collect, and call the host; after a collector step
    /// if one is due.
    pub(crate) fn run<R>(
        &self,
        f: impl FnOnce(&mut Vm) -> std::result::Result<R, Throw>,
    ) -> Result<R> {
        self.run_handled(self.0.handler.get(), f)
    }

    /// [`Lua::run`] with a rooted message handler.
    pub(crate) fn run_handled<R>(
        &self,
        handler: Option<RootId>,
        f: impl FnOnce(&mut Vm) -> std::result::Result<R, Throw>,
    ) -> Result<R> {
        self.empty_trash();
        let state = &*self.0;
        // SAFETY: as in `with`; callbacks that `f` leads to put their own pointer in place first.
        let vm = unsafe { &mut *state.current.get().as_ptr() };
        if let Some(stop) = vm.current_stop() {
            return Err(Error::Stopped(Stopped::new(stop)));
        }
        self.drain(vm);
        let outermost = state.depth.get() == 0;
        if outermost && let Some(limit) = state.time_limit.get() {
            self.set_deadline(vm, Some(limit), true);
        }
        let snapshot = Snapshot::take(vm);
        let handler = match handler.and_then(|id| vm.heap.handles.get(id)) {
            Some(handler) => handler,
            None => Raw::NIL,
        };
        let (outer, depth) = (state.current.get(), state.depth.get());
        state.depth.set(depth + 1);
        let place = Place::enter(vm);
        let body = |vm: &mut Vm| {
            if vm.poll.load(Ordering::Relaxed) & POLL_GC != 0 {
                perilune_runtime::heap::safepoint(vm)?;
            }
            f(vm)
        };
        let run = |vm: &mut Vm| match vm.protect(handler, body) {
            Ok(value) => Ok(value),
            Err(KILL) => {
                let (thread, told) = state.killed.get();
                let told = if thread == vm.current { told + 1 } else { 1 };
                state.killed.set((vm.current, told));
                Err(Error::CoroutineClosed)
            }
            Err(value) => Err(self.error_from_raw(vm, value)),
        };
        let result = vm.on_lua_stack(outermost, run);
        // A coroutine that has yielded in a host function has left its borders in place.
        state.left(outer, depth);
        place.leave(vm);
        if outermost && vm.detail.stopping.deadline.is_some() {
            self.set_deadline(vm, None, false);
        }
        let Ok(result) = result else { return Err(Error::Memory) };
        match result {
            Ok(_) if vm.stopping() => Err(self.stopped(vm, outermost)),
            Ok(Err(Error::CoroutineClosed))
                if state.killed.get().1 > MOST_REFUSALS && !std::thread::panicking() =>
            {
                state.killed.set(NOBODY);
                resume_unwind(Box::new(Ended))
            }
            Ok(result) => result,
            Err(panic) => {
                snapshot.restore(vm);
                state.killed.set(NOBODY);
                if outermost {
                    vm.end_stop();
                }
                resume_unwind(panic)
            }
        }
    }

    /// The error of a state that is stopping, which ends with the outermost call.
    #[cold]
    fn stopped(&self, vm: &mut Vm, outermost: bool) -> Error {
        self.0.noted.take();
        let stopped = vm.current_stop().map(Stopped::new);
        if outermost {
            vm.end_stop();
        }
        match stopped {
            Some(stopped) => Error::Stopped(stopped),
            None => Error::runtime("no stop"),
        }
    }

    /// From now on, running code may take this long; `None` for no limit. With `watched`, the timer says when;
    /// else each poll looks at the clock.
    pub(crate) fn set_deadline(&self, vm: &mut Vm, limit: Option<Duration>, watched: bool) {
        // A limit beyond the end of time is none.
        let at = limit.and_then(|limit| Instant::now().checked_add(limit));
        let stopping = &mut vm.detail.stopping;
        stopping.deadline = at;
        match at {
            Some(at) => {
                stopping.unwatched = !(watched && timer::wake(&self.0.interrupt, at));
                if stopping.unwatched {
                    vm.poll.raise(POLL_TIME);
                }
            }
            None => timer::forget(&self.0.interrupt),
        }
    }

    /// Runs finalizers when `self` is the last handle to the state.
    pub(crate) fn close_if_last(&self) {
        let state = &*self.0;
        if Rc::strong_count(&self.0) > 1 || state.depth.get() > 0 || state.closed.replace(true) {
            return;
        }
        // SAFETY: as in `run`.
        let vm = unsafe { &mut *state.current.get().as_ptr() };
        self.drain(vm);
        let snapshot = Snapshot::take(vm);
        // A request that was never noticed was not meant for the finalizers.
        vm.poll.lower(POLL_INTERRUPT, vm.native_limit);
        if let Some(limit) = state.closing_limit.get() {
            self.set_deadline(vm, Some(limit), false);
        }
        // Nobody is left to be told of a panic in a finalizer: the next one is run. None may be left
        // for the engine's own end, when host functions could not make a handle any more.
        while let Ok(Err(_)) = vm.on_lua_stack(true, perilune_runtime::heap::close) {
            snapshot.restore(vm);
        }
        self.set_deadline(vm, None, false);
        vm.end_stop();
        perilune_runtime::stdlib::flush_all(vm);
        while catch_unwind(AssertUnwindSafe(|| self.empty_trash())).is_err() {}
        if Rc::strong_count(&self.0) > 1 {
            // A finalizer or destructor has kept a handle: the state lives on.
            self.with(perilune_runtime::heap::reopen);
            state.closed.set(false);
        }
    }

    /// Roots a value.
    #[inline]
    pub(crate) fn handle(&self, vm: &mut Vm, raw: Raw) -> Handle {
        Handle { lua: self.clone(), id: vm.heap.handles.root(raw) }
    }
}

/// A rooted value.
pub(crate) struct Handle {
    /// Its state.
    pub lua: Lua,
    /// Its root.
    pub id: RootId,
}

impl Handle {
    /// The value.
    #[inline]
    pub fn raw(&self, vm: &Vm) -> Raw {
        vm.heap.handles.get(self.id).unwrap_or(Raw::NIL)
    }

    /// The value as `lua` uses it: fails where that is another state.
    #[inline]
    pub fn raw_for(&self, lua: &Lua, vm: &Vm) -> Result<Raw> {
        if Rc::ptr_eq(&lua.0, &self.lua.0) { Ok(self.raw(vm)) } else { Err(Error::OtherState) }
    }

    /// A number that equal values of one state share while they live.
    pub fn bits(&self) -> u64 {
        self.lua.with(|vm| self.raw(vm).0)
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        self.lua.with(|vm| {
            let raw = self.raw(vm);
            self.lua.handle(vm, raw)
        })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.lua.0.released.borrow_mut().push(self.id);
    }
}
