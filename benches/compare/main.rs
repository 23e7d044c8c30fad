//! Compares Perilune with PUC Lua and LuaJIT on whole processes.
//!
//! `cargo bench --bench compare -- [filter…] [--suite a,b] [--runs N] [--warmup N] [--small]
//! [--engines a,b] [--json FILE]`
//!
//! Every program of the chosen suites ([`SUITES`]) runs under every engine: one untimed
//! warm-up, then `N` rounds in which the engines alternate (A B C D, A B C D, …),
//! so that a drift of the machine hits all alike. In each round an engine runs the
//! program until that took [`ROUND`] seconds: the median of seven runs of 20 ms is
//! the machine's mood, that of seventy is not. What is measured is the CPU time
//! (user and system) of the whole process, start-up included: nothing is
//! subtracted, and the cost of an empty program is a row of its own.

mod engine;
mod process;
mod report;

use engine::Engine;
use process::Outcome;
use report::{Cell, Row};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The suites: name and folder. The first runs where none is named; `all` stands for every one.
const SUITES: [(&str, &str); 2] = [("classic", "benches/programs"), ("objects", "benches/objects")];

/// CPU seconds that an engine may use up in one round before it stops repeating a program.
const ROUND: f64 = 0.2;

/// What the command line asked for.
#[derive(Debug)]
struct Options {
    filters: Vec<String>,
    suites: Vec<(&'static str, &'static str)>,
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
        suites: vec![SUITES[0]],
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
            "--suite" => options.suites = suites(&value()?)?,
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

/// The suites that a list of names stands for.
fn suites(names: &str) -> Result<Vec<(&'static str, &'static str)>, String> {
    if names == "all" {
        return Ok(SUITES.to_vec());
    }
    let known = || SUITES.map(|(name, _)| name).join(", ");
    let find = |name: &str| SUITES.into_iter().find(|(known, _)| *known == name);
    names
        .split(',')
        .map(|name| {
            find(name).ok_or_else(|| format!("unknown suite '{name}' (of {}, all)", known()))
        })
        .collect()
}

/// A benchmark program with what the comments at its head say.
#[derive(Debug)]
struct Program {
    name: String,
    path: PathBuf,
    /// The names of the peers that can run it; `None` means all.
    peers: Option<Vec<String>>,
    /// The size at which tests run it.
    small: Option<String>,
}

/// The value of the comment `-- key: value` among the first lines of `source`.
fn header<'a>(source: &'a str, key: &str) -> Option<&'a str> {
    source.lines().take(5).find_map(|line| {
        line.strip_prefix("-- ")?.strip_prefix(key)?.strip_prefix(':').map(str::trim)
    })
}

fn programs(directory: &Path, filters: &[String]) -> Result<Vec<Program>, String> {
    let failed = |e: std::io::Error| format!("{}: {e}", directory.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|e| e != "lua") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !filters.is_empty() && !filters.iter().any(|f| name.contains(f.as_str())) {
            continue;
        }
        let source = std::fs::read_to_string(&path).map_err(failed)?;
        let peers = header(&source, "peers").map(|list| {
            list.split([',', ' ']).filter(|p| !p.is_empty()).map(str::to_owned).collect()
        });
        let small = header(&source, "small").map(str::to_owned);
        found.push(Program { name, path, peers, small });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
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

/// Measures one program under the engines that can run it.
fn run_program(program: &Program, engines: &[Engine], options: &Options) -> Row {
    let mut args = vec![program.path.to_string_lossy().into_owned()];
    if options.small {
        args.extend(program.small.clone());
    }
    let can_run = |e: &Engine| match (&program.peers, e.peer) {
        (Some(peers), true) => peers.iter().any(|p| p == e.name),
        (None, _) | (_, false) => true,
    };
    measure(&program.name, &args, engines, can_run, options)
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
    for (suite, folder) in &options.suites {
        let programs = programs(&root.join(folder), &options.filters)?;
        println!("\n{suite}");
        let first = rows.len();
        for program in &programs {
            let row = run_program(program, &engines, options);
            println!("{}", report::line(&row, &engines));
            rows.push(row);
        }
        println!("{}", report::summary(&rows[first..], &engines));
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
