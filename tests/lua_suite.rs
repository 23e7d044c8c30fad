//! Runs `tests/lua/*.lua` in the four ways, each against the expectation at its end, and under
//! the reference implementation where that is installed.
//!
//! `PERILUNE_TEST=text` selects files by name; `PERILUNE_BLESS=1` writes the expectations anew
//! from what the reference prints.

mod harness;

use harness::{End, Output, Way, perilune, reference, report, run, uncaught_message};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// One way at a time: each runs two processes.
static TURN: Mutex<()> = Mutex::new(());

/// What a file must print.
#[derive(Debug, PartialEq, Eq)]
struct Expectation {
    stdout: String,
    /// The uncaught error, if there is to be one.
    error: Option<String>,
}

/// The text of the comment `--[[key` … `]]` (of any level) that starts a line of `source`.
fn comment<'a>(source: &'a str, key: &str) -> Option<&'a str> {
    for level in 0..4 {
        let equals = "=".repeat(level);
        let open = format!("\n--[{equals}[{key}\n");
        if let Some(at) = source.rfind(&open) {
            let text = &source[at + open.len()..];
            return Some(&text[..text.find(&format!("]{equals}]"))?]);
        }
    }
    None
}

/// The position of the first expectation: what comes before it is the program.
fn program_end(source: &str) -> usize {
    let starts = ["\n--[[expect", "\n--[=[expect", "\n--[==[expect", "\n--[===[expect"];
    starts.iter().filter_map(|s| source.find(s)).min().unwrap_or(source.len())
}

fn expectation(source: &str) -> Result<Expectation, String> {
    let stdout = comment(source, "expect");
    let error = comment(source, "expect-error").map(|e| e.trim_end().to_owned());
    if stdout.is_none() && error.is_none() {
        return Err("it has no expectation".to_owned());
    }
    Ok(Expectation { stdout: stdout.unwrap_or_default().to_owned(), error })
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is wrong with `output`, or nothing.
fn judge(expected: &Expectation, output: &Output, program: &Path) -> Option<String> {
    let message = uncaught_message(&output.stderr, program);
    let status = if expected.error.is_some() { 1 } else { 0 };
    if output.stdout != expected.stdout {
        let mut text = harness::difference(&expected.stdout, &output.stdout);
        if output.end != End::Status(status) {
            text.push_str(&format!("\n      and it ended with {:?}: {message}", output.end));
        }
        return Some(text);
    }
    if output.end != End::Status(status) {
        return Some(format!("ended with {:?}: {message}", output.end));
    }
    match &expected.error {
        Some(error) if error != message => {
            Some(format!("uncaught error\n      expected '{error}'\n      found    '{message}'"))
        }
        Some(_) | None => None,
    }
}

fn check(path: &Path, program: &Path, options: &[&str]) -> String {
    let name = name_of(path);
    let result = std::fs::read_to_string(path).map_err(|e| e.to_string()).and_then(|source| {
        let expected = expectation(&source)?;
        let directory = path.parent().unwrap_or(Path::new("."));
        let output = run(program, directory, options, &[&name]);
        judge(&expected, &output, program).map_or(Ok(()), Err)
    });
    result.err().map(|why| format!("  {name}: {why}")).unwrap_or_default()
}

fn files() -> Vec<PathBuf> {
    harness::lua_files(&harness::root().join("tests/lua"))
}

fn suite(way: Way) {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let files = files();
    let failures = harness::two_at_a_time(&files, |path| check(path, perilune(), way.args));
    report(way.name, files.len(), failures);
}

#[test]
fn interpreter() {
    suite(harness::INTERPRETER);
}

#[test]
fn threshold_1() {
    suite(harness::THRESHOLD_1);
}

#[test]
fn forced_exits() {
    suite(harness::FORCED_EXITS);
}

#[test]
fn gc_stress() {
    suite(harness::GC_STRESS);
}

/// The expectations are what the reference implementation prints.
#[test]
fn reference_agrees() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Some(lua) = reference() else {
        println!("lua5.4 is absent: nothing to compare with");
        return;
    };
    let files = files();
    if std::env::var_os("PERILUNE_BLESS").is_some() {
        for path in &files {
            bless(path, lua);
        }
    }
    let failures = harness::two_at_a_time(&files, |path| check(path, lua, &[]));
    report("reference", files.len(), failures);
}

fn block(key: &str, text: &str) -> String {
    let level = (0..4).find(|n| !text.contains(&format!("]{}]", "=".repeat(*n)))).unwrap_or(4);
    let equals = "=".repeat(level);
    format!("\n--[{equals}[{key}\n{text}]{equals}]\n")
}

/// Writes the expectation of `path` anew.
fn bless(path: &Path, lua: &Path) {
    let name = name_of(path);
    let old = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{name}: {e}"));
    let directory = path.parent().unwrap_or(Path::new("."));
    let output = run(lua, directory, &[], &[&name]);
    let mut new = format!("{}\n", old[..program_end(&old)].trim_end());
    let failed = output.end != End::Status(0);
    if !failed || !output.stdout.is_empty() {
        new.push_str(&block("expect", &output.stdout));
    }
    if failed {
        let message = uncaught_message(&output.stderr, lua);
        new.push_str(&block("expect-error", &format!("{message}\n")));
    }
    if new != old {
        std::fs::write(path, new).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn expectations_are_found_at_every_level() {
    let plain = "print(1)\n\n--[[expect\n1\n]]\n";
    let expected = Expectation { stdout: "1\n".to_owned(), error: None };
    assert_eq!(expectation(plain), Ok(expected));
    assert_eq!(&plain[..program_end(plain)], "print(1)\n");
    let level = "print']]'\n\n--[=[expect\n]]\n]=]\n\n--[[expect-error\nx: y\n]]\n";
    let expected = Expectation { stdout: "]]\n".to_owned(), error: Some("x: y".to_owned()) };
    assert_eq!(expectation(level), Ok(expected));
    assert!(expectation("print(1)\n").is_err());
}
