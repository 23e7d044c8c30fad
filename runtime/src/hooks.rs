//! Hooks: call, return, line and count events of `debug.sethook`.
//!
//! While a hook is set, `POLL_HOOK` stands in `Vm::poll`: the interpreter runs its hooking copy, and no
//! compiled code is entered.

use perilune_ir::bytecode::{Op, Word};

use crate::interp;
use crate::state::Hook;
use crate::value::Value;
use crate::vm::{Link, POLL_HOOK, Throw, Vm};

impl Vm {
    /// Sets the running coroutine's hook; a mask of 0 removes it.
    pub fn set_hook(&mut self, function: Value, mask: u8, count: u32) {
        let hook = &mut self.detail.stack.hook;
        let running = hook.running;
        *hook = Hook { running, ..Hook::default() };
        if mask != 0 && !function.is_nil() {
            hook.function = function;
            hook.mask = mask;
            hook.count = count;
            hook.left = count;
        }
        self.update_hook_poll();
    }

    /// The running coroutine's hook.
    pub fn hook(&self) -> Hook {
        self.detail.stack.hook
    }

    /// Makes the poll word agree with the running coroutine's hook.
    pub fn update_hook_poll(&mut self) {
        if self.detail.stack.hook.mask != 0 {
            self.poll.raise(POLL_HOOK);
        } else {
            self.poll.lower(POLL_HOOK, self.native_limit);
        }
    }

    /// Calls the hook with an event above `window`, the first slot it may use. `transfer`: the first
    /// of the values that are passed or returned, as a local variable's number, and how many.
    fn run_hook(
        &mut self,
        event: &str,
        line: Option<u32>,
        window: *mut Value,
        transfer: (u32, u32),
    ) -> Result<(), Throw> {
        if self.detail.stack.hook.running {
            return Ok(());
        }
        self.ensure_stack(window, 8)?;
        let event = self.string(event.as_bytes());
        let line = match line {
            Some(line) => Value::small_int(i64::from(line)),
            None => Value::NIL,
        };
        let (top, frame) = (self.top, self.base as usize);
        self.detail.stack.hook.running = true;
        self.detail.stack.hook.transfer = transfer;
        let last = std::mem::replace(&mut self.detail.stack.hook.last_base, frame);
        // SAFETY: room was made above everything the frame needs.
        let result = unsafe {
            *window = self.detail.stack.hook.function;
            *window.add(2) = event;
            *window.add(3) = line;
            self.call_window(window, 2)
        };
        self.detail.stack.hook.running = false;
        self.detail.stack.hook.last_base = last;
        self.top = top;
        result.map(|_| ())
    }

    /// Notes that execution goes on after the instruction at `pc` of the frame at `base`, so that the
    /// rest of its line is no new line.
    ///
    /// # Safety
    /// `base` is a live frame.
    unsafe fn continue_in(&mut self, base: *mut Value, pc: u32) {
        // SAFETY: the caller's contract.
        let line = match unsafe { (*base.sub(2)).as_closure() } {
            // SAFETY: a live closure.
            Some(f) => unsafe { (*(*f).proto).function.line(pc as usize) },
            None => 0,
        };
        let hook = &mut self.detail.stack.hook;
        hook.last_base = base as usize;
        hook.last_pc = pc;
        hook.last_line = line;
    }
}

