//! The state of one Lua world, and the protocol by which its parts call each other.
//!
//! # Frames
//!
//! ```text
//!          base[-2]   base[-1]   base[0] … base[max_stack-1]
//!          callee     link       registers
//! ```
//!
//! Interpreted, compiled and native (Rust) functions all have such a frame, so that every walk
//! (tracebacks, `debug`, the collector) sees all of them. [`Link`] says how far below the caller's
//! base is, at which instruction the caller stands, and who is to be returned to. Stack memory is
//! reserved once per coroutine and never moves. The lowest frame's callee slot holds nil.
//!
//! A vararg function's frame is moved above its extra arguments by `VARARGPREP`: callee and fixed
//! parameters are copied up, and a link of kind [`Link::VARARG`] leads down to the original header.
//!
//! # Results
//!
//! A callee delivers `n` results in `base[-2 ..][..n]`, where `base` is its own base (for a vararg
//! function: the original, unmoved one) and returns `n`. With `n == 0` it still stores nil in
//! `base[-2]`, so that a caller that wants exactly one result need not look at `n`.
//!
//! # Errors
//!
//! A fallible function returns `Result<_, Throw>`; [`Throw`] is a token, the error value is in
//! `Vm::thrown`. Message handlers run where the error is thrown, before anything unwinds.
//!
//! # Safepoints
//!
//! Allocation never collects. It raises `Vm::poll`; the interpreter and compiled code test that
//! word at back-edges and function entries and call [`Vm::safepoint`](crate::vm::Vm), where the collector may run
//! a step and finalizers. So code in Rust may hold raw values freely until it calls back into Lua;
//! across such a call it must keep them in its frame (`Args`, pushed slots) or a handle.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::heap::Heap;
use crate::object::{CodeHead, Table, Thread, Upvalue};
use crate::tier::Tier;
use crate::value::Value;

/// Proof that an error was thrown: its value is in `Vm::thrown`.
#[derive(Debug)]
#[must_use]
pub struct Throw;

/// The frame link in `base[-1]`: raw bits that read as a small double, so the collector may scan them.
///
/// ```text
///   bits 0..32   pc: word index of the instruction in the caller that made this call
///   bits 32..56  delta: distance in slots from the caller's base to this base
///   bits 56..60  kind, and the bits `TAIL` and `COUNTED`
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Link(pub u64);

impl Link {
    /// Called by the interpreter activation that runs this frame: a return continues there.
    pub const INTERPRETED: u64 = 0;
    /// Called from Rust or compiled code: a return leaves the interpreter activation.
    pub const BOUNDARY: u64 = 1;
    /// A moved vararg frame: `delta` leads to the original base, whose link is the real one.
    pub const VARARG: u64 = 2;
    /// Where the distance begins.
    pub const DELTA_SHIFT: u32 = 32;
    /// The distance, shifted down.
    pub const DELTA_MASK: u64 = 0xFF_FFFF;
    /// Bit: this frame replaced its caller by a tail call.
    pub const TAIL: u64 = 4;
    /// Bit: `Vm::c_depth` counts this frame, and its return takes that back.
    pub const COUNTED: u64 = 8;

    /// Packs a link.
    #[inline(always)]
    pub const fn new(pc: u32, delta: usize, kind: u64) -> Link {
        Link(pc as u64 | (delta as u64) << Link::DELTA_SHIFT | kind << 56)
    }
    /// The caller's instruction.
    #[inline(always)]
    pub const fn pc(self) -> u32 {
        self.0 as u32
    }
    /// Slots from the caller's base to this one.
    #[inline(always)]
    pub const fn delta(self) -> usize {
        (self.0 >> Link::DELTA_SHIFT & Link::DELTA_MASK) as usize
    }
    /// Kind without the tail bit.
    #[inline(always)]
    pub const fn kind(self) -> u64 {
        self.0 >> 56 & 3
    }
    /// Whether the frame was entered by a tail call.
    #[inline(always)]
    pub const fn is_tail(self) -> bool {
        self.0 >> 56 & Link::TAIL != 0
    }
    /// Whether `Vm::c_depth` counts this frame.
    #[inline(always)]
    pub const fn is_counted(self) -> bool {
        self.0 >> 56 & Link::COUNTED != 0
    }
}

/// The arguments of a native function: its frame.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Args {
    /// The frame's base; arguments are `base[0 .. count]`.
    pub base: *mut Value,
    /// Number of arguments.
    pub count: u32,
}

/// `Vm::poll`: the collector wants a step.
pub const POLL_GC: u32 = 1;
/// `Vm::poll`: a host asked for an interrupt (timeout, Ctrl-C, cancellation).
pub const POLL_INTERRUPT: u32 = 2;
/// `Vm::poll`: hooks are set; compiled code is not entered, the interpreter runs its hooking copy.
pub const POLL_HOOK: u32 = perilune_ir::encoding::POLL_HOOK;
/// `Vm::poll`: the state is stopping; stays until that has ended (see [`crate::stop`]).
pub const POLL_STOP: u32 = 8;
/// `Vm::poll`: the deadline may have passed.
pub const POLL_TIME: u32 = 16;
/// Bit of the poll word: the error `interrupted!` is to be thrown.
pub const POLL_BREAK: u32 = 32;
/// The bits that ask running code to end, in one way or another.
pub const POLL_REQUESTS: u32 = POLL_STOP | POLL_BREAK | POLL_INTERRUPT | POLL_TIME;

