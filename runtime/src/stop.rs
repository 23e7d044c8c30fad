//! Stops: the end of all running code at the host's wish (an interrupt, a time limit).
//!
//! A stop is no Lua error and no Lua code sees it. [`Vm::stop`] notes why in `Detail::stop` and throws [`STOP`];
//! from then on the state *is stopping*, until the outermost entry of the host takes that back
//! ([`Vm::end_stop`]):
//!
//! * Every place that catches errors (`pcall`, `coroutine.resume`, `Vm::protect`, …) asks
//!   [`Vm::stopping`] and throws on. Variables to be closed in the frames that go are not closed, message
//!   handlers and finalizers are not called.
//! * [`POLL_STOP`] stays in the poll word, so whatever Rust code made of the error, the next poll throws again.
//! * [`Vm::throw`] throws [`STOP`] in place of any other error.
//!
//! Code that catches `Throw` by itself has to do as they do: see [`Vm::check_stop`].

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::value::{TAG_IMMEDIATE, TAG_SHIFT, Value};
use crate::vm::{POLL_BREAK, POLL_INTERRUPT, POLL_REQUESTS, POLL_STOP, POLL_TIME, Throw, Vm};

/// The "error value" of a state that is stopping. No Lua value.
pub const STOP: Value = Value(TAG_IMMEDIATE << TAG_SHIFT | 11);

/// What asked for a stop.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StopReason {
    /// Another thread or a signal handler: [`POLL_INTERRUPT`].
    Interrupt,
    /// `Detail::deadline` has passed.
    TimeLimit,
    /// The host, for a reason of its own.
    Host(Arc<dyn Any + Send + Sync>),
}

/// A stop, and where the code was.
#[derive(Clone, Debug)]
pub struct Stop {
    /// What asked for it.
    pub reason: StopReason,
    /// `chunk:line: ` of the innermost Lua function, or empty.
    pub position: Vec<u8>,
    /// The traceback of the coroutine that ran.
    pub traceback: Vec<u8>,
}

/// A host's answer to an interrupt: `Some` stops.
pub type InterruptFn = Rc<dyn Fn(&mut Vm) -> Option<StopReason>>;

/// What a state has to do with stops.
#[derive(Default)]
pub struct Stopping {
    /// The stop that is under way.
    stop: Option<Box<Stop>>,
    /// What an interrupt asks; without it an interrupt stops.
    pub on_interrupt: Option<InterruptFn>,
    /// `on_interrupt` is running: further interrupts wait.
    asking: bool,
    /// When running code is to stop. Somebody raises [`POLL_TIME`] then.
    pub deadline: Option<Instant>,
    /// Nobody does: [`POLL_TIME`] stays, and each poll looks at the clock.
    pub unwatched: bool,
}

impl Stopping {
    /// Whether these bits of the poll word ask code for an answer now that would have to start again from its
    /// beginning afterwards: others stay in the poll word, whatever is done.
    #[cold]
    pub fn is_due(&self, raised: u32) -> bool {
        let passed = |deadline| Instant::now() >= deadline;
        raised & (POLL_STOP | POLL_BREAK) != 0
            || raised & POLL_INTERRUPT != 0 && !self.asking
            || raised & POLL_TIME != 0 && (!self.unwatched || self.deadline.is_none_or(passed))
    }
}

impl Vm {
    /// Begins a stop; the state is stopping until [`Vm::end_stop`].
    #[cold]
    pub fn stop(&mut self, reason: StopReason) -> Throw {
        if !self.stopping() {
            let mut position = self.position(0);
            if position.is_empty() {
                position = self.position(1);
            }
            let traceback = self.traceback(None, 0);
            self.detail.stopping.stop = Some(Box::new(Stop { reason, position, traceback }));
            self.poll.raise(POLL_STOP);
        }
        self.thrown = STOP;
        Throw
    }

    /// Whether a stop is under way.
    #[inline]
    pub fn stopping(&self) -> bool {
        self.detail.stopping.stop.is_some()
    }

    /// The stop that is under way.
    pub fn current_stop(&self) -> Option<&Stop> {
        self.detail.stopping.stop.as_deref()
    }

    /// To be called by code that has caught an error, or called what catches them.
    ///
    /// # Errors
    /// The state is stopping.
    #[inline]
    pub fn check_stop(&mut self) -> Result<(), Throw> {
        if self.stopping() {
            self.thrown = STOP;
            return Err(Throw);
        }
        Ok(())
    }

    /// Ends a stop: for the host's outermost entry, when all frames of running code are gone. Requests that
    /// came meanwhile are dropped: they asked for the same. The hook of the main coroutine is removed.
    pub fn end_stop(&mut self) -> Option<Stop> {
        let stop = self.detail.stopping.stop.take()?;
        self.poll.lower(POLL_REQUESTS, self.native_limit);
        self.thrown = Value::NIL;
        if self.hook().mask != 0 {
            self.set_hook(Value::NIL, 0, 0);
        }
        Some(*stop)
    }

    /// The part of [`Vm::safepoint`] for requests from outside.
    #[cold]
    pub(crate) fn answer_requests(&mut self, poll: u32) -> Result<(), Throw> {
        self.check_stop()?;
        if poll & POLL_TIME != 0 {
            let stopping = &self.detail.stopping;
            if stopping.deadline.is_none() || !stopping.unwatched {
                self.poll.lower(POLL_TIME, self.native_limit);
            }
            if self.detail.stopping.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(self.stop(StopReason::TimeLimit));
            }
        }
        if poll & POLL_BREAK != 0 {
            self.poll.lower(POLL_BREAK, self.native_limit);
            return Err(self.runtime_error(b"interrupted!"));
        }
        if poll & POLL_INTERRUPT != 0 && !self.detail.stopping.asking {
            self.poll.lower(POLL_INTERRUPT, self.native_limit);
            let Some(ask) = self.detail.stopping.on_interrupt.clone() else {
                return Err(self.stop(StopReason::Interrupt));
            };
            self.heap.disturbances += 1;
            self.detail.stopping.asking = true;
            let answer = catch_unwind(AssertUnwindSafe(|| ask(self)));
            self.detail.stopping.asking = false;
            match answer {
                Ok(Some(reason)) => return Err(self.stop(reason)),
                // Code that it ran may have been stopped.
                Ok(None) => self.check_stop()?,
                Err(panic) => resume_unwind(panic),
            }
        }
        Ok(())
    }
}
