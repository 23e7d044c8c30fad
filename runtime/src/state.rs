//! Creation and end of a state, and the parts of it that compiled code never touches.
//!
//! A VM stack is one fixed reservation of zeroed memory that the operating system commits as it is
//! touched. `Vm::stack_limit` is a *soft* limit: it rises in steps ([`Vm::grow_stack`]) up to
//! [`MAX_STACK`] slots, so that everything above it is known to be untouched since the collector
//! last cleared the stack. A further [`ERROR_STACK`] slots serve message handlers after an overflow.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::Ordering;

use perilune_ir::bytecode::Op;

use crate::heap::Heap;
use crate::meta::Metamethod;
use crate::object::{CodeHead, Header, Kind, Upvalue};
use crate::stop::Stopping;
use crate::value::Value;
use crate::vm::{Link, POLL_GC, POLL_REQUESTS, Poll, Throw, Vm};

use crate::stack::ThreadStack;
pub use crate::stack::{ERROR_STACK, MAX_STACK, StackMemory};

/// Depth of Rust recursion at which `C stack overflow` is thrown, as PUC Lua's `LUAI_MAXCCALLS`.
pub const MAX_C_DEPTH: u32 = 200;
/// Depth of Rust recursion that message handlers may reach.
pub const MAX_C_DEPTH_IN_ERROR: u32 = MAX_C_DEPTH / 10 * 11;
/// Slots that every native function may write above its arguments without asking.
pub const NATIVE_ROOM: usize = 40;
/// By how much the soft limit rises at most.
const STACK_STEP: usize = 1024;
/// The soft limit of an empty stack, and how far the collector leaves it above what is in use.
pub const FIRST_STACK: usize = 128;

/// What any limit of a stack leaves: the engine's own calls need some.
const LEAST_STACK: usize = 4 * FIRST_STACK;

/// Everything that belongs to one coroutine. That of the running coroutine lives in [`Vm`] and
/// [`Detail`]; a switch exchanges it ([`Vm::swap_stack`]).
#[derive(Debug)]
pub struct StackState {
    /// The stack.
    pub memory: StackMemory,
    /// `Vm::stack_limit`
    pub limit: *mut Value,
    /// `Vm::native_limit`
    pub native_limit: usize,
    /// The end of the native stack that the limit is of; also while it runs. 0: nothing is known.
    pub native_end: usize,
    /// `Vm::base`
    pub base: *mut Value,
    /// `Vm::top`
    pub top: *mut Value,
    /// `Vm::pc`
    pub pc: u32,
    /// `Vm::c_depth`
    pub c_depth: u32,
    /// `Vm::entry_sp`
    pub entry_sp: usize,
    /// `Vm::open_upvalues`
    pub open_upvalues: *mut Upvalue,
    /// To-be-closed variables, by rising stack address.
    pub tbc: Vec<*mut Value>,
    /// The message handler in force, or nil.
    pub handler: Value,
    /// Those of the protected calls around the innermost one.
    pub outer_handlers: Vec<Value>,
    /// What `debug.setlocal` took out of slots of frames that are still there.
    pub displaced: Vec<Displaced>,
    /// Whether an overflow of this stack is being handled.
    pub in_overflow: bool,
    /// `base`, `top` and `pc` at the last throw, until it is caught: then other frames lie there.
    pub thrown_at: Option<(*mut Value, *mut Value, u32)>,
    /// This coroutine's hook.
    pub hook: Hook,
    /// Calls between Lua and the host on this coroutine that have not ended.
    pub borders: u32,
}

/// A value that `debug.setlocal` took out of a slot. Compiled code may still have it in a register, and
/// counts on the slot to keep it alive.
#[derive(Clone, Copy, Debug)]
pub struct Displaced {
    /// The slot.
    pub slot: *mut Value,
    /// What the frame's own code stored there last.
    pub value: Value,
    /// What the script did.
    pub written: Value,
}

