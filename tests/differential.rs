//! Random programs must behave the same in the four ways, and as the reference implementation
//! where that is installed.
//!
//! A fixed number of seeds runs in CI. `PERILUNE_FUZZ_SECONDS=3600` goes on for that long, with
//! new seeds (`PERILUNE_FUZZ_SEED` sets the first). Each difference is made smaller and printed
//! with its seed; `PERILUNE_FUZZ_SEED=n PERILUNE_FUZZ_SECONDS=0` runs the one seed again. Either way the
//! test ends with what ran, and a run of nothing fails.

mod generator;
mod harness;

use generator::program::{self, Node};
use harness::{End, FORCED_EXITS, INTERPRETER, THRESHOLD_1, Way, perilune, reference};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Compiled as users' programs are: when something is hot, from what was seen until then.
/// With a look at the whole heap after each collection.
const DEFAULT: Way = Way { name: "default", args: &["--gc-verify"] };
/// A collection every few allocations: the programs allocate a lot.
const STRESS: Way = Way { name: "gc stress", args: &["--gc-stress=5"] };
const WAYS: [Way; 5] = [INTERPRETER, DEFAULT, THRESHOLD_1, FORCED_EXITS, STRESS];

/// The seeds that every test run tries.
const BOUNDED: u64 = 40;
/// How many runs the shrinking of one program may take, and how long.
const SHRINK_BUDGET: usize = 1500;
const SHRINK_TIME: Duration = Duration::from_secs(180);
/// What reaches the time limit hangs only if the first runner took less than this part of the limit: a
/// collection every few allocations may make a program a hundred times as slow.
const SLOWER: u32 = 200;

/// Something that runs programs.
#[derive(Clone, Copy, Debug)]
struct Runner {
    name: &'static str,
    program: &'static Path,
    options: &'static [&'static str],
}

/// What can be seen of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Observed {
    stdout: String,
    error: String,
    end: End,
}

/// What can be seen of the first runner's run, and how long it took.
#[derive(Clone, Debug)]
struct Expected {
    observed: Observed,
    took: Duration,
}

impl Runner {
    fn expect(&self, directory: &Path, file: &str) -> Expected {
        let start = Instant::now();
        let observed = self.observe(directory, file);
        Expected { observed, took: start.elapsed() }
    }

    fn observe(&self, directory: &Path, file: &str) -> Observed {
        let output = harness::run(self.program, directory, self.options, &[file]);
        let error = harness::uncaught_message(&output.stderr, self.program).to_owned();
        Observed { stdout: output.stdout, error, end: output.end }
    }
}

fn runners() -> Vec<Runner> {
    let reference = reference().map(|program| Runner { name: "reference", program, options: &[] });
    let ways = WAYS.iter().map(|w| Runner { name: w.name, program: perilune(), options: w.args });
    reference.into_iter().chain(ways).collect()
}

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    path
}

fn write(directory: &Path, file: &str, nodes: &[Node]) {
    let text = program::render(generator::PRELUDE, nodes);
    std::fs::write(directory.join(file), text).unwrap_or_else(|e| panic!("{file}: {e}"));
}

fn describe(expected: &Observed, found: &Observed) -> String {
    if expected.stdout != found.stdout {
        harness::difference(&expected.stdout, &found.stdout)
    } else {
        format!(
            "the end:\n      expected {:?} '{}'\n      found    {:?} '{}'",
            expected.end, expected.error, found.end, found.error
        )
    }
}

