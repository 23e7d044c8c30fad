//! The figures as a table and as JSON.

use crate::engine::{Engine, JIT, LUAJIT, NO_JIT, PUC};
use crate::process::Time;
use std::fmt::Write as _;

/// The runs of one program under one engine.
#[derive(Debug)]
pub struct Cell {
    times: Vec<Time>,
    state: State,
    /// What the program printed last.
    pub answer: Option<Vec<u8>>,
}

#[derive(Debug)]
enum State {
    Running,
    NotApplicable,
    Failed(String),
}

impl Cell {
    /// A cell that will be filled.
    pub fn empty() -> Cell {
        Cell { times: Vec::new(), state: State::Running, answer: None }
    }

    /// A cell of an engine that cannot run the program.
    pub fn not_applicable() -> Cell {
        Cell { times: Vec::new(), state: State::NotApplicable, answer: None }
    }

    /// Whether runs are to be added.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running)
    }

    /// Adds one run.
    pub fn push(&mut self, time: Time) {
        self.times.push(time);
    }

    /// Marks the program as failed under this engine.
    pub fn fail(&mut self, why: String) {
        self.state = State::Failed(why);
    }

    /// Smallest, median and greatest CPU time in seconds.
    fn spread(&self) -> Option<[f64; 3]> {
        if !self.is_running() || self.times.is_empty() {
            return None;
        }
        let mut sorted: Vec<f64> = self.times.iter().map(|t| t.cpu).collect();
        sorted.sort_by(f64::total_cmp);
        let (n, half) = (sorted.len(), sorted.len() / 2);
        let median =
            if n % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 };
        Some([sorted[0], median, sorted[n - 1]])
    }
}

/// One program under all engines, in their order.
#[derive(Debug)]
pub struct Row {
    /// The program's name.
    pub name: String,
    /// One cell per engine.
    pub cells: Vec<Cell>,
}

impl Row {
    fn median(&self, name: &str, engines: &[Engine]) -> Option<f64> {
        let at = engines.iter().position(|e| e.name == name)?;
        self.cells[at].spread().map(|s| s[1])
    }

    fn ratio(&self, (over, under): (&str, &str), engines: &[Engine]) -> Option<f64> {
        Some(self.median(over, engines)? / self.median(under, engines)?)
    }
}

/// The ratios shown, with their headings: time of the first over time of the second.
const RATIOS: [(&str, (&str, &str)); 4] = [
    ("jit/puc", (JIT, PUC)),
    ("jit/luajit", (JIT, LUAJIT)),
    ("no-jit/puc", (NO_JIT, PUC)),
    ("jit/no-jit", (JIT, NO_JIT)),
];

fn shown(engines: &[Engine]) -> impl Iterator<Item = (&'static str, (&'static str, &'static str))> {
    let here = |name: &str| engines.iter().any(|e| e.name == name);
    let list: Vec<_> = RATIOS.into_iter().filter(|(_, (a, b))| here(a) && here(b)).collect();
    list.into_iter()
}

/// The table's first line.
pub fn heading(engines: &[Engine]) -> String {
    let mut out = format!("{:<19}", "program");
    for engine in engines {
        let _ = write!(out, " {:>23}", engine.name);
    }
    for (name, _) in shown(engines) {
        let _ = write!(out, " {name:>10}");
    }
    out
}

/// One line of the table.
pub fn line(row: &Row, engines: &[Engine]) -> String {
    let mut out = format!("{:<19}", row.name);
    for cell in &row.cells {
        let text = match (&cell.state, cell.spread()) {
            (State::Running, Some([min, median, max])) => {
                let (min, median, max) = (min * 1e3, median * 1e3, max * 1e3);
                format!("{median:.1} [{min:.1}-{max:.1}]")
            }
            (State::Failed(_), _) => "FAILED".to_owned(),
            (State::Running, None) | (State::NotApplicable, _) => "-".to_owned(),
        };
        let _ = write!(out, " {text:>23}");
    }
    for (_, pair) in shown(engines) {
        match row.ratio(pair, engines) {
            Some(r) => _ = write!(out, " {r:>10.2}"),
            None => _ = write!(out, " {:>10}", "-"),
        }
    }
    out
}

fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<(f64, usize)> {
    let (mut sum, mut count) = (0.0, 0);
    for v in values {
        sum += v.ln();
        count += 1;
    }
    (count > 0).then(|| ((sum / count as f64).exp(), count))
}

