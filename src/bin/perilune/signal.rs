//! Signals. Ctrl-C has the running chunk throw `interrupted!`; a second one while that is pending ends the process. Writing to
//! a pipe that nobody reads ends it at once, as it does other programs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use perilune::Lua;
use signal_hook::consts::{SIGINT, SIGPIPE};

/// While this holds, the signal has its default effect.
static FATAL: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Gives SIGPIPE its usual effect, which Rust's start takes away. A program's business, not the library's.
pub fn end_with_pipes() {
    // Without the handler writing fails, which is good enough.
    let _ =
        signal_hook::flag::register_conditional_default(SIGPIPE, Arc::new(AtomicBool::new(true)));
}

/// Prepares for Ctrl-C. Outside of [`guard`] it ends the process.
pub fn install(lua: &Lua) {
    let fatal = FATAL.get_or_init(|| Arc::new(AtomicBool::new(true)));
    let handle = lua.interrupt_handle();
    let raised = Arc::clone(fatal);
    let action = move || {
        raised.store(true, Ordering::SeqCst);
        handle.throw();
    };
    // Without the handler Ctrl-C ends the process, which is good enough.
    if signal_hook::flag::register_conditional_default(SIGINT, Arc::clone(fatal)).is_ok() {
        // SAFETY: the action only stores to atomics: `InterruptHandle::throw` may be called by
        // signal handlers.
        let _ = unsafe { signal_hook::low_level::register(SIGINT, action) };
    }
}

/// Runs a chunk that Ctrl-C interrupts.
pub fn guard<R>(run: impl FnOnce() -> R) -> R {
    let Some(fatal) = FATAL.get() else { return run() };
    fatal.store(false, Ordering::SeqCst);
    let result = run();
    fatal.store(true, Ordering::SeqCst);
    result
}
