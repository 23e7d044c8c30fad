//! Coroutines: a VM stack and a native stack each.
//!
//! # Switching
//!
//! The running coroutine's stack is that of [`Vm`] (`base`, `top`, … and `Detail::stack`). Each other
//! [`StackState`] is kept by exactly one thread, and a switch exchanges it with the running one:
//!
//! ```text
//!   main runs         Vm: main's    a: a's       b: b's
//!   main resumes a    Vm: a's       a: main's    b: b's        main is "normal"
//!   a resumes b       Vm: b's       a: main's    b: a's        a is "normal"
//!   b yields          Vm: a's       a: main's    b: b's
//! ```
//!
//! So a thread keeps its own stack while suspended or dead, and its resumer's while it runs or is
//! normal. The native stacks are switched by [`context`]; a yield can thus cross any Rust frame:
//! `pcall`, metamethods, iterators, comparators, host callbacks. Values cross through the VM stacks:
//! each side names a run of slots ([`ThreadDetail::transfer`]), the other copies it.
//!
//! # Ending a suspended coroutine
//!
//! Its native stack may hold Rust frames with destructors, so it cannot just be dropped. It is resumed
//! with `kill` set: the pending yield then throws [`KILL`], which no protected call catches, and all
//! frames unwind. This is done by `coroutine.close`, and for a coroutine that becomes garbage by
//! registering it for finalization when it yields with such frames: the collector keeps
//! it (and what its stack refers to) alive until it has been unwound at a safepoint.
//!
//! Nearly always there are no such frames: between the root of the coroutine and the yield lie only
//! this module's, `Vm::call_window`'s and the interpreter's own frames, **which hold nothing that must be
//! dropped** when they call out (an invariant of those functions). Then, and if no compiled code is
//! on the stack, the stack is forgotten without running anything; see [`is_plain`].

mod collect;
mod context;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::rc::Rc;

use crate::call::native_position;
use crate::heap::Heap;
use crate::object::{Kind, LuaString, Thread};
use crate::stack::{NATIVE_BASE, NativeStack, StackMemory, StackPool, VALUE_BASE};
use crate::state::{Displaced, Hook, MAX_C_DEPTH, StackState};
use crate::stop::STOP;
use crate::value::{TAG_IMMEDIATE, TAG_SHIFT, Value};
use crate::vm::{Args, Throw, Vm};

pub use collect::{finish_marking, visit};
use context::Context;

/// The "error value" that unwinds a coroutine which is being ended. No Lua value; protected calls pass it on.
pub const KILL: Value = Value(TAG_IMMEDIATE << TAG_SHIFT | 9);

/// A panic that unwinds a host function which goes on although its coroutine is being ended.
#[derive(Debug)]
pub struct Ended;

/// What `coroutine.status` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not started, or in a yield.
    Suspended,
    /// It is the one that runs.
    Running,
    /// It has resumed another one.
    Normal,
    /// Finished, failed or closed.
    Dead,
}

impl Status {
    /// The name that Lua sees.
    pub fn name(self) -> &'static str {
        match self {
            Status::Suspended => "suspended",
            Status::Running => "running",
            Status::Normal => "normal",
            Status::Dead => "dead",
        }
    }
}

/// The names of [`Status`], as strings that Lua gets.
#[derive(Debug)]
pub struct StatusNames(pub [*mut LuaString; 4]);

impl StatusNames {
    /// Interns all names.
    pub fn intern(heap: &mut Heap) -> StatusNames {
        let all = [Status::Suspended, Status::Running, Status::Normal, Status::Dead];
        StatusNames(all.map(|status| heap.intern(status.name().as_bytes())))
    }

    /// The name of a status.
    #[inline]
    pub fn get(&self, status: Status) -> *mut LuaString {
        self.0[status as usize]
    }
}

