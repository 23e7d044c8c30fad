//! A call on another native stack: unlike a coroutine it ends before its caller goes on.
//!
//! ```text
//!   caller's stack    … frames | rbp |      <- left
//!   other stack       | work's frames …     from its end, or from where it was left, downwards
//! ```
//!
//! Nothing unwinds through it: panics are carried across.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::NativeStack;

/// A closure and what it returned.
struct Job<F, R> {
    body: Option<F>,
    result: Option<std::thread::Result<R>>,
}

impl<F: FnOnce() -> R, R> Job<F, R> {
    fn new(body: F) -> Job<F, R> {
        Job { body: Some(body), result: None }
    }

    fn work(&mut self) {
        if let Some(body) = self.body.take() {
            self.result = Some(catch_unwind(AssertUnwindSafe(body)));
        }
    }

    fn result(self) -> std::thread::Result<R> {
        self.result.expect("the work was done")
    }
}

/// Runs `body` on a stack of the pool. Where the running stack is left is stored in `left` before.
///
/// # Safety
/// `left` may be written.
pub(super) unsafe fn on_pool_stack<R>(
    stack: &NativeStack,
    left: *mut usize,
    body: impl FnOnce() -> R,
) -> std::thread::Result<R> {
    let mut job = Job::new(body);
    // SAFETY: the pool has given the stack away: nobody else uses it. The caller's contract.
    unsafe { switched(stack.end() as usize, left, &mut job) };
    job.result()
}

/// Runs `body` on a stack that was left with this stack pointer.
///
/// # Safety
/// Nothing goes on there before this returns.
pub(crate) unsafe fn on_left_stack<R>(
    pointer: usize,
    body: impl FnOnce() -> R,
) -> std::thread::Result<R> {
    let mut job = Job::new(body);
    let mut left = 0;
    // SAFETY: the caller's contract: what is below the pointer is free.
    unsafe { switched(pointer & !15, &mut left, &mut job) };
    job.result()
}

#[cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
unsafe fn switched<F: FnOnce() -> R, R>(top: usize, left: *mut usize, job: &mut Job<F, R>) {
    unsafe extern "C" fn work<F: FnOnce() -> R, R>(job: *mut u8) {
        // SAFETY: the job of the call below, which nobody else uses meanwhile.
        unsafe { (*job.cast::<Job<F, R>>()).work() }
    }
    // SAFETY: the caller's: below `top` is free memory of a stack, aligned to 16 bytes.
    unsafe { call(std::ptr::from_mut(job).cast(), work::<F, R>, top, left) }
}

/// Calls `work(job)` with the stack pointer `top`.
#[cfg(all(unix, target_arch = "x86_64", not(miri)))]
#[unsafe(naked)]
unsafe extern "C" fn call(
    job: *mut u8,
    work: unsafe extern "C" fn(*mut u8),
    top: usize,
    left: *mut usize,
) {
    core::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "mov [rcx], rsp",
        "mov rsp, rdx",
        "call rsi",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
    )
}

/// Calls `work(job)` with the stack pointer `top`.
#[cfg(all(unix, target_arch = "aarch64", not(miri)))]
#[unsafe(naked)]
unsafe extern "C" fn call(
    job: *mut u8,
    work: unsafe extern "C" fn(*mut u8),
    top: usize,
    left: *mut usize,
) {
    core::arch::naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "str x29, [x3]",
        "mov sp, x2",
        "blr x1",
        "mov sp, x29",
        "ldp x29, x30, [sp], #16",
        "ret",
    )
}

/// Without a switch of our own the running stack must do.
#[cfg(not(all(unix, any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
unsafe fn switched<F: FnOnce() -> R, R>(_: usize, _: *mut usize, job: &mut Job<F, R>) {
    job.work();
}
