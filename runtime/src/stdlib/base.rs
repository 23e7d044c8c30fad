//! Basic functions (manual §6.1). Loading of chunks is in `base_load.rs`, `pcall`, `xpcall` and
//! `error` are with the calls.

use perilune_ir::intrinsic::Intrinsic;

use super::{LibraryState, Outcome, bytes_of, raw_set};
use crate::call::{native_pcall, native_xpcall};
use crate::heap::cycle::Mode;
use crate::heap::{ByteBuffer, control};
use crate::meta::Metamethod;
use crate::table::traverse::InvalidKey;
use crate::text::number::{Number, str2int_base, str2number};
use crate::value::{Type, Value};
use crate::vm::{Args, Vm};

/// Fills the globals.
pub fn open(vm: &mut Vm) {
    let globals = vm.globals;
    vm.set_field_raw(globals, "_G", Value::table(globals));
    let version = vm.string(b"Lua 5.4");
    vm.set_field_raw(globals, "_VERSION", version);
    vm.register(
        globals,
        &[
            ("assert", assert, Intrinsic::Assert.number()),
            ("collectgarbage", collectgarbage, 0),
            ("dofile", super::base_load::dofile, 0),
            ("error", error, 0),
            ("getmetatable", getmetatable, Intrinsic::Getmetatable.number()),
            ("load", super::base_load::load, 0),
            ("loadfile", super::base_load::loadfile, 0),
            ("next", next, Intrinsic::Next.number()),
            ("pcall", native_pcall, Intrinsic::Pcall.number()),
            ("print", print, 0),
            ("rawequal", rawequal, Intrinsic::RawEqual.number()),
            ("rawget", rawget, Intrinsic::RawGet.number()),
            ("rawlen", rawlen, Intrinsic::RawLen.number()),
            ("rawset", rawset, Intrinsic::RawSet.number()),
            ("select", select, Intrinsic::Select.number()),
            ("setmetatable", setmetatable, Intrinsic::Setmetatable.number()),
            ("tonumber", tonumber, Intrinsic::Tonumber.number()),
            ("tostring", tostring, Intrinsic::Tostring.number()),
            ("type", type_, Intrinsic::Type.number()),
            ("warn", warn, 0),
            ("xpcall", native_xpcall, 0),
        ],
    );
    let next = vm.get_field_raw(globals, "next");
    let pairs = vm.native_with(pairs, Intrinsic::Pairs.number(), &[next]);
    vm.set_field_raw(globals, "pairs", pairs);
    let step = vm.native_with(ipairs_step, Intrinsic::IpairsStep.number(), &[]);
    let ipairs = vm.native_with(ipairs, Intrinsic::Ipairs.number(), &[step]);
    vm.set_field_raw(globals, "ipairs", ipairs);
}

fn print(vm: &mut Vm, a: Args) -> Outcome {
    let mut line = super::take_buffer(vm);
    for i in 1..=a.count() {
        if i > 1 {
            line.push(vm, b'\t')?;
        }
        let v = a.get(i);
        if let Some(s) = v.as_string()
            && vm.displays_plainly()
        {
            let bytes = bytes_of(vm, s)?;
            line.extend(vm, bytes)?;
        } else if v.is_number() && vm.displays_plainly() {
            line.extend(vm, crate::metamethod::print_number(v).as_bytes())?;
        } else {
            let s = vm.to_display(v)?;
            let bytes = bytes_of(vm, s)?;
            line.extend(vm, bytes)?;
        }
    }
    line.push(vm, b'\n')?;
    vm.library_state::<LibraryState>().streams.print(&line);
    super::return_buffer(vm, line);
    a.ret0()
}

fn type_(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.check_any(vm, 1)?;
    let name = vm.heap.type_names.get(v.ty());
    a.ret1(Value::string(name))
}

fn tostring(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.check_any(vm, 1)?;
    let s = vm.to_display(v)?;
    a.ret1(Value::string(s))
}

fn tonumber(vm: &mut Vm, a: Args) -> Outcome {
    if a.is_none_or_nil(2) {
        let v = a.get(1);
        if v.is_number() {
            return a.ret1(v);
        }
        if let Some(s) = v.as_string() {
            let n = match str2number(bytes_of(vm, s)?) {
                Some(Number::Int(i)) => vm.int(i),
                Some(Number::Float(x)) => Value::float(x),
                None => Value::NIL,
            };
            return a.ret1(n);
        }
        a.check_any(vm, 1)?;
        return a.ret1(Value::NIL);
    }
    let base = a.check_int(vm, 2)?;
    let Some(s) = a.get(1).as_string() else {
        return Err(a.type_error(vm, 1, "string"));
    };
    if !(2..=36).contains(&base) {
        return Err(a.error(vm, 2, "base out of range"));
    }
    let n = match str2int_base(bytes_of(vm, s)?, base as u32) {
        Some(i) => vm.int(i),
        None => Value::NIL,
    };
    a.ret1(n)
}

