//! The official Lua 5.4 tests, in every way.
//!
//! `tests/conformance/fetch.py` fetches them at a pinned version into the target directory;
//! where it cannot (no pip, no network) the tests here pass with a message. Each run works on a
//! copy of its own, in which what cannot hold here is replaced: `tests/conformance/exclusions.rs`
//! lists all of that.
//!
//! `PERILUNE_TEST=text` selects the single files by name.

mod harness;

#[path = "conformance/exclusions.rs"]
mod exclusions;

use exclusions::{EDITS, Edit, SKIPPED_BY_THE_SUITE};
use harness::{End, Output, Way, perilune, report};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// As users run it.
const DEFAULT: Way = Way { name: "default", args: &[] };
/// As often as the whole suite ends in a minute, with all of the heap's invariants checked
/// after each collection in a debug build.
const STRESS: Way = Way { name: "gc stress", args: &["--gc-stress=10", "--gc-verify"] };

/// For the whole suite.
const SUITE_LIMIT: Duration = Duration::from_secs(1200);
/// For one file.
const FILE_LIMIT: Duration = Duration::from_secs(600);

/// Files that also run on their own, without `_soft` and `_port`, from the command line's `-e` on.
const ALONE: [(&str, &[&str]); 9] = [
    ("main.lua", &["main.lua"]),
    ("files.lua", &["files.lua"]),
    ("db.lua", &["db.lua"]),
    ("errors.lua", &["errors.lua"]),
    ("gc.lua", &["gc.lua"]),
    ("coroutine.lua", &["coroutine.lua"]),
    ("cstack.lua", &["cstack.lua"]),
    // It yields, as the suite runs it.
    ("big.lua", &["-e", BIG]),
    ("verybig.lua", &["verybig.lua"]),
];

/// Runs `big.lua` to its end.
const BIG: &str = "local f = coroutine.wrap(assert(loadfile('big.lua'))) \
                   assert(f() == 'b') assert(f() == 'a')";

/// One test at a time: each runs up to two processes.
static TURN: Mutex<()> = Mutex::new(());

/// Where the fetched tests are, or `None` (with a message) where they cannot be had.
///
/// # Panics
///
/// When something else than the tests was downloaded.
fn fetched() -> Option<&'static Path> {
    static DIRECTORY: OnceLock<Option<PathBuf>> = OnceLock::new();
    DIRECTORY
        .get_or_init(|| {
            let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lua-tests");
            let script = harness::root().join("tests/conformance/fetch.py");
            let why = match Command::new("python3").arg(script).arg(&cache).output() {
                Ok(output) => {
                    let text = String::from_utf8_lossy(&output.stdout).into_owned();
                    match output.status.code() {
                        Some(0) => return Some(cache.join("testes")),
                        Some(3) => text,
                        _ => panic!("{text}{}", String::from_utf8_lossy(&output.stderr)),
                    }
                }
                Err(error) => format!("python3: {error}"),
            };
            println!("SKIPPED: the official Lua tests cannot be fetched here: {why}");
            None
        })
        .as_deref()
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn find_all(text: &[u8], part: &[u8]) -> Vec<usize> {
    (0..text.len()).filter(|&at| text[at..].starts_with(part)).collect()
}

/// Applies an edit to the copy in `directory`; its old text must be there exactly once.
fn apply(directory: &Path, edit: &Edit) {
    let path = directory.join(edit.file);
    let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", edit.file));
    let places = find_all(&text, edit.old.as_bytes());
    let [at] = places[..] else {
        panic!("{}: found {} times: {}", edit.file, places.len(), edit.old);
    };
    let (head, tail) = (&text[..at], &text[at + edit.old.len()..]);
    let new = [head, edit.new.as_bytes(), tail].concat();
    std::fs::write(&path, new).unwrap_or_else(|e| panic!("{}: {e}", edit.file));
}

/// A copy of the tests to work in, made anew.
fn prepare(fetched: &Path, name: &str) -> PathBuf {
    let run = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lua-tests-runs").join(name);
    // What an earlier run left, if there was one.
    let _ = std::fs::remove_dir_all(&run);
    copy_tree(fetched, &run).unwrap_or_else(|e| panic!("{}: {e}", run.display()));
    for edit in EDITS {
        apply(&run, edit);
    }
    run
}

