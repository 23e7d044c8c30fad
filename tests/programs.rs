//! Runs every benchmark program at the small size its `-- small:` line names, in the four ways.
//!
//! The programs check their own results; here all ways, and the reference implementation where
//! it is installed, must also print the same.

mod harness;

use harness::{End, WAYS, perilune, reference, report, run};
use std::path::Path;

fn small_size(source: &str) -> Option<&str> {
    source.lines().take(5).find_map(|line| line.strip_prefix("-- small:")).map(str::trim)
}

/// Runs one program everywhere and says what went wrong.
fn check(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let source = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{name}: {e}"));
    let Some(size) = small_size(&source) else {
        return format!("  {name}: it has no '-- small:' line");
    };
    let directory = path.parent().unwrap_or(Path::new("."));
    let ways = WAYS.iter().map(|way| (way.name, perilune(), way.args));
    let runs = reference().map(|lua| ("reference", lua, [].as_slice())).into_iter().chain(ways);
    let mut failures = String::new();
    let mut expected: Option<String> = None;
    for (way, program, options) in runs {
        let output = run(program, directory, options, &[&name, size]);
        if output.end != End::Status(0) {
            let message = harness::uncaught_message(&output.stderr, program);
            failures.push_str(&format!("  {name}, {way}: {:?}: {message}\n", output.end));
        } else {
            let first = expected.get_or_insert_with(|| output.stdout.clone());
            if *first != output.stdout {
                let text = harness::difference(first, &output.stdout);
                failures.push_str(&format!("  {name}, {way}: {text}\n"));
            }
        }
    }
    failures
}

/// The contexts of `benches/idioms/driver.lua`.
const CONTEXTS: [&str; 8] =
    ["alone", "together", "crowd", "globals", "debug", "methods", "coroutine", "protected"];

#[test]
fn idioms_agree_in_every_way_and_context() {
    let directory = harness::root().join("benches/idioms");
    let program = reference().unwrap_or(perilune());
    let expected = run(program, &directory, &[], &["driver.lua", "-s", "alone", "all"]);
    assert_eq!(expected.end, End::Status(0), "{}", expected.stderr);
    assert!(expected.stdout.lines().count() > 100);
    let cases: Vec<_> =
        WAYS.iter().flat_map(|way| CONTEXTS.map(|context| (way, context))).collect();
    let failures = harness::two_at_a_time(&cases, |(way, context)| {
        let output = run(perilune(), &directory, way.args, &["driver.lua", "-s", context, "all"]);
        if output.end != End::Status(0) {
            return format!("  {context}, {}: {:?}: {}\n", way.name, output.end, output.stderr);
        }
        if output.stdout != expected.stdout {
            let text = harness::difference(&expected.stdout, &output.stdout);
            return format!("  {context}, {}: {text}\n", way.name);
        }
        String::new()
    });
    report("idioms", cases.len(), failures);
}

/// Runs all programs of a suite's folder.
fn check_suite(folder: &str) {
    let files = harness::lua_files(&harness::root().join(folder));
    assert!(!files.is_empty(), "no benchmark programs found");
    let failures = harness::two_at_a_time(&files, |path| check(path));
    report(folder, files.len(), failures);
}

#[test]
fn classic_programs_agree_in_every_way() {
    check_suite("benches/programs");
}

#[test]
fn object_programs_agree_in_every_way() {
    check_suite("benches/objects");
}