fn next(vm: &mut Vm, a: Args) -> Outcome {
    let t = a.check_table(vm, 1)?;
    // SAFETY: the table is an argument.
    match unsafe { (*t).next(&mut vm.heap, a.get(2)) } {
        Ok(Some((k, v))) => a.ret2(k, v),
        Ok(None) => a.ret1(Value::NIL),
        Err(InvalidKey) => Err(vm.runtime_error(InvalidKey::MESSAGE.as_bytes())),
    }
}

fn pairs(vm: &mut Vm, a: Args) -> Outcome {
    let t = a.check_any(vm, 1)?;
    let handler = vm.metamethod(t, Metamethod::Pairs);
    if handler.is_nil() {
        return a.ret3(a.upvalue(0), t, Value::NIL);
    }
    let r = vm.call(handler, &[t])?;
    a.ret3(r.get(0), r.get(1), r.get(2))
}

fn ipairs(vm: &mut Vm, a: Args) -> Outcome {
    let t = a.check_any(vm, 1)?;
    a.ret3(a.upvalue(0), t, Value::small_int(0))
}

fn ipairs_step(vm: &mut Vm, a: Args) -> Outcome {
    let i = a.check_int(vm, 2)?.wrapping_add(1);
    let t = a.get(1);
    let v = match t.as_table() {
        // SAFETY: the table is an argument.
        Some(table) => match unsafe { (*table).get_int(i) } {
            v if v.is_nil() => {
                let key = vm.int(i);
                vm.index(t, key)?
            }
            v => v,
        },
        None => {
            let key = vm.int(i);
            vm.index(t, key)?
        }
    };
    if v.is_nil() {
        return a.ret1(v);
    }
    let key = vm.int(i);
    a.ret2(key, v)
}

fn rawequal(vm: &mut Vm, a: Args) -> Outcome {
    let x = a.check_any(vm, 1)?;
    let y = a.check_any(vm, 2)?;
    let equal = vm.raw_equals(x, y);
    a.ret1(Value::bool(equal))
}

fn rawlen(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.get(1);
    let n = if let Some(t) = v.as_table() {
        // SAFETY: an argument.
        unsafe { (*t).len() }
    } else if let Some(s) = v.as_string() {
        // SAFETY: an argument.
        unsafe { (*s).len as i64 }
    } else {
        return Err(a.type_error(vm, 1, "table or string"));
    };
    let n = vm.int(n);
    a.ret1(n)
}

fn rawget(vm: &mut Vm, a: Args) -> Outcome {
    let t = a.check_table(vm, 1)?;
    let k = a.check_any(vm, 2)?;
    // SAFETY: an argument.
    let v = unsafe { (*t).get(&mut vm.heap, k) };
    a.ret1(v)
}

fn rawset(vm: &mut Vm, a: Args) -> Outcome {
    let t = a.check_table(vm, 1)?;
    let k = a.check_any(vm, 2)?;
    let v = a.check_any(vm, 3)?;
    raw_set(vm, t, k, v)?;
    a.ret1(a.get(1))
}

fn select(vm: &mut Vm, a: Args) -> Outcome {
    let n = a.get(1);
    if let Some(s) = n.as_string()
        && bytes_of(vm, s)?.first() == Some(&b'#')
    {
        return a.ret1(Value::small_int(a.count() as i64 - 1));
    }
    let n = a.check_int(vm, 1)?;
    let count = a.count() as i64;
    let n = if n < 0 { count.saturating_add(n) } else { n.min(count) };
    if n < 1 {
        return Err(a.error(vm, 1, "index out of range"));
    }
    a.ret_args_from(vm, n as usize + 1)
}

fn getmetatable(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.check_any(vm, 1)?;
    let meta = vm.metatable(v);
    if meta.is_null() {
        return a.ret1(Value::NIL);
    }
    let protected = vm.metamethod(v, Metamethod::Metatable);
    a.ret1(if protected.is_nil() { Value::table(meta) } else { protected })
}

fn setmetatable(vm: &mut Vm, a: Args) -> Outcome {
    let t = a.check_table(vm, 1)?;
    let m = a.get(2);
    if a.is_none(2) || !(m.is_nil() || m.is_table()) {
        return Err(a.type_error(vm, 2, "nil or table"));
    }
    // SAFETY: an argument.
    let old = unsafe { (*t).meta() };
    if !old.is_null() && !vm.metamethod(a.get(1), Metamethod::Metatable).is_nil() {
        return Err(vm.error("cannot change a protected metatable"));
    }
    set_table_metatable(vm, t, m);
    a.ret1(a.get(1))
}

/// Installs a metatable (nil for none) in a table, with what that implies for the collector.
pub(crate) fn set_table_metatable(vm: &mut Vm, t: *mut crate::object::Table, meta: Value) {
    let meta = meta.as_table().unwrap_or(std::ptr::null_mut());
    // SAFETY: live tables.
    unsafe {
        if (*t).set_metatable(&mut vm.heap, meta) {
            vm.heap.register_finalizer(t);
        }
    }
}

