//! Arguments of the command line: Lua's own, and the options that show and steer the JIT.
//!
//! Lua's options end at the first argument that is none, or at `-` (run standard input) or `--`.
//! What follows is the script and its arguments. Lua's own are acted on in the order given.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;
use std::time::Duration;

/// Something to do before the script, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `-e`: run this text.
    Execute(Vec<u8>),
    /// `-l`: require this module.
    Require(Vec<u8>),
    /// `-W`: turn warnings on.
    Warnings,
}

/// How `--stats` presents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsFormat {
    /// A table for people.
    Table,
    /// One line of JSON.
    Json,
}

/// What the JIT is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JitArgs {
    /// `--no-jit`
    pub off: bool,
    /// `--jit-threshold=N`
    pub threshold: Option<u32>,
    /// `--jit-force-exits=N`
    pub force_exits: Option<u32>,
    /// `--trace-exits`
    pub trace_exits: bool,
    /// `--perf-map`
    pub perf_map: bool,
    /// `--jit-only=NAME`
    pub only: Option<String>,
    /// `--disable-pass=NAME`
    pub disabled_passes: Vec<String>,
    /// Stages of `--dump=STAGES[:FUNCTION]`.
    pub dump: Vec<String>,
    /// Function of `--dump`.
    pub dump_filter: Option<String>,
}

/// A parsed command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// In order.
    pub actions: Vec<Action>,
    /// `-i`
    pub interactive: bool,
    /// `-v`, or `-i`
    pub version: bool,
    /// `-E`
    pub ignore_environment: bool,
    /// Index of the script in the argument list; its length when there is none.
    pub script: usize,
    /// The script is standard input (`-`).
    pub stdin: bool,
    /// The JIT's.
    pub jit: JitArgs,
    /// `--gc-stress[=N]`
    pub gc_stress: Option<u32>,
    /// `--gc-verify`
    pub gc_verify: bool,
    /// `--seed=N`
    pub seed: Option<u64>,
    /// `--memory-limit=BYTES`
    pub memory_limit: Option<usize>,
    /// `--stats[=json]`
    pub stats: Option<StatsFormat>,
    /// `--time-limit=SECONDS`
    pub time_limit: Option<Duration>,
    /// `--help`
    pub help: bool,
}

/// The stages that `--dump` knows.
pub const STAGES: [&str; 6] = ["bytecode", "ssa", "ssa-opt", "clif", "asm", "exits"];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A positive number after `=`.
fn number<N: FromStr + PartialOrd + Default>(
    option: &str,
    value: Option<&str>,
) -> Result<N, String> {
    let value = value.unwrap_or_default();
    match value.parse() {
        Ok(n) if n > N::default() => Ok(n),
        _ => Err(format!("'{option}' needs a positive number, not '{value}'")),
    }
}

/// Seconds after `=`.
fn seconds(option: &str, value: Option<&str>) -> Result<Duration, String> {
    let value = value.unwrap_or_default();
    let seconds = value.parse().ok().filter(|&seconds: &f64| seconds > 0.0);
    match seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(limit) => Ok(limit),
        None => Err(format!("'{option}' needs a positive number of seconds, not '{value}'")),
    }
}

fn required(option: &str, value: Option<&str>) -> Result<String, String> {
    match value {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        _ => Err(format!("'{option}' needs argument")),
    }
}

impl Args {
    /// Parses the arguments; the first is the program's name.
    ///
    /// # Errors
    /// What is wrong with them, for the user.
    pub fn parse(all: &[OsString]) -> Result<Args, String> {
        let mut args = Args { script: all.len(), ..Args::default() };
        let mut i = 1;
        while i < all.len() {
            let arg = all[i].as_bytes();
            match arg {
                b"-" => {
                    args.stdin = true;
                    args.script = i;
                    return Ok(args);
                }
                b"--" => {
                    args.script = i + 1;
                    return Ok(args);
                }
                b"-E" => args.ignore_environment = true,
                b"-i" => {
                    args.interactive = true;
                    args.version = true;
                }
                b"-v" => args.version = true,
                b"-W" => args.actions.push(Action::Warnings),
                [b'-', b'-', long @ ..] => args.long(&text(long))?,
                [b'-', letter @ (b'e' | b'l'), attached @ ..] => {
                    let value = if attached.is_empty() {
                        i += 1;
                        match all.get(i).map(|a| a.as_bytes()) {
                            Some(next) if !next.starts_with(b"-") => next,
                            _ => return Err(format!("'{}' needs argument", text(arg))),
                        }
                    } else {
                        attached
                    };
                    let action = if *letter == b'e' { Action::Execute } else { Action::Require };
                    args.actions.push(action(value.to_vec()));
                }
                [b'-', ..] => return Err(format!("unrecognized option '{}'", text(arg))),
                _ => {
                    args.script = i;
                    return Ok(args);
                }
            }
            i += 1;
        }
        Ok(args)
    }

