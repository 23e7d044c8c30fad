//! Time limits: one thread for all states of the process wakes those whose time is up.
//!
//! It looks at a state when its first deadline is due. By then most calls have ended and others begun, so a
//! deadline is a number that the state's thread stores, and a state that calls Lua a million times a second
//! is queued once per limit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use perilune_runtime::vm::POLL_TIME;

use crate::interrupt::Shared;

/// Nanoseconds after which a state that was woken is looked at again.
const AGAIN: u64 = 10_000_000;

/// When a state is to be woken, as its own thread and the timer's see it. All times are nanoseconds since
/// [`start`]; 0 stands for none.
#[derive(Default)]
pub(crate) struct Deadline {
    due: AtomicU64,
    /// When the timer will look at the state: not after `due`.
    look: AtomicU64,
}

/// What times count from.
fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// A time as a number.
fn number(at: Instant) -> u64 {
    let nanos = at.saturating_duration_since(start()).as_nanos();
    u64::try_from(nanos).unwrap_or(u64::MAX).max(1)
}

/// States by when to look at them, and address.
type Queue = BTreeMap<(u64, usize), Weak<Shared>>;

#[derive(Default)]
struct Timer {
    queue: Mutex<Queue>,
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
    let due = number(at);
    deadline.due.store(due, Ordering::SeqCst);
    let look = deadline.look.load(Ordering::SeqCst);
    if look == 0 || due < look {
        let Ok(timer) = timer() else { return false };
        let mut queue = timer.lock();
        let address = Arc::as_ptr(shared) as usize;
        queue.remove(&(deadline.look.load(Ordering::SeqCst), address));
        queue.insert((due, address), Arc::downgrade(shared));
        deadline.look.store(due, Ordering::SeqCst);
        timer.changed.notify_one();
    }
    true
}

/// Wakes the state no more.
pub(crate) fn forget(shared: &Shared) {
    shared.deadline.due.store(0, Ordering::SeqCst);
}

impl Timer {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut queue = self.lock();
        loop {
            let now = number(Instant::now());
            queue = match queue.first_entry() {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(first) if first.key().0 > now => {
                    let pause = Duration::from_nanos(first.key().0 - now);
                    let waited = self.changed.wait_timeout(queue, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Some(first) => {
                    let ((_, address), weak) = first.remove_entry();
                    if let Some(shared) = weak.upgrade()
                        && let Some(next) = look(&shared, now)
                    {
                        queue.insert((next, address), weak);
                    }
                    queue
                }
            };
        }
    }
}

/// Wakes a state if its time is up. Returns when to look again.
fn look(shared: &Shared, now: u64) -> Option<u64> {
    let deadline = &shared.deadline;
    loop {
        let next = match deadline.due.load(Ordering::SeqCst) {
            0 => 0,
            due if due > now => due,
            _ => {
                shared.raise(POLL_TIME);
                now + AGAIN
            }
        };
        deadline.look.store(next, Ordering::SeqCst);
        if next != 0 {
            return Some(next);
        }
        // Another call may have begun before it could see that it is to queue itself.
        if deadline.due.load(Ordering::SeqCst) == 0 {
            return None;
        }
    }
}
