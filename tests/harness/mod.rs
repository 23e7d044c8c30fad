//! What the tests that run whole processes share: the four ways, a process with a time limit,
//! the reference implementation, and two at a time.
//!
//! Every way must print the same: the interpreter alone, every function compiled at once, the
//! same with each guard failing on its third run, and a collection at every allocation.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One way of running a script.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// What messages call it.
    pub name: &'static str,
    /// The options that select it.
    pub args: &'static [&'static str],
}

/// The interpreter alone: what the other ways are compared with.
pub const INTERPRETER: Way = Way { name: "interpreter", args: &["--no-jit"] };
/// Every function is compiled at its first call, every loop at its first turn.
pub const THRESHOLD_1: Way = Way { name: "threshold 1", args: &["--jit-threshold=1"] };
/// Compiled code whose guards also fail by force.
pub const FORCED_EXITS: Way =
    Way { name: "forced exits", args: &["--jit-threshold=1", "--jit-force-exits=3"] };
/// A collection at every allocation.
pub const GC_STRESS: Way = Way { name: "gc stress", args: &["--gc-stress"] };
/// All of them.
pub const WAYS: [Way; 4] = [INTERPRETER, THRESHOLD_1, FORCED_EXITS, GC_STRESS];

/// The time after which a process is killed.
pub const LIMIT: Duration = Duration::from_secs(60);

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With this exit status.
    Status(i32),
    /// By a signal (where there are any) or in another unusual way.
    Killed(String),
    /// By this harness, after its time limit.
    TimedOut,
}

/// What a process left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Its end.
    pub end: End,
}

/// The executable under test; `$PERILUNE_PROGRAM` names another build.
pub fn perilune() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        std::env::var_os("PERILUNE_PROGRAM")
            .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_perilune")), PathBuf::from)
    })
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The reference implementation, where it is installed.
pub fn reference() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let path = std::env::var_os("PATH")?;
            let candidates = ["lua5.4", "lua"];
            std::env::split_paths(&path)
                .flat_map(|dir| candidates.map(|name| dir.join(name)))
                .filter(|file| file.is_file())
                .find(|file| {
                    Command::new(file)
                        .arg("-v")
                        .output()
                        .is_ok_and(|o| String::from_utf8_lossy(&o.stdout).starts_with("Lua 5.4"))
                })
        })
        .as_deref()
}

fn drain(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A broken pipe leaves what was read: the comparison shows what is missing.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

fn wait(child: &mut Child, limit: Duration) -> End {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_micros(500);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return status.code().map_or_else(|| End::Killed(status.to_string()), End::Status);
            }
            Ok(None) if Instant::now() < deadline => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return End::TimedOut;
            }
            Err(e) => return End::Killed(e.to_string()),
        }
    }
}

/// Runs `program` in `directory` with `options` and then `args`, without input, for at most [`LIMIT`].
///
/// # Panics
///
/// When the process cannot be started.
pub fn run(program: &Path, directory: &Path, options: &[&str], args: &[&str]) -> Output {
    run_for(LIMIT, program, directory, options, args)
}

/// As [`run`], with another time limit; standard input is a closed pipe.
///
/// # Panics
///
/// When the process cannot be started.
pub fn run_for(
    limit: Duration,
    program: &Path,
    directory: &Path,
    options: &[&str],
    args: &[&str],
) -> Output {
    let mut child = Command::new(program)
        .current_dir(directory)
        .args(options)
        .args(args)
        .env_remove("LUA_INIT")
        .env_remove("LUA_INIT_5_4")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    drop(child.stdin.take());
    let stdout = child.stdout.take().map(drain);
    let stderr = child.stderr.take().map(drain);
    let end = wait(&mut child, limit);
    let text = |reader: Option<std::thread::JoinHandle<Vec<u8>>>| {
        let bytes = reader.and_then(|r| r.join().ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Output { stdout: text(stdout), stderr: text(stderr), end }
}

/// The message of an uncaught error: without the program's name, the traceback and the last
/// line end.
pub fn uncaught_message<'a>(stderr: &'a str, program: &Path) -> &'a str {
    let message = stderr.split("\nstack traceback:").next().unwrap_or_default().trim_end();
    let whole = program.to_string_lossy();
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    [whole, name]
        .iter()
        .find_map(|prefix| message.strip_prefix(&**prefix)?.strip_prefix(": "))
        .unwrap_or(message)
}

/// Maps `f` over `items`, two at a time, keeping the order.
pub fn two_at_a_time<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(i) else { return done };
            done.push((i, f(item)));
        }
    };
    let mut all = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut mine = work();
        match other.join() {
            Ok(theirs) => mine.extend(theirs),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        mine
    });
    all.sort_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, result)| result).collect()
}

/// The `.lua` files of `directory`, in order, of those whose name holds `$PERILUNE_TEST`.
///
/// # Panics
///
/// When the directory cannot be read.
pub fn lua_files(directory: &Path) -> Vec<PathBuf> {
    let wanted = std::env::var("PERILUNE_TEST").unwrap_or_default();
    let mut files = lua_files_of(directory);
    files.retain(|path| path.to_string_lossy().contains(&wanted));
    files
}

/// All `.lua` files of `directory`, in order.
///
/// # Panics
///
/// When the directory cannot be read.
pub fn lua_files_of(directory: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "lua"))
        .collect();
    files.sort();
    files
}

/// The first difference of two texts, as a line number and both lines.
pub fn difference(expected: &str, found: &str) -> String {
    let (mut a, mut b) = (expected.lines(), found.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (a.next(), b.next()) {
            (None, None) => return "the line ends at the end differ".to_owned(),
            (x, y) if x == y => {}
            (x, y) => {
                let shown = |line: Option<&str>| match line {
                    Some(text) if text.len() > 300 => {
                        format!("'{}...'", text.chars().take(300).collect::<String>())
                    }
                    Some(text) => format!("'{text}'"),
                    None => "nothing more".to_owned(),
                };
                return format!(
                    "line {number}:\n      expected {}\n      found    {}",
                    shown(x),
                    shown(y)
                );
            }
        }
    }
}

/// Fails with all of `failures` (the empty ones are no failures).
///
/// # Panics
///
/// When there is a failure.
pub fn report(title: &str, count: usize, failures: Vec<String>) {
    let failures: Vec<String> = failures.into_iter().filter(|f| !f.is_empty()).collect();
    assert!(
        failures.is_empty(),
        "{title}: {} of {count} failed\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("{title}: {count} passed");
}
