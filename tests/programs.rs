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
