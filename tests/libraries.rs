//! Libraries written in Lua, with their own tests, in every way.
//!
//! `tests/libraries/fetch.py` fetches them at pinned versions into the target directory; where it
//! cannot (no apt-get, no network, another release) the test here passes with a message. What they
//! need of C modules is in `tests/libraries/shim`, in Lua. Each must end well and print what the
//! reference implementation prints, or, where that is not installed, what the interpreter does.
//!
//! `PERILUNE_TEST=text` selects libraries by name.

mod harness;

use harness::{End, Output, Way, perilune, reference, report};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// As users run it.
/// With a look at the whole heap after each collection.
const DEFAULT: Way = Way { name: "default", args: &["--gc-verify"] };
/// A collection every few allocations.
const STRESS: Way = Way { name: "gc stress", args: &["--gc-stress=50"] };
const WAYS: [Way; 5] =
    [harness::INTERPRETER, DEFAULT, harness::THRESHOLD_1, harness::FORCED_EXITS, STRESS];

const LIMIT: Duration = Duration::from_secs(120);

/// A run of a library's tests.
struct Library {
    name: &'static str,
    /// Where it runs, below what was fetched.
    directory: &'static str,
    /// What it runs, with arguments; `:` stands for the directory with the shims.
    command: &'static [&'static str],
    /// A line of the output that must be there at least this often.
    expect: (&'static str, usize),
}

const fn specs(name: &'static str, directory: &'static str, passed: usize) -> Library {
    const COMMAND: &[&str] =
        &[":run_busted.lua", "--no-coverage", "-o", "TAP", "-p", "_spec%.lua$", "spec"];
    Library { name, directory, command: COMMAND, expect: ("ok ", passed) }
}

const fn message_pack(name: &'static str, command: &'static [&'static str], n: usize) -> Library {
    Library { name, directory: "lua-messagepack", command, expect: ("ok ", n) }
}

const JSON: &str = "package/lua-dkjson/usr/share/doc/lua-dkjson/examples";

/// busted, Penlight, cliargs, luassert, say and mediator run most of them.
const LIBRARIES: &[Library] = &[
    specs("say", "lua-say", 8),
    Library {
        name: "argparse",
        directory: "lua-argparse",
        // The tests of integrity and completion start the program `lua`.
        command: &[
            ":run_busted.lua",
            "--no-coverage",
            "--exclude-pattern=integrity",
            "-o",
            "TAP",
            "-p",
            "[^n]_spec%.lua$",
            "spec",
        ],
        expect: ("ok ", 174),
    },
    specs("luassert", "lua-luassert", 209),
    specs("mediator", "lua-mediator", 26),
    specs("inspect", "lua-inspect", 46),
    specs("binaryheap", "lua-binaryheap", 60),
    specs("fifo", "lua-fifo", 6),
    specs("moses", "lua-moses", 365),
    Library {
        name: "ansicolors",
        directory: "lua-ansicolors",
        command: &[
            ":run_busted.lua",
            "--helper=telescope",
            "-o",
            "TAP",
            "-p",
            "_spec%.lua$",
            "specs",
        ],
        expect: ("ok ", 13),
    },
    Library {
        name: "luaunit",
        directory: "lua-unit",
        command: &["run_unit_tests.lua"],
        expect: ("OK", 1),
    },
    Library {
        name: "coxpcall",
        directory: "lua-coxpcall/tests",
        command: &["test.lua"],
        expect: ("OK\t24", 1),
    },
    Library { name: "dkjson", directory: JSON, command: &["jsontest.lua"], expect: ("", 1) },
    Library {
        name: "dkjson escapes",
        directory: JSON,
        command: &["jsontest.lua", "dkjson", "esc"],
        expect: ("Escaped from", 1),
    },
    message_pack("MessagePack require", &["test/00-require.lua"], 8),
    message_pack("MessagePack specification", &["test/01-spectest.lua"], 621),
    message_pack("MessagePack errors", &["test/02-except.lua"], 24),
    message_pack("MessagePack edges", &["test/03-edge.lua"], 42),
    message_pack("MessagePack coverage", &["test/04-cover.lua"], 41),
    message_pack("MessagePack metatables", &["test/12-metatable.lua"], 6),
    message_pack("MessagePack functions", &["test/14-function.lua"], 4),
    message_pack("MessagePack multiples", &["test/21-multiples.lua"], 5),
    message_pack("MessagePack closures", &["test/22-closure.lua"], 5),
    message_pack("MessagePack unpackers", &["test/31-custom-unpack.lua"], 3),
    message_pack("MessagePack issue 6", &["test/issue6.lua"], 17),
    Library {
        name: "luacheck",
        directory: "share",
        command: &[
            ":run_luacheck.lua",
            "--no-config",
            "--no-cache",
            "--no-color",
            "luassert",
            "mediator.lua",
            "dkjson.lua",
        ],
        expect: ("Total: ", 1),
    },
    Library {
        name: "ldoc",
        directory: "share/pl",
        command: &["../../package/lua-ldoc/usr/bin/ldoc", "--dump", "stringx.lua"],
        expect: ("", 100),
    },
];

/// Where the libraries are, or `None` (with a message) where they cannot be had.
///
/// # Panics
///
/// When something else was downloaded.
fn fetched() -> Option<PathBuf> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lua-libraries");
    let script = harness::root().join("tests/libraries/fetch.py");
    let why = match Command::new("python3").arg(script).arg(&cache).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            match output.status.code() {
                Some(0) => return Some(cache),
                Some(3) => text,
                _ => panic!("{text}{}", String::from_utf8_lossy(&output.stderr)),
            }
        }
        Err(error) => format!("python3: {error}"),
    };
    println!("SKIPPED: the libraries cannot be fetched here: {why}");
    None
}