/// Bytes that a coroutine is accounted for, beside its object, before it is started.
const NEW_BYTES: usize = size_of::<ThreadDetail>();
/// Bytes that a started coroutine is accounted for beyond: what it takes of both stacks in any case.
const STARTED_BYTES: usize = VALUE_BASE + NATIVE_BASE + size_of::<StackState>();

/// State of a coroutine.
pub struct ThreadDetail {
    /// What it is doing.
    pub status: Status,
    /// The main coroutine: has no stack of its own here, cannot yield.
    pub is_main: bool,
    /// Finalizers and the like are running on it: it must not yield (depth).
    pub no_yield: u32,
    /// The body.
    function: Value,
    /// See the module's head.
    stack: Option<Box<StackState>>,
    native: Option<Context>,
    /// The values that cross at the next switch.
    transfer: (*const Value, u32),
    /// Its hook until it is started: that of its creator.
    hook: Hook,
    /// Whom it resumed, while normal.
    child: *mut Thread,
    /// `Vm::c_depth` at its root.
    root_depth: u32,
    /// It yielded without Rust frames that need unwinding.
    plain: bool,
    /// It is being unwound.
    kill: bool,
    /// It died from an error that no `close` has reported yet.
    failed: bool,
    /// That error.
    error: Value,
    /// It died from a panic in a host function, which goes on in its resumer.
    panic: Option<Box<dyn Any + Send>>,
    /// Bytes accounted for it.
    accounted: usize,
    /// The lowest address of its native stack that is counted, and the stack's end.
    native_low: usize,
    native_end: usize,
    pool: Rc<StackPool>,
}

impl ThreadDetail {
    fn new(pool: Rc<StackPool>, function: Value) -> ThreadDetail {
        ThreadDetail {
            status: Status::Suspended,
            is_main: false,
            no_yield: 0,
            function,
            stack: None,
            native: None,
            transfer: (ptr::null(), 0),
            hook: Hook::default(),
            child: ptr::null_mut(),
            root_depth: 0,
            plain: true,
            kill: false,
            failed: false,
            error: Value::NIL,
            panic: None,
            accounted: NEW_BYTES,
            native_low: 0,
            native_end: 0,
            pool,
        }
    }

    /// Bytes that the thread is accounted for, to be taken back when it is swept.
    pub fn accounted(&self) -> usize {
        self.accounted
    }

    /// Gives the native stack back. It must be done, or hold nothing that must be dropped.
    fn retire_native(&mut self) {
        // The frames on the stack hold nothing that must be dropped: the coroutine is done, or plain
        // (see the module's head).
        if let Some(native) = self.native.take() {
            let mut stack = native.into_stack();
            stack.extra = (self.native_end - NATIVE_BASE).saturating_sub(self.native_low);
            self.pool.return_native_stack(stack);
        }
    }

    /// Gives the VM stack back; no open upvalue may point into it.
    fn retire_stack(&mut self) {
        if let Some(stack) = self.stack.take() {
            // SAFETY: both point into the stack.
            let used = unsafe { stack.limit.offset_from(stack.memory.bottom()) } as usize;
            self.pool.return_value_stack(stack.memory, used);
        }
    }
}

impl Drop for ThreadDetail {
    fn drop(&mut self) {
        if !self.plain
            && let Some(native) = self.native.take()
            && !native.done()
        {
            // The state went away without running finalizers. The frames cannot be unwound any
            // more: what they own is leaked.
            std::mem::forget(native);
        }
        self.retire_native();
        self.retire_stack();
    }
}

/// The detail of a live thread.
fn detail(thread: *mut Thread) -> *mut ThreadDetail {
    // SAFETY: threads passed around are live.
    unsafe { &raw mut *(*thread).detail }
}

/// Makes the main coroutine of a new state.
pub fn new_main(vm: &mut Vm) -> *mut Thread {
    let main = allocate(vm, Rc::new(StackPool::new(Rc::clone(&vm.heap.outside))), Value::NIL);
    // SAFETY: just made.
    unsafe {
        let d = detail(main);
        (*d).status = Status::Running;
        (*d).is_main = true;
    }
    main
}