impl StackState {
    /// A fresh stack with its lowest frame: callee nil, no registers.
    pub fn new(memory: StackMemory, native_limit: usize, native_end: usize) -> StackState {
        // SAFETY: the first slots of a fresh stack.
        let base = unsafe {
            memory.bottom().write(Value::NIL);
            memory.bottom().add(1).write(Value(Link::new(0, 0, Link::BOUNDARY).0));
            memory.bottom().add(2)
        };
        let limit = base.wrapping_add(FIRST_STACK);
        StackState {
            memory,
            limit,
            native_limit,
            native_end,
            base,
            top: base,
            pc: 0,
            c_depth: 0,
            entry_sp: 0,
            open_upvalues: ptr::null_mut(),
            tbc: Vec::new(),
            handler: Value::NIL,
            outer_handlers: Vec::new(),
            displaced: Vec::new(),
            in_overflow: false,
            thrown_at: None,
            hook: Hook::default(),
            borders: 0,
        }
    }
}

impl StackState {
    /// Puts a message handler in force.
    #[inline]
    pub fn set_handler(&mut self, handler: Value) {
        let outer = std::mem::replace(&mut self.handler, handler);
        self.outer_handlers.push(outer);
    }

    /// Ends what [`StackState::set_handler`] began.
    #[inline]
    pub fn restore_handler(&mut self) {
        self.handler = self.outer_handlers.pop().unwrap_or(Value::NIL);
    }

    /// The slots in use of a stack that is not running; see [`Vm::stack_extent`].
    pub fn extent(&self) -> (*mut Value, *mut Value) {
        // SAFETY: a stack that is not running stands in a complete frame.
        (self.memory.bottom(), unsafe { frame_end(self.base, self.top) })
    }
}

/// The first free slot above the frame at `base`; `top` is the end of a native frame.
///
/// # Safety
/// `base` is a frame's base, its callee live.
pub(crate) unsafe fn frame_end(base: *mut Value, top: *mut Value) -> *mut Value {
    // SAFETY: the caller's contract.
    unsafe {
        match (*base.sub(2)).as_closure() {
            Some(f) => base.add((*(*f).proto).max_stack as usize),
            None => top,
        }
    }
}

/// A hook set by `debug.sethook`.
#[derive(Clone, Copy, Debug)]
pub struct Hook {
    /// The function, or nil.
    pub function: Value,
    /// A native hook takes precedence (the host's).
    pub mask: u8,
    /// Instructions between count events; 0 for none.
    pub count: u32,
    /// Instructions left.
    pub left: u32,
    /// The hook is running.
    pub running: bool,
    /// The last line reported, and the frame it was in.
    pub last_line: u32,
    /// Word index at the last line check.
    pub last_pc: u32,
    /// Base of the frame of the last line check; while the hook runs, of the frame it is about.
    pub last_base: usize,
    /// While the hook runs: the first value passed or returned, and how many.
    pub transfer: (u32, u32),
}

impl Hook {
    /// `c`
    pub const CALL: u8 = 1;
    /// `r`
    pub const RETURN: u8 = 2;
    /// `l`
    pub const LINE: u8 = 4;
    /// A count is set.
    pub const COUNT: u8 = 8;
}

impl Default for Hook {
    fn default() -> Hook {
        Hook {
            function: Value::NIL,
            mask: 0,
            count: 0,
            left: 0,
            running: false,
            last_line: 0,
            last_pc: 0,
            last_base: 0,
            transfer: (0, 0),
        }
    }
}

/// What a host does last when a script ends the process.
pub type ExitFn = Box<dyn FnOnce(&mut Vm)>;

