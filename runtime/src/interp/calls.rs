//! Calls that are not plain Lua-to-Lua ones, entries into the interpreter, and the tier.

use perilune_ir::bytecode::{NO_FEEDBACK, Op, Word};

use super::dispatch::execute;
use super::{Outcome, closure_of, operators, pc_of, proto_of, return_link, sync};
use crate::call::native_position;
use crate::hooks;
use crate::meta::Metamethod;
use crate::object::{Function, Kind, NativeFunction, Proto, Table};
use crate::state::NATIVE_ROOM;
use crate::tier::{CALL_HEAT, COMPILED, LoopOutcome, REFUSED, Tier};
use crate::value::Value;
use crate::vm::{Args, Link, POLL_HOOK, Throw, Vm};
use std::sync::atomic::Ordering;

/// What became of a call from the dispatch loop.
pub enum CallStep {
    /// `func` now holds a Lua closure to be entered with this many arguments; its link is set.
    Enter(u32),
    /// The call was made; its results stand at `func`.
    Done(u32),
}

/// What became of a tail call.
pub enum TailStep {
    /// The callee's frame, at this base and with so many arguments, is to be interpreted.
    Enter(*mut Value, usize),
    /// The activation ends with this, and its entry calls the function.
    Leave(Outcome),
    /// The function was called: so many results are here, and go to what called the frame of this
    /// base and link.
    Done(*mut Value, u32, *mut Value, Link),
}

/// What became of a hot back-edge.
pub enum LoopStep {
    /// Go on.
    Go,
    /// Go on in this frame at this instruction.
    Resume(*mut Value, *const u32),
    /// The function returned.
    Returned(u32),
}

/// Whether code may be entered that uses the native stack for its calls.
#[inline]
fn may_enter_native(vm: &Vm) -> bool {
    native_position() > vm.native_limit && vm.poll.load(Ordering::Relaxed) & POLL_HOOK == 0
}

/// The installed tier. The reference does not borrow the state: compiled code re-enters it.
#[inline]
fn tier<'a>(vm: &Vm) -> Option<&'a dyn Tier> {
    let tier: *const dyn Tier = &**vm.tier.as_ref()?;
    // SAFETY: a tier is installed once and lives as long as the state; its methods take `&self`.
    Some(unsafe { &*tier })
}

/// Raises the stack limit for a call from the instruction at `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an instruction of it.
#[cold]
#[inline(never)]
pub unsafe fn grow_for_call(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    end: *mut Value,
) -> Result<(), Throw> {
    // SAFETY: the caller's contract.
    unsafe { sync(vm, base, ip) };
    vm.grow_stack(end)
}

/// Calls the native function at `func`, whose link is set. Answers the number of results, and whether
/// hooks are set now.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` a call instruction of it with its window at `func`.
#[inline(always)]
pub unsafe fn call_native<const HOOKS: bool>(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    link: Value,
    func: *mut Value,
    nargs: usize,
) -> Result<(u32, bool), Throw> {
    // SAFETY: the caller's contract; room is made for what a native function may write.
    unsafe {
        let f = *func;
        let native: *mut NativeFunction = f.ptr();
        let new_base = func.add(2);
        let top = new_base.add(nargs);
        if top.add(NATIVE_ROOM) > vm.stack_limit {
            grow_for_call(vm, base, ip, top.add(NATIVE_ROOM))?;
        }
        vm.base = new_base;
        vm.top = top;
        if HOOKS {
            hooks::on_native_call(vm)?;
        }
        let count = ((*native).function)(vm, Args { base: new_base, count: nargs as u32 })?;
        let hooked = vm.poll.load(Ordering::Relaxed) & POLL_HOOK != 0;
        if hooked {
            hooks::on_native_return(vm, new_base, f, link, count)?;
        }
        Ok((count, hooked))
    }
}

