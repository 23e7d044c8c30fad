//! Programs in `tests/compared` must print what the reference implementation prints, in every way:
//! tens of thousands of messages, too many to be written down. Skipped where it is not installed.
//!
//! `PERILUNE_TEST=text` selects files by name.

mod harness;

use harness::{End, Way, perilune, reference, report, run};
use std::path::Path;

/// As users run it.
const DEFAULT: Way = Way { name: "default", args: &[] };
/// A program of a thousand functions, or of more.
const FEW: &[Way] = &[harness::INTERPRETER, DEFAULT];
/// All ways but a collection at every allocation: a program that allocates much.
const COMPILED: &[Way] =
    &[harness::INTERPRETER, DEFAULT, harness::THRESHOLD_1, harness::FORCED_EXITS];
/// All ways.
const ALL: &[Way] = &[
    harness::INTERPRETER,
    DEFAULT,
    harness::THRESHOLD_1,
    harness::FORCED_EXITS,
    harness::GC_STRESS,
];

/// The programs, and how they run.
const PROGRAMS: [(&str, &[Way]); 9] = [
    ("operations.lua", FEW),
    ("hot_operations.lua", &[harness::INTERPRETER, DEFAULT, harness::FORCED_EXITS]),
    ("intrinsics.lua", COMPILED),
    ("open_results.lua", COMPILED),
    ("tracebacks.lua", ALL),
    ("debug_info.lua", ALL),
    ("positions.lua", ALL),
    ("numbers.lua", ALL),
    ("library.lua", ALL),
];

/// Addresses are replaced, since they differ from run to run.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split("0x");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        if part.len() - rest.len() > 7 {
            result.push_str("ADDRESS");
            result.push_str(rest);
        } else {
            result.push_str("0x");
            result.push_str(part);
        }
    }
    result
}

/// The reference names the table where `table.remove` complains of the position; later releases do not (see
/// `later_releases.rs`).
fn as_later(text: &str) -> String {
    text.replace("bad argument #1 to 'remove' (position", "bad argument #2 to 'remove' (position")
}

fn output(program: &Path, options: &[&str], file: &str) -> String {
    let directory = harness::root().join("tests/compared");
    let output = run(program, &directory, options, &[file]);
    let end =
        if output.end == End::Status(0) { String::new() } else { format!("{:?}", output.end) };
    without_addresses(&output.stdout) + &end + &output.stderr
}

#[test]
fn reference_prints_the_same() {
    let Some(lua) = reference() else {
        println!("SKIPPED: lua5.4 is absent: nothing to compare with");
        return;
    };
    let wanted = std::env::var("PERILUNE_TEST").unwrap_or_default();
    let programs: Vec<_> = PROGRAMS.iter().filter(|(file, _)| file.contains(&wanted)).collect();
    let failures = harness::two_at_a_time(&programs, |(file, ways)| {
        let expected = as_later(&output(lua, &[], file));
        let compare = |way: &Way| {
            let found = output(perilune(), way.args, file);
            if found == expected {
                return String::new();
            }
            format!("  {file}, {}: {}\n", way.name, harness::difference(&expected, &found))
        };
        ways.iter().map(compare).collect::<String>()
    });
    report("compared", programs.len(), failures);
}

#[test]
fn addresses_are_replaced() {
    assert_eq!(without_addresses("table: 0x5636b1928cf0, 0xff"), "table: ADDRESS, 0xff");
    assert_eq!(without_addresses("0x"), "0x");
}