/// The parts of a state that compiled code never touches.
pub struct Detail {
    /// The running coroutine's stack. Its fields that [`Vm`] has too are stale here while it runs.
    pub stack: Box<StackState>,
    /// Requests to stop, and the stop under way.
    pub stopping: Stopping,
    /// Called by `os.exit`, when all is written out and closed, before the process ends.
    pub on_exit: Option<ExitFn>,
    /// The tier wants a profile: the interpreter counts, records types, and enters compiled code. Off,
    /// it runs as if there were no tier.
    pub profiling: bool,
    /// What new prototypes start counting down from.
    pub hot_threshold: i32,
    /// State of library parts (random generator, open files, …) by type.
    pub library: Vec<Box<dyn std::any::Any>>,
    /// While a finalizer runs: the base of the frame that it interrupted; else 0.
    pub finalizing: usize,
    /// `warn` is on.
    pub warnings: bool,
    /// Captured variables of all prototypes.
    pub variables: crate::variables::Variables,
    /// The seed, if the host chose it.
    pub fixed_seed: Option<u64>,
    /// The most slots of a stack, but for those of message handlers: at most [`MAX_STACK`].
    pub max_stack: usize,
    /// Where the thread's own native stack was left.
    pub thread_stack: ThreadStack,
    /// The method epoch for which it is known that no metatable of a basic type has `__tostring`.
    pub plain_display: Option<u32>,
}

impl Detail {
    /// Everything here that keeps objects alive, the running stack's slots aside.
    pub fn trace(&self, mark: &mut dyn FnMut(Value)) {
        mark(self.stack.handler);
        self.stack.outer_handlers.iter().copied().for_each(&mut *mark);
        mark(self.stack.hook.function);
    }
}

/// Options of a new state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Of hashes and of `math.random`; `None`: one that differs between states and runs.
    pub seed: Option<u64>,
    /// The most slots of a stack; `None`: [`MAX_STACK`]. Fixed from the start, so that no frame lies beyond it.
    pub max_stack: Option<usize>,
    /// For tests: see [`Heap::set_fault`].
    pub fault: Option<(u64, u64)>,
}

impl Vm {
    /// A state without libraries.
    pub fn new(options: Options) -> Box<Vm> {
        let mut heap = Heap::new(options.seed.unwrap_or_else(crate::hash::random_seed));
        if let Some((after, count)) = options.fault {
            heap.set_fault(after, count);
        }
        let (native_limit, native_end) = crate::stack::initial_limit();
        let stack = StackState::new(StackMemory::new(), native_limit, native_end);
        let native_header = Header { kind: Kind::Proto, color: 0, flags: 0, aux: 0, extra: 0 };
        let globals = crate::table::new_empty(&mut heap);
        let registry = crate::table::new_empty(&mut heap);
        let mut vm = Box::new(Vm {
            poll: Poll::new(native_limit),
            stack_limit: stack.limit,
            native_limit,
            base: stack.base,
            top: stack.top,
            pc: 0,
            c_depth: 0,
            entry_sp: 0,
            scratch: [0; 16],
            stale: [0; crate::vm::STALE_MARKS],
            interpreter_entry: ptr::null(),
            native_code: CodeHead { header: native_header, jit_entry: Cell::new(ptr::null()) },
            heap,
            open_upvalues: ptr::null_mut(),
            closing: ptr::null_mut(),
            thrown: Value::NIL,
            current: ptr::null_mut(),
            main: ptr::null_mut(),
            globals,
            registry,
            type_metatables: [ptr::null_mut(); 10],
            tier: None,
            detail: Box::new(Detail {
                stack: Box::new(stack),
                stopping: Stopping::default(),
                on_exit: None,
                profiling: false,
                hot_threshold: 1 << 30,
                library: Vec::new(),
                finalizing: 0,
                warnings: false,
                variables: crate::variables::Variables::default(),
                fixed_seed: options.seed,
                max_stack: options.max_stack.unwrap_or(MAX_STACK).clamp(LEAST_STACK, MAX_STACK),
                thread_stack: ThreadStack::new(ptr::null_mut()),
                plain_display: None,
            }),
        });
        // SAFETY: the state is boxed, so the word keeps its address as long as the heap.
        unsafe { vm.heap.attach(&raw const vm.poll) };
        vm.heap.finalizer = Some(finalize);
        let main = crate::thread::new_main(&mut vm);
        vm.main = main;
        vm.current = main;
        vm.detail.thread_stack = ThreadStack::new(main);
        vm
    }

