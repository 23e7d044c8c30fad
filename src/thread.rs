//! Coroutines.

use perilune_runtime::frame::Frames;
use perilune_runtime::object::Thread as RawThread;
use perilune_runtime::thread::{self as raw, Status};
use perilune_runtime::value::Value as Raw;
use perilune_runtime::vm::{Throw, Vm};

use crate::error::{Error, Result};
use crate::lua::Lua;
use crate::multi::{FromLuaMulti, IntoLuaMulti, MultiValue};
use crate::state::{Handle, Noted};
use crate::value::handle_type;

/// A coroutine.
///
/// # Examples
///
/// ```
/// use perilune::{Function, Lua, ThreadStatus};
///
/// let lua = Lua::new();
/// let body: Function = lua
///     .load("function(a) local b = coroutine.yield(a + 1); return a * b end")
///     .eval()
///     .unwrap();
/// let thread = lua.create_thread(body).unwrap();
/// assert_eq!(thread.resume::<i64>(6).unwrap(), 7);
/// assert_eq!(thread.status(), ThreadStatus::Resumable);
/// assert_eq!(thread.resume::<i64>(10).unwrap(), 60);
/// assert_eq!(thread.status(), ThreadStatus::Finished);
/// ```
#[derive(Clone)]
pub struct Thread(pub(crate) Handle);

handle_type!(Thread);

/// What a coroutine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ThreadStatus {
    /// Not started, or in a yield.
    Resumable,
    /// It is the one that runs.
    Running,
    /// It has resumed another one, which runs.
    Normal,
    /// Finished or closed.
    Finished,
    /// It died from an error.
    Failed,
}

/// The error with which a coroutine died, and the coroutine's own traceback.
fn failed(lua: &Lua, vm: &mut Vm, thread: *mut RawThread, error: Raw) -> Throw {
    if let Some((base, top, pc)) = raw::innermost_frame(vm, thread) {
        let text = vm.traceback_of(Frames::new(base, pc, top), None, 0);
        let traceback = String::from_utf8_lossy(&text).into_owned();
        lua.0.noted.replace(Some(Noted { message: None, traceback }));
    }
    vm.thrown = error;
    Throw
}

impl Thread {
    fn raw(&self, vm: &Vm) -> *mut RawThread {
        self.0.raw(vm).ptr()
    }

    /// Starts the coroutine or goes on with it; answers what it yields or returns.
    ///
    /// # Errors
    /// What it throws; it is not resumable.
    pub fn resume<R: FromLuaMulti>(&self, args: impl IntoLuaMulti) -> Result<R> {
        let lua = &self.0.lua;
        let args = args.into_lua_multi(lua)?;
        lua.check_all(args.as_slice())?;
        let results = lua.run(|vm| {
            let thread = self.raw(vm);
            if vm.c_depth + 1 >= perilune_runtime::state::MAX_C_DEPTH {
                return Err(vm.error("C stack overflow"));
            }
            let first = vm.frame_end();
            vm.ensure_stack(first, args.len())?;
            let mut dest = first;
            for arg in args.iter() {
                let raw = lua.push_in(vm, arg);
                // SAFETY: room was made.
                unsafe { dest.write(raw) };
                dest = dest.wrapping_add(1);
            }
            let top = std::mem::replace(&mut vm.top, dest);
            vm.c_depth += 1;
            // SAFETY: the values stand above the current frame, which now ends above them. The handle
            // keeps the thread.
            let result = unsafe {
                let args = std::slice::from_raw_parts(first, args.len());
                raw::resume(vm, thread, args, dest)
            };
            vm.top = top;
            vm.c_depth -= 1;
            match result {
                Ok(count) => {
                    let pull = |i: u32| {
                        // SAFETY: `count` values were stored there.
                        lua.pull(vm, unsafe { *dest.add(i as usize) })
                    };
                    Ok((0..count).map(pull).collect::<MultiValue>())
                }
                Err(error) => Err(failed(lua, vm, thread, error)),
            }
        })?;
        R::from_lua_multi(results, lua).map_err(Error::of_results)
    }

    /// What it is doing.
    pub fn status(&self) -> ThreadStatus {
        self.0.lua.with(|vm| {
            let thread = self.raw(vm);
            match raw::status(thread) {
                Status::Suspended => ThreadStatus::Resumable,
                Status::Running => ThreadStatus::Running,
                Status::Normal => ThreadStatus::Normal,
                Status::Dead if raw::has_failed(thread) => ThreadStatus::Failed,
                Status::Dead => ThreadStatus::Finished,
            }
        })
    }

    /// Ends a suspended or dead coroutine: closes its pending variables.
    ///
    /// # Errors
    /// The error with which it had died, or which closing threw; it is running.
    pub fn close(&self) -> Result<()> {
        let lua = &self.0.lua;
        if matches!(self.status(), ThreadStatus::Running | ThreadStatus::Normal) {
            return Err(Error::runtime("cannot close a running coroutine"));
        }
        lua.run(|vm| {
            let thread = self.raw(vm);
            match raw::close(vm, thread) {
                Ok(()) => Ok(()),
                Err(error) => {
                    vm.thrown = error;
                    Err(Throw)
                }
            }
        })
    }

    /// The coroutine's traceback.
    pub fn traceback(&self) -> String {
        self.0.lua.with(|vm| {
            let thread = self.raw(vm);
            let Some((base, top, pc)) = raw::innermost_frame(vm, thread) else {
                return "stack traceback:".to_owned();
            };
            let text = vm.traceback_of(Frames::new(base, pc, top), None, 0);
            String::from_utf8_lossy(&text).into_owned()
        })
    }
}

/// A new coroutine.
pub(crate) fn create(lua: &Lua, function: &crate::function::Function) -> Result<Thread> {
    lua.with(|vm| function.0.raw_for(lua, vm))?;
    lua.allocate(|vm| {
        let f = function.0.raw(vm);
        let thread = raw::new_thread(vm, f);
        Thread(lua.handle(vm, Raw::thread(thread)))
    })
}