fn assert(vm: &mut Vm, a: Args) -> Outcome {
    if a.get(1).is_truthy() {
        return a.ret_args_from(vm, 1);
    }
    a.check_any(vm, 1)?;
    if a.is_none(2) {
        return Err(vm.error("assertion failed!"));
    }
    throw_at_level(vm, a.get(2), 1)
}

fn error(vm: &mut Vm, a: Args) -> Outcome {
    let level = a.opt_int(vm, 2, 1)?;
    throw_at_level(vm, a.get(1), level)
}

fn throw_at_level(vm: &mut Vm, value: Value, level: i64) -> Outcome {
    if let Some(s) = value.as_string()
        && level > 0
    {
        let position = vm.position(usize::try_from(level).unwrap_or(usize::MAX));
        let bytes = bytes_of(vm, s)?;
        let text = ByteBuffer::concat(vm, &[&position, bytes])?;
        let text = vm.try_string(&text)?;
        return Err(vm.throw(text));
    }
    Err(vm.throw(value))
}

pub(super) fn collectgarbage(vm: &mut Vm, a: Args) -> Outcome {
    const NAMES: [&str; 10] = [
        "stop",
        "restart",
        "collect",
        "count",
        "step",
        "setpause",
        "setstepmul",
        "isrunning",
        "generational",
        "incremental",
    ];
    let option = a.check_option(vm, 1, Some("collect"), &NAMES)?;
    if vm.heap.in_finalizer() {
        return a.ret1(Value::NIL);
    }
    let parameter = |vm: &mut Vm, n| a.opt_int(vm, n, 0).map(|v| v.clamp(0, 1 << 30) as u32);
    let result = match NAMES[option] {
        "stop" => {
            vm.heap.stop();
            Value::small_int(0)
        }
        "restart" => {
            control::restart(vm);
            Value::small_int(0)
        }
        "count" => Value::float(vm.heap.count() as f64 / 1024.0),
        "step" => {
            let kilobytes = a.opt_int(vm, 2, 0)?.max(0) as usize;
            if vm.heap.parameters.mode == Mode::Generational {
                // A young collection is a whole one here; it never ends a cycle.
                control::collect(vm);
                Value::FALSE
            } else {
                Value::bool(control::step(vm, kilobytes).unwrap_or(false))
            }
        }
        "setpause" => {
            let n = quarters(a.opt_int(vm, 2, 0)?);
            Value::small_int(vm.heap.set_pause(n).into())
        }
        "setstepmul" => {
            let n = quarters(a.opt_int(vm, 2, 0)?);
            Value::small_int(vm.heap.set_step_multiplier(n).into())
        }
        "isrunning" => Value::bool(vm.heap.is_running()),
        "generational" => {
            let (minor, major) = (parameter(vm, 2)?, parameter(vm, 3)?);
            let old = vm.heap.set_generational(minor, major);
            mode_name(vm, old)
        }
        "incremental" => {
            let (pause, step) = (a.opt_int(vm, 2, 0)?, a.opt_int(vm, 3, 0)?);
            let (pause, step) = (quarters(pause), quarters(step));
            let size = parameter(vm, 4)?;
            let old = vm.heap.set_incremental(pause, step, size);
            mode_name(vm, old)
        }
        _ => {
            control::collect(vm);
            Value::small_int(0)
        }
    };
    vm.check_stop()?;
    a.ret1(result)
}

/// A percentage as the reference keeps it, in steps of four within a byte: what later calls answer.
fn quarters(percent: i64) -> u32 {
    u32::from((percent as i32 / 4) as u8) * 4
}

fn mode_name(vm: &mut Vm, mode: Mode) -> Value {
    vm.string(match mode {
        Mode::Incremental => b"incremental",
        Mode::Generational => b"generational",
    })
}

pub(super) fn warn(vm: &mut Vm, a: Args) -> Outcome {
    a.check_bytes(vm, 1)?;
    for i in 2..=a.count() {
        a.check_bytes(vm, i)?;
    }
    for i in 1..=a.count() {
        let piece = a.check_bytes(vm, i)?;
        warning(vm, piece, i < a.count());
    }
    a.ret0()
}

/// Emits a piece of a warning; `more`: the next piece continues it. A whole message of `@on` or `@off`
/// switches warnings.
pub fn warning(vm: &mut Vm, piece: &[u8], more: bool) {
    let continues = vm.library_state::<LibraryState>().warning_continues;
    if !continues && !more && piece.first() == Some(&b'@') {
        match piece {
            b"@on" => vm.detail.warnings = true,
            b"@off" => vm.detail.warnings = false,
            _ => {}
        }
        return;
    }
    let on = vm.detail.warnings;
    let state = vm.library_state::<LibraryState>();
    if on {
        if !continues {
            state.streams.write_stderr(b"Lua warning: ");
        }
        state.streams.write_stderr(piece);
        if !more {
            state.streams.write_stderr(b"\n");
        }
    }
    state.warning_continues = more;
}

/// The type of a value that `Type` names; used by checks elsewhere.
pub(crate) fn is_string_or_number(v: Value) -> bool {
    matches!(v.ty(), Type::String | Type::Integer | Type::Float)
}
