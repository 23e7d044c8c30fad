//! The command line: `perilune [options] [script [args]]`, as `lua` with options for the JIT.

mod args;
mod engine;

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::ExitCode;

use args::{Action, Args, StatsFormat};
use engine::{Engine, Failed};

fn main() -> ExitCode {
    let all: Vec<OsString> = std::env::args_os().collect();
    let program = all.first().map_or("perilune".into(), |p| p.to_string_lossy().into_owned());
    let args = match Args::parse(&all) {
        Ok(args) => args,
        Err(message) => {
            eprint!("{program}: {message}\n{}", args::usage(&program));
            return ExitCode::FAILURE;
        }
    };
    if args.help {
        print!("{}", args::usage(&program));
        return ExitCode::SUCCESS;
    }
    let mut engine = Engine::new(&args, program);
    let result = run(&mut engine, &args, &all);
    engine.finish();
    if let Some(format) = args.stats {
        engine.print_stats(format == StatsFormat::Json);
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed) => ExitCode::FAILURE,
    }
}

fn run(engine: &mut Engine, args: &Args, all: &[OsString]) -> Result<(), Failed> {
    if args.version {
        println!("{}", engine::VERSION);
    }
    engine.set_arg_table(all, args.script.min(all.len()));
    if !args.ignore_environment {
        for name in ["LUA_INIT_5_4", "LUA_INIT"] {
            if let Some(value) = std::env::var_os(name) {
                let value = value.into_vec();
                match value.strip_prefix(b"@") {
                    Some(path) => engine.run_file(Some(path), &[])?,
                    None => engine.run_text(&value, format!("={name}").as_bytes())?,
                }
                break;
            }
        }
    }
    for action in &args.actions {
        match action {
            Action::Execute(text) => engine.run_text(text, b"=(command line)")?,
            Action::Require(name) => engine.require(name)?,
            Action::Warnings => engine.warnings_on(),
        }
    }
    if args.script < all.len() {
        let path = all[args.script].as_bytes();
        let rest: Vec<&[u8]> = all[args.script + 1..].iter().map(|a| a.as_bytes()).collect();
        engine.run_file((!args.stdin).then_some(path), &rest)
    } else if args.actions.iter().any(|a| matches!(a, Action::Execute(_))) || args.version {
        Ok(())
    } else {
        engine.run_file(None, &[])
    }
}