/// A new coroutine that will call `function`.
pub fn new_thread(vm: &mut Vm, function: Value) -> *mut Thread {
    let thread = allocate(vm, pool(vm), function);
    let hook = vm.hook();
    if hook.mask != 0 {
        // SAFETY: just made.
        unsafe { (*detail(thread)).hook = Hook { running: false, ..hook } };
    }
    thread
}

fn allocate(vm: &mut Vm, pool: Rc<StackPool>, function: Value) -> *mut Thread {
    let header = vm.heap.header(Kind::Thread);
    vm.heap.admit_small(NEW_BYTES);
    vm.heap.account(NEW_BYTES as isize);
    let detail = Box::new(ThreadDetail::new(pool, function));
    vm.heap.alloc_with(Kind::Thread, 0, Thread { header, detail })
}

/// What the thread is doing.
#[inline]
pub fn status(thread: *mut Thread) -> Status {
    // SAFETY: `detail` points to a live thread's.
    unsafe { (*detail(thread)).status }
}

/// Whether the running coroutine could yield now.
pub fn is_yieldable(vm: &Vm) -> bool {
    // SAFETY: the running thread is live.
    unsafe {
        let d = detail(vm.current);
        (*d).native.is_some() && (*d).no_yield == 0 && !(*d).kill
    }
}

/// Runs a function on the running coroutine that must not yield (a finalizer).
pub fn without_yield<T>(vm: &mut Vm, run: impl FnOnce(&mut Vm) -> T) -> T {
    let running = vm.current;
    without_yield_on(running, || catch_unwind(AssertUnwindSafe(|| run(vm))))
        .unwrap_or_else(|panic| resume_unwind(panic))
}

/// As [`without_yield`]; `run` does not panic.
pub(crate) fn without_yield_on<T>(running: *mut Thread, run: impl FnOnce() -> T) -> T {
    let d = detail(running);
    // SAFETY: the running thread stays alive while it runs.
    unsafe { (*d).no_yield += 1 };
    let result = run();
    // SAFETY: as above.
    unsafe { (*d).no_yield -= 1 };
    result
}

/// The stacks of a state's coroutines.
pub(crate) fn pool(vm: &Vm) -> Rc<StackPool> {
    // SAFETY: the main thread lives as long as the state.
    unsafe { Rc::clone(&(*detail(vm.main)).pool) }
}

/// The first coroutine with a native stack that `from`, which is running or has resumed others, has
/// resumed and that is not back; `None` if `from`'s native stack is the running one.
///
/// # Safety
/// `from` is live.
pub(crate) unsafe fn resumed_by(vm: &Vm, from: *mut Thread) -> Option<*mut Context> {
    let mut thread = from;
    while thread != vm.current {
        // SAFETY: the caller's contract; whom a thread has resumed is alive.
        unsafe {
            thread = (*detail(thread)).child;
            // One that is dead and closes its variables does that on its closer's stack.
            if let Some(native) = &mut (*detail(thread)).native {
                return Some(native);
            }
        }
    }
    None
}

/// Runs `body` on the stack of whoever resumed this running coroutine, below what is on it.
///
/// # Safety
/// From [`resumed_by`]; nothing of the resumer goes on meanwhile.
pub(crate) unsafe fn on_resumer_stack<R>(
    context: *mut Context,
    body: impl FnOnce() -> R,
) -> std::thread::Result<R> {
    // SAFETY: the caller's contract.
    unsafe { Context::on_resumer_stack(context, body) }
}

/// Makes `thread` the running coroutine, or with the same call makes its resumer that again.
#[inline(always)]
unsafe fn exchange(vm: &mut Vm, thread: *mut Thread) {
    // SAFETY: the caller's: the thread keeps a stack.
    unsafe {
        if let Some(stack) = &mut (*detail(thread)).stack {
            vm.swap_stack(stack);
        }
    }
}