    /// Exchanges the running coroutine's stack for `other`: after this the state runs on `other`'s
    /// former content, and `other` holds what was running.
    #[inline]
    pub fn swap_stack(&mut self, other: &mut Box<StackState>) {
        std::mem::swap(&mut self.detail.stack, other);
        // `other` is now what was running; its fields are stored before others are loaded.
        let stack = &mut **other;
        stack.limit = self.stack_limit;
        stack.native_limit = self.native_limit;
        stack.base = self.base;
        stack.top = self.top;
        stack.pc = self.pc;
        stack.c_depth = self.c_depth;
        stack.entry_sp = self.entry_sp;
        stack.open_upvalues = self.open_upvalues;
        let stack = &*self.detail.stack;
        self.stack_limit = stack.limit;
        self.native_limit = stack.native_limit;
        self.poll.settle(stack.native_limit);
        self.base = stack.base;
        self.top = stack.top;
        self.pc = stack.pc;
        self.c_depth = stack.c_depth;
        self.entry_sp = stack.entry_sp;
        self.open_upvalues = stack.open_upvalues;
        if stack.hook.mask != 0 || other.hook.mask != 0 {
            self.update_hook_poll();
        }
        self.settle_closing();
    }

    /// Where the running stack ends for ordinary frames, and where for message handlers.
    pub(crate) fn stack_ends(&self) -> (*mut Value, *mut Value) {
        let hard = self.detail.stack.memory.bottom().wrapping_add(self.detail.max_stack);
        (hard, hard.wrapping_add(ERROR_STACK))
    }

    /// Raises the soft stack limit so that `end` lies within it.
    ///
    /// # Errors
    /// `stack overflow`; with a frame that the message may name in `base` and `pc`.
    #[cold]
    #[inline(never)]
    pub fn grow_stack(&mut self, end: *mut Value) -> Result<(), Throw> {
        let (hard, error_end) = self.stack_ends();
        if end <= hard {
            let used = end.addr().wrapping_sub(self.detail.stack.memory.bottom().addr()) / 8;
            let step = used.clamp(FIRST_STACK, STACK_STEP);
            let limit = end.wrapping_add(step).min(hard);
            let bytes = self.detail.stack.memory.growth(limit);
            if bytes > 0 {
                if self.heap.admit(bytes).is_err() {
                    return Err(crate::heap::out_of_memory(self));
                }
                self.heap.charge(bytes);
                self.detail.stack.memory.grow(bytes, &self.heap.outside);
            }
            crate::thread::charge_native(self)?;
            self.stack_limit = limit;
            return Ok(());
        }
        if self.detail.stack.in_overflow {
            if end <= error_end {
                self.stack_limit = error_end;
                return Ok(());
            }
            self.thrown = self.string(b"error in error handling");
            return Err(Throw);
        }
        self.detail.stack.in_overflow = true;
        self.stack_limit = error_end;
        let throw = self.overflow_error();
        self.detail.stack.in_overflow = false;
        self.reset_error_stack();
        Err(throw)
    }

    /// Throws `stack overflow`; or `C stack overflow` when metamethods are what is nested so deeply.
    /// Compiled code does not count in `c_depth` those that it inlines.
    pub fn overflow_error(&mut self) -> Throw {
        let mut metamethods = 0;
        // The innermost frame's instruction did not call.
        for caller in self.frames().skip(1) {
            let op = caller.function().map(|f| f.op(caller.pc as usize));
            if op.is_some_and(|op| !matches!(op, Op::Call | Op::TailCall | Op::TForCall)) {
                metamethods += 1;
            }
            if metamethods == MAX_C_DEPTH {
                return self.runtime_error(b"C stack overflow");
            }
        }
        self.runtime_error(b"stack overflow")
    }

