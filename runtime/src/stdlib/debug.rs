//! The debug library (manual §6.10): hooks, locals, upvalues, metatables, tracebacks. `getinfo` is in
//! `debug_info.rs`.

use super::{LibraryState, Outcome};
use crate::frame::{Frame, Frames};
use crate::heap::ByteBuffer;
use crate::object::{LuaClosure, Table, Thread, Upvalue};
use crate::state::Hook;
use crate::table::metatable::mark_metatable;
use crate::value::{Type, Value};
use crate::vm::{Args, Throw, Vm};

/// Makes the library's table.
pub fn open(vm: &mut Vm) -> *mut Table {
    let library = super::new_table(vm);
    vm.register(
        library,
        &[
            ("debug", debug, 0),
            ("gethook", gethook, 0),
            ("getinfo", super::debug_info::getinfo, 0),
            ("getlocal", getlocal, 0),
            ("getmetatable", getmetatable, 0),
            ("getregistry", getregistry, 0),
            ("getupvalue", getupvalue, 0),
            ("getuservalue", getuservalue, 0),
            ("setcstacklimit", setcstacklimit, 0),
            ("sethook", sethook, 0),
            ("setlocal", setlocal, 0),
            ("setmetatable", setmetatable, 0),
            ("setupvalue", setupvalue, 0),
            ("setuservalue", setuservalue, 0),
            ("traceback", traceback, 0),
            ("upvalueid", upvalueid, 0),
            ("upvaluejoin", upvaluejoin, 0),
        ],
    );
    library
}

/// The thread that a function is about, and how many arguments that took.
pub(super) fn thread_argument(vm: &Vm, a: Args) -> (*mut Thread, usize) {
    match a.get(1).as_thread() {
        Some(thread) => (thread, 1),
        None => (vm.current, 0),
    }
}

/// The frames of a thread, innermost first.
pub(super) fn frames_of(vm: &Vm, thread: *mut Thread) -> Frames {
    match crate::thread::innermost_frame(vm, thread) {
        Some((base, top, pc)) => Frames::new(base, pc, top),
        None => Frames::empty(),
    }
}

/// The frame at a level, if there is one.
pub(super) fn frame_at(vm: &Vm, thread: *mut Thread, level: i64) -> Option<Frame> {
    frames_of(vm, thread).nth(usize::try_from(level).ok()?)
}

fn debug(vm: &mut Vm, a: Args) -> Outcome {
    loop {
        let state = vm.library_state::<LibraryState>();
        state.streams.write_stderr(b"lua_debug> ");
        let stdin = state.streams.stdin.clone();
        let mut line = ByteBuffer::new();
        let put = |bytes: &[u8]| -> Result<(), Throw> { line.extend(vm, bytes) };
        let more = stdin.borrow_mut().read_line(false, put)?.unwrap_or(false);
        if !more || *line == *b"cont" {
            return a.ret0();
        }
        let env = Value::table(vm.globals);
        let result = match vm.load(&line, b"=(debug command)", env) {
            Ok(f) => vm.pcall(f, &[]).map(|_| ()),
            Err(message) => Err(message),
        };
        if let Err(error) = result {
            vm.check_stop()?;
            let s = vm.to_display(error)?;
            let text = super::bytes_of(vm, s)?;
            let streams = &mut vm.library_state::<LibraryState>().streams;
            streams.write_stderr(text);
            streams.write_stderr(b"\n");
        }
    }
}

// --- hooks ---

fn sethook(vm: &mut Vm, a: Args) -> Outcome {
    let (thread, skip) = thread_argument(vm, a);
    let (function, mask, count) = if a.is_none_or_nil(skip + 1) {
        (Value::NIL, 0, 0)
    } else {
        let names = a.check_bytes(vm, skip + 2)?;
        let function = a.check_function(vm, skip + 1)?;
        // A C integer: what is negative counts nothing.
        let count = a.opt_int(vm, skip + 3, 0)? as i32;
        let mut mask = 0;
        for (letter, bit) in [(b'c', Hook::CALL), (b'r', Hook::RETURN), (b'l', Hook::LINE)] {
            if names.contains(&letter) {
                mask |= bit;
            }
        }
        if count > 0 {
            mask |= Hook::COUNT;
        }
        (function, mask, count as u32)
    };
    remember_hook(vm, thread, function);
    if thread == vm.current {
        vm.set_hook(function, mask, count);
    } else {
        let hook = Hook {
            function: if mask == 0 { Value::NIL } else { function },
            mask,
            count,
            left: count,
            ..Hook::default()
        };
        crate::thread::set_hook(vm, thread, hook);
    }
    a.ret0()
}