/// Resumes a suspended coroutine with `args`; its results are stored from `dest` upwards and their
/// number returned. `Err` holds the error value, with which the coroutine has died (or says why it
/// could not be resumed); [`STOP`] while the state is stopping, which must be thrown on.
///
/// # Safety
/// `dest` lies in the running stack, above all slots that are still needed; `args` is not changed by
/// the coroutine, and seen by the collector (a part of the running frame, say).
///
/// # Errors
/// The coroutine throws, or is not suspended.
///
/// Inlined, as all on the way to the switch and from there to Lua: a processor predicts no return
/// behind a switch, since what it remembers of calls is of the other stack.
#[inline(always)]
pub unsafe fn resume(
    vm: &mut Vm,
    thread: *mut Thread,
    args: &[Value],
    dest: *mut Value,
) -> Result<u32, Value> {
    let d = detail(thread);
    // SAFETY: `d` stays valid: the thread is kept by the callers' frame; `vm` is not used through
    // other references while this function touches it.
    unsafe {
        if (*d).status != Status::Suspended {
            return Err(refuse(vm, (*d).status));
        }
        if (*d).native.is_none()
            && let Err(error) = start(vm, thread)
        {
            return Err(error);
        }
        (*d).transfer = (args.as_ptr(), args.len() as u32);
        let finished = switch(vm, thread);
        if finished {
            return finish(vm, thread, dest);
        }
        let (first, count) = (*d).transfer;
        deliver(vm, first, count, dest)
    }
}

/// Runs the coroutine until it yields (false) or ends (true).
#[inline(always)]
unsafe fn switch(vm: &mut Vm, thread: *mut Thread) -> bool {
    // SAFETY: the caller's: the thread is started and suspended.
    unsafe {
        let d = detail(thread);
        let resumer = vm.current;
        let r = detail(resumer);
        (*d).status = Status::Running;
        (*r).status = Status::Normal;
        (*r).child = thread;
        vm.current = thread;
        exchange(vm, thread);
        let native: *mut Context = (*d).native.as_mut().expect("a started coroutine");
        Context::resume(native, vm);
        exchange(vm, thread);
        vm.current = resumer;
        (*r).status = Status::Running;
        (*r).child = ptr::null_mut();
        (*native).done()
    }
}

/// Copies values from one stack to another.
#[inline(always)]
unsafe fn copy_values(from: *const Value, to: *mut Value, count: u32) {
    // SAFETY: the caller's: as many values are there, and room for them.
    unsafe {
        match count {
            0 => {}
            1 => *to = *from,
            _ => ptr::copy_nonoverlapping(from, to, count as usize),
        }
    }
}

/// Copies values to their place in the running stack.
#[inline(always)]
unsafe fn deliver(
    vm: &mut Vm,
    first: *const Value,
    count: u32,
    dest: *mut Value,
) -> Result<u32, Value> {
    if vm.ensure_stack(dest, count as usize).is_err() {
        return Err(vm.string(b"too many results to resume"));
    }
    // SAFETY: room was made; the values are on another stack.
    unsafe { copy_values(first, dest, count) };
    Ok(count)
}

/// The coroutine's body has returned or thrown.
#[inline(never)]
unsafe fn finish(vm: &mut Vm, thread: *mut Thread, dest: *mut Value) -> Result<u32, Value> {
    // SAFETY: the thread is live, its native stack done.
    unsafe {
        let d = detail(thread);
        (*d).status = Status::Dead;
        (*d).retire_native();
        if (*d).panic.is_some() {
            rethrow(d);
        }
        if vm.stopping() {
            forget(vm, thread);
            return Err(STOP);
        }
        if (*d).failed {
            return Err((*d).error);
        }
        let (first, count) = (*d).transfer;
        let result = deliver(vm, first, count, dest);
        forget(vm, thread);
        result
    }
}

/// Goes on with the panic that ended a coroutine.
#[cold]
unsafe fn rethrow(d: *mut ThreadDetail) {
    // SAFETY: the caller's: a live dead thread's detail.
    if let Some(panic) = unsafe { (*d).panic.take() } {
        resume_unwind(panic);
    }
}

