//! Counters, and their presentation.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use perilune_ir::exits::ExitReason;

/// Counters that the tier keeps.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub functions: Cell<u64>,
    pub loops: Cell<u64>,
    pub refused: RefCell<BTreeMap<String, u64>>,
    pub recompiles: Cell<u64>,
    pub code_bytes: Cell<u64>,
    pub compile_time: Cell<Duration>,
    pub compile_max: Cell<Duration>,
    pub cranelift_time: Cell<Duration>,
    pub entries: Cell<u64>,
    pub loop_entries: Cell<u64>,
    pub exits: [Cell<u64>; ExitReason::ALL.len()],
    /// Exits of units that are gone.
    pub old_sites: RefCell<BTreeMap<(String, u32, ExitReason), u64>>,
}

/// Adds to a counter.
pub(crate) fn add(counter: &Cell<u64>, n: u64) {
    counter.set(counter.get() + n);
}

/// Exits at one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteStats {
    /// `chunk:line` of the function.
    pub function: String,
    /// Line of the instruction.
    pub line: u32,
    /// Why.
    pub reason: ExitReason,
    /// How often.
    pub count: u64,
}

/// What the JIT of one state has done so far.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Functions compiled, recompilations included.
    pub functions: u64,
    /// Loops compiled for entry in the middle of a function.
    pub loops: u64,
    /// Why functions were not compiled, and how many.
    pub refused: Vec<(String, u64)>,
    /// Compilations that replaced a unit whose guards failed too often.
    pub recompiles: u64,
    /// Guards given up.
    pub blocked_sites: u64,
    /// Bytes of machine code made.
    pub code_bytes: u64,
    /// Bytes of machine code in use now, stubs included.
    pub live_code_bytes: u64,
    /// Bytes of code memory taken from the system.
    pub code_memory: u64,
    /// Units in use now.
    pub live_units: u64,
    /// Units that were replaced and still wait for their frames to end.
    pub retired_units: u64,
    /// Time spent compiling.
    pub compile_time: Duration,
    /// The longest compilation.
    pub compile_max: Duration,
    /// The part of it spent in Cranelift.
    pub cranelift_time: Duration,
    /// Entries into compiled functions from the interpreter or Rust.
    pub entries: u64,
    /// Entries into compiled loops.
    pub loop_entries: u64,
    /// Exits by reason.
    pub exits: Vec<(ExitReason, u64)>,
    /// Exits by site, most frequent first.
    pub sites: Vec<SiteStats>,
}

impl Stats {
    /// Exits in total.
    pub fn total_exits(&self) -> u64 {
        self.exits.iter().map(|(_, n)| n).sum()
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let micros = |d: Duration| format!("{:.1} µs", d.as_secs_f64() * 1e6);
        let millis = |d: Duration| format!("{:.3} ms", d.as_secs_f64() * 1e3);
        let compiled = self.functions + self.loops;
        let mean = self.compile_time.checked_div(compiled.max(1) as u32).unwrap_or_default();
        vec![
            ("functions compiled", self.functions.to_string()),
            ("loops compiled", self.loops.to_string()),
            ("recompiles", self.recompiles.to_string()),
            ("guards given up", self.blocked_sites.to_string()),
            ("code bytes made", self.code_bytes.to_string()),
            ("code bytes in use", self.live_code_bytes.to_string()),
            ("code memory", self.code_memory.to_string()),
            ("units in use", self.live_units.to_string()),
            ("units retired", self.retired_units.to_string()),
            ("compile time", millis(self.compile_time)),
            ("  in Cranelift", millis(self.cranelift_time)),
            ("  mean", micros(mean)),
            ("  longest", micros(self.compile_max)),
            ("entries, functions", self.entries.to_string()),
            ("entries, loops", self.loop_entries.to_string()),
            ("exits", self.total_exits().to_string()),
        ]
    }

    /// As a table for people.
    pub fn table(&self) -> String {
        let mut out = String::new();
        for (name, value) in self.rows() {
            let _ = writeln!(out, "{name:<20} {value:>14}");
        }
        for (reason, count) in self.exits.iter().filter(|(_, n)| *n > 0) {
            let _ = writeln!(out, "  {reason:<18} {count:>14}");
        }
        if !self.sites.is_empty() {
            let _ = writeln!(out, "exits by site:");
            for site in self.sites.iter().take(20) {
                let _ = writeln!(
                    out,
                    "  {:>10}  {:<10} line {:<6} in {}",
                    site.count, site.reason, site.line, site.function
                );
            }
        }
        for (reason, count) in &self.refused {
            let _ = writeln!(out, "not compiled: {count} × {reason}");
        }
        out
    }

    /// As JSON.
    pub fn json(&self) -> String {
        let mut out = String::from("{");
        for (name, value) in [
            ("functions", self.functions),
            ("loops", self.loops),
            ("recompiles", self.recompiles),
            ("blocked_sites", self.blocked_sites),
            ("code_bytes", self.code_bytes),
            ("live_code_bytes", self.live_code_bytes),
            ("code_memory", self.code_memory),
            ("live_units", self.live_units),
            ("retired_units", self.retired_units),
            ("compile_ns", self.compile_time.as_nanos() as u64),
            ("compile_max_ns", self.compile_max.as_nanos() as u64),
            ("cranelift_ns", self.cranelift_time.as_nanos() as u64),
            ("entries", self.entries),
            ("loop_entries", self.loop_entries),
            ("exits", self.total_exits()),
        ] {
            let _ = write!(out, "\"{name}\":{value},");
        }
        let reasons = self.exits.iter().map(|(r, n)| format!("{}:{n}", quote(r.label())));
        let _ = write!(out, "\"exits_by_reason\":{{{}}},", join(reasons));
        let sites = self.sites.iter().map(|s| {
            format!(
                "{{\"function\":{},\"line\":{},\"reason\":{},\"count\":{}}}",
                quote(&s.function),
                s.line,
                quote(s.reason.label()),
                s.count
            )
        });
        let _ = write!(out, "\"sites\":[{}],", join(sites));
        let refused = self.refused.iter().map(|(why, n)| format!("{}:{n}", quote(why)));
        let _ = write!(out, "\"refused\":{{{}}}}}", join(refused));
        out
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// A JSON string.
fn quote(s: &str) -> String {
    let mut out = String::from("\"");
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_well_formed() {
        let stats = Stats {
            functions: 2,
            exits: vec![(ExitReason::TypeGuard, 3)],
            sites: vec![SiteStats {
                function: "a\"b\n:1".into(),
                line: 7,
                reason: ExitReason::TypeGuard,
                count: 3,
            }],
            refused: vec![("too large".into(), 1)],
            ..Stats::default()
        };
        let json = stats.json();
        assert!(json.starts_with("{\"functions\":2,"));
        assert!(json.contains("\"exits\":3"));
        assert!(json.contains("\"exits_by_reason\":{\"type\":3}"));
        assert!(json.contains("a\\\"b\\u000a:1"));
        assert!(json.ends_with("\"refused\":{\"too large\":1}}"));
        assert!(stats.table().contains("line 7"));
    }
}
