//! Calls from Rust, protected calls, closing of variables, loading of chunks.
//!
//! A *call window* is a run of stack slots above everything the caller still needs:
//! `func` (the callee), a link slot, the arguments. [`Vm::call_window`] is the one primitive; every
//! other way to call builds a window and uses it. Results replace the window from `func` upwards.

use std::ptr;
use std::sync::atomic::Ordering;

use crate::hooks;
use crate::interp;
use crate::meta::Metamethod;
use crate::object::{Kind, NativeFunction, Upvalue};
use crate::state::{MAX_C_DEPTH, MAX_C_DEPTH_IN_ERROR, NATIVE_ROOM};
use crate::stdlib::coroutine::switch;
use crate::stop::STOP;
use crate::thread::KILL;
use crate::value::Value;
use crate::vm::{Args, Link, POLL_HOOK, Results, Throw, Vm};

/// How far below `Vm::native_limit` Rust code may recurse. A native stack must hold at least twice
/// this below its limit.
pub const RUST_RESERVE: usize = 48 << 10;

/// An address in the current native frame.
#[inline(always)]
pub fn native_position() -> usize {
    let here = 0u8;
    &raw const here as usize
}

impl Vm {
    /// Calls the function at `func` with `nargs` arguments in `func[2 ..]`; `n` results are then at
    /// `func[0 .. n]` (nil at `func[0]` if there are none). The current frame is restored, also
    /// when the function throws.
    ///
    /// # Safety
    /// `base` (and `pc`, for a Lua frame) describe the running frame; the window lies above all
    /// slots that are still needed, and within the stack.
    ///
    /// # Errors
    /// What the function throws.
    pub unsafe fn call_window(&mut self, func: *mut Value, nargs: u32) -> Result<u32, Throw> {
        let (base, top, pc, depth) = (self.base, self.top, self.pc, self.c_depth);
        self.c_depth = depth + 1;
        let result = if depth + 1 >= MAX_C_DEPTH
            || native_position() < self.native_limit.saturating_sub(RUST_RESERVE)
        {
            // SAFETY: the caller's contract.
            self.check_depth().and_then(|()| unsafe { self.call_any(func, nargs) })
        } else {
            // SAFETY: the caller's contract.
            unsafe { self.call_any(func, nargs) }
        };
        self.base = base;
        self.top = top;
        self.pc = pc;
        self.c_depth = depth;
        result
    }

    /// Throws when Rust recursion is too deep.
    #[cold]
    fn check_depth(&mut self) -> Result<(), Throw> {
        let low = self.native_limit.saturating_sub(RUST_RESERVE);
        if native_position() < low.saturating_sub(RUST_RESERVE / 2)
            || self.c_depth >= MAX_C_DEPTH_IN_ERROR
        {
            self.thrown = self.string(b"error in error handling");
            return Err(Throw);
        }
        if self.c_depth == MAX_C_DEPTH || native_position() < low {
            return Err(self.runtime_error(b"C stack overflow"));
        }
        Ok(())
    }

    /// [`Vm::call_window`] without counting, for calls by Lua frames that run compiled code.
    ///
    /// # Safety
    /// As there.
    ///
    /// # Errors
    /// What the function throws.
    #[inline]
    pub unsafe fn call_uncounted(&mut self, func: *mut Value, nargs: u32) -> Result<u32, Throw> {
        if native_position() < self.native_limit.saturating_sub(RUST_RESERVE) {
            self.check_depth()?;
        }
        // SAFETY: the caller's contract.
        unsafe { self.call_any(func, nargs) }
    }