/// The stack of a dead coroutine is not needed any more.
unsafe fn forget(vm: &mut Vm, thread: *mut Thread) {
    // SAFETY: the thread is live and dead to Lua.
    unsafe {
        let d = detail(thread);
        (*d).function = Value::NIL;
        (*d).retire_stack();
        vm.heap.account(NEW_BYTES as isize - (*d).accounted as isize);
        (*d).accounted = NEW_BYTES;
    }
}

#[cold]
#[inline(never)]
fn refuse(vm: &mut Vm, status: Status) -> Value {
    vm.string(match status {
        Status::Dead => b"cannot resume dead coroutine",
        Status::Running | Status::Normal | Status::Suspended => {
            b"cannot resume non-suspended coroutine"
        }
    })
}

/// Gives a coroutine its stacks. When there are none, garbage may have some: it is collected first.
#[inline(never)]
unsafe fn start(vm: &mut Vm, thread: *mut Thread) -> Result<(), Value> {
    if vm.c_depth >= MAX_C_DEPTH {
        return Err(vm.string(b"C stack overflow"));
    }
    // SAFETY: the thread is live: the caller's frame keeps it, as a safepoint needs.
    unsafe {
        let d = detail(thread);
        if vm.heap.try_charge(STARTED_BYTES).is_err() {
            return Err(Value::string(vm.heap.memory_message));
        }
        let mut stacks = take_stacks(d);
        if stacks.is_none() && crate::heap::collect(vm) {
            // Finalizers have run.
            if (*d).status != Status::Suspended || (*d).native.is_some() {
                vm.heap.account(-(STARTED_BYTES as isize));
                return match (*d).status {
                    Status::Suspended => Ok(()),
                    status => Err(refuse(vm, status)),
                };
            }
            stacks = take_stacks(d);
        }
        let Some((memory, native)) = stacks else {
            vm.heap.account(-(STARTED_BYTES as isize));
            return Err(Value::string(vm.heap.memory_message));
        };
        (*d).native_end = native.end().addr();
        (*d).native_low = (*d).native_end - NATIVE_BASE;
        let mut stack = StackState::new(memory, native.native_limit(), native.end() as usize);
        stack.hook = (*d).hook;
        (*d).stack = Some(Box::new(stack));
        (*d).root_depth = vm.c_depth;
        (*d).native = Some(Context::new(native, vm, thread));
        (*d).accounted = NEW_BYTES + STARTED_BYTES;
    }
    Ok(())
}

/// Both stacks of a coroutine, if there are any.
unsafe fn take_stacks(d: *mut ThreadDetail) -> Option<(StackMemory, NativeStack)> {
    // SAFETY: the caller's: a live thread's detail.
    let pool = unsafe { &(*d).pool };
    let native = pool.native_stack()?;
    match pool.value_stack() {
        Some(memory) => Some((memory, native)),
        None => {
            pool.return_native_stack(native);
            None
        }
    }
}

/// What a coroutine's native stack is for. Never unwinds.
fn run(vm: *mut Vm, thread: *mut Thread) {
    // SAFETY: the resumer lent the state for as long as this coroutine runs; the thread is live.
    unsafe {
        let vm = &mut *vm;
        let d = detail(thread);
        vm.c_depth = (*d).root_depth;
        let (args, count) = (*d).transfer;
        let args = std::slice::from_raw_parts(args, count as usize);
        // A panic must not leave the coroutine before the stacks are exchanged.
        let result = match catch_unwind(AssertUnwindSafe(|| vm.call((*d).function, args))) {
            Ok(result) => result.and_then(|results| vm.settled().map(|()| results)),
            // What remains to be closed is what `close` closes.
            Err(panic) if (*d).kill && panic.is::<Ended>() => Err(Throw),
            Err(panic) => {
                (*d).panic = Some(panic);
                give_up_variables(vm);
                Err(Throw)
            }
        };
        match result {
            Ok(results) => (*d).transfer = (results.first, results.count),
            Err(Throw) => {
                vm.close_upvalues(vm.detail.stack.memory.bottom());
                if vm.stopping() {
                    vm.detail.stack.tbc.clear();
                    vm.settle_closing();
                } else if !(*d).kill {
                    (*d).failed = true;
                    (*d).error = vm.thrown;
                    // For tracebacks of the dead coroutine.
                    if let Some((base, top, pc)) = vm.detail.stack.thrown_at {
                        (vm.base, vm.top, vm.pc) = (base, top, pc);
                    }
                }
            }
        }
    }
}