/// Calls what is not a Lua closure: a native function at once; `__call` metamethods are resolved.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` a call instruction of it with its window at `func`.
#[inline(never)]
pub unsafe fn call_other(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    func: *mut Value,
    mut nargs: u32,
) -> Result<CallStep, Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        sync(vm, base, ip);
        operators::note_metamethod(vm, base, ip, Metamethod::Call, [*func, Value::NIL]);
        while !(*func).is_function() {
            nargs = vm.insert_call_metamethod(func, nargs)?;
        }
        let new_base = func.add(2);
        let delta = new_base.offset_from(base) as usize;
        *new_base.sub(1) = Value(Link::new(vm.pc, delta, Link::INTERPRETED).0);
        if (*func).kind() == Kind::LuaClosure {
            return Ok(CallStep::Enter(nargs));
        }
        let hooked = vm.poll.load(Ordering::Relaxed) & POLL_HOOK != 0;
        if hooked {
            vm.base = new_base;
            vm.top = new_base.add(nargs as usize);
            hooks::on_native_call(vm)?;
        }
        let (callee, link) = (*func, *new_base.sub(1));
        let count = vm.call_native(callee.ptr(), new_base, nargs)?;
        if vm.poll.load(Ordering::Relaxed) & POLL_HOOK != 0 {
            hooks::on_native_return(vm, new_base, callee, link, count)?;
        }
        Ok(CallStep::Done(count))
    }
}

/// Makes the frame at `base` ready for its first instruction; answers that.
///
/// # Safety
/// `base` has header and `nargs` arguments of a Lua function; `vm.base` and `vm.pc` are the caller's.
#[inline]
unsafe fn prepare(vm: &mut Vm, base: *mut Value, nargs: u32) -> Result<*const u32, Throw> {
    // SAFETY: the caller's contract; room is made before the frame is written.
    unsafe {
        let proto = proto_of(base);
        let end = base.add((*proto).max_stack as usize);
        if end > vm.stack_limit {
            vm.grow_stack(end)?;
        }
        if (*proto).is_vararg {
            vm.top = base.add(nargs as usize);
            return Ok((*proto).code);
        }
        for i in nargs as usize..(*proto).num_params as usize {
            *base.add(i) = Value::NIL;
        }
        for (i, seen) in (*proto).arg_types.iter().enumerate() {
            seen.set(seen.get() | crate::object::Types::of(*base.add(i)));
        }
        let poll = vm.poll.load(Ordering::Relaxed);
        if poll != 0 {
            if poll & POLL_HOOK != 0 {
                hooks::on_call(vm, base, (*proto).code)?;
            }
            super::poll(vm, base, (*proto).code)?;
        }
        Ok((*proto).code)
    }
}

/// Counts a call of `proto`, and has it compiled when it is hot. True: it is compiled and may be
/// entered.
unsafe fn heat(vm: &mut Vm, proto: *mut Proto, base: *mut Value, nargs: u32) -> bool {
    // SAFETY: the callers' contract: `proto` is the callee of the frame at `base`.
    unsafe {
        let Some(tier) = tier(vm) else { return false };
        if (*proto).tier_flags.get() & COMPILED == 0 {
            let count = (*proto).hotness.get() - CALL_HEAT;
            (*proto).hotness.set(count);
            if count < 0 {
                hot(vm, tier, proto, base, nargs);
            }
        }
        (*proto).tier_flags.get() & COMPILED != 0 && may_enter_native(vm)
    }
}

/// A prototype's count ran out at a call.
unsafe fn hot(vm: &mut Vm, tier: &dyn Tier, proto: *mut Proto, base: *mut Value, nargs: u32) {
    // SAFETY: the prototype is live.
    unsafe {
        if (*proto).tier_flags.get() & REFUSED != 0 {
            (*proto).hotness.set(i32::MAX);
        } else {
            tier.function_hot(vm, proto, base, nargs);
        }
    }
}

/// Calls the Lua function whose frame header (with a boundary link) and arguments are at `base`, for
/// Rust code.
///
/// # Safety
/// As said; `vm.base` and `vm.pc` are the caller's.
///
/// # Errors
/// What the function throws.
pub unsafe fn enter(vm: &mut Vm, base: *mut Value, nargs: u32) -> Result<u32, Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        if vm.detail.profiling && heat(vm, proto_of(base), base, nargs) {
            return call_compiled(vm, base, nargs);
        }
        let ip = prepare(vm, base, nargs)?;
        resume(vm, base, ip)
    }
}