/// Keeps a hook in the registry's table of hooks by thread, where scripts may look for it.
fn remember_hook(vm: &mut Vm, thread: *mut Thread, function: Value) {
    const KEY: &str = "_HOOKKEY";
    let registry = vm.registry;
    let table = match vm.get_field_raw(registry, KEY).as_table() {
        Some(table) => table,
        None => {
            let (table, meta) = (super::new_table(vm), super::new_table(vm));
            let mode = vm.string(b"k");
            vm.set_field_raw(meta, "__mode", mode);
            super::base::set_table_metatable(vm, table, Value::table(meta));
            vm.set_field_raw(registry, KEY, Value::table(table));
            table
        }
    };
    // SAFETY: the registry holds the table. The key is neither nil nor NaN.
    if let Err(error) = unsafe { (*table).set(&mut vm.heap, Value::thread(thread), function) } {
        // For the next safepoint.
        vm.heap.refuse(error);
    }
}

fn gethook(vm: &mut Vm, a: Args) -> Outcome {
    let (thread, _) = thread_argument(vm, a);
    let hook = crate::thread::hook(vm, thread);
    if hook.mask == 0 {
        return a.ret1(Value::NIL);
    }
    let mut mask = Vec::new();
    for (letter, bit) in [(b'c', Hook::CALL), (b'r', Hook::RETURN), (b'l', Hook::LINE)] {
        if hook.mask & bit != 0 {
            mask.push(letter);
        }
    }
    let mask = vm.string(&mask);
    a.ret3(hook.function, mask, Value::small_int((hook.count as i32).into()))
}

// --- locals ---

/// Where a local variable or other value of a frame is, and its name. Values in frames of native functions
/// are for looking at: the functions rely on what is there.
fn local_slot(frame: &Frame, n: i64) -> Option<(*mut Value, Vec<u8>)> {
    let function = frame.function();
    if n < 0 {
        // Extra arguments lie above the original parameters.
        let i = usize::try_from(-n).ok()?;
        if i > frame.varargs() {
            return None;
        }
        let params = usize::from(function?.num_params);
        return Some((frame.original.wrapping_add(params + i - 1), b"(vararg)".to_vec()));
    }
    let i = usize::try_from(n).ok()?.checked_sub(1)?;
    if let Some(function) = function {
        let active =
            function.locals.iter().filter(|v| v.start_pc <= frame.pc && frame.pc < v.end_pc).nth(i);
        if let Some(v) = active {
            let slot = frame.base.wrapping_add(usize::from(v.register));
            return Some((slot, v.name.to_vec()));
        }
    }
    let end = match function {
        // Up to the callee's frame, if there is one.
        Some(function) if frame.top.is_null() => {
            frame.base.wrapping_add(usize::from(function.max_stack))
        }
        _ => frame.top,
    };
    let slot = frame.base.wrapping_add(i);
    if slot >= end {
        return None;
    }
    let name = if function.is_some() { "(temporary)" } else { "(C temporary)" };
    Some((slot, name.into()))
}

fn getlocal(vm: &mut Vm, a: Args) -> Outcome {
    let (thread, skip) = thread_argument(vm, a);
    let n = a.check_int(vm, skip + 2)?;
    if a.get(skip + 1).is_function() {
        // The names of parameters.
        let name = a.get(skip + 1).as_closure().and_then(|f| {
            // SAFETY: an argument.
            let function = unsafe { &(*(*f).proto).function };
            let i = usize::try_from(n).ok()?.checked_sub(1)?;
            let v = function.locals.iter().filter(|v| v.start_pc == 0).nth(i);
            // Parameters are active from the start.
            v.filter(|_| i < usize::from(function.num_params)).map(|v| v.name.clone())
        });
        let name = match name {
            Some(name) => vm.string(&name),
            None => Value::NIL,
        };
        return a.ret1(name);
    }
    let level = a.check_int(vm, skip + 1)?;
    let Some(frame) = frame_at(vm, thread, level) else {
        return Err(a.error(vm, skip + 1, "level out of range"));
    };
    match local_slot(&frame, n) {
        Some((slot, name)) => {
            let name = vm.string(&name);
            // SAFETY: a slot of a live frame.
            a.ret2(name, unsafe { *slot })
        }
        None => a.ret1(Value::NIL),
    }
}

