//! The native side of a coroutine: its stack, and switching to it and back.
//!
//! On x86-64 the switch is ours and part of the function that makes it. A library's is a function of its
//! own, and goes back by `ret`; but behind a switch the processor predicts every `ret` wrongly (what it
//! remembers of calls is the other stack's), while it does predict the jump here: the library's took
//! about 15 ns more for a resume with its yield. Elsewhere `corosensei` switches.
//!
//! ```text
//!   native stack of a suspended coroutine, and of its resumer while the coroutine runs:
//!     … frames | rbx | rbp | where to go on |  <- Context::other
//!   of a new one:
//!     0 | 0 | vm | thread | `first` |          <- Context::other
//! ```
//!
//! Nothing unwinds through the lowest frame of a coroutine: `run` catches all.

#[cfg(all(target_arch = "x86_64", unix))]
pub use own::Context;

#[cfg(not(all(target_arch = "x86_64", unix)))]
pub use library::Context;

#[cfg(all(target_arch = "x86_64", unix))]
mod own {
    use crate::object::Thread;
    use crate::stack::NativeStack;
    use crate::stack::call_on::on_left_stack;
    use crate::thread::{detail, run};
    use crate::vm::Vm;

    /// A coroutine's native stack, and where it stands.
    pub struct Context {
        stack: NativeStack,
        /// The stack pointer of the side that does not run: the coroutine's, or its resumer's.
        other: *mut u64,
        done: bool,
    }

    impl Context {
        /// Makes a coroutine of `thread` on the given stack. Begins with the first [`Context::resume`].
        pub fn new(stack: NativeStack, vm: *mut Vm, thread: *mut Thread) -> Context {
            let end = stack.end().cast::<u64>();
            let words = [first as *const () as u64, thread as u64, vm as u64, 0, 0];
            // SAFETY: the end of a stack that nobody uses, aligned to a page.
            let other = unsafe {
                let start = end.sub(words.len());
                start.cast::<[u64; 5]>().write(words);
                start
            };
            Context { stack, other, done: false }
        }

        /// Whether it has ended.
        pub fn done(&self) -> bool {
            self.done
        }

        /// The stack, of which nothing is needed any more.
        pub fn into_stack(self) -> NativeStack {
            self.stack
        }

        /// Runs the coroutine until it is suspended or done.
        ///
        /// # Safety
        /// It is suspended, and `this` does not move while it runs. `vm` is its state; what others know
        /// of that is void afterwards.
        #[inline(always)]
        pub unsafe fn resume(this: *mut Context, vm: *mut Vm) {
            // SAFETY: the caller's contract.
            unsafe { switch(&raw mut (*this).other, vm) }
        }

        /// Goes on with the resumer until the coroutine is resumed.
        ///
        /// # Safety
        /// It runs, on this native stack; otherwise as for [`Context::resume`].
        #[inline(always)]
        pub unsafe fn suspend(this: *mut Context, vm: *mut Vm) {
            // SAFETY: the caller's contract.
            unsafe { switch(&raw mut (*this).other, vm) }
        }

        /// Runs `body` on the resumer's stack, below what is on it.
        ///
        /// # Safety
        /// It runs or has resumed another one, and nothing of the resumer goes on meanwhile.
        pub unsafe fn on_resumer_stack<R>(
            this: *mut Context,
            body: impl FnOnce() -> R,
        ) -> std::thread::Result<R> {
            // SAFETY: the caller's contract: the resumer's stack was left there.
            unsafe { on_left_stack((*this).other as usize, body) }
        }
    }

    /// Goes on at the stack pointer in `other`, and leaves its own there.
    #[inline(always)]
    unsafe fn switch(other: *mut *mut u64, vm: *mut Vm) {
        // SAFETY: the caller's: there stands what a switch, or `Context::new`, has left. All registers but
        // the two that the compiler keeps for itself are declared as changed, and so is all memory, the
        // state's too, whose address the block is given.
        unsafe {
            core::arch::asm!(
                "push rbx",
                "push rbp",
                "lea rax, [rip + 2f]",
                "push rax",
                "mov rax, [rdi]",
                "mov [rdi], rsp",
                "mov rsp, rax",
                "pop rax",
                "jmp rax",
                "2:",
                "pop rbp",
                "pop rbx",
                inout("rdi") other => _,
                inout("rsi") vm => _,
                lateout("r12") _, lateout("r13") _, lateout("r14") _, lateout("r15") _,
                clobber_abi("sysv64"),
            );
        }
    }