/// As [`enter`], for the stub that stands in for code that is not compiled: counts, and leaves a call
/// of a compiled function to the stub.
///
/// # Safety
/// As for [`enter`].
///
/// # Errors
/// What the function throws.
pub unsafe fn enter_from_native(
    vm: &mut Vm,
    base: *mut Value,
    nargs: u32,
) -> Result<Outcome, Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        if heat(vm, proto_of(base), base, nargs) {
            return Ok(Outcome::TailCall { base, nargs });
        }
        let ip = prepare(vm, base, nargs)?;
        let pc = pc_of(base, ip);
        run(vm, base, pc)
    }
}

/// Calls the compiled function whose frame is at `base`.
unsafe fn call_compiled(vm: &mut Vm, base: *mut Value, nargs: u32) -> Result<u32, Throw> {
    match tier(vm) {
        Some(tier) => tier.call(vm, base, nargs),
        None => unreachable!("compiled code without a tier"),
    }
}

/// Interprets the frame at `base` from the instruction at `pc` until it returns, or is replaced by a
/// compiled function.
///
/// # Safety
/// `base` is a complete frame of a Lua function whose (original) link is a boundary; `pc` an
/// instruction of it.
///
/// # Errors
/// What the function throws.
pub unsafe fn run(vm: &mut Vm, base: *mut Value, pc: u32) -> Result<Outcome, Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        let (mut base, mut ip) = (base, (*proto_of(base)).code.add(pc as usize));
        loop {
            let outcome = if vm.poll.load(Ordering::Relaxed) & POLL_HOOK != 0 {
                execute::<true, true>(vm, base, ip)
            } else if vm.detail.profiling {
                execute::<true, false>(vm, base, ip)
            } else {
                execute::<false, false>(vm, base, ip)
            };
            match outcome {
                Ok(Outcome::Switch { base: b, ip: i }) => (base, ip) = (b, i),
                outcome => return outcome,
            }
        }
    }
}

/// As [`run`], and makes the call that a tail call asks for.
///
/// # Safety
/// As for [`run`], with `ip` in place of the word index.
///
/// # Errors
/// What the function throws.
pub unsafe fn resume(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<u32, Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        let pc = pc_of(base, ip);
        match run(vm, base, pc)? {
            Outcome::Returned(count) => Ok(count),
            Outcome::TailCall { base, nargs } => call_compiled(vm, base, nargs),
            Outcome::Switch { .. } => unreachable!("handled by run"),
        }
    }
}

/// A call from the dispatch loop of a function that is compiled, or whose count ran out. `None`: it is
/// to be interpreted.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` its call instruction, `new_base` the callee's frame
/// with header and arguments.
#[inline(never)]
pub unsafe fn try_compiled(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
    new_base: *mut Value,
    nargs: u32,
) -> Result<Option<u32>, Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        let proto = proto_of(new_base);
        let Some(tier) = tier(vm) else { return Ok(None) };
        sync(vm, base, ip);
        if (*proto).tier_flags.get() & COMPILED == 0 {
            hot(vm, tier, proto, new_base, nargs);
        }
        if (*proto).tier_flags.get() & COMPILED == 0 || !may_enter_native(vm) {
            return Ok(None);
        }
        let link = Link((*new_base.sub(1)).0);
        *new_base.sub(1) = Value(Link::new(link.pc(), link.delta(), Link::BOUNDARY).0);
        tier.call(vm, new_base, nargs).map(Some)
    }
}

/// Puts the call window at `func` in the place of the frame at `original`, whose link is `link`.
///
/// # Safety
/// The window lies above the frame's header.
#[inline(always)]
pub unsafe fn replace_frame(original: *mut Value, link: Link, func: *mut Value, nargs: usize) {
    // SAFETY: the caller's contract: all is moved downwards.
    unsafe {
        *original.sub(2) = *func;
        *original.sub(1) = Value(link.0 | Link::TAIL << 56);
        for i in 0..nargs {
            *original.add(i) = *func.add(2 + i);
        }
    }
}