/// Suspends the running coroutine with the given values, as results of its `resume`; comes back with
/// those of the next one, stored as results of the native function with this frame.
///
/// # Errors
/// The running coroutine cannot yield, or is being ended.
#[inline(always)]
pub fn yield_values(vm: &mut Vm, frame: Args, values: &[Value]) -> Result<u32, Throw> {
    let thread = vm.current;
    let d = detail(thread);
    // SAFETY: the running thread is live, and so is its yielder while it runs on its native stack.
    unsafe {
        if (*d).native.is_none() || (*d).no_yield != 0 || (*d).kill {
            return Err(cannot_yield(vm, d));
        }
        vm.settled()?;
        if native_position() < (*d).native_low {
            charge_native(vm)?;
        }
        (*d).transfer = (values.as_ptr(), values.len() as u32);
        (*d).status = Status::Suspended;
        let plain = is_plain(vm, d);
        if plain != (*d).plain {
            (*d).plain = plain;
            if !plain {
                vm.heap.register_finalizer(thread);
            }
        }
        if let Some(native) = &mut (*d).native {
            Context::suspend(native, vm);
        }
        if (*d).kill {
            vm.thrown = KILL;
            return Err(Throw);
        }
        let (first, count) = (*d).transfer;
        vm.ensure_stack(frame.base, count as usize)?;
        let dest = frame.base.sub(2);
        if count == 0 {
            *dest = Value::NIL;
        }
        copy_values(first, dest, count);
        Ok(count)
    }
}

/// Charges what the running coroutine has touched of its native stack, if it has one. To be called where it may
/// have become deep: where the VM stack grows, and before it is suspended.
///
/// # Errors
/// `not enough memory`
#[cold]
#[inline(never)]
pub(crate) fn charge_native(vm: &mut Vm) -> Result<(), Throw> {
    /// What may be touched below before this is called again.
    const AHEAD: usize = 16 << 10;
    let d = detail(vm.current);
    // SAFETY: the running thread is live.
    unsafe {
        let here = native_position();
        // Not on a stack that a host function was given instead.
        let own = (*d).native.is_some() && vm.detail.stack.native_end == (*d).native_end;
        if !own || here >= (*d).native_low {
            return Ok(());
        }
        let low = (*d).native_low.min(here - AHEAD);
        let bytes = (*d).native_low - low;
        if vm.heap.admit(bytes).is_err() {
            return Err(crate::heap::out_of_memory(vm));
        }
        vm.heap.charge(bytes);
        (*d).pool.account().add(bytes);
        (*d).native_low = low;
    }
    Ok(())
}

/// Gives the memory of stacks that are not in use back to the system.
pub(crate) fn release_stacks(vm: &Vm) {
    // SAFETY: the main thread lives as long as the state.
    unsafe { (*detail(vm.main)).pool.release() }
}

/// Whether the running coroutine's native stack holds only frames that may be forgotten: no Rust code
/// called back into Lua since the root, and no compiled code was entered.
#[inline(always)]
unsafe fn is_plain(vm: &Vm, d: *mut ThreadDetail) -> bool {
    // SAFETY: the caller's: a live thread's detail.
    unsafe { vm.c_depth == (*d).root_depth + 1 && vm.entry_sp == 0 }
}

