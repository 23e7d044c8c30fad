//! Coroutines.

use crate::object::{Kind, Thread};
use crate::state::StackState;
use crate::vm::Vm;

/// State of a coroutine.
pub struct ThreadDetail {
    /// Its stack while it does not run; the running coroutine's is in [`Vm`].
    pub stack: Option<Box<StackState>>,
}

/// Makes the main coroutine's object. Its stack is the one that the state starts with.
pub fn new_main(vm: &mut Vm) -> *mut Thread {
    let header = vm.heap.header(Kind::Thread);
    let detail = Box::new(ThreadDetail { stack: None });
    vm.heap.alloc_with(Kind::Thread, 0, Thread { header, detail })
}