    /// [`Vm::call_window`] without saving the frame.
    ///
    /// # Safety
    /// As there.
    unsafe fn call_any(&mut self, func: *mut Value, mut nargs: u32) -> Result<u32, Throw> {
        // SAFETY: the window is valid (caller's contract); callees found in it are live.
        unsafe {
            loop {
                let f = *func;
                if f.is_function() {
                    let base = func.add(2);
                    let delta = base.offset_from(self.base) as usize;
                    *base.sub(1) = Value(Link::new(self.pc, delta, Link::BOUNDARY).0);
                    if f.kind() == Kind::LuaClosure {
                        return interp::enter(self, base, nargs);
                    }
                    let link = *base.sub(1);
                    if self.poll.load(Ordering::Relaxed) & POLL_HOOK != 0 {
                        self.base = base;
                        self.top = base.wrapping_add(nargs as usize);
                        hooks::on_native_call(self)?;
                    }
                    let count = self.call_native(f.ptr(), base, nargs)?;
                    if self.poll.load(Ordering::Relaxed) & POLL_HOOK != 0 {
                        hooks::on_native_return(self, base, f, link, count)?;
                    }
                    return Ok(count);
                }
                nargs = self.insert_call_metamethod(func, nargs)?;
            }
        }
    }

    /// Runs a native function on a frame whose header and arguments are in place.
    ///
    /// # Safety
    /// `base` is a frame with `nargs` arguments and a proper link; `native` is its callee.
    #[inline(always)]
    pub unsafe fn call_native(
        &mut self,
        native: *mut NativeFunction,
        base: *mut Value,
        nargs: u32,
    ) -> Result<u32, Throw> {
        // SAFETY: the callee is live.
        let function = unsafe { (*native).function };
        self.enter_native(base, nargs)?;
        function(self, Args { base, count: nargs })
    }

    /// Makes the frame at `base` of a native function the current one.
    #[inline(always)]
    fn enter_native(&mut self, base: *mut Value, nargs: u32) -> Result<(), Throw> {
        let top = base.wrapping_add(nargs as usize);
        self.base = base;
        self.top = top;
        let end = top.wrapping_add(NATIVE_ROOM);
        if end > self.stack_limit { self.grow_stack(end) } else { Ok(()) }
    }

    /// [`Vm::call_native`] of a function that switches stacks, as part of the caller.
    ///
    /// # Safety
    /// As there; the callee's number is from `SWITCHES` on.
    #[inline(always)]
    pub unsafe fn call_switch(
        &mut self,
        native: *mut NativeFunction,
        base: *mut Value,
        nargs: u32,
    ) -> Result<u32, Throw> {
        // SAFETY: the callee is live.
        let number = unsafe { (*native).intrinsic };
        self.enter_native(base, nargs)?;
        switch(self, number, Args { base, count: nargs })
    }

    /// Makes the `__call` metamethod of the value at `func` the callee, and the value its first
    /// argument. Answers the new number of arguments.
    ///
    /// # Safety
    /// A valid call window; `base` and `pc` describe the caller.
    ///
    /// # Errors
    /// `attempt to call a … value`
    #[cold]
    #[inline(never)]
    pub unsafe fn insert_call_metamethod(
        &mut self,
        func: *mut Value,
        nargs: u32,
    ) -> Result<u32, Throw> {
        // SAFETY: the caller's contract; room is made for one more slot.
        unsafe {
            let f = *func;
            let handler = self.metamethod(f, Metamethod::Call);
            if handler.is_nil() {
                return Err(self.call_error(func));
            }
            self.ensure_stack(func, nargs as usize + 3)?;
            ptr::copy(func.add(2), func.add(3), nargs as usize);
            *func.add(2) = f;
            *func = handler;
            Ok(nargs + 1)
        }
    }

    /// Puts a value into the running native function's frame, so that it survives calls back into
    /// Lua. A frame has room for 32 pushed values; [`Vm::ensure_stack`] makes more.
    #[inline]
    pub fn push(&mut self, v: Value) -> *mut Value {
        let slot = self.top;
        debug_assert!(slot < self.stack_limit);
        // SAFETY: frames have NATIVE_ROOM slots above their arguments (see `call_native`).
        unsafe { *slot = v };
        self.top = slot.wrapping_add(1);
        slot
    }

    /// Takes back values pushed.
    #[inline]
    pub fn pop(&mut self, n: usize) {
        self.top = self.top.wrapping_sub(n);
    }