#[cold]
unsafe fn cannot_yield(vm: &mut Vm, d: *mut ThreadDetail) -> Throw {
    // SAFETY: the caller's: a live thread's detail.
    unsafe {
        if (*d).kill && (*d).native.is_some() {
            // Rust code went on although it was told to end: tell it again.
            vm.thrown = KILL;
            return Throw;
        }
        if (*d).is_main {
            return vm.runtime_error(b"attempt to yield from outside a coroutine");
        }
    }
    vm.runtime_error(b"attempt to yield across a C-call boundary")
}

/// Runs a coroutine that is being unwound to its end.
#[cold]
#[inline(never)]
unsafe fn end_by_switches(vm: &mut Vm, thread: *mut Thread) {
    // SAFETY: the caller's: the thread is started and suspended. Whatever it does, it does not yield
    // again.
    unsafe { while !switch(vm, thread) {} }
}

/// Unwinds the native stack of a suspended coroutine, which is dead then. Runs no Lua code, unless
/// Rust code on that stack does.
unsafe fn unwind(vm: &mut Vm, thread: *mut Thread) {
    // SAFETY: the caller's: a live suspended thread.
    unsafe {
        let d = detail(thread);
        if (*d).native.is_some() && !(*d).plain {
            (*d).kill = true;
            end_by_switches(vm, thread);
            (*d).kill = false;
        }
        (*d).status = Status::Dead;
        (*d).retire_native();
        if (*d).panic.is_some() {
            rethrow(d);
        }
    }
}

/// `coroutine.close`: ends a suspended or dead coroutine and closes its pending variables. `Err` holds
/// the error with which it had died, or which closing threw; [`STOP`] as in [`resume`].
///
/// # Errors
/// See above.
pub fn close(vm: &mut Vm, thread: *mut Thread) -> Result<(), Value> {
    let d = detail(thread);
    // SAFETY: the thread is live and not running.
    unsafe {
        debug_assert!(matches!((*d).status, Status::Suspended | Status::Dead));
        if (*d).status == Status::Suspended {
            unwind(vm, thread);
            if vm.stopping() {
                return Err(STOP);
            }
        }
        let failed = std::mem::take(&mut (*d).failed);
        let mut error = std::mem::replace(&mut (*d).error, Value::NIL);
        if (*d).stack.is_some() {
            let closed = close_variables(vm, thread, error);
            forget(vm, thread);
            error = closed.unwrap_or_else(|panic| resume_unwind(panic));
        }
        if failed || !error.is_nil() { Err(error) } else { Ok(()) }
    }
}

/// Closes all upvalues and variables of a dead coroutine's stack, on the native stack of the caller. A
/// panic in a host function is returned, the variables that remain are given up.
unsafe fn close_variables(
    vm: &mut Vm,
    thread: *mut Thread,
    error: Value,
) -> std::thread::Result<Value> {
    // SAFETY: the caller's: a live dead thread that keeps its own stack.
    unsafe {
        let d = detail(thread);
        let resumer = vm.current;
        let r = detail(resumer);
        let (native_limit, depth, entry_sp) = (vm.native_limit, vm.c_depth, vm.entry_sp);
        let native_end = vm.detail.stack.native_end;
        (*d).status = Status::Running;
        (*r).status = Status::Normal;
        (*r).child = thread;
        vm.current = thread;
        exchange(vm, thread);
        vm.native_limit = native_limit;
        vm.detail.stack.native_end = native_end;
        vm.poll.settle(native_limit);
        vm.c_depth = depth + 1;
        vm.entry_sp = entry_sp;
        let bottom = vm.detail.stack.memory.bottom();
        vm.base = bottom.add(2);
        vm.top = vm.base;
        vm.thrown = error;
        // The handlers of calls that are abandoned are not in force any more.
        vm.detail.stack.handler = Value::NIL;
        let result = catch_unwind(AssertUnwindSafe(|| vm.close_after_error(vm.base)));
        if result.is_err() {
            give_up_variables(vm);
        }
        exchange(vm, thread);
        vm.current = resumer;
        (*r).status = Status::Running;
        (*r).child = ptr::null_mut();
        (*d).status = Status::Dead;
        result
    }
}

