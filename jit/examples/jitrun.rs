//! Runs a Lua file on the bare interpreter with a few library functions: `run file.lua`.

use perilune_ir::intrinsic::Intrinsic;
use perilune_runtime::call::{native_pcall, native_xpcall};
use perilune_runtime::state::Options;
use perilune_runtime::value::Value;
use perilune_runtime::vm::{Args, Throw, Vm};

fn print(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let mut line = Vec::new();
    for i in 1..=args.count() {
        if i > 1 {
            line.push(b'\t');
        }
        let s = vm.to_display(args.get(i))?;
        // SAFETY: just made or in the frame; nothing is collected before it is copied.
        line.extend_from_slice(unsafe { vm.string_bytes(s) });
    }
    line.push(b'\n');
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &line);
    args.ret0()
}
fn error(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let level = args.opt_int(vm, 2, 1)?;
    let mut v = args.get(1);
    if let Some(s) = v.as_string()
        && level > 0
    {
        let mut text = vm.position(level as usize);
        // SAFETY: in the frame.
        text.extend_from_slice(unsafe { vm.string_bytes(s) });
        v = vm.string(&text);
    }
    Err(vm.throw(v))
}
fn setmetatable(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let t = args.check_table(vm, 1)?;
    let meta = args.get(2).as_table().unwrap_or(std::ptr::null_mut());
    // SAFETY: in the frame.
    let _ = unsafe { (*t).set_metatable(&mut vm.heap, meta) };
    args.ret1(args.get(1))
}
fn getmetatable(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let m = vm.metatable(args.get(1));
    args.ret1(if m.is_null() { Value::NIL } else { Value::table(m) })
}
fn next(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let t = args.check_table(vm, 1)?;
    // SAFETY: in the frame.
    match unsafe { (*t).next(&mut vm.heap, args.get(2)) } {
        Ok(Some((k, v))) => args.ret2(k, v),
        Ok(None) => args.ret1(Value::NIL),
        Err(_) => Err(vm.error("invalid key to 'next'")),
    }
}
fn pairs(_: &mut Vm, args: Args) -> Result<u32, Throw> {
    let next = args.upvalue(0);
    args.ret3(next, args.get(1), Value::NIL)
}
fn ipairs_step(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let i = args.check_int(vm, 2)?.wrapping_add(1);
    let key = vm.int(i);
    let v = vm.index(args.get(1), key)?;
    if v.is_nil() { args.ret1(Value::NIL) } else { args.ret2(key, v) }
}
fn ipairs(_: &mut Vm, args: Args) -> Result<u32, Throw> {
    let step = args.upvalue(0);
    args.ret3(step, args.get(1), Value::small_int(0))
}
fn type_(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let v = args.check_any(vm, 1)?;
    let name = vm.string(v.ty().name().as_bytes());
    args.ret1(name)
}
fn tostring(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let s = vm.to_display(args.get(1))?;
    args.ret1(Value::string(s))
}
fn select(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    if args.get(1).is_string() {
        return args.ret1(Value::small_int(args.count() as i64 - 1));
    }
    let n = args.check_int(vm, 1)?;
    args.ret_args_from(vm, 1 + n as usize)
}
fn clock(_: &mut Vm, args: Args) -> Result<u32, Throw> {
    let t = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    args.ret1(Value::float(t.as_secs_f64()))
}
fn floor(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let x = args.check_float(vm, 1)?;
    let v = vm.int(x.floor() as i64);
    args.ret1(v)
}
fn load(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let text = args.check_bytes(vm, 1)?;
    let globals = Value::table(vm.globals);
    let name = args.opt_bytes(vm, 2)?.unwrap_or(text);
    match vm.load(text, name, globals) {
        Ok(f) => args.ret1(f),
        Err(e) => args.ret2(Value::NIL, e),
    }
}
fn traceback(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let message = args.opt_bytes(vm, 1)?;
    let level = args.opt_int(vm, 2, 1)?;
    let text = vm.traceback(message, level as usize);
    let v = vm.string(&text);
    args.ret1(v)
}
fn collectgarbage(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    if args.get(1).is_string() {
        let kb = vm.heap.bytes as f64 / 1024.0;
        return args.ret1(Value::float(kb));
    }
    perilune_runtime::heap::control::collect(vm);
    perilune_runtime::heap::control::verify(vm).expect("heap invariants");
    args.ret1(Value::small_int(0))
}

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let source = std::fs::read(&path).expect("readable");
    let mut vm = Vm::new(Options::default());
    let vm = &mut *vm;
    if let Ok(n) = std::env::var("STRESS") {
        vm.heap.set_stress(n.parse().unwrap(), true);
    }
    let mut options = perilune_jit::options::Options::default();
    options.dump_now = true;
    options.dump_filter = std::env::var("FILTER").ok();
    if let Ok(d) = std::env::var("DUMP") {
        d.split(',').for_each(|n| {
            options.dump.enable(n);
        });
    }
    if let Ok(d) = std::env::var("THRESHOLD") {
        options.threshold = d.parse().unwrap();
    }
    if let Ok(d) = std::env::var("FORCE") {
        options.force_exits = Some(d.parse().unwrap());
    }
    if let Ok(d) = std::env::var("OFF") {
        options.disabled_passes = d.split(',').map(|s| s.to_owned()).collect();
    }
    options.trace_exits = std::env::var("TRACE").is_ok();
    options.verify = true;
    if std::env::var("NOJIT").is_err() {
        perilune_jit::tier::Jit::install(vm, options);
    }
    let g = vm.globals;
    vm.set_field_raw(g, "_G", Value::table(g));
    let loaded = perilune_runtime::table::new_empty(&mut vm.heap);
    vm.set_field_raw(vm.registry, "_LOADED", Value::table(loaded));
    vm.set_field_raw(loaded, "_G", Value::table(g));
    vm.register(
        g,
        &[
            ("print", print, 0),
            ("error", error, 0),
            ("pcall", native_pcall, 0),
            ("xpcall", native_xpcall, 0),
            ("setmetatable", setmetatable, 0),
            ("getmetatable", getmetatable, 0),
            ("type", type_, 0),
            ("tostring", tostring, 0),
            ("select", select, 0),
            ("load", load, 0),
            ("collectgarbage", collectgarbage, 0),
        ],
    );
    let next = vm.native_with(next, Intrinsic::Next as u32, &[]);
    vm.set_field_raw(g, "next", next);
    let pairs = vm.native_with(pairs, 0, &[next]);
    vm.set_field_raw(g, "pairs", pairs);
    let step = vm.native_with(ipairs_step, Intrinsic::IpairsStep as u32, &[]);
    let ipairs = vm.native_with(ipairs, 0, &[step]);
    vm.set_field_raw(g, "ipairs", ipairs);
    for (lib, functions) in [
        ("os", &[("clock", clock as _, 0)]),
        ("math", &[("floor", floor as _, 0)]),
        ("debug", &[("traceback", traceback as _, 0)]),
    ] {
        let t = perilune_runtime::table::new_empty(&mut vm.heap);
        vm.register(t, functions);
        vm.set_field_raw(g, lib, Value::table(t));
        vm.set_field_raw(loaded, lib, Value::table(t));
    }
    let source = if source.starts_with(b"#") { &source[2..] } else { &source[..] };
    let f = match vm.load(source, format!("@{path}").as_bytes(), Value::table(g)) {
        Ok(f) => f,
        Err(e) => {
            let s = vm.to_display(e).unwrap_or(std::ptr::null_mut());
            // SAFETY: a live string.
            eprintln!("{}", String::from_utf8_lossy(unsafe { vm.string_bytes(s) }));
            std::process::exit(1);
        }
    };
    let handler = vm.get_field_raw(g, "debug");
    let key = vm.string(b"traceback");
    let handler = vm.index(handler, key).unwrap();
    let result = vm.protect(handler, |vm| vm.call(f, &[]));
    if std::env::var("STATS").is_ok() {
        if let Some(jit) = perilune_jit::tier::Jit::find(vm) {
            eprintln!("{}", jit.stats().table());
        }
    }
    if let Err(e) = result {
        let s = vm.to_display(e).unwrap();
        // SAFETY: a live string.
        eprintln!("{}", String::from_utf8_lossy(unsafe { vm.string_bytes(s) }));
        std::process::exit(1);
    }
}