    /// Clears the part of the stack beyond the ordinary end and takes it out of use. To be called when no frame
    /// reaches there any more.
    pub fn reset_error_stack(&mut self) {
        let (hard, error_end) = self.stack_ends();
        if self.stack_limit > hard {
            // SAFETY: within the reservation; no frame reaches there any more.
            unsafe { ptr::write_bytes(hard, 0, error_end.offset_from(hard) as usize) };
            self.stack_limit = hard;
        }
    }

    /// Makes sure that `n` slots and [`NATIVE_ROOM`] more can be written from `from` upwards.
    ///
    /// # Errors
    /// `stack overflow`
    #[inline]
    pub fn ensure_stack(&mut self, from: *mut Value, n: usize) -> Result<(), Throw> {
        if n > MAX_STACK {
            return Err(self.runtime_error(b"stack overflow"));
        }
        let end = from.wrapping_add(n + NATIVE_ROOM);
        if end > self.stack_limit { self.grow_stack(end) } else { Ok(()) }
    }

    /// The slots of the running coroutine's stack that are in use: `[bottom, end)`. Slots from
    /// `end` to `stack_limit` may hold stale words; those beyond `stack_limit` are zero.
    pub fn stack_extent(&self) -> (*mut Value, *mut Value) {
        (self.detail.stack.memory.bottom(), self.frame_end())
    }

    /// The first free slot above the current frame.
    pub fn frame_end(&self) -> *mut Value {
        // SAFETY: `base` is a frame's base, with its header below.
        unsafe { frame_end(self.base, self.top) }
    }

    /// The state of a library part, made at its first use.
    pub fn library_state<T: Default + 'static>(&mut self) -> &mut T {
        let library = &mut self.detail.library;
        if !library.first().is_some_and(|part| part.is::<T>()) {
            // What is used now will mostly be used next.
            let at = library.iter().position(|part| part.is::<T>()).unwrap_or_else(|| {
                library.push(Box::new(T::default()));
                library.len() - 1
            });
            library.swap(0, at);
        }
        library[0].downcast_mut().expect("found by its type")
    }
}

/// Calls an object's `__gc`; an error only warns.
fn finalize(vm: &mut Vm, object: Value) {
    let handler = vm.metamethod(object, Metamethod::Gc);
    if handler.is_nil() || vm.stopping() {
        return;
    }
    let (hook, depth) = (vm.detail.stack.hook.running, vm.c_depth);
    vm.detail.stack.hook.running = true;
    let result = vm.pcall(handler, &[object]);
    vm.detail.stack.hook.running = hook;
    vm.c_depth = depth;
    if let Err(error) = result
        && !vm.stopping()
    {
        let message = match error.as_string() {
            Some(s) => vm.heap.str_bytes(s).to_vec(),
            None => b"error object is not a string".to_vec(),
        };
        vm.warn(&[b"error in __gc (", &message[..], b")"].concat());
    }
}

impl Vm {
    /// Emits a warning, as `warn` does.
    pub fn warn(&mut self, message: &[u8]) {
        if self.detail.warnings {
            let text = [b"Lua warning: ", message, b"\n"].concat();
            // Nobody could be told that standard error is closed.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), &text);
        }
    }

    /// Runs what is due: requests from outside, a collector step, finalizers. Long library loops call it
    /// now and then when `poll` is not zero; it may collect and call Lua.
    ///
    /// # Errors
    /// A stop throws, and so does a memory limit.
    #[cold]
    #[inline(never)]
    pub fn safepoint(&mut self) -> Result<(), Throw> {
        let poll = self.poll.load(Ordering::Relaxed);
        if poll == 0 {
            // A request was withdrawn.
            self.poll.settle(self.native_limit);
        }
        if poll & POLL_REQUESTS != 0 {
            self.answer_requests(poll)?;
        }
        if poll & POLL_GC != 0 {
            crate::heap::control::safepoint(self)?;
        }
        Ok(())
    }
}