fn setlocal(vm: &mut Vm, a: Args) -> Outcome {
    let (thread, skip) = thread_argument(vm, a);
    let level = a.check_int(vm, skip + 1)?;
    let n = a.check_int(vm, skip + 2)?;
    let Some(frame) = frame_at(vm, thread, level) else {
        return Err(a.error(vm, skip + 1, "level out of range"));
    };
    let v = a.check_any(vm, skip + 3)?;
    match local_slot(&frame, n).filter(|_| frame.function().is_some()) {
        Some((slot, name)) => {
            // SAFETY: a slot of a live frame; another thread's stack is scanned again.
            unsafe {
                crate::thread::keep_displaced(vm, thread, slot, v);
                *slot = v;
                vm.barrier_back(thread);
            }
            let name = vm.string(&name);
            a.ret1(name)
        }
        None => a.ret1(Value::NIL),
    }
}

// --- upvalues ---

/// The upvalue slot `n` (from 1) of a Lua closure.
fn upvalue_slot(f: *mut LuaClosure, n: i64) -> Option<*mut *mut Upvalue> {
    // SAFETY: the caller's closure is an argument; the index is checked against its count.
    unsafe {
        let i = usize::try_from(n).ok()?.checked_sub(1)?;
        if i >= (*f).header.extra as usize {
            return None;
        }
        Some((&raw mut (*f).upvalues).cast::<*mut Upvalue>().add(i))
    }
}

/// The upvalue slot `n` (from 1) of a native function.
fn native_upvalue(v: Value, n: i64) -> Option<*mut Value> {
    let f = v.as_native()?;
    // SAFETY: as in `upvalue_slot`.
    unsafe {
        let i = usize::try_from(n).ok()?.checked_sub(1)?;
        if i >= (*f).header.extra as usize {
            return None;
        }
        Some((&raw mut (*f).upvalues).cast::<Value>().add(i))
    }
}

/// Where upvalue `n` of a function is, and its name.
fn upvalue(v: Value, n: i64) -> Option<(*mut Value, Vec<u8>)> {
    let Some(f) = v.as_closure() else {
        return native_upvalue(v, n).map(|slot| (slot, Vec::new()));
    };
    let slot = upvalue_slot(f, n)?;
    // SAFETY: a live closure's upvalues and prototype are live.
    unsafe {
        let function = &(*(*f).proto).function;
        let name = function.upvalues.get(n as usize - 1).map_or(&[][..], |u| &u.name);
        let name = if name.is_empty() { b"(no name)".to_vec() } else { name.to_vec() };
        Some(((**slot).location, name))
    }
}

fn getupvalue(vm: &mut Vm, a: Args) -> Outcome {
    let n = a.check_int(vm, 2)?;
    let f = a.check_function(vm, 1)?;
    match upvalue(f, n) {
        Some((slot, name)) => {
            let name = vm.string(&name);
            // SAFETY: a live upvalue.
            a.ret2(name, unsafe { *slot })
        }
        None => a.ret0(),
    }
}

fn setupvalue(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.check_any(vm, 3)?;
    let n = a.check_int(vm, 2)?;
    let f = a.check_function(vm, 1)?;
    // Those of native functions are not for scripts to change: the functions rely on what is in them.
    let Some(up) = f.as_closure().and_then(|f| upvalue_slot(f, n)) else {
        return a.ret0();
    };
    let Some((slot, name)) = upvalue(f, n) else {
        return a.ret0();
    };
    // SAFETY: a live upvalue of an argument; the barrier follows the store.
    unsafe {
        if let Some(f) = f.as_closure() {
            vm.change_variable(f, n as usize - 1);
        }
        *slot = v;
        vm.barrier_back(*up);
    }
    let name = vm.string(&name);
    a.ret1(name)
}

/// Checks that argument `n + 1` is the number of an upvalue of the function at argument `n`, and
/// answers its identity.
fn upvalue_identity(vm: &mut Vm, a: Args, n: usize) -> Result<Option<u64>, Throw> {
    let i = a.check_int(vm, n + 1)?;
    let f = a.check_function(vm, n)?;
    Ok(match f.as_closure() {
        // SAFETY: a live closure's upvalue slot.
        Some(f) => upvalue_slot(f, i).map(|up| unsafe { *up } as u64),
        None => native_upvalue(f, i).map(|slot| slot as u64),
    })
}

fn upvalueid(vm: &mut Vm, a: Args) -> Outcome {
    match upvalue_identity(vm, a, 1)? {
        Some(id) => a.ret1(Value::light(id)),
        None => a.ret1(Value::NIL),
    }
}