/// `TAILCALL` at `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` such an instruction of it.
///
/// # Errors
/// What a callee throws that is not a Lua function, and what a poll throws.
#[inline(always)]
pub unsafe fn tail_call<const PROFILE: bool, const HOOKS: bool>(
    vm: &mut Vm,
    base: *mut Value,
    ip: *const u32,
) -> Result<TailStep, Throw> {
    // SAFETY: the caller's contract: the window is within the frame.
    unsafe {
        let word = Word(*ip);
        if PROFILE && word.b() != 0 && vm.poll.load(Ordering::Relaxed) != 0 {
            // Compiled code that leaves at its tail call makes a loop that comes by here only.
            super::poll(vm, base, ip)?;
        }
        let func = base.add(word.a() as usize);
        let mut nargs = match word.b() {
            0 => vm.top.offset_from(func.add(2)) as usize,
            b => b as usize - 1,
        };
        if PROFILE {
            note_callee(proto_of(base), ip, *func);
        }
        vm.close_upvalues(base);
        if !(*func).is_function() || (*func).kind() != Kind::LuaClosure {
            match call_other(vm, base, ip, func, nargs as u32)? {
                CallStep::Enter(n) => nargs = n as usize,
                CallStep::Done(count) => {
                    if HOOKS {
                        hooks::on_return(vm, base, ip, func, count)?;
                    }
                    let (original, link) = return_link(base);
                    return Ok(TailStep::Done(func, count, original, link));
                }
            }
        }
        let (original, link) = return_link(base);
        replace_frame(original, link, func, nargs);
        if PROFILE {
            vm.base = original;
            vm.pc = 0;
            if let Some(step) = try_compiled_tail(vm, original, link, nargs as u32)? {
                return Ok(step);
            }
        }
        Ok(TailStep::Enter(original, nargs))
    }
}

/// A tail call whose callee's frame has replaced the caller's at `base`. `None`: it is interpreted.
///
/// # Safety
/// `base` is a frame with header and arguments, `link` its link without the tail bit.
#[inline(never)]
unsafe fn try_compiled_tail(
    vm: &mut Vm,
    base: *mut Value,
    link: Link,
    nargs: u32,
) -> Result<Option<TailStep>, Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        if !heat(vm, proto_of(base), base, nargs) {
            return Ok(None);
        }
        if link.kind() == Link::BOUNDARY {
            return Ok(Some(TailStep::Leave(Outcome::TailCall { base, nargs })));
        }
        let kind = Link::BOUNDARY | Link::TAIL;
        *base.sub(1) = Value(Link::new(link.pc(), link.delta(), kind).0);
        let count = call_compiled(vm, base, nargs)?;
        Ok(Some(TailStep::Done(base.sub(2), count, base, link)))
    }
}

/// The count of a prototype ran out at a back-edge to `ip`.
///
/// # Safety
/// `base` is the frame of a Lua function, `ip` an instruction of it.
#[cold]
#[inline(never)]
pub unsafe fn loop_hot(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<LoopStep, Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        sync(vm, base, ip);
        let proto = proto_of(base);
        let Some(tier) = tier(vm) else { return Ok(LoopStep::Go) };
        if (*proto).tier_flags.get() & REFUSED != 0 || !may_enter_native(vm) {
            (*proto).hotness.set(1 << 16);
            return Ok(LoopStep::Go);
        }
        let pc = vm.pc;
        Ok(loop_step(tier.loop_hot(vm, proto, base, pc)?))
    }
}

/// A numeric loop with its header at `ip` begins, in a function with units for loops.
///
/// # Safety
/// As [`loop_hot`].
#[cold]
#[inline(never)]
pub unsafe fn enter_loop(vm: &mut Vm, base: *mut Value, ip: *const u32) -> Result<LoopStep, Throw> {
    // SAFETY: the caller's contract.
    unsafe {
        sync(vm, base, ip);
        let proto = proto_of(base);
        let Some(tier) = tier(vm) else { return Ok(LoopStep::Go) };
        if !may_enter_native(vm) {
            return Ok(LoopStep::Go);
        }
        let pc = vm.pc;
        Ok(loop_step(tier.enter_loop(vm, proto, base, pc)?))
    }
}