/// After a panic: nothing that the running coroutine had to close is closed, its upvalues leave the stack.
unsafe fn give_up_variables(vm: &mut Vm) {
    vm.detail.stack.tbc.clear();
    vm.settle_closing();
    vm.thrown = Value::NIL;
    vm.detail.stack.thrown_at = None;
    // SAFETY: the caller's: a coroutine that is ending, whose frames nobody goes on with.
    unsafe { vm.close_upvalues(vm.detail.stack.memory.bottom()) };
}

/// The finalizer of a coroutine that became garbage while suspended with Rust frames on its stack.
pub fn finalize(vm: &mut Vm, thread: *mut Thread) {
    if status(thread) == Status::Suspended {
        // SAFETY: the collector keeps it until here; what its stack refers to is alive.
        unsafe { unwind(vm, thread) }
    }
}

/// Where the frames of a thread's stack begin: base, top and instruction of its innermost frame;
/// `None` for a coroutine without a stack.
pub fn innermost_frame(vm: &Vm, thread: *mut Thread) -> Option<(*mut Value, *mut Value, u32)> {
    if thread == vm.current {
        return Some((vm.base, vm.top, vm.pc));
    }
    // SAFETY: live threads, and the stack that one of them keeps.
    unsafe { stack_of(thread).map(|s| ((*s).base, (*s).top, (*s).pc)) }
}

/// The stack of a thread that is not running.
unsafe fn stack_of(thread: *mut Thread) -> Option<*mut StackState> {
    // SAFETY: live threads.
    unsafe {
        let d = detail(thread);
        let keeper = if (*d).status == Status::Normal { (*d).child } else { thread };
        (*detail(keeper)).stack.as_deref_mut().map(ptr::from_mut)
    }
}

/// Notes that a script is about to replace what is in a slot of a thread's stack by `new`; see [`Displaced`].
///
/// # Safety
/// `slot` is a slot of a live frame of that thread.
pub unsafe fn keep_displaced(vm: &mut Vm, thread: *mut Thread, slot: *mut Value, new: Value) {
    // SAFETY: as in `innermost_frame`; the caller's contract.
    unsafe {
        let old = *slot;
        let stack = if thread == vm.current {
            &raw mut *vm.detail.stack
        } else {
            match stack_of(thread) {
                Some(stack) => stack,
                None => return,
            }
        };
        let displaced = &mut (*stack).displaced;
        match displaced.iter_mut().find(|d| d.slot == slot) {
            Some(known) if known.written == old => known.written = new,
            Some(known) => (known.value, known.written) = (old, new),
            None if vm.tier.is_some() => {
                displaced.push(Displaced { slot, value: old, written: new });
            }
            None => {}
        }
    }
}

/// The hook of a thread.
pub fn hook(vm: &Vm, thread: *mut Thread) -> Hook {
    if thread == vm.current {
        return vm.hook();
    }
    // SAFETY: as in `innermost_frame`.
    unsafe { stack_of(thread).map_or((*detail(thread)).hook, |s| (*s).hook) }
}

/// Sets the hook of a thread that is not running.
pub fn set_hook(vm: &mut Vm, thread: *mut Thread, hook: Hook) {
    // SAFETY: as in `innermost_frame`; the barrier follows the store.
    unsafe {
        match stack_of(thread) {
            Some(stack) => (*stack).hook = hook,
            None => (*detail(thread)).hook = hook,
        }
        vm.heap.barrier_back(thread);
    }
}

/// Whether the coroutine died from an error that no [`close`] has reported yet.
pub fn has_failed(thread: *mut Thread) -> bool {
    // SAFETY: a live thread.
    unsafe { (*detail(thread)).failed }
}
