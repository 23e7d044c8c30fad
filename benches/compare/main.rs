//! Compares Perilune with PUC Lua and LuaJIT on whole processes.
//!
//! `cargo bench --bench compare -- [filter…] [--suite a,b] [--runs N] [--warmup N] [--small]
//! [--engines a,b] [--json FILE]`
//!
//! Every program of the chosen suites ([`program::Suite`]) runs under every engine: one untimed
//! warm-up, then `N` rounds in which the engines alternate (A B C D, A B C D, …),
//! so that a drift of the machine hits all alike. In each round an engine runs the
//! program until that took [`ROUND`] seconds: the median of seven runs of 20 ms is
//! the machine's mood, that of seventy is not. What is measured is the CPU time
//! (user and system) of the whole process, start-up included: nothing is
//! subtracted, and the cost of an empty program is a row of its own.

mod contexts;
mod engine;
mod process;
mod program;
mod report;

use engine::Engine;
use process::Outcome;
use program::Suite;
use report::{Cell, Row};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// CPU seconds that an engine may use up in one round before it stops repeating a program.
const ROUND: f64 = 0.2;

/// What the command line asked for.
#[derive(Debug)]
struct Options {
    filters: Vec<String>,
    suites: Vec<Suite>,
    engines: Option<Vec<String>>,
    runs: usize,
    warmup: usize,
    small: bool,
    json: Option<PathBuf>,
}

const USAGE: &str = "usage: cargo bench --bench compare -- [filter...] [--suite NAME,NAME] [--runs N] \
                     [--warmup N] [--small] [--engines NAME,NAME] [--json FILE]";

fn parse(args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        filters: Vec::new(),
        suites: vec![Suite::Classic],
        engines: None,
        runs: 5,
        warmup: 1,
        small: false,
        json: None,
    };
    let mut under_cargo_bench = false;
    let mut args = args;
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("'{arg}' needs a value\n{USAGE}"));
        let number = |text: String| {
            text.parse::<usize>().map_err(|_| format!("'{text}' is not a number\n{USAGE}"))
        };
        match arg.as_str() {
            "--bench" => under_cargo_bench = true,
            "--runs" => options.runs = number(value()?)?.max(1),
            "--warmup" => options.warmup = number(value()?)?,
            "--small" => options.small = true,
            "--suite" => options.suites = Suite::parse(&value()?)?,
            "--engines" => {
                options.engines = Some(value()?.split(',').map(str::to_owned).collect());
            }
            "--json" => options.json = Some(PathBuf::from(value()?)),
            flag if flag.starts_with('-') => {
                return Err(format!("unknown option '{flag}'\n{USAGE}"));
            }
            _ => options.filters.push(arg),
        }
    }
    // `cargo test --benches` starts this too, without `--bench`: it has nothing to test.
    Ok(under_cargo_bench.then_some(options))
}

/// Runs one row: `args` under each engine, alternating; the shorter, the more often.
fn measure(
    name: &str,
    args: &[String],
    engines: &[Engine],
    runs: impl Fn(&Engine) -> bool,
    options: &Options,
) -> Row {
    let mut cells: Vec<Cell> = engines
        .iter()
        .map(|e| if runs(e) { Cell::empty() } else { Cell::not_applicable() })
        .collect();
    for round in 0..options.warmup + options.runs {
        let measured = round >= options.warmup;
        let mut left = vec![ROUND; engines.len()];
        loop {
            let mut ran = false;
            for ((engine, cell), left) in engines.iter().zip(&mut cells).zip(&mut left) {
                if !cell.is_running() || *left <= 0.0 {
                    continue;
                }
                ran = true;
                match process::run(&engine.path, &engine.args, args) {
                    Outcome::Done { time, stdout } => {
                        *left -= time.cpu;
                        if measured {
                            cell.push(time);
                        }
                        cell.answer = Some(stdout);
                    }
                    Outcome::Failed(why) => cell.fail(why),
                }
            }
            if !ran || !measured || options.small {
                break;
            }
        }
    }
    // All must print the same; PUC Lua's word counts, in its absence the first engine's.
    let reference = engines.iter().position(|e| e.name == engine::PUC).unwrap_or(0);
    let expected = cells[reference].answer.clone().or_else(|| cells[0].answer.clone());
    for cell in &mut cells {
        if cell.is_running() && cell.answer != expected {
            let shown = cell.answer.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            let why = format!("printed something else: {}", shown.trim_end());
            cell.fail(why);
        }
    }
    Row { name: name.to_owned(), cells }
}

fn run(options: &Options) -> Result<ExitCode, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let perilune = Path::new(env!("CARGO_BIN_EXE_perilune"));
    let (engines, absent) = engine::find(perilune, options.engines.as_deref())?;
    for engine in &engines {
        println!("{:<16} {}", engine.name, engine.version);
    }
    for name in &absent {
        println!("{name:<16} absent (not in PATH)");
    }
    println!(
        "CPU time of whole processes in ms: median [min-max] of {} rounds after {} warm-up, \
         engines alternating, short programs several times in a round\n",
        options.runs, options.warmup
    );

    println!("{}", report::heading(&engines));
    let startup = measure(
        "(start-up: -e \"\")",
        &["-e".to_owned(), String::new()],
        &engines,
        |_| true,
        options,
    );
    println!("{}", report::line(&startup, &engines));
    let mut rows = Vec::new();
    for suite in &options.suites {
        let programs = suite.programs(root, perilune, &options.filters)?;
        println!("\n{}", suite.name());
        let first = rows.len();
        for program in &programs {
            let args = program.args(options.small);
            let row = measure(&program.name, args, &engines, |e| program.runs_under(e), options);
            println!("{}", report::line(&row, &engines));
            rows.push(row);
        }
        println!("{}", report::summary(&rows[first..], &engines));
        if *suite == Suite::Idioms {
            print!(
                "{}",
                contexts::measure(root, perilune, &programs, options.runs, options.small)?
            );
        }
    }
    if rows.is_empty() {
        return Err(format!("no program matches {:?}", options.filters));
    }
    if let Some(file) = &options.json {
        let text = report::json(&startup, &rows, &engines, &absent, options.runs, options.small);
        std::fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()))?;
        println!("written: {}", file.display());
    }
    let failed = report::failures(&rows, &engines);
    for failure in &failed {
        println!("FAILED {failure}");
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("compare: {message}");
            return ExitCode::FAILURE;
        }
    };
    run(&options).unwrap_or_else(|message| {
        eprintln!("compare: {message}");
        ExitCode::FAILURE
    })
}