    /// Calls any value from Rust with the given arguments, all results.
    ///
    /// # Errors
    /// What the function throws.
    pub fn call(&mut self, f: Value, args: &[Value]) -> Result<Results, Throw> {
        let func = self.frame_end();
        self.ensure_stack(func, args.len() + 2)?;
        // SAFETY: the window lies above the current frame, and room was made.
        unsafe {
            *func = f;
            ptr::copy(args.as_ptr(), func.add(2), args.len());
            let count = self.call_window(func, args.len() as u32)?;
            Ok(Results { first: func, count })
        }
    }

    /// Calls and keeps the first result only (nil if there is none).
    ///
    /// # Errors
    /// What the function throws.
    #[inline]
    pub fn call1(&mut self, f: Value, args: &[Value]) -> Result<Value, Throw> {
        // SAFETY: by the result protocol the first slot is valid even without results.
        self.call(f, args).map(|results| unsafe { *results.first })
    }

    /// Calls and collects all results.
    ///
    /// # Errors
    /// What the function throws.
    pub fn call_values(&mut self, f: Value, args: &[Value]) -> Result<Vec<Value>, Throw> {
        self.call(f, args).map(|results| results.slice().to_vec())
    }

    /// Calls and catches errors: `Err` holds the error value (or [`KILL`] or [`STOP`], which must be thrown
    /// on: see [`Vm::check_stop`]). No message handler is in force.
    pub fn pcall(&mut self, f: Value, args: &[Value]) -> Result<Results, Value> {
        self.protect(Value::NIL, |vm| vm.call(f, args))
    }

    /// Runs `body` with `handler` as message handler (nil for none). An error closes the variables
    /// above the current frame's end, and is returned.
    pub fn protect<T>(
        &mut self,
        handler: Value,
        body: impl FnOnce(&mut Vm) -> Result<T, Throw>,
    ) -> Result<T, Value> {
        let level = self.frame_end();
        let (base, top, pc, depth) = (self.base, self.top, self.pc, self.c_depth);
        self.detail.stack.set_handler(handler);
        let result = match body(self).and_then(|value| self.settled().map(|()| value)) {
            Ok(value) => Ok(value),
            Err(Throw) => {
                self.base = base;
                self.pc = pc;
                self.c_depth = depth;
                self.top = top;
                self.detail.stack.thrown_at = None;
                let error = if self.stopping() {
                    // SAFETY: `level` is above the current frame.
                    unsafe { self.abandon(level) }
                } else if self.thrown == KILL {
                    // The coroutine is being ended: whoever catches this passes it on.
                    KILL
                } else {
                    // SAFETY: `level` is above the current frame.
                    unsafe { self.close_after_error(level) }
                };
                // SAFETY: as above.
                unsafe { self.forget_after(error, level) };
                self.top = top;
                Err(error)
            }
        };
        self.detail.stack.restore_handler();
        result
    }

    /// While the state is stopping: upvalues and variables at `level` and above are forgotten, the latter
    /// without being closed.
    ///
    /// # Safety
    /// As for [`Vm::close_after_error`].
    #[cold]
    unsafe fn abandon(&mut self, level: *mut Value) -> Value {
        // SAFETY: the caller's contract.
        unsafe { self.close_upvalues(level) };
        self.detail.stack.tbc.retain(|&slot| slot < level);
        self.settle_closing();
        STOP
    }

    /// After an error: closes upvalues and variables at `level` and above; answers the error value,
    /// which a failing `__close` replaces; [`STOP`] when the state is stopping.
    ///
    /// # Safety
    /// `level` lies above the current frame's needed slots.
    #[inline]
    pub unsafe fn close_after_error(&mut self, level: *mut Value) -> Value {
        // SAFETY: the caller's contract.
        unsafe { self.close_upvalues(level) };
        match self.detail.stack.tbc.last() {
            // SAFETY: the caller's contract.
            Some(&slot) if slot >= level => unsafe { self.close_variables_after_error(level) },
            _ => self.thrown,
        }
    }

    /// After a memory error: clears the stack from `level` up, so that nothing is kept by what frames left
    /// there.
    ///
    /// # Safety
    /// `level` lies above the current frame's needed slots.
    #[inline]
    unsafe fn forget_after(&mut self, error: Value, level: *mut Value) {
        if error == Value::string(self.heap.memory_message) {
            let unused = self.stack_limit.addr().saturating_sub(level.addr());
            // SAFETY: the caller's contract; the stack reaches to its limit.
            unsafe { level.cast::<u8>().write_bytes(0, unused) };
        }
    }

