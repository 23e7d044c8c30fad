//! Stopping a running program from outside: other threads, signal handlers.

use std::fmt;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use perilune_runtime::vm::{POLL_INTERRUPT, Poll};

/// The way to a state's poll word as long as that exists.
pub(crate) struct Shared {
    poll: AtomicPtr<Poll>,
    /// Threads that are using `poll` right now.
    users: AtomicU32,
}

impl Shared {
    /// # Safety
    /// `poll` stays valid until [`Shared::detach`].
    pub unsafe fn new(poll: *const Poll) -> Shared {
        Shared { poll: AtomicPtr::new(poll.cast_mut()), users: AtomicU32::new(0) }
    }

    /// The state goes away. Waits for those who are using the word: a few instructions.
    pub fn detach(&self) {
        self.poll.store(ptr::null_mut(), Ordering::SeqCst);
        while self.users.load(Ordering::SeqCst) != 0 {
            std::hint::spin_loop();
        }
    }
}

/// Interrupts the code that a [`Lua`](crate::Lua) runs, from any thread.
///
/// Running code, compiled or interpreted, notices at the next call or loop turn. By default it
/// then throws the error `interrupted!`; see [`Lua::set_interrupt`](crate::Lua::set_interrupt).
/// When no code is running, the next that runs is interrupted.
///
/// # Examples
///
/// ```
/// use perilune::Lua;
/// use std::time::Duration;
///
/// let lua = Lua::new();
/// let handle = lua.interrupt_handle();
/// std::thread::spawn(move || {
///     std::thread::sleep(Duration::from_millis(20));
///     handle.interrupt();
/// });
/// let error = lua.load("while true do end").exec().unwrap_err();
/// assert!(error.to_string().contains("interrupted!"));
/// ```
#[derive(Clone)]
pub struct InterruptHandle(pub(crate) Arc<Shared>);

impl InterruptHandle {
    /// Asks the running code to stop. Does nothing once the state is gone.
    ///
    /// Takes no lock and allocates nothing, so a signal handler may call it.
    pub fn interrupt(&self) {
        let shared = &*self.0;
        shared.users.fetch_add(1, Ordering::SeqCst);
        let poll = shared.poll.load(Ordering::SeqCst);
        if !poll.is_null() {
            // SAFETY: `detach` has not returned: it waits for `users`, which was raised before
            // the pointer was read.
            unsafe { (*poll).raise(POLL_INTERRUPT) };
        }
        shared.users.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InterruptHandle")
    }
}
