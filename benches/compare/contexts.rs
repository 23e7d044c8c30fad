//! What an idiom's surroundings cost: the time that Perilune takes in a context over that alone.
//!
//! Times are the driver's own, of the idiom without its surroundings; the least of all rounds counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::program::Program;

/// The driver's contexts beside `alone`.
const CONTEXTS: [&str; 7] =
    ["together", "crowd", "globals", "debug", "methods", "coroutine", "protected"];

/// Ratios above this are named.
const BOUND: f64 = 1.2;

/// Runs idioms in a context: CPU milliseconds by name.
fn run(
    driver: &Path,
    perilune: &Path,
    context: &str,
    names: &[&str],
    small: bool,
) -> Result<BTreeMap<String, f64>, String> {
    let mut command = Command::new(perilune);
    command.arg(driver).arg("-t");
    if small {
        command.arg("-s");
    }
    let output = command.arg(context).args(names).output();
    let output = output.map_err(|e| format!("{}: {e}", perilune.display()))?;
    if !output.status.success() {
        return Err(format!("{context}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let times = text.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let name = fields.next()?.to_owned();
        Some((name, fields.nth(1)?.parse().ok()?))
    });
    Ok(times.collect())
}

/// All idioms in all contexts, as text: per context the geometric mean of the ratios to the time alone, and
/// those above [`BOUND`].
///
/// # Errors
/// An idiom that fails, with what it printed.
pub fn measure(
    root: &Path,
    perilune: &Path,
    programs: &[Program],
    rounds: usize,
    small: bool,
) -> Result<String, String> {
    let driver = root.join("benches/idioms/driver.lua");
    let names: Vec<&str> = programs.iter().map(|p| p.name.as_str()).collect();
    let mut least: BTreeMap<(&str, String), f64> = BTreeMap::new();
    for _ in 0..rounds {
        for context in ["alone"].into_iter().chain(CONTEXTS) {
            // One function that holds them all is one process; elsewhere each has its own.
            let groups: Vec<&[&str]> =
                if context == "together" { vec![&names[..]] } else { names.chunks(1).collect() };
            for group in groups {
                for (name, time) in run(&driver, perilune, context, group, small)? {
                    let best = least.entry((context, name)).or_insert(f64::MAX);
                    *best = best.min(time);
                }
            }
        }
    }
    let mut out = String::from("\nidioms in contexts: times alone\n");
    for context in CONTEXTS {
        let time = |context, name: &str| Some(least.get(&(context, name.to_owned()))?.max(0.001));
        let ratio = |name: &str| Some(time(context, name)? / time("alone", name)?);
        let mut ratios: Vec<(&str, f64)> =
            names.iter().filter_map(|name| Some((*name, ratio(name)?))).collect();
        let mean = ratios.iter().map(|(_, r)| r.ln()).sum::<f64>() / ratios.len().max(1) as f64;
        ratios.retain(|(_, r)| *r > BOUND);
        ratios.sort_by(|a, b| b.1.total_cmp(&a.1));
        let named: Vec<String> = ratios.iter().map(|(n, r)| format!("{n} {r:.1}")).collect();
        let count = ratios.len();
        let _ = writeln!(
            out,
            "{context:<12} mean {:.2}, {count} above {BOUND}: {}",
            mean.exp(),
            named.join(", ")
        );
    }
    Ok(out)
}