fn directory_name(way: Way, file: &str) -> String {
    format!("{}-{file}", way.name).replace(' ', "-")
}

/// The end of a text.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n      ")
}

fn judge(what: &str, output: &Output, ending: &str) -> String {
    if output.end == End::Status(0) && output.stdout.contains(ending) {
        return String::new();
    }
    format!(
        "  {what}: {:?}\n      {}\n      {}",
        output.end,
        tail(&output.stdout),
        tail(&output.stderr)
    )
}

/// The whole suite, as `lua -e "_U=true" all.lua`.
fn suite(way: Way) {
    let Some(fetched) = fetched() else { return };
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let directory = prepare(fetched, &directory_name(way, "all"));
    let options = [way.args, &["-e", "_U=true"]].concat();
    let output = harness::run_for(SUITE_LIMIT, perilune(), &directory, &options, &["all.lua"]);
    for line in output.stdout.lines().filter(|l| l.starts_with("***** ") || l.starts_with("time:"))
    {
        println!("{line}");
    }
    report(way.name, 1, vec![judge("all.lua", &output, "\nfinal OK !!!\n")]);
}

/// Single files, each with nothing left out.
fn alone(way: Way) {
    let Some(fetched) = fetched() else { return };
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let wanted = std::env::var("PERILUNE_TEST").unwrap_or_default();
    let files: Vec<_> = ALONE.iter().filter(|(file, _)| file.contains(&wanted)).collect();
    let failures = harness::two_at_a_time(&files, |(file, command)| {
        let directory = prepare(fetched, &directory_name(way, file));
        let start = Instant::now();
        let output = harness::run_for(FILE_LIMIT, perilune(), &directory, way.args, command);
        println!("{}, {file}: {:.1} s", way.name, start.elapsed().as_secs_f64());
        judge(file, &output, "")
    });
    report(&format!("{}, alone", way.name), files.len(), failures);
}

#[test]
fn suite_interpreter() {
    suite(harness::INTERPRETER);
}

#[test]
fn suite_default() {
    suite(DEFAULT);
}

#[test]
fn suite_threshold_1() {
    suite(harness::THRESHOLD_1);
}

#[test]
fn suite_forced_exits() {
    suite(harness::FORCED_EXITS);
}

#[test]
fn suite_gc_stress() {
    suite(STRESS);
}

#[test]
fn alone_interpreter() {
    alone(harness::INTERPRETER);
}

#[test]
fn alone_default() {
    alone(DEFAULT);
}

#[test]
fn alone_threshold_1() {
    alone(harness::THRESHOLD_1);
}

#[test]
fn alone_forced_exits() {
    alone(harness::FORCED_EXITS);
}

/// The lists cannot grow silently.
#[test]
fn exclusions_are_counted() {
    assert_eq!(EDITS.len(), exclusions::EDIT_COUNT);
    let lines: usize = SKIPPED_BY_THE_SUITE.iter().map(|s| s.lines.len()).sum();
    assert_eq!(lines, exclusions::SKIPPED_COUNT);
    assert!(EDITS.iter().all(|e| !e.reason.is_empty() && e.old != e.new));
    assert!(SKIPPED_BY_THE_SUITE.iter().all(|s| !s.reason.is_empty()));
}

/// Whether a line of the tests asks for the C API's test library, or for C modules.
fn asks_for_c(line: &str) -> bool {
    let line = line.trim_start();
    let starts = ["if T ", "if T==", "if not T ", "assert(not T or", "if not st then"];
    starts.iter().any(|start| line.starts_with(start))
}

/// The list of skipped parts names just the places where the suite asks.
#[test]
fn skipped_parts_are_listed() {
    let Some(fetched) = fetched() else { return };
    let mut found = Vec::new();
    for path in harness::lua_files_of(fetched) {
        let text = std::fs::read(&path).unwrap_or_default();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (number, line) in (1u32..).zip(String::from_utf8_lossy(&text).lines()) {
            if asks_for_c(line) {
                found.push((name.clone(), number));
            }
        }
    }
    let listed: Vec<(String, u32)> = SKIPPED_BY_THE_SUITE
        .iter()
        .flat_map(|s| s.lines.iter().map(|line| (s.file.to_owned(), *line)))
        .collect();
    assert_eq!(found, listed);
}