    #[cold]
    unsafe fn close_variables_after_error(&mut self, level: *mut Value) -> Value {
        let mut error = self.thrown;
        let (base, pc, depth) = (self.base, self.pc, self.c_depth);
        while let Some(&slot) = self.detail.stack.tbc.last() {
            if slot < level {
                break;
            }
            self.detail.stack.tbc.pop();
            self.settle_closing();
            // SAFETY: the variable's slot and those above are not used by any frame any more; the
            // error value is kept above the variable while its `__close` runs.
            unsafe {
                let v = *slot;
                *slot.add(1) = error;
                let func = slot.add(2);
                self.top = func;
                *func = self.metamethod(v, Metamethod::Close);
                *func.add(2) = v;
                *func.add(3) = error;
                if self.call_window(func, 2).is_err() {
                    error = self.thrown;
                }
                if self.stopping() {
                    error = self.abandon(level);
                }
            }
            self.base = base;
            self.pc = pc;
            self.c_depth = depth;
        }
        error
    }

    /// Leaving a block: closes upvalues and to-be-closed variables at `level` and above; `window` is
    /// the first slot that `__close` may use.
    ///
    /// # Safety
    /// `base` and `pc` describe the running frame, to which `level` belongs.
    ///
    /// # Errors
    /// What a `__close` throws.
    #[inline]
    pub unsafe fn close(&mut self, level: *mut Value, window: *mut Value) -> Result<(), Throw> {
        // SAFETY: the caller's contract.
        unsafe {
            self.close_upvalues(level);
            match self.detail.stack.tbc.last() {
                Some(&slot) if slot >= level => self.close_variables(level, window),
                _ => Ok(()),
            }
        }
    }

    #[cold]
    unsafe fn close_variables(
        &mut self,
        level: *mut Value,
        window: *mut Value,
    ) -> Result<(), Throw> {
        while let Some(&slot) = self.detail.stack.tbc.last() {
            if slot < level {
                break;
            }
            self.detail.stack.tbc.pop();
            self.settle_closing();
            self.ensure_stack(window, 8)?;
            // SAFETY: the window is above all needed slots.
            unsafe {
                let v = *slot;
                *window = self.metamethod(v, Metamethod::Close);
                *window.add(2) = v;
                *window.add(3) = Value::NIL;
                self.call_window(window, 2)?;
            }
        }
        Ok(())
    }

    /// Brings `Vm::closing` up to date with the list.
    pub(crate) fn settle_closing(&mut self) {
        self.closing = self.detail.stack.tbc.last().copied().unwrap_or(ptr::null_mut());
    }

    /// Marks a slot to be closed; nil and false are ignored.
    ///
    /// # Safety
    /// A slot of the running Lua frame, above all slots marked before.
    ///
    /// # Errors
    /// `variable '…' got a non-closable value`
    pub unsafe fn mark_to_be_closed(&mut self, slot: *mut Value) -> Result<(), Throw> {
        // SAFETY: the caller's contract.
        let v = unsafe { *slot };
        if v.is_falsy() {
            return Ok(());
        }
        if self.metamethod(v, Metamethod::Close).is_nil() {
            // SAFETY: the slot belongs to the running frame.
            let register = unsafe { slot.offset_from(self.base) } as u8;
            let name = self.local_name(register).unwrap_or_else(|| b"?".to_vec());
            let message = [b"variable '", name.as_slice(), b"' got a non-closable value"].concat();
            return Err(self.runtime_error(&message));
        }
        self.detail.stack.tbc.push(slot);
        self.settle_closing();
        Ok(())
    }

    /// Closes the open upvalues at `level` and above.
    ///
    /// # Safety
    /// `level` points into the running coroutine's stack.
    #[inline(always)]
    pub unsafe fn close_upvalues(&mut self, level: *mut Value) {
        let up = self.open_upvalues;
        // SAFETY: open upvalues are live, and point into the stack.
        if !up.is_null() && unsafe { (*up).location } >= level {
            // SAFETY: the caller's contract.
            unsafe { self.close_upvalues_slow(level) };
        }
    }

