//! Ctrl-C: interrupts the running chunk; a second one while that is pending ends the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use perilune::Lua;
use signal_hook::consts::SIGINT;

/// While this holds, the signal has its default effect.
static FATAL: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Prepares for the signal. Outside of [`guard`] it ends the process.
pub fn install(lua: &Lua) {
    let fatal = FATAL.get_or_init(|| Arc::new(AtomicBool::new(true)));
    let handle = lua.interrupt_handle();
    let raised = Arc::clone(fatal);
    let action = move || {
        raised.store(true, Ordering::SeqCst);
        handle.interrupt();
    };
    // Without the handler Ctrl-C ends the process, which is good enough.
    if signal_hook::flag::register_conditional_default(SIGINT, Arc::clone(fatal)).is_ok() {
        // SAFETY: the action only stores to atomics: `InterruptHandle::interrupt` may be called by
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