fn run(library: &Library, program: &Path, options: &[&str], fetched: &Path) -> Output {
    let shim = harness::root().join("tests/libraries/shim");
    let share = fetched.join("share");
    let templates = [
        "./?.lua".to_owned(),
        "./src/?.lua".to_owned(),
        "./src/?/init.lua".to_owned(),
        "./src5.3/?.lua".to_owned(),
        format!("{}/?.lua", share.display()),
        format!("{}/?/init.lua", share.display()),
        format!("{}/lua-argparse/src/?.lua", fetched.display()),
        format!("{}/?.lua", shim.display()),
    ];
    // No C modules, in the reference implementation neither.
    let paths = format!("package.path = [[{}]] package.cpath = ''", templates.join(";"));
    let options = [options, &["-e", &paths]].concat();
    let command: Vec<String> = library
        .command
        .iter()
        .map(|part| match part.strip_prefix(':') {
            Some(name) => shim.join(name).display().to_string(),
            None => (*part).to_owned(),
        })
        .collect();
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    harness::run_for(LIMIT, program, &fetched.join(library.directory), &options, &command)
}

/// The output without what depends on the clock, or on the order of `pairs`.
fn seen(output: &Output) -> String {
    let steady = |line: &str| match line.split_once(" tests in ") {
        Some((head, _)) if line.starts_with("Ran ") => format!("{head} tests\n"),
        _ if line.starts_with("mixed table encoded as:") => String::new(),
        _ => format!("{line}\n"),
    };
    output.stdout.lines().map(steady).collect()
}

/// Whether the tests did run, and passed.
fn complete(library: &Library, output: &Output) -> bool {
    let (start, least) = library.expect;
    // luacheck says by its status that it found something.
    let ended = matches!(output.end, End::Status(0 | 1));
    ended
        && !output.stdout.lines().any(|line| line.starts_with("not ok"))
        && output.stdout.lines().filter(|line| line.starts_with(start)).count() >= least
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n      ")
}

fn compare(library: &Library, fetched: &Path) -> String {
    let found: Vec<(&str, Output)> = reference()
        .map(|program| ("reference", run(library, program, &[], fetched)))
        .into_iter()
        .chain(WAYS.iter().map(|way| (way.name, run(library, perilune(), way.args, fetched))))
        .collect();
    let (first, expected) = &found[0];
    let mut text = String::new();
    for (name, output) in &found {
        if !complete(library, output) {
            text += &format!(
                "  {}, {name}: {:?}\n      {}\n      {}\n",
                library.name,
                output.end,
                tail(&output.stdout),
                tail(&output.stderr)
            );
        } else if output.end != expected.end || seen(output) != seen(expected) {
            text += &format!(
                "  {}: {name} differs from {first}: {}\n",
                library.name,
                harness::difference(&seen(expected), &seen(output))
            );
        }
    }
    text
}

#[test]
fn libraries_pass_their_tests() {
    let Some(fetched) = fetched() else { return };
    let wanted = std::env::var("PERILUNE_TEST").unwrap_or_default();
    let libraries: Vec<&Library> =
        LIBRARIES.iter().filter(|library| library.name.contains(&wanted)).collect();
    let failures = harness::two_at_a_time(&libraries, |library| compare(library, &fetched));
    report("libraries", libraries.len(), failures);
}