/// How the interpreter goes on behind compiled code.
///
/// # Safety
/// A frame to resume is one of a Lua function.
unsafe fn loop_step(outcome: Option<LoopOutcome>) -> LoopStep {
    match outcome {
        None => LoopStep::Go,
        // SAFETY: the caller's contract.
        Some(LoopOutcome::Resume { base, pc }) => unsafe {
            LoopStep::Resume(base, (*proto_of(base)).code.add(pc as usize))
        },
        Some(LoopOutcome::Returned(count)) => LoopStep::Returned(count),
    }
}

/// Feedback of a call: which function was called.
///
/// # Safety
/// `ip` is a call instruction of `proto`.
#[inline(always)]
pub unsafe fn note_callee(proto: *mut Proto, ip: *const u32, f: Value) {
    // SAFETY: the caller's contract.
    unsafe {
        let index = *ip.add(1) >> 16;
        if index == u32::from(NO_FEEDBACK) {
            return;
        }
        let cell = (*proto).feedback.as_ptr().add(index as usize);
        let seen: *mut Function = (*cell).holder.get().cast();
        if f.is_function() && seen == f.ptr() || (*cell).sites.get() & CALLEES_MANY != 0 {
            return;
        }
        note_new_callee(cell, f);
    }
}

/// `Feedback::sites` of a call: several closures of one of the prototypes seen.
const CALLEES_CLOSURES: u8 = 1;
/// More functions than a cell has room for, or something that is no function.
const CALLEES_MANY: u8 = 4;

#[inline(never)]
unsafe fn note_new_callee(cell: *const crate::object::Feedback, f: Value) {
    // SAFETY: the caller's contract; a remembered callee is cleared when it is freed.
    unsafe {
        let cell = &*cell;
        let Some(f) = f.as_function() else {
            return cell.sites.set(cell.sites.get() | CALLEES_MANY);
        };
        let second: *mut Function = cell.shape.get().cast();
        let third: *mut Function = cell.next_shape.get().cast();
        for seen in [cell.holder.get().cast::<Function>(), second, third] {
            if seen == f {
                return;
            }
            let lua = (*f).header.kind == Kind::LuaClosure;
            if !seen.is_null() && lua && (*seen).code == (*f).code {
                return cell.sites.set(cell.sites.get() | CALLEES_CLOSURES);
            }
        }
        if cell.holder.get().is_null() {
            cell.holder.set(f.cast::<Table>());
        } else if second.is_null() {
            cell.shape.set(f.cast());
        } else if third.is_null() {
            cell.next_shape.set(f.cast());
        } else {
            cell.sites.set(cell.sites.get() | CALLEES_MANY);
        }
    }
}

/// Feedback of a table access beyond the array fast path: see `Feedback::sites`.
///
/// # Safety
/// `ip` is a `GETTABLE`, `GETI`, `SETTABLE` or `SETI` of `proto`; the values are live.
#[inline(never)]
pub unsafe fn note_table_site(proto: *mut Proto, ip: *const u32, t: Value, key: Value) {
    // SAFETY: the caller's contract.
    unsafe {
        let index = *ip.add(1) >> 16;
        if index == u32::from(NO_FEEDBACK) {
            return;
        }
        let bit = match t.as_table() {
            None => 16,
            Some(table) if key.is_small_int() => {
                let at = (key.small_int_payload() as u64).wrapping_sub(1);
                if at < u64::from((*table).arr_len) { 1 } else { 8 }
            }
            Some(_) if key.is_string() => 2,
            Some(_) => 4,
        };
        let cell = (*proto).feedback.as_ptr().add(index as usize);
        (*cell).sites.set((*cell).sites.get() | bit);
    }
}

/// The number of results that the call instruction `word` wants: `None` for all.
pub fn wanted_results(word: Word) -> Option<usize> {
    let c = usize::from(word.c());
    match Op::decode(word.0) {
        Some(Op::TForCall) => Some(c),
        _ => c.checked_sub(1),
    }
}

/// Whether the frame at `base` belongs to a Lua function.
///
/// # Safety
/// `base` is a frame's base.
pub unsafe fn is_lua_frame(base: *mut Value) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let callee = *base.sub(2);
        callee.is_function() && (*closure_of(base)).header.kind == Kind::LuaClosure
    }
}