    /// Where a new coroutine goes on.
    #[unsafe(naked)]
    unsafe extern "sysv64" fn first() {
        // The zeros that are left on the stack end every walk of it.
        core::arch::naked_asm!(
            "pop rdi",
            "pop rsi",
            "xor ebp, ebp",
            "call {root}",
            "ud2",
            root = sym root,
        )
    }

    /// The lowest function of a coroutine.
    unsafe extern "sysv64" fn root(thread: *mut Thread, vm: *mut Vm) -> ! {
        run(vm, thread);
        // SAFETY: the thread lives as long as its coroutine runs, and has a context, which is not gone on
        // with any more.
        unsafe {
            if let Some(context) = &mut (*detail(thread)).native {
                context.done = true;
                Context::suspend(context, vm);
            }
        }
        // A finished coroutine was resumed.
        std::process::abort()
    }
}

#[cfg(not(all(target_arch = "x86_64", unix)))]
mod library {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::ptr;

    use corosensei::{Coroutine, Yielder};

    use crate::object::Thread;
    use crate::stack::NativeStack;
    use crate::thread::{detail, run};
    use crate::vm::Vm;

    /// A coroutine's native stack, and where it stands.
    pub struct Context {
        coroutine: Coroutine<*mut Vm, *mut Vm, (), NativeStack>,
        yielder: Cell<*const Yielder<*mut Vm, *mut Vm>>,
    }

    impl Context {
        /// Makes a coroutine of `thread` on the given stack. Begins with the first [`Context::resume`].
        pub fn new(stack: NativeStack, _: *mut Vm, thread: *mut Thread) -> Context {
            let coroutine = Coroutine::with_stack(stack, move |yielder, vm| {
                // SAFETY: the thread lives as long as its coroutine runs.
                unsafe {
                    if let Some(context) = &(*detail(thread)).native {
                        context.yielder.set(yielder);
                    }
                }
                run(vm, thread);
            });
            Context { coroutine, yielder: Cell::new(ptr::null()) }
        }

        /// Whether it has ended.
        pub fn done(&self) -> bool {
            self.coroutine.done()
        }

        /// The stack, of which nothing is needed any more.
        pub fn into_stack(mut self) -> NativeStack {
            if !self.coroutine.done() {
                // SAFETY: nothing on the stack must be dropped.
                unsafe { self.coroutine.force_reset() };
            }
            self.coroutine.into_stack()
        }

        /// Runs the coroutine until it is suspended or done.
        ///
        /// # Safety
        /// It is suspended, and `this` does not move while it runs. `vm` is its state; what others know
        /// of that is void afterwards.
        #[inline(always)]
        pub unsafe fn resume(this: *mut Context, vm: *mut Vm) {
            // SAFETY: the caller's contract.
            unsafe { (*this).coroutine.resume(vm) };
        }

        /// Goes on with the resumer until the coroutine is resumed.
        ///
        /// # Safety
        /// It runs, on this native stack; otherwise as for [`Context::resume`].
        #[inline(always)]
        pub unsafe fn suspend(this: *mut Context, vm: *mut Vm) {
            // SAFETY: the caller's contract; the yielder is valid while the coroutine runs.
            unsafe { (*(*this).yielder.get()).suspend(vm) };
        }

        /// Runs `body` on the resumer's stack, below what is on it.
        ///
        /// # Safety
        /// It runs or has resumed another one, and nothing of the resumer goes on meanwhile.
        pub unsafe fn on_resumer_stack<R>(
            this: *mut Context,
            body: impl FnOnce() -> R,
        ) -> std::thread::Result<R> {
            /// The library asks for it lest somebody else's thread gets the yielder. This is the same.
            struct SameThread<T>(T);
            // SAFETY: see above.
            unsafe impl<T> Send for SameThread<T> {}
            let body = SameThread(body);
            let run = move || {
                let SameThread(body) = { body };
                SameThread(catch_unwind(AssertUnwindSafe(body)))
            };
            // SAFETY: the caller's contract; the yielder is valid while the coroutine runs.
            unsafe { (*(*this).yielder.get()).on_parent_stack(run).0 }
        }
    }
}