/// A suite's last lines: of each ratio the geometric mean, the greatest, and how many programs are above 1.
pub fn summary(rows: &[Row], engines: &[Engine]) -> String {
    let mut out = format!("{:<19}{}", "geometric mean", " ".repeat(24 * engines.len()));
    let mut worst = format!("{:<19}{}", "greatest", " ".repeat(24 * engines.len()));
    let mut above = format!("{:<19}{}", "above 1", " ".repeat(24 * engines.len()));
    for (_, pair) in shown(engines) {
        let ratios: Vec<f64> = rows.iter().filter_map(|r| r.ratio(pair, engines)).collect();
        let slower = ratios.iter().filter(|r| **r > 1.0).count();
        let _ = write!(above, " {slower:>10}");
        let greatest = ratios.iter().copied().fold(f64::NAN, f64::max);
        match geometric_mean(ratios.into_iter()) {
            Some((mean, _)) => {
                let _ = write!(out, " {mean:>10.2}");
                let _ = write!(worst, " {greatest:>10.2}");
            }
            None => {
                let _ = write!(out, " {:>10}", "-");
                let _ = write!(worst, " {:>10}", "-");
            }
        }
    }
    format!("{out}\n{worst}\n{above}")
}

/// Every program and engine that failed, with the reason.
pub fn failures(rows: &[Row], engines: &[Engine]) -> Vec<String> {
    let mut out = Vec::new();
    for row in rows {
        for (cell, engine) in row.cells.iter().zip(engines) {
            if let State::Failed(why) = &cell.state {
                out.push(format!("{} under {}: {why}", row.name, engine.name));
            }
        }
    }
    out
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c < ' ' => _ = write!(out, "\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn json_row(row: &Row, engines: &[Engine]) -> String {
    let mut parts = vec![format!("\"name\": {}", quote(&row.name))];
    for (cell, engine) in row.cells.iter().zip(engines) {
        let text = match (&cell.state, cell.spread()) {
            (State::Running, Some([min, median, max])) => {
                let list = |f: fn(&Time) -> f64| {
                    let all: Vec<String> =
                        cell.times.iter().map(|t| format!("{:.6}", f(t))).collect();
                    all.join(", ")
                };
                format!(
                    "{{\"median\": {median:.6}, \"min\": {min:.6}, \"max\": {max:.6}, \
                     \"cpu\": [{}], \"wall\": [{}]}}",
                    list(|t| t.cpu),
                    list(|t| t.wall)
                )
            }
            (State::Failed(why), _) => format!("{{\"failed\": {}}}", quote(why)),
            (State::Running, None) | (State::NotApplicable, _) => "null".to_owned(),
        };
        parts.push(format!("{}: {text}", quote(engine.name)));
    }
    for (name, pair) in shown(engines) {
        if let Some(r) = row.ratio(pair, engines) {
            parts.push(format!("{}: {r:.4}", quote(name)));
        }
    }
    format!("{{{}}}", parts.join(", "))
}

/// Everything as JSON; times are in seconds.
pub fn json(
    startup: &Row,
    rows: &[Row],
    engines: &[Engine],
    absent: &[&str],
    rounds: usize,
    small: bool,
) -> String {
    let engine_list: Vec<String> = engines
        .iter()
        .map(|e| format!("{{\"name\": {}, \"version\": {}}}", quote(e.name), quote(&e.version)))
        .collect();
    let absent_list: Vec<String> = absent.iter().map(|a| quote(a)).collect();
    let row_list: Vec<String> =
        rows.iter().map(|r| format!("    {}", json_row(r, engines))).collect();
    let means: Vec<String> = shown(engines)
        .filter_map(|(name, pair)| {
            let (mean, count) = geometric_mean(rows.iter().filter_map(|r| r.ratio(pair, engines)))?;
            Some(format!("{}: {{\"mean\": {mean:.4}, \"programs\": {count}}}", quote(name)))
        })
        .collect();
    format!(
        "{{\n  \"unit\": \"seconds of CPU time, whole process\",\n  \"rounds\": {rounds},\n  \
         \"small\": {small},\n  \"engines\": [{}],\n  \"absent\": [{}],\n  \"startup\": {},\n  \
         \"programs\": [\n{}\n  ],\n  \"geometric_means\": {{{}}}\n}}\n",
        engine_list.join(", "),
        absent_list.join(", "),
        json_row(startup, engines),
        row_list.join(",\n"),
        means.join(", ")
    )
}
