//! The command line: `perilune [options] [script [args]]`, as `lua` with options for the JIT.
//!
//! Written on the embedding API alone. Each chunk runs within a host function, so that tracebacks end as
//! those of `lua` do.

mod args;
mod repl;
mod report;
mod signal;

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use perilune::{
    DumpStages, Error, Function, JitOptions, Lua, LuaOptions, MultiValue, Result, StdLib, Table,
    Value, Variadic,
};

use args::{Action, Args};
use report::Report;

/// What `-v` prints.
pub const BANNER: &str =
    concat!("Perilune ", env!("CARGO_PKG_VERSION"), "  Lua 5.4, the language by PUC-Rio");

fn main() -> ExitCode {
    signal::end_with_pipes();
    let all: Vec<OsString> = std::env::args_os().collect();
    let program = all.first().map_or("perilune".into(), |p| p.to_string_lossy().into_owned());
    let args = match Args::parse(&all) {
        Ok(args) => args,
        Err(message) => {
            report::complain(&format!("{program}: {message}\n{}", args::usage(&program)));
            return ExitCode::FAILURE;
        }
    };
    if args.help {
        let Err(error) = report::say(&args::usage(&program)) else { return ExitCode::SUCCESS };
        report::complain(&format!("{program}: {}\n", report::not_written(&error)));
        return ExitCode::FAILURE;
    }
    let lua = match Lua::new_with(StdLib::ALL, options(&args)) {
        Ok(lua) => lua,
        Err(error) => {
            report::complain(&format!("{program}: cannot create state: {}\n", error.message()));
            return ExitCode::FAILURE;
        }
    };
    if args.gc_stress.is_some() || args.gc_verify {
        lua.gc_stress(args.gc_stress.unwrap_or(0), args.gc_verify);
    }
    lua.set_memory_limit(args.memory_limit);
    signal::install(&lua);
    lua.set_time_limit(args.time_limit);
    // As `lua`, it waits for finalizers, which Ctrl-C ends.
    lua.set_closing_limit(args.time_limit);
    if let Some(format) = args.stats {
        lua.on_exit(move |lua| report::print_stats(lua, format));
    }
    let session = Session { program, args, all, interactive: Cell::new(false) };
    let result = session.run(&lua);
    if let Err(error) = &result {
        session.report(&lua, error);
    }
    if let Some(format) = session.args.stats {
        lua.flush();
        report::print_stats(&lua, format);
    }
    drop(lua);
    if matches!(result, Ok(Ok(()))) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options(args: &Args) -> LuaOptions {
    let mut dump = DumpStages::default();
    for stage in &args.jit.dump {
        // `bytecode` is no stage of the JIT: it is printed when a chunk is loaded.
        dump.enable(stage);
    }
    let mut jit = JitOptions {
        enabled: !args.jit.off,
        force_exits: args.jit.force_exits,
        trace_exits: args.jit.trace_exits,
        perf_map: args.jit.perf_map,
        only: args.jit.only.clone(),
        disabled_passes: args.jit.disabled_passes.clone(),
        dump,
        dump_filter: args.jit.dump_filter.clone(),
        dump_now: true,
        ..JitOptions::default()
    };
    if let Some(threshold) = args.jit.threshold {
        jit.threshold = threshold;
    }
    LuaOptions {
        jit,
        ignore_environment: args.ignore_environment,
        seed: args.seed,
        ..LuaOptions::default()
    }
}

/// A chunk failed, and the user was told.
#[derive(Debug)]
pub struct Failed;

/// What the command line asks for.
pub struct Session {
    /// The name to begin messages with.
    pub program: String,
    /// The parsed arguments.
    pub args: Args,
    /// All arguments.
    pub all: Vec<OsString>,
    /// Whether lines are read and evaluated by now.
    pub interactive: Cell<bool>,
}

impl Session {
    /// Does everything in order. The outer error is one of this program, not of a chunk.
    fn run(&self, lua: &Lua) -> Result<std::result::Result<(), Failed>> {
        let args = &self.args;
        if args.version {
            let shown = banner();
            // A session goes on without it.
            if !args.interactive {
                shown?;
            }
        }
        self.set_arg_table(lua)?;
        if !args.ignore_environment && self.initialise(lua).is_err() {
            return Ok(Err(Failed));
        }
        for action in &args.actions {
            let done = match action {
                Action::Execute(text) => self.run_text(lua, text, b"=(command line)"),
                Action::Require(name) => self.require(lua, name),
                Action::Warnings => {
                    lua.set_warnings(true);
                    Ok(())
                }
            };
            if done.is_err() {
                return Ok(Err(Failed));
            }
        }
        let script = args.script < self.all.len();
        if script && self.run_script(lua).is_err() && !args.interactive {
            return Ok(Err(Failed));
        }
        let executed = args.actions.iter().any(|a| matches!(a, Action::Execute(_)));
        if args.interactive {
            repl::run(self, lua)?;
        } else if !script && !executed && !args.version {
            if repl::is_terminal() {
                let _ = banner();
                repl::run(self, lua)?;
            } else {
                return Ok(self.run_stdin(lua, Vec::new()));
            }
        }
        Ok(Ok(()))
    }

    /// The global `arg`: the script at 0, what precedes it at negative indices.
    fn set_arg_table(&self, lua: &Lua) -> Result<()> {
        let table = lua.create_table()?;
        let script = self.args.script.min(self.all.len());
        // Without a script, the program's name is at 0.
        let zero = if script == self.all.len() { 0 } else { script };
        for (i, arg) in self.all.iter().enumerate() {
            table.raw_set(i as i64 - zero as i64, lua.create_string(arg.as_bytes())?)?;
        }
        lua.globals().raw_set("arg", table)
    }

    /// `LUA_INIT_5_4`, or else `LUA_INIT`.
    fn initialise(&self, lua: &Lua) -> std::result::Result<(), Failed> {
        for name in ["LUA_INIT_5_4", "LUA_INIT"] {
            if let Some(value) = std::env::var_os(name) {
                let value = value.into_vec();
                return match value.strip_prefix(b"@") {
                    Some(path) => self.run_file(lua, path, Vec::new()),
                    None => self.run_text(lua, &value, format!("={name}").as_bytes()),
                };
            }
        }
        Ok(())
    }

    fn run_script(&self, lua: &Lua) -> std::result::Result<(), Failed> {
        let rest = match arguments(lua) {
            Ok(rest) => rest,
            Err(error) => return self.done(lua, Err(error)),
        };
        if self.args.stdin {
            self.run_stdin(lua, rest)
        } else {
            self.run_file(lua, self.all[self.args.script].as_bytes(), rest)
        }
    }

    fn run_stdin(&self, lua: &Lua, rest: Vec<Value>) -> std::result::Result<(), Failed> {
        let mut source = Vec::new();
        if let Err(error) = std::io::stdin().read_to_end(&mut source) {
            return self.done(lua, Err(Error::runtime(format!("cannot read stdin: {error}"))));
        }
        if source.first() == Some(&b'#') {
            let end = source.iter().position(|&b| b == b'\n').unwrap_or(source.len());
            source.drain(..end);
        }
        let loaded = lua.load(source).set_name("=stdin").into_function();
        self.call(lua, loaded, rest)
    }

    fn run_file(
        &self,
        lua: &Lua,
        path: &[u8],
        rest: Vec<Value>,
    ) -> std::result::Result<(), Failed> {
        let path = Path::new(OsStr::from_bytes(path));
        let loaded = lua.load(path).into_function().map_err(|error| {
            match error.downcast_ref::<std::io::Error>() {
                Some(reason) => {
                    let reason = report::without_number(reason);
                    Error::runtime(format!("cannot open {}: {reason}", path.display()))
                }
                None => error,
            }
        });
        self.call(lua, loaded, rest)
    }

    fn run_text(&self, lua: &Lua, text: &[u8], name: &[u8]) -> std::result::Result<(), Failed> {
        self.call(lua, lua.load(text).set_name(name).into_function(), Vec::new())
    }

    /// `-l name` or `-l global=name`.
    fn require(&self, lua: &Lua, text: &[u8]) -> std::result::Result<(), Failed> {
        let (global, module) = match text.iter().position(|&b| b == b'=') {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, text),
        };
        // As in `lua`, a version suffix after a dash is not part of the global's name.
        let global = match global.iter().position(|&b| b == b'-') {
            Some(at) if global == module => &global[..at],
            _ => global,
        };
        let required = (|| {
            let require: Function = lua.globals().get("require")?;
            let name = Value::String(lua.create_string(module)?);
            let results = self.protected(lua, &require, Variadic::from(vec![name]))?;
            let module = results.into_iter().next();
            lua.globals().set(lua.create_string(global)?, module)
        })();
        self.done(lua, required)
    }

    /// Runs a loaded chunk.
    fn call(
        &self,
        lua: &Lua,
        loaded: Result<Function>,
        rest: Vec<Value>,
    ) -> std::result::Result<(), Failed> {
        let result = loaded.and_then(|function| {
            if self.args.jit.dump.iter().any(|stage| stage == "bytecode") {
                let filter = self.args.jit.dump_filter.as_deref();
                report::complain(&function.bytecode(filter).unwrap_or_default());
            }
            self.protected(lua, &function, Variadic::from(rest)).map(|_| ())
        });
        self.done(lua, result)
    }

    /// Calls a chunk as `lua` does: from a host function, with the traceback in the message. Ctrl-C stops it.
    pub fn protected(
        &self,
        lua: &Lua,
        function: &Function,
        args: Variadic<Value>,
    ) -> Result<MultiValue> {
        let handler = lua.create_function(report::message_handler)?;
        let results = Rc::new(Cell::new(None));
        let out = Rc::clone(&results);
        type Call = (Function, Function, Variadic<Value>);
        let body = lua.create_function(move |_, (function, handler, args): Call| {
            out.set(Some(function.call_with_handler(&handler, args)));
            Ok(())
        })?;
        // What came too late for the chunk before.
        lua.clear_interrupt();
        let called = signal::guard(|| body.call::<()>((function.clone(), handler, args)));
        // They are handles, which the function must not keep.
        let results = results.take();
        called?;
        results.unwrap_or_else(|| Ok(MultiValue::new()))
    }

    fn done(&self, lua: &Lua, result: Result<()>) -> std::result::Result<(), Failed> {
        result.map_err(|error| {
            self.report(lua, &error);
            Failed
        })
    }
}

fn banner() -> Result<()> {
    report::say(&format!("{BANNER}\n")).map_err(|e| Error::runtime(report::not_written(&e)))
}

/// The script's arguments: what the global `arg` holds by now, as in `lua`.
fn arguments(lua: &Lua) -> Result<Vec<Value>> {
    match lua.globals().get::<Value>("arg")? {
        Value::Table(table) => {
            let count = table.len()?;
            (1..=count).map(|i| Table::get(&table, i)).collect()
        }
        _ => Err(Error::runtime("'arg' is not a table")),
    }
}