fn upvaluejoin(vm: &mut Vm, a: Args) -> Outcome {
    for n in [1, 3] {
        if upvalue_identity(vm, a, n)?.is_none() {
            return Err(a.error(vm, n + 1, "invalid upvalue index"));
        }
    }
    let Some(to) = a.get(1).as_closure() else {
        return Err(a.error(vm, 1, "Lua function expected"));
    };
    let Some(from) = a.get(3).as_closure() else {
        return Err(a.error(vm, 3, "Lua function expected"));
    };
    let (i, j) = (a.check_int(vm, 2)?, a.check_int(vm, 4)?);
    if let (Some(target), Some(source)) = (upvalue_slot(to, i), upvalue_slot(from, j)) {
        // SAFETY: slots of live closures; the barrier follows the store.
        unsafe {
            // From now on each may be assigned by functions that know the other.
            vm.change_variable(to, i as usize - 1);
            vm.change_variable(from, j as usize - 1);
            *target = *source;
            vm.barrier_back(to);
        }
    }
    a.ret0()
}

// --- metatables, user values, registry ---

fn getregistry(vm: &mut Vm, a: Args) -> Outcome {
    a.ret1(Value::table(vm.registry))
}

fn getmetatable(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.check_any(vm, 1)?;
    let meta = vm.metatable(v);
    a.ret1(if meta.is_null() { Value::NIL } else { Value::table(meta) })
}

fn setmetatable(vm: &mut Vm, a: Args) -> Outcome {
    let m = a.get(2);
    if a.is_none(2) || !(m.is_nil() || m.is_table()) {
        return Err(a.type_error(vm, 2, "nil or table"));
    }
    let v = a.get(1);
    let meta = m.as_table().unwrap_or(std::ptr::null_mut());
    match v.ty() {
        Type::Table => super::base::set_table_metatable(vm, v.ptr(), m),
        Type::Userdata => {
            if let Some(u) = v.as_userdata() {
                mark_metatable(meta);
                // SAFETY: an argument; the barrier follows the store.
                unsafe {
                    (*u).meta = meta;
                    vm.barrier_back(u);
                    if !vm.metamethod(v, crate::meta::Metamethod::Gc).is_nil() {
                        vm.heap.register_finalizer(u);
                    }
                }
            }
        }
        ty => vm.set_type_metatable(ty, meta),
    }
    a.ret1(v)
}

fn getuservalue(vm: &mut Vm, a: Args) -> Outcome {
    let n = a.opt_int(vm, 2, 1)?;
    let Some(u) = a.get(1).as_userdata() else {
        return a.ret1(Value::NIL);
    };
    let i = usize::try_from(n).unwrap_or(0).wrapping_sub(1);
    // SAFETY: an argument.
    let values = unsafe { &(*u).user_values };
    match values.get(i) {
        Some(v) => a.ret2(*v, Value::TRUE),
        None => a.ret1(Value::NIL),
    }
}

fn setuservalue(vm: &mut Vm, a: Args) -> Outcome {
    let Some(u) = a.get(1).as_userdata() else {
        return Err(a.type_error(vm, 1, "userdata"));
    };
    let v = a.check_any(vm, 2)?;
    let n = a.opt_int(vm, 3, 1)?;
    let i = usize::try_from(n).unwrap_or(0).wrapping_sub(1);
    // SAFETY: an argument; the barrier follows the store.
    unsafe {
        let values = &mut (*u).user_values;
        match values.get_mut(i) {
            Some(slot) => {
                *slot = v;
                vm.barrier_back(u);
                a.ret1(a.get(1))
            }
            None => a.ret1(Value::NIL),
        }
    }
}

fn setcstacklimit(vm: &mut Vm, a: Args) -> Outcome {
    a.check_int(vm, 1)?;
    // Kept for compatibility: the limit is fixed.
    a.ret1(Value::small_int(i64::from(crate::state::MAX_C_DEPTH)))
}

// --- tracebacks ---

fn traceback(vm: &mut Vm, a: Args) -> Outcome {
    let (thread, skip) = thread_argument(vm, a);
    let message = a.get(skip + 1);
    if !message.is_nil() && !message.is_string() && !message.is_number() {
        return a.ret1(message);
    }
    let level = a.opt_int(vm, skip + 2, i64::from(thread == vm.current))?;
    let message = a.opt_bytes(vm, skip + 1)?;
    let frames = frames_of(vm, thread);
    let level = usize::try_from(level).unwrap_or(usize::MAX);
    let text = vm.traceback_of(frames, None, level);
    let s = match message {
        Some(message) => {
            let text = ByteBuffer::concat(vm, &[message, b"\n", &text])?;
            vm.try_string(&text)?
        }
        None => vm.try_string(&text)?,
    };
    a.ret1(s)
}