/// Before each instruction of the hooking interpreter: count and line events.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an instruction of it.
///
/// # Errors
/// What the hook throws.
pub unsafe fn on_instruction(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<(), Throw> {
    let hook = vm.detail.stack.hook;
    if hook.running || hook.mask & (Hook::LINE | Hook::COUNT) == 0 {
        return Ok(());
    }
    // SAFETY: the caller's contract.
    unsafe {
        let word = Word(*ip);
        let op = interp::decode(word.0);
        if op == Op::VarargPrep {
            return Ok(());
        }
        interp::sync(vm, base, ip);
        // Open results must survive the hook.
        let open =
            word.b() == 0 && matches!(op, Op::Call | Op::TailCall | Op::Return | Op::SetList);
        let mut window = vm.frame_end();
        if open {
            window = window.max(vm.top);
        }
        if hook.mask & Hook::COUNT != 0 {
            let left = vm.detail.stack.hook.left.saturating_sub(1);
            vm.detail.stack.hook.left = left;
            if left == 0 {
                vm.detail.stack.hook.left = hook.count;
                vm.run_hook("count", None, window, (0, 0))?;
            }
        }
        if hook.mask & Hook::LINE != 0 {
            let function = &(*interp::proto_of(base)).function;
            let pc = vm.pc;
            let line = function.line(pc as usize);
            let hook = &mut vm.detail.stack.hook;
            let same_frame = hook.last_base == base as usize;
            let fresh = !same_frame || pc <= hook.last_pc || line != hook.last_line;
            hook.last_base = base as usize;
            hook.last_pc = pc;
            hook.last_line = line;
            if fresh {
                let line = (!function.lines.is_empty()).then_some(line);
                vm.run_hook("line", line, window, (0, 0))?;
            }
        }
        Ok(())
    }
}

/// A Lua function was entered: `ip` is its first instruction (after `VARARGPREP`).
///
/// # Safety
/// `base` is the complete frame of a Lua function.
///
/// # Errors
/// What the hook throws.
pub unsafe fn on_call(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<(), Throw> {
    if vm.detail.stack.hook.mask & Hook::CALL == 0 {
        return Ok(());
    }
    // SAFETY: the caller's contract.
    unsafe {
        interp::sync(vm, base, ip);
        let mut link = Link((*base.sub(1)).0);
        if link.kind() == Link::VARARG {
            link = Link((*base.sub(link.delta() + 1)).0);
        }
        let window = vm.frame_end();
        let params = u32::from((*interp::proto_of(base)).num_params);
        let event = if link.is_tail() { "tail call" } else { "call" };
        vm.run_hook(event, None, window, (1, params))
    }
}

/// A Lua function is about to return `count` values from `first`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` its return instruction.
///
/// # Errors
/// What the hook throws.
pub unsafe fn on_return(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    first: *mut Value,
    count: u32,
) -> Result<(), Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        if vm.detail.stack.hook.mask & Hook::RETURN != 0 {
            interp::sync(vm, base, ip);
            let window = vm.frame_end().max(first.add(count as usize));
            let number = first.offset_from(base) as u32 + 1;
            vm.run_hook("return", None, window, (number, count))?;
        }
        let mut original = base;
        let mut link = Link((*base.sub(1)).0);
        if link.kind() == Link::VARARG {
            original = base.sub(link.delta());
            link = Link((*original.sub(1)).0);
        }
        if !vm.detail.stack.hook.running {
            vm.continue_in(original.sub(link.delta()), link.pc());
        }
        Ok(())
    }
}

/// A native function is about to run: its frame is the current one.
///
/// # Errors
/// What the hook throws.
pub fn on_native_call(vm: &mut Vm) -> Result<(), Throw> {
    if vm.detail.stack.hook.mask & Hook::CALL == 0 {
        return Ok(());
    }
    // SAFETY: the frame's arguments lie from its base to its top.
    let count = unsafe { vm.top.offset_from(vm.base) } as u32;
    vm.run_hook("call", None, vm.top, (1, count))
}

/// A native function returned `count` values to `base - 2`; `callee` and `link` stood there.
///
/// # Safety
/// `base` is the frame of the function that just returned.
///
/// # Errors
/// What the hook throws.
#[cold]
#[inline(never)]
pub unsafe fn on_native_return(
    vm: &mut Vm,
    base: *mut Value,
    callee: Value,
    link: Value,
    count: u32,
) -> Result<(), Throw> {
    // SAFETY: the caller's contract; room is made for the results above the header, which stands
    // again while the hook runs.
    unsafe {
        let n = count as usize;
        if vm.detail.stack.hook.mask & Hook::RETURN != 0 && !vm.detail.stack.hook.running {
            vm.ensure_stack(base, n)?;
            let (outer_base, outer_top) = (vm.base, vm.top);
            std::ptr::copy(base.sub(2), base, n);
            *base.sub(2) = callee;
            *base.sub(1) = link;
            vm.base = base;
            vm.top = base.add(n);
            vm.run_hook("return", None, vm.top, (1, count))?;
            std::ptr::copy(base, base.sub(2), n.max(1));
            if n == 0 {
                *base.sub(2) = Value::NIL;
            }
            vm.base = outer_base;
            vm.top = outer_top;
        }
        if !vm.detail.stack.hook.running {
            let link = Link(link.0);
            vm.continue_in(base.sub(link.delta()), link.pc());
        }
        Ok(())
    }
}