    #[inline(never)]
    unsafe fn close_upvalues_slow(&mut self, level: *mut Value) {
        // SAFETY: open upvalues are live, and point into the stack.
        unsafe {
            let mut up = self.open_upvalues;
            while !up.is_null() && (*up).location >= level {
                let next = (*up).next_open;
                let v = *(*up).location;
                (*up).closed = v;
                (*up).location = &raw mut (*up).closed;
                (*up).next_open = ptr::null_mut();
                self.heap.barrier_forward(up, v);
                up = next;
            }
            self.open_upvalues = up;
        }
    }

    /// The open upvalue of a stack slot, made if need be.
    ///
    /// # Safety
    /// `slot` points into the running coroutine's stack.
    pub unsafe fn find_upvalue(&mut self, slot: *mut Value) -> *mut Upvalue {
        // SAFETY: open upvalues are live; the list is sorted by falling address.
        unsafe {
            let mut at: *mut *mut Upvalue = &raw mut self.open_upvalues;
            while !(*at).is_null() && (**at).location >= slot {
                if (**at).location == slot {
                    return *at;
                }
                at = &raw mut (**at).next_open;
            }
            let up: *mut Upvalue = self.heap.alloc(Kind::Upvalue, size_of::<Upvalue>());
            (*up).location = slot;
            (*up).closed = Value::NIL;
            (*up).next_open = *at;
            *at = up;
            up
        }
    }
}

/// `pcall(f, …)`: see [`Vm::protect`].
///
/// # Errors
/// Only for a missing argument.
pub fn native_pcall(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    if args.count == 0 {
        return Err(args.error(vm, 1, "value expected"));
    }
    // SAFETY: `base[0]` is the function; the arguments move up by one to make room for the link,
    // for which native frames have room.
    unsafe { protected_window(vm, args.base, args.base, args.count - 1, Value::NIL) }
}

/// `xpcall(f, handler, …)`
///
/// # Errors
/// Only for missing arguments.
pub fn native_xpcall(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let handler = args.get(2);
    if !handler.is_function() {
        return Err(args.type_error(vm, 2, "function"));
    }
    // SAFETY: as in `native_pcall`; the handler stays in `base[0]`, the window starts at `base[1]`.
    unsafe {
        args.base.swap(args.base.add(1));
        protected_window(vm, args.base, args.base.add(1), args.count - 2, handler)
    }
}

/// Runs the function at `func`, with arguments directly above it, under protection, and returns the
/// status and its results from the native frame at `base`.
///
/// # Safety
/// `base` is the running native frame; `func` and the arguments are its last values.
#[inline]
unsafe fn protected_window(
    vm: &mut Vm,
    base: *mut Value,
    func: *mut Value,
    nargs: u32,
    handler: Value,
) -> Result<u32, Throw> {
    // SAFETY: the caller's contract. Results are copied down after the call; errors leave the
    // native frame as the current one.
    unsafe {
        ptr::copy(func.add(1), func.add(2), nargs as usize);
        vm.detail.stack.set_handler(handler);
        let result = vm.call_window(func, nargs).and_then(|n| vm.settled().map(|()| n));
        let count = match result {
            Ok(n) => {
                *base.sub(2) = Value::TRUE;
                ptr::copy(func, base.sub(1), n as usize);
                n + 1
            }
            Err(Throw) => {
                vm.top = func;
                vm.detail.stack.thrown_at = None;
                let passes = vm.stopping() || vm.thrown == KILL;
                let error = if passes { vm.thrown } else { vm.close_after_error(func) };
                if passes || error == STOP {
                    vm.detail.stack.restore_handler();
                    return Err(Throw);
                }
                vm.forget_after(error, func);
                *base.sub(2) = Value::FALSE;
                *base.sub(1) = error;
                2
            }
        };
        vm.detail.stack.restore_handler();
        Ok(count)
    }
}