    /// An option with two dashes, given without them.
    fn long(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let full = format!("--{name}");
        match (name, value) {
            ("no-jit", None) => self.jit.off = true,
            ("jit-threshold", _) => self.jit.threshold = Some(number(&full, value)?),
            ("jit-force-exits", _) => self.jit.force_exits = Some(number(&full, value)?),
            ("jit-only", _) => self.jit.only = Some(required(&full, value)?),
            ("trace-exits", None) => self.jit.trace_exits = true,
            ("perf-map", None) => self.jit.perf_map = true,
            ("disable-pass", _) => self.jit.disabled_passes.push(required(&full, value)?),
            ("gc-stress", None) => self.gc_stress = Some(1),
            ("gc-stress", Some(_)) => self.gc_stress = Some(number(&full, value)?),
            ("memory-limit", _) => self.memory_limit = Some(number(&full, value)?),
            ("gc-verify", None) => self.gc_verify = true,
            ("seed", _) => {
                let value = required(&full, value)?;
                let seed = value.parse();
                let wrong = |_| format!("'{full}' needs a number, not '{value}'");
                self.seed = Some(seed.map_err(wrong)?);
            }
            ("stats", None) => self.stats = Some(StatsFormat::Table),
            ("stats", Some("json")) => self.stats = Some(StatsFormat::Json),
            ("dump", _) => self.dump(&required(&full, value)?)?,
            ("time-limit", _) => self.time_limit = Some(seconds(&full, value)?),
            ("help", None) => self.help = true,
            _ => return Err(format!("unrecognized option '--{option}'")),
        }
        Ok(())
    }

    fn dump(&mut self, value: &str) -> Result<(), String> {
        let (stages, filter) = match value.split_once(':') {
            Some((stages, filter)) => (stages, Some(filter.to_owned())),
            None => (value, None),
        };
        for stage in stages.split(',') {
            if !STAGES.contains(&stage) {
                let known = STAGES.join(", ");
                return Err(format!("unknown stage '{stage}' for '--dump' (known: {known})"));
            }
            self.jit.dump.push(stage.to_owned());
        }
        self.jit.dump_filter = filter;
        Ok(())
    }
}

/// What `--help` and wrong arguments print.
pub fn usage(program: &str) -> String {
    format!(
        "usage: {program} [options] [script [args]]
Options:
  -e stat   run the string 'stat'
  -i        go interactive after the script
  -l mod    require the library 'mod' into the global 'mod'
  -l g=mod  require the library 'mod' into the global 'g'
  -v        show the version
  -E        ignore environment variables
  -W        turn warnings on
  --seed=N  the seed of math.random and of hashes, for replays (otherwise random)
  --        end of options
  -         run standard input, end of options
Limits:
  --time-limit=SECONDS    stop a chunk that takes longer
JIT:
  --no-jit                interpret only
  --jit-threshold=N       compile a function at its N-th call (1: at once)
  --jit-force-exits=N     make each guard fail at its N-th run
  --jit-only=NAME         compile only functions whose name contains NAME
  --disable-pass=NAME     leave out a pass of the optimiser
  --stats[=json]          print what the JIT did, to standard error
  --dump=STAGES[:NAME]    print stages ({stages}), of functions whose name contains NAME
  --trace-exits           print each exit from compiled code
  --perf-map              write /tmp/perf-PID.map for perf
Memory:
  --memory-limit=BYTES    fail with 'not enough memory' beyond
  --gc-stress[=N]         collect at every N-th allocation
  --gc-verify             check the whole heap after each collection
",
        stages = STAGES.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, String> {
        let all: Vec<OsString> = ["perilune"].iter().chain(args).map(OsString::from).collect();
        Args::parse(&all)
    }

    #[test]
    fn script_ends_options() {
        let args = parse(&["--no-jit", "-e", "x=1", "a.lua", "-e"]).unwrap();
        assert_eq!(args.script, 4);
        assert!(args.jit.off);
        assert_eq!(args.actions, [Action::Execute(b"x=1".to_vec())]);
        assert_eq!(parse(&["--", "-x"]).unwrap().script, 2);
        assert!(parse(&["-"]).unwrap().stdin);
        assert_eq!(parse(&["--seed=0"]).unwrap().seed, Some(0));
    }

    #[test]
    fn bad_arguments() {
        assert_eq!(parse(&["-e"]).unwrap_err(), "'-e' needs argument");
        assert_eq!(parse(&["-e", "-v"]).unwrap_err(), "'-e' needs argument");
        assert_eq!(parse(&["-x"]).unwrap_err(), "unrecognized option '-x'");
        assert_eq!(parse(&["-ix"]).unwrap_err(), "unrecognized option '-ix'");
        assert_eq!(parse(&["--nope"]).unwrap_err(), "unrecognized option '--nope'");
        assert!(parse(&["--seed"]).unwrap_err().contains("needs argument"));
        assert!(parse(&["--seed=x"]).unwrap_err().contains("needs a number"));
        assert!(parse(&["--jit-threshold=0"]).unwrap_err().contains("positive number"));
        assert!(parse(&["--time-limit=0"]).unwrap_err().contains("positive number of seconds"));
        assert!(parse(&["--dump=nothing"]).unwrap_err().contains("unknown stage"));
    }

    #[test]
    fn dump_stages() {
        let args = parse(&["--dump=ssa,clif:fib"]).unwrap();
        assert_eq!(args.jit.dump, ["ssa", "clif"]);
        assert_eq!(args.jit.dump_filter.as_deref(), Some("fib"));
    }
}
