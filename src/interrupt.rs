//! Stopping a running program from outside: other threads, signal handlers.

use std::fmt;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use perilune_runtime::vm::{POLL_BREAK, POLL_INTERRUPT, Poll};

use crate::timer::Deadline;

/// The way to a state's poll word as long as that exists.
pub(crate) struct Shared {
    poll: AtomicPtr<Poll>,
    /// Threads that are using `poll` right now.
    users: AtomicU32,
    /// When the timer is to wake the state.
    pub deadline: Deadline,
}

impl Shared {
    /// # Safety
    /// `poll` stays valid until [`Shared::detach`].
    pub unsafe fn new(poll: *const Poll) -> Shared {
        Shared {
            poll: AtomicPtr::new(poll.cast_mut()),
            users: AtomicU32::new(0),
            deadline: Deadline::default(),
        }
    }

    /// The state goes away. Waits for those who are using the word: a few instructions.
    pub fn detach(&self) {
        self.poll.store(ptr::null_mut(), Ordering::SeqCst);
        while self.users.load(Ordering::SeqCst) != 0 {
            std::hint::spin_loop();
        }
    }

    /// Raises bits of the poll word.
    pub fn raise(&self, bits: u32) {
        self.use_poll(|poll| poll.raise(bits));
    }

    /// Uses the poll word if the state is still there.
    fn use_poll(&self, f: impl FnOnce(&Poll)) {
        self.users.fetch_add(1, Ordering::SeqCst);
        let poll = self.poll.load(Ordering::SeqCst);
        if !poll.is_null() {
            // SAFETY: `detach` has not returned: it waits for `users`, which was raised before
            // the pointer was read.
            f(unsafe { &*poll });
        }
        self.users.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Interrupts the code that a [`Lua`](crate::Lua) runs, from any thread.
///
/// Running code, compiled or interpreted, notices at the next call or loop turn. By default it
/// then *stops*: all of it ends, no `pcall` can catch that, and the host's outermost call fails with
/// [`Error::Stopped`](crate::Error::Stopped). See [`Stopped`](crate::Stopped) for what that means, and
/// [`Lua::set_interrupt`](crate::Lua::set_interrupt) for another answer.
/// When no code is running, the next that runs is interrupted, unless the request is
/// [taken back](InterruptHandle::clear).
///
/// # Examples
///
/// ```
/// use perilune::{Error, Lua};
/// use std::time::Duration;
///
/// let lua = Lua::new();
/// let handle = lua.interrupt_handle();
/// std::thread::spawn(move || {
///     std::thread::sleep(Duration::from_millis(20));
///     handle.interrupt();
/// });
/// let error = lua.load("while true do pcall(error) end").exec().unwrap_err();
/// assert!(matches!(error, Error::Stopped(_)));
/// assert_eq!(lua.load("1 + 1").eval::<i32>().unwrap(), 2);
/// ```
#[derive(Clone)]
pub struct InterruptHandle(pub(crate) Arc<Shared>);

impl InterruptHandle {
    /// Asks the running code to stop. Does nothing once the state is gone.
    ///
    /// Takes no lock and allocates nothing, so a signal handler may call it.
    pub fn interrupt(&self) {
        self.0.raise(POLL_INTERRUPT);
    }

    /// Has the running code throw the error `interrupted!`, which it can catch: what `lua` does at Ctrl-C. Code
    /// that is not trusted is [stopped](InterruptHandle::interrupt) instead.
    ///
    /// As safe in signal handlers as that.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// let handle = lua.interrupt_handle();
    /// let press = lua.create_function(move |_, ()| {
    ///     handle.throw();
    ///     Ok(())
    /// });
    /// lua.globals().set("press", press.unwrap()).unwrap();
    /// let program = "return pcall(function() press() while true do end end)";
    /// let (ok, message): (bool, String) = lua.load(program).eval().unwrap();
    /// assert!(!ok && message.ends_with("interrupted!"));
    /// ```
    pub fn throw(&self) {
        self.0.raise(POLL_BREAK);
    }

    /// Takes back requests that running code has not noticed yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// let handle = lua.interrupt_handle();
    /// handle.interrupt();
    /// handle.clear();
    /// assert!(lua.load("for i = 1, 10 do end").exec().is_ok());
    /// ```
    pub fn clear(&self) {
        self.0.use_poll(|poll| poll.withdraw(POLL_INTERRUPT | POLL_BREAK));
    }
}

impl fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InterruptHandle")
    }
}