/// Results of a call from Rust: they stand on the stack above the current frame, and stay valid
/// until the next push or call.
#[derive(Clone, Copy, Debug)]
pub struct Results {
    /// The first result.
    pub first: *mut Value,
    /// Number of results.
    pub count: u32,
}

impl Results {
    /// Number of results.
    #[inline]
    pub fn count(self) -> usize {
        self.count as usize
    }
    /// Result `i` (from 0), nil where there is none.
    #[inline]
    pub fn get(self, i: usize) -> Value {
        if i < self.count as usize {
            // SAFETY: the call delivered `count` values from `first`.
            unsafe { *self.first.add(i) }
        } else {
            Value::NIL
        }
    }
    /// All results. Valid until the next push or call.
    #[inline]
    pub fn slice<'a>(self) -> &'a [Value] {
        // SAFETY: as in `get`.
        unsafe { std::slice::from_raw_parts(self.first, self.count as usize) }
    }
}

/// What asks the running code to call [`Vm::safepoint`].
#[repr(C)]
pub struct Poll {
    word: AtomicU32,
    /// [`Vm::native_limit`], or the greatest address while `word` is not 0: compiled functions compare their
    /// stack pointer with it and need no look at `word` at their entry.
    entry_limit: AtomicUsize,
}

impl Poll {
    /// Offset of the word.
    pub const WORD: usize = offset_of!(Poll, word);
    /// Offset of the limit for entries of compiled functions.
    pub const ENTRY_LIMIT: usize = offset_of!(Poll, entry_limit);

    /// Nothing is asked for.
    pub fn new(native_limit: usize) -> Poll {
        Poll { word: AtomicU32::new(0), entry_limit: AtomicUsize::new(native_limit) }
    }

    /// The bits that are set.
    #[inline(always)]
    pub fn load(&self, ordering: Ordering) -> u32 {
        self.word.load(ordering)
    }

    /// Sets bits; from any thread.
    pub fn raise(&self, bits: u32) {
        self.word.fetch_or(bits, Ordering::SeqCst);
        self.entry_limit.store(usize::MAX, Ordering::SeqCst);
    }

    /// Clears bits from any thread. Compiled functions leave the fast path at their entry until the next
    /// safepoint.
    pub fn withdraw(&self, bits: u32) {
        self.word.fetch_and(!bits, Ordering::SeqCst);
    }

    /// Clears bits; on the state's thread.
    pub fn lower(&self, bits: u32, native_limit: usize) {
        self.word.fetch_and(!bits, Ordering::SeqCst);
        self.settle(native_limit);
    }

    /// Another native stack is in use; on the state's thread. Whoever raises a bit meanwhile does so before
    /// it is looked for here, or sets the limit afterwards.
    #[inline]
    pub fn settle(&self, native_limit: usize) {
        self.entry_limit.store(native_limit, Ordering::SeqCst);
        if self.word.load(Ordering::SeqCst) != 0 {
            self.entry_limit.store(usize::MAX, Ordering::SeqCst);
        }
    }
}

/// Marks that compiled units share, see [`Vm::stale`].
pub const STALE_MARKS: usize = 128;

/// One Lua world. Compiled code addresses the leading fields by `offset_of!`.
#[repr(C)]
pub struct Vm {
    /// Non-zero asks the running code to call `Vm::safepoint` at its next poll. May be set from
    /// any thread.
    pub poll: Poll,
    /// Soft end of the current coroutine's stack: frames (base + max_stack) must not reach beyond it
    /// without `Vm::grow_stack`, which raises it. Nothing above it has been written since the
    /// collector last cleared the stack, so it bounds what the collector must clear.
    pub stack_limit: *mut Value,
    /// Lowest native stack address that compiled code may use on the current native stack.
    pub native_limit: usize,
    /// The current frame's base, whenever Rust code runs that may look at frames.
    pub base: *mut Value,
    /// End of the current frame's values: of a native frame, or of an open result list.
    pub top: *mut Value,
    /// The current Lua frame's instruction (word index) whenever Rust code runs for it.
    pub pc: u32,
    /// Depth of Rust recursion (metamethods, callbacks, `pcall`), limited as PUC Lua's C calls.
    pub c_depth: u32,
    /// Native stack pointer of the innermost protected entry into compiled code, or 0.
    pub entry_sp: usize,
    /// Operands and results of stubs that keep all registers.
    pub scratch: [u64; 16],
    /// Marks of compiled units: not 0 where a unit relies on what holds no more. Each leaves behind its calls when
    /// its mark is set.
    pub stale: [u8; STALE_MARKS],
    /// Entry for functions that are not compiled (installed by the tier).
    pub interpreter_entry: *const u8,
    /// The shared code head of native functions.
    pub native_code: CodeHead,
    /// The heap; its allocation fast path is known to compiled code.
    pub heap: Heap,
    /// Open upvalues of the current coroutine, by falling stack address.
    pub open_upvalues: *mut Upvalue,
    /// The last variable that the current coroutine has to close (of its stack's `tbc`), or null.
    pub closing: *mut Value,
    /// The value of the error being thrown.
    pub thrown: Value,
    /// The running coroutine.
    pub current: *mut Thread,
    /// The main coroutine.
    pub main: *mut Thread,
    /// Globals.
    pub globals: *mut Table,
    /// The registry.
    pub registry: *mut Table,
    /// Metatables of types without their own (index: see `crate::meta`).
    pub type_metatables: [*mut Table; 10],
    /// The compiler, if any.
    pub tier: Option<Box<dyn Tier>>,
    /// Everything that compiled code never touches.
    pub detail: Box<crate::state::Detail>,
}
