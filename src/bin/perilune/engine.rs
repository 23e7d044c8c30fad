//! A state for the command line.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use perilune_jit::options::Options as JitOptions;
use perilune_jit::tier::Jit;
use perilune_runtime::state::Options;
use perilune_runtime::value::Value;
use perilune_runtime::vm::{Args as Arguments, Throw, Vm};

use crate::args::Args;

/// What `-v` prints.
pub const VERSION: &str =
    concat!("Perilune ", env!("CARGO_PKG_VERSION"), "  Lua 5.4, with a method JIT");

/// A chunk failed; the message is printed.
#[derive(Debug)]
pub struct Failed;

/// A state and the program's name.
pub struct Engine {
    vm: Box<Vm>,
    program: String,
    dump_bytecode: Option<String>,
}

fn handler(vm: &mut Vm, args: Arguments) -> Result<u32, Throw> {
    let v = args.get(1);
    let text = if v.is_string() || v.is_number() {
        let s = args.check_str(vm, 1)?;
        // SAFETY: in the frame.
        unsafe { vm.string_bytes(s) }.to_vec()
    } else {
        let s = match vm.metamethod(v, perilune_runtime::meta::Metamethod::ToString) {
            m if m.is_nil() => {
                let name = vm.type_name(v);
                [b"(error object is a ", &name[..], b" value)"].concat()
            }
            _ => {
                let s = vm.to_display(v)?;
                return args.ret1(Value::string(s));
            }
        };
        s
    };
    let text = vm.traceback(Some(&text), 1);
    let v = vm.string(&text);
    args.ret1(v)
}

impl Engine {
    /// A state with libraries and, unless it is off, the JIT.
    pub fn new(args: &Args, program: String) -> Engine {
        let mut vm = Vm::new(Options::default());
        let mut options = JitOptions {
            enabled: !args.jit.off,
            force_exits: args.jit.force_exits,
            trace_exits: args.jit.trace_exits,
            perf_map: args.jit.perf_map,
            only: args.jit.only.clone(),
            disabled_passes: args.jit.disabled_passes.clone(),
            dump_filter: args.jit.dump_filter.clone(),
            dump_now: true,
            ..JitOptions::default()
        };
        if let Some(threshold) = args.jit.threshold {
            options.threshold = threshold;
        }
        let mut dump_bytecode = None;
        for stage in &args.jit.dump {
            if !options.dump.enable(stage) {
                dump_bytecode = Some(args.jit.dump_filter.clone().unwrap_or_default());
            }
        }
        if !args.jit.off {
            Jit::install(&mut vm, options);
        }
        if args.ignore_environment {
            let registry = vm.registry;
            vm.set_field_raw(registry, "LUA_NOENV", Value::TRUE);
        }
        perilune_runtime::stdlib::open_all(&mut vm);
        if args.gc_stress.is_some() || args.gc_verify {
            vm.heap.set_stress(args.gc_stress.unwrap_or(0), args.gc_verify);
        }
        Engine { vm, program, dump_bytecode }
    }

    fn report(&mut self, error: Value) -> Failed {
        perilune_runtime::stdlib::flush_all(&mut self.vm);
        let text = match error.as_string() {
            // SAFETY: a value just returned; nothing collects before it is copied.
            Some(s) => unsafe { self.vm.string_bytes(s) }.to_vec(),
            None => format!("(error object is a {} value)", error.ty().name()).into_bytes(),
        };
        let text = [self.program.as_bytes(), b": ", &text, b"\n"].concat();
        // Nobody could be told that standard error is closed.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), &text);
        Failed
    }

    fn call(&mut self, f: Value, arguments: &[Value]) -> Result<(), Failed> {
        let handler = self.vm.native(handler);
        match self.vm.protect(handler, |vm| vm.call(f, arguments).map(|_| ())) {
            Ok(()) => Ok(()),
            Err(e) => Err(self.report(e)),
        }
    }

    fn load(&mut self, text: &[u8], name: &[u8]) -> Result<Value, Failed> {
        if let Some(filter) = &self.dump_bytecode
            && let Ok(function) = perilune_frontend::compile(text, name)
        {
            eprint!("{}", listing(&function, filter));
        }
        let globals = Value::table(self.vm.globals);
        match self.vm.load(text, name, globals) {
            Ok(f) => Ok(f),
            Err(e) => Err(self.report(e)),
        }
    }

    /// Runs a chunk.
    pub fn run_text(&mut self, text: &[u8], name: &[u8]) -> Result<(), Failed> {
        let f = self.load(text, name)?;
        self.call(f, &[])
    }

    /// Runs a file, or standard input.
    pub fn run_file(&mut self, path: Option<&[u8]>, arguments: &[&[u8]]) -> Result<(), Failed> {
        let mut text = Vec::new();
        let (name, result) = match path {
            Some(path) => {
                let file = std::fs::File::open(std::ffi::OsStr::from_bytes(path));
                let name = [b"@", path].concat();
                (name, file.and_then(|mut f| f.read_to_end(&mut text)))
            }
            None => (b"=stdin".to_vec(), std::io::stdin().read_to_end(&mut text)),
        };
        if result.is_err() {
            let message = [b"cannot open ", &name[1..]].concat();
            let message = self.vm.string(&message);
            return Err(self.report(message));
        }
        if text.starts_with(b"#") {
            let end = text.iter().position(|&b| b == b'\n').unwrap_or(text.len());
            text.drain(..end);
        }
        let f = self.load(&text, &name)?;
        let arguments: Vec<Value> = arguments.iter().map(|a| self.vm.string(a)).collect();
        self.call(f, &arguments)
    }

    /// `-l`
    pub fn require(&mut self, name: &[u8]) -> Result<(), Failed> {
        let text = b"local name = ...; _G[name] = require(name)";
        let f = self.load(text, b"=(command line)")?;
        let name = self.vm.string(name);
        self.call(f, &[name])
    }

    /// `-W`
    pub fn warnings_on(&mut self) {
        self.vm.detail.warnings = true;
    }

    /// Sets the global `arg`.
    pub fn set_arg_table(&mut self, all: &[OsString], script: usize) {
        let t = perilune_runtime::table::new_empty(&mut self.vm.heap);
        for (i, arg) in all.iter().enumerate() {
            let v = self.vm.string(arg.as_bytes());
            // SAFETY: just made; nothing collects here.
            unsafe { (*t).set_int(&mut self.vm.heap, i as i64 - script as i64, v) };
        }
        let globals = self.vm.globals;
        self.vm.set_field_raw(globals, "arg", Value::table(t));
    }

    /// Runs pending finalizers and writes out what is buffered.
    pub fn finish(&mut self) {
        perilune_runtime::heap::close(&mut self.vm);
        perilune_runtime::stdlib::flush_all(&mut self.vm);
    }

    /// `--stats`
    pub fn print_stats(&mut self, json: bool) {
        if let Some(jit) = Jit::find(&self.vm) {
            let stats = jit.stats();
            eprintln!("{}", if json { stats.json() } else { stats.table() });
        }
    }
}

fn listing(function: &perilune_ir::bytecode::Function, filter: &str) -> String {
    let mut text = String::new();
    if filter.is_empty() {
        return perilune_ir::listing::listing(function);
    }
    for f in function.functions.iter() {
        let name = format!("{}:{}", String::from_utf8_lossy(&f.source), f.line_defined);
        if name.contains(filter) {
            text.push_str(&perilune_ir::listing::listing_one(f));
        }
        text.push_str(&listing(f, filter));
    }
    text
}
