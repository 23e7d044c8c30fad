//! The examples run and print what they should.

use std::path::PathBuf;
use std::process::{Command, Output};

/// The example's executable. `cargo test` builds examples beside the tests, unless it is told to run
/// one test file only: then it is built here.
fn example(name: &str) -> Command {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_perilune"));
    let directory = program.parent().expect("it lies in a directory");
    let path = directory.join("examples").join(name);
    if !path.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--examples"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        build.arg("--target-dir").arg(directory.parent().expect("the target directory"));
        if directory.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success());
    }
    Command::new(path)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn config_is_read() {
    let output = example("config").output().expect("the example is built");
    assert!(output.status.success(), "{output:?}");
    let text = stdout(&output);
    for part in ["name: \"lunar lander\"", "port: 8080", "verbose: true", "\"fuel\": 333"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn config_errors_name_the_place() {
    let directory = std::env::temp_dir().join(format!("perilune-config-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let cases = [
        ("name = ", "bad.lua:1: unexpected symbol near <eof>"),
        (
            "name = 'x'\nverbose = nil + 1",
            "bad.lua:2: attempt to perform arithmetic on a nil value",
        ),
        ("name = 'x' port = 'many' paths = {}", "'port': number expected, got string"),
        ("name = 'x' io.write('no')", "attempt to index a nil value (global 'io')"),
        ("name = ('x'):rep(1e9)", "not enough memory"),
    ];
    for (source, expected) in cases {
        let file = directory.join("bad.lua");
        std::fs::write(&file, source).unwrap();
        let output = example("config").arg(&file).output().expect("the example is built");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{source}");
        assert!(text.contains(expected), "{source}: {text}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn host_loop_compiles_what_it_calls() {
    let output = example("host_loop").arg("300").output().expect("the example is built");
    assert!(output.status.success(), "{output:?}");
    let text = stdout(&output);
    assert!(text.contains("3000 updates of objects"), "{text}");
    assert!(text.contains("compiled: true"), "{text}");
}

#[test]
fn sandbox_survives_its_plugins() {
    let output = example("sandbox").output().expect("the example is built");
    assert!(output.status.success(), "{output:?}");
    let text = stdout(&output);
    for line in [
        "counter: 1: START",
        "counter: 2: MOON",
        "spy: failed: spy:1: attempt to index a nil value (global 'io')",
        "hoarder: failed: not enough memory",
        "clinger: stopped for good: clinger:1: time limit exceeded",
        "typist: not loaded: typist:1: <name> or '...' expected near 'end'",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing in {text}");
    }
    assert!(
        text.lines().any(|l| l.starts_with("digger: failed: ") && l.contains("overflow")),
        "{text}"
    );
    assert!(!text.contains("vandal"), "{text}");
    assert_eq!(text.matches("stopped for good").count(), 1, "{text}");
}