/// Whether what was observed is not what was expected of `first`.
///
/// PUC Lua up to 5.4.4 names the line before in some errors of arithmetic: lines in such messages
/// are not compared with the reference's.
fn differ(first: &Runner, expected: &Expected, found: &Observed) -> bool {
    if found.end == End::TimedOut && expected.took * SLOWER > harness::LIMIT {
        return false;
    }
    let expected = &expected.observed;
    let without_lines = |text: &str| -> String {
        let line = |line: &str| match line.split_once(": attempt to ") {
            Some((place, what)) => {
                let place = place.trim_end_matches(|c: char| c.is_ascii_digit());
                format!("{place}: attempt to {what}\n")
            }
            None => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    };
    if expected == found {
        return false;
    }
    first.name != "reference"
        || expected.end != found.end
        || without_lines(&expected.error) != without_lines(&found.error)
        || without_lines(&expected.stdout) != without_lines(&found.stdout)
}

/// What became of a program.
#[derive(Debug)]
struct Trial {
    /// How many runners ran it.
    runs: usize,
    /// The lines that the first of them printed.
    lines: usize,
    /// How it ended there.
    end: End,
    /// The difference, if there is one.
    difference: Option<String>,
}

/// Runs the program of `seed` everywhere, until one differs.
fn try_seed(seed: u64, directory: &Path, runners: &[Runner]) -> Trial {
    let nodes = generator::generate(seed);
    let file = format!("r{seed}.lua");
    write(directory, &file, &nodes);
    let (first, others) = runners.split_first().expect("at least the interpreter");
    let expected = first.expect(directory, &file);
    let different = others
        .iter()
        .position(|runner| differ(first, &expected, &runner.observe(directory, &file)));
    let mut trial = Trial {
        runs: runners.len(),
        lines: expected.observed.stdout.lines().count(),
        end: expected.observed.end,
        difference: None,
    };
    let Some(at) = different else {
        let _ = std::fs::remove_file(directory.join(&file));
        return trial;
    };
    let runner = &others[at];
    trial.runs = at + 2;
    let start = Instant::now();
    let small = program::shrink(&nodes, SHRINK_BUDGET, |candidate| {
        if start.elapsed() > SHRINK_TIME {
            return false;
        }
        write(directory, &file, candidate);
        let expected = first.expect(directory, &file);
        // A program that no longer parses or takes too long shows nothing.
        expected.observed.end != End::TimedOut
            && differ(first, &expected, &runner.observe(directory, &file))
    });
    write(directory, &file, &small);
    let (expected, found) = (first.observe(directory, &file), runner.observe(directory, &file));
    trial.difference = Some(format!(
        "seed {seed}: {} differs from {}: {}\nthe program ({}):\n{}",
        runner.name,
        first.name,
        describe(&expected, &found),
        directory.join(&file).display(),
        program::render("-- (the generator's prelude)\n", &small)
    ));
    trial
}

/// One line on what ran.
fn summary(trials: &[Trial], runners: &[Runner], seeds: &str) -> String {
    let count = |holds: fn(&Trial) -> bool| trials.iter().filter(|t| holds(t)).count();
    let ways: Vec<&str> = runners.iter().map(|r| r.name).collect();
    format!(
        "{} random programs ({seeds}) ran {} times in {} ways ({}): {} lines each, {} ended by an \
         error, {} by the time limit, {} differ",
        trials.len(),
        trials.iter().map(|t| t.runs).sum::<usize>(),
        ways.len(),
        ways.join(", "),
        trials.iter().map(|t| t.lines).sum::<usize>() / trials.len().max(1),
        count(|t| !matches!(t.end, End::Status(0) | End::TimedOut)),
        count(|t| t.end == End::TimedOut),
        count(|t| t.difference.is_some()),
    )
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn random_programs_agree() {
    let (directory, runners) = (directory("differential"), runners());
    let (trials, seeds) = match number("PERILUNE_FUZZ_SECONDS") {
        None => {
            let seeds: Vec<u64> = (0..BOUNDED).collect();
            let trials =
                harness::two_at_a_time(&seeds, |&seed| try_seed(seed, &directory, &runners));
            (trials, format!("seeds 0 to {}", BOUNDED - 1))
        }
        Some(seconds) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_secs());
            let first = number("PERILUNE_FUZZ_SEED").unwrap_or(now * 1000);
            let end = Instant::now() + Duration::from_secs(seconds);
            let lanes = harness::two_at_a_time(&[0, 1], |&lane| {
                let mut trials = Vec::new();
                let mut seed = first + lane;
                while seed == first || Instant::now() < end {
                    let trial = try_seed(seed, &directory, &runners);
                    if let Some(text) = &trial.difference {
                        eprintln!("{text}\n");
                    }
                    trials.push(trial);
                    seed += 2;
                }
                trials
            });
            let seeds = format!("from seed {first} on, for {seconds} s");
            (lanes.into_iter().flatten().collect(), seeds)
        }
    };
    let summary = summary(&trials, &runners, &seeds);
    // Also where the output of tests that pass is not shown.
    let _ = writeln!(std::io::stderr(), "{summary}");
    assert!(!trials.is_empty(), "no program ran");
    let silent = trials.iter().filter(|t| t.lines == 0).count();
    assert!(silent * 2 <= trials.len(), "{silent} programs printed nothing: {summary}");
    let runs = trials.iter().map(|t| t.runs).sum();
    let failures = trials.into_iter().filter_map(|t| t.difference).collect();
    harness::report("runs of random programs", runs, failures);
}

#[test]
fn generation_depends_on_the_seed_alone() {
    let text = |seed| program::render(generator::PRELUDE, &generator::generate(seed));
    for seed in 0..200 {
        assert_eq!(text(seed), text(seed), "seed {seed}");
    }
    assert_ne!(text(1), text(2));
}

/// The programs parse, end, and print the same twice under the reference implementation.
#[test]
fn generated_programs_are_valid() {
    let Some(lua) = reference() else { return };
    let runner = Runner { name: "reference", program: lua, options: &[] };
    let directory = directory("generated");
    let count = number("PERILUNE_GENERATE").unwrap_or(60);
    let seeds: Vec<u64> = (0..count).collect();
    let failures = harness::two_at_a_time(&seeds, |&seed| {
        let file = format!("g{seed}.lua");
        write(&directory, &file, &generator::generate(seed));
        let (once, again) = (runner.observe(&directory, &file), runner.observe(&directory, &file));
        let stopped = once.end != End::Status(0) && !once.error.contains("too many calls");
        let addresses = once.stdout.contains(": 0x");
        if once != again || stopped || addresses {
            format!("  seed {seed}: {:?} '{}'", once.end, once.error)
        } else {
            let _ = std::fs::remove_file(directory.join(&file));
            String::new()
        }
    });
    harness::report("generated programs", seeds.len(), failures);
}

#[test]
fn shrinking_keeps_what_matters() {
    let nodes = generator::generate(11);
    let holds = |nodes: &[Node]| program::render("", nodes).contains("show(calls, closed)");
    let small = program::shrink(&nodes, 5000, holds);
    assert_eq!(program::size(&small), 1);
}

/// Prints the program of `PERILUNE_FUZZ_SEED`:
/// `cargo test --test differential print_program -- --ignored --nocapture`.
#[test]
#[ignore = "a tool for reading one program"]
fn print_program() {
    let seed = number("PERILUNE_FUZZ_SEED").unwrap_or(0);
    println!("{}", program::render(generator::PRELUDE, &generator::generate(seed)));
}
