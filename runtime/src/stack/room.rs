//! Which native stack Lua runs on when the host calls it.
//!
//! Whoever enters Lua may stand anywhere: near the end of the thread's stack, on a thread with a small
//! one, or on a stack that another library has switched to, of which nothing is known. So every entry
//! ([`Vm::on_lua_stack`]) looks at where it stands:
//!
//! ```text
//!   within the bounds that are known, with RESERVE and more left     goes on there
//!   else                                                             on a stack of the pool
//! ```
//!
//! and sets `Vm::native_limit`, which compiled code, the interpreter and every call from Rust compare
//! with, for as long as it lasts. `StackState::native_end` tells the stack that the limit is of from others.
//!
//! The other way leads [`ThreadStack`]: a host function that was called on a coroutine's stack runs
//! something where the thread's own stack was left, below all that is on it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::native::NATIVE_RESERVE;
use super::{bounds, call_on};
use crate::call::native_position;
use crate::object::Thread;
use crate::thread;
use crate::vm::Vm;

/// What compiled code has above its limit at least, where the host enters Lua.
const LEAST: usize = 256 << 10;
/// Of a large stack, Lua uses no more below the point of its entry.
const MOST: usize = 6 << 20;

/// The system has no room for a native stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoStack;

/// The limit for compiled code and the end of the thread's stack for an entry at `here`; `None` where that
/// is on another stack, or too little is left.
fn of_thread(here: usize) -> Option<(usize, usize)> {
    let bounds = bounds::of_thread()?;
    let low = bounds.start.checked_add(NATIVE_RESERVE)?;
    if !bounds.contains(&here) || here < low.checked_add(LEAST)? {
        return None;
    }
    Some((low.max(here.saturating_sub(MOST)), bounds.end))
}

/// The limit for a new state. Without [`Vm::on_lua_stack`] it holds for where it was made.
pub(crate) fn initial_limit() -> (usize, usize) {
    let here = native_position();
    of_thread(here).unwrap_or((here, 0))
}

/// Where the thread's own stack stands while something else runs.
#[derive(Clone, Copy, Debug)]
pub struct ThreadStack {
    /// The coroutine that runs, or has run last, on the thread's own stack; the main one at first.
    owner: *mut Thread,
    /// Where that one left it for a stack of the pool; 0 if it did not.
    left: usize,
}

impl ThreadStack {
    /// The main coroutine's.
    pub fn new(owner: *mut Thread) -> ThreadStack {
        ThreadStack { owner, left: 0 }
    }
}

impl Vm {
    /// Runs `body`, which may run Lua, where there is native stack for it. A panic is caught, as the stacks
    /// must be put in order first. `outermost`: nothing of this state runs yet, on whatever thread or
    /// stack it ran before.
    ///
    /// # Errors
    /// The system has no room for a stack.
    #[inline]
    pub fn on_lua_stack<R>(
        &mut self,
        outermost: bool,
        body: impl FnOnce(&mut Vm) -> R,
    ) -> Result<std::thread::Result<R>, NoStack> {
        let here = native_position();
        let (limit, end) = (self.native_limit, self.detail.stack.native_end);
        if !outermost && limit <= here && here < end {
            return Ok(catch_unwind(AssertUnwindSafe(|| body(self))));
        }
        let Some((new_limit, new_end)) = of_thread(here) else {
            return self.on_pool_stack(body);
        };
        let near = new_limit <= limit && limit.saturating_add(MOST / 2) <= here;
        if new_end == end && (new_limit == limit || near) {
            // As it was at the last entry, or nearly.
            return Ok(catch_unwind(AssertUnwindSafe(|| body(self))));
        }
        self.set_native_stack(new_limit, new_end);
        let result = catch_unwind(AssertUnwindSafe(|| body(self)));
        if !outermost {
            self.set_native_stack(limit, end);
        }
        Ok(result)
    }

    #[cold]
    #[inline(never)]
    fn on_pool_stack<R>(
        &mut self,
        body: impl FnOnce(&mut Vm) -> R,
    ) -> Result<std::thread::Result<R>, NoStack> {
        let pool = thread::pool(self);
        let stack = pool.native_stack().ok_or(NoStack)?;
        let (limit, end) = (self.native_limit, self.detail.stack.native_end);
        let place = self.detail.thread_stack;
        let mut elsewhere = 0;
        let left = if self.current == place.owner && place.left == 0 {
            &raw mut self.detail.thread_stack.left
        } else {
            &raw mut elsewhere
        };
        self.set_native_stack(stack.native_limit(), stack.end() as usize);
        let vm: *mut Vm = self;
        // SAFETY: this function has the state to itself, and goes on when the body has ended. `left` is in
        // the state or this frame.
        let result = unsafe { call_on::on_pool_stack(&stack, left, || body(&mut *vm)) };
        self.set_native_stack(limit, end);
        self.detail.thread_stack = place;
        pool.return_native_stack(stack);
        Ok(result)
    }

    /// Whether the thread's own stack was left, so that [`on_thread_stack`] has something to do.
    pub fn is_off_thread_stack(&self) -> bool {
        let place = self.detail.thread_stack;
        place.left != 0 || self.current != place.owner
    }

    fn set_native_stack(&mut self, limit: usize, end: usize) {
        self.native_limit = limit;
        self.detail.stack.native_end = end;
        self.poll.settle(limit);
    }
}

/// Runs `body` on the thread's own stack, where that was left: from a host function on a coroutine's stack.
/// The running coroutine cannot yield meanwhile, as its resumer's frames lie below.
///
/// # Safety
/// `vm` is the running state, which nobody else uses until `body` uses it.
pub unsafe fn on_thread_stack<R>(vm: *mut Vm, body: impl FnOnce() -> R) -> R {
    // SAFETY: the caller's contract; threads that run or have resumed others are live.
    unsafe {
        let place = (*vm).detail.thread_stack;
        let current = (*vm).current;
        let resumed = thread::resumed_by(&*vm, place.owner);
        if place.left == 0 && resumed.is_none() {
            return body();
        }
        let (limit, end) = ((*vm).native_limit, (*vm).detail.stack.native_end);
        (*vm).detail.thread_stack = ThreadStack { owner: current, left: 0 };
        // An entry from there looks where it stands.
        (*vm).detail.stack.native_end = 0;
        let result = thread::without_yield_on(current, || match resumed {
            Some(context) if place.left == 0 => thread::on_resumer_stack(context, body),
            _ => call_on::on_left_stack(place.left, body),
        });
        (*vm).set_native_stack(limit, end);
        (*vm).detail.thread_stack = place;
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}
