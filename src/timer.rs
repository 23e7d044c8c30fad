//! Time limits: one thread for all states of the process wakes those whose time is up.
//!
//! It looks at a state when its first deadline is due. By then most calls have ended and others begun, so a
//! deadline is a number that the state's thread stores, and a state that calls Lua a million times a second
//! is queued once per limit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::interrupt::Shared;

/// How long after a state was woken it is looked at again.
const AGAIN: Duration = Duration::from_millis(10);

/// When a state is to be woken, as its own thread and the timer's see it.
#[derive(Default)]
pub(crate) struct Deadline {
    /// Nanoseconds since [`start`]; 0 for none.
    due: AtomicU64,
    /// The state is in the queue.
    queued: AtomicBool,
}

/// What deadlines count from.
fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

#[derive(Default)]
struct Timer {
    queue: Mutex<BTreeMap<(Instant, usize), Weak<Shared>>>,
    changed: Condvar,
}

/// The thread, started by the first that needs it.
fn timer() -> std::io::Result<&'static Timer> {
    static TIMER: OnceLock<Timer> = OnceLock::new();
    static STARTED: Mutex<bool> = Mutex::new(false);
    let timer = TIMER.get_or_init(Timer::default);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        std::thread::Builder::new()
            .name("perilune-timer".to_owned())
            .stack_size(128 << 10)
            .spawn(|| timer.run())?;
        *started = true;
    }
    Ok(timer)
}

/// Wakes the state at this time. False: there is no timer, since the system gives no thread.
pub(crate) fn wake(shared: &Arc<Shared>, at: Instant) -> bool {
    let deadline = &shared.deadline;
    let due = at.saturating_duration_since(start()).as_nanos();
    deadline.due.store(u64::try_from(due).unwrap_or(u64::MAX).max(1), Ordering::SeqCst);
    if !deadline.queued.load(Ordering::SeqCst) {
        let Ok(timer) = timer() else { return false };
        if !deadline.queued.swap(true, Ordering::SeqCst) {
            timer.push(at, Arc::downgrade(shared));
        }
    }
    true
}

/// Wakes the state no more.
pub(crate) fn forget(shared: &Shared) {
    shared.deadline.due.store(0, Ordering::SeqCst);
}

impl Timer {
    fn push(&self, at: Instant, shared: Weak<Shared>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.insert((at, shared.as_ptr() as usize), shared);
        self.changed.notify_one();
    }

    fn run(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let now = Instant::now();
            queue = match queue.first_entry() {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(first) if first.key().0 > now => {
                    let pause = first.key().0 - now;
                    let waited = self.changed.wait_timeout(queue, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Some(first) => {
                    let shared = first.remove();
                    drop(queue);
                    if let Some(state) = shared.upgrade()
                        && let Some(next) = look(&state, now)
                    {
                        self.push(next, shared);
                    }
                    self.queue.lock().unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

/// Wakes a state if its time is up. Returns when to look again.
fn look(shared: &Shared, now: Instant) -> Option<Instant> {
    let deadline = &shared.deadline;
    loop {
        let due = deadline.due.load(Ordering::SeqCst);
        if due == 0 {
            deadline.queued.store(false, Ordering::SeqCst);
            // Another call may have begun before it could see that.
            if deadline.due.load(Ordering::SeqCst) == 0
                || deadline.queued.swap(true, Ordering::SeqCst)
            {
                return None;
            }
            continue;
        }
        return match start().checked_add(Duration::from_nanos(due)) {
            Some(at) if at > now => Some(at),
            _ => {
                shared.raise(perilune_runtime::vm::POLL_TIME);
                Some(now + AGAIN)
            }
        };
    }
}
