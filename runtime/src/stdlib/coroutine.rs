//! The library `coroutine` (manual §6.2).

use crate::heap::ByteBuffer;
use crate::native::Registration;
use crate::object::{Table, Thread};
use crate::thread::{self, Status};
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// The functions of the library.
pub const FUNCTIONS: &[Registration] = &[
    ("close", close, 0),
    ("create", create, 0),
    ("isyieldable", is_yieldable, 0),
    ("resume", resume, RESUME),
    ("running", running, 0),
    ("status", status, 0),
    ("wrap", wrap, 0),
    ("yield", yield_, YIELD),
];

/// The functions that switch stacks have numbers (`NativeFunction::intrinsic`) from this on, beyond those
/// of intrinsics. [`switch`] is what they do.
pub const SWITCHES: u32 = u32::MAX - 2;
const YIELD: u32 = SWITCHES;
const RESUME: u32 = SWITCHES + 1;
const WRAPPED: u32 = SWITCHES + 2;

/// Does what the native function with such a number does, as part of the caller: see [`thread::resume`].
///
/// # Errors
/// What the function throws.
#[inline(always)]
pub fn switch(vm: &mut Vm, number: u32, args: Args) -> Result<u32, Throw> {
    match number {
        YIELD => yield_(vm, args),
        RESUME => resume(vm, args),
        _ => call_wrapped(vm, args),
    }
}

/// Makes the library's table.
pub fn open(vm: &mut Vm) -> *mut Table {
    let library = vm.heap.new_table(0, FUNCTIONS.len());
    vm.register(library, FUNCTIONS);
    library
}

#[inline]
fn check_thread(vm: &mut Vm, args: Args) -> Result<*mut Thread, Throw> {
    match args.get(1).as_thread() {
        Some(thread) => Ok(thread),
        None => Err(args.type_error(vm, 1, "thread")),
    }
}

fn create(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let function = args.check_function(vm, 1)?;
    let thread = thread::new_thread(vm, function);
    args.ret1(Value::thread(thread))
}

#[inline(always)]
fn resume(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let thread = check_thread(vm, args)?;
    let values = &args.slice()[1..];
    // SAFETY: results may overwrite this frame, link slot first, once the arguments have been taken;
    // nothing looks at the frame between that and the return.
    match unsafe { thread::resume(vm, thread, values, args.base.sub(1)) } {
        Ok(count) => {
            // SAFETY: the callee slot.
            unsafe { *args.base.sub(2) = Value::TRUE };
            Ok(count + 1)
        }
        Err(error) => refuse(vm, args, error),
    }
}

/// `false` and the error.
#[cold]
#[inline(never)]
fn refuse(vm: &mut Vm, args: Args, error: Value) -> Result<u32, Throw> {
    vm.check_stop()?;
    args.ret2(Value::FALSE, error)
}

#[inline(always)]
fn yield_(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    thread::yield_values(vm, args, args.slice())
}

fn wrap(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let function = args.check_function(vm, 1)?;
    let thread = thread::new_thread(vm, function);
    let wrapped = vm.native_with(call_wrapped, WRAPPED, &[Value::thread(thread)]);
    args.ret1(wrapped)
}

#[inline(always)]
fn call_wrapped(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let Some(thread) = args.upvalue(0).as_thread() else { return args.ret0() };
    // SAFETY: as in `resume`.
    match unsafe { thread::resume(vm, thread, args.slice(), args.base.sub(2)) } {
        Ok(0) => args.ret0(),
        Ok(count) => Ok(count),
        Err(error) => Err(wrapped_error(vm, thread, error)),
    }
}

/// Closes the coroutine where it failed, and throws the error with the caller's position in front.
#[cold]
#[inline(never)]
fn wrapped_error(vm: &mut Vm, thread: *mut Thread, mut error: Value) -> Throw {
    let failed = thread::status(thread) == Status::Dead && thread::has_failed(thread);
    if failed && let Err(e) = thread::close(vm, thread) {
        error = e;
    }
    if let Some(message) = error.as_string()
        && message != vm.heap.memory_message
    {
        vm.push(error);
        let position = vm.position(1);
        let text = super::bytes_of(vm, message)
            .and_then(|bytes| ByteBuffer::concat(vm, &[&position, bytes]))
            .and_then(|text| vm.try_string(&text));
        match text {
            Ok(text) => error = text,
            Err(throw) => return throw,
        }
    }
    vm.throw(error)
}

fn status(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let thread = check_thread(vm, args)?;
    args.ret1(Value::string(vm.heap.status_names.get(thread::status(thread))))
}

fn running(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    args.ret2(Value::thread(vm.current), Value::bool(vm.current == vm.main))
}

fn is_yieldable(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let answer = if args.is_none(1) {
        thread::is_yieldable(vm)
    } else {
        let thread = check_thread(vm, args)?;
        if thread == vm.current { thread::is_yieldable(vm) } else { thread != vm.main }
    };
    args.ret1(Value::bool(answer))
}

fn close(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let thread = check_thread(vm, args)?;
    match thread::status(thread) {
        Status::Suspended | Status::Dead => match thread::close(vm, thread) {
            Ok(()) => args.ret1(Value::TRUE),
            Err(error) => refuse(vm, args, error),
        },
        Status::Running => Err(vm.error("cannot close a running coroutine")),
        Status::Normal => Err(vm.error("cannot close a normal coroutine")),
    }
}
