//! Text goldens: what the compilers make of small programs.
//!
//! `tests/goldens/NAME.lua` begins with the stages to show (`-- dump: bytecode`, or `ssa-opt`, `exits`,
//! `layout`) and, for the stages of the JIT, the function (`-- of: dot`). `NAME.txt` holds what the
//! command line prints of them. `PERILUNE_BLESS=1` writes these files anew.
//!
//! *layout* is made here from the Cranelift IR: the blocks of each function, hot or cold, and how they
//! end. It shows what of a function is hot, and which cold blocks leave or come back.

mod harness;

use std::fmt::Write;
use std::path::Path;

/// The rest of the line of `source` that starts with `-- key: `.
fn directive<'a>(source: &'a str, key: &str) -> Option<&'a str> {
    source.lines().find_map(|line| line.strip_prefix("-- ")?.strip_prefix(key)?.strip_prefix(": "))
}

/// One text that the command line printed.
struct Section<'a> {
    stage: &'a str,
    /// Of which unit, without its number.
    unit: &'a str,
    text: &'a str,
}

/// Splits standard error at its `--- stage of unit (u0)` lines.
fn sections(text: &str) -> Vec<Section<'_>> {
    let mut found = vec![];
    for part in text.split("--- ").skip(1) {
        let (head, body) = part.split_once('\n').expect("a line");
        let (stage, unit) = head.split_once(" of ").expect("a stage of a unit");
        let unit = unit.rsplit_once(" (u").map_or(unit, |(name, _)| name);
        found.push(Section { stage, unit, text: body.trim_end() });
    }
    found
}

/// Replaces values that are addresses: they differ from run to run.
fn without_addresses(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("=0x") {
        let (before, word) = rest.split_at(at + 1);
        let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
        out.push_str(before);
        let bits = u64::from_str_radix(&word[2..end], 16).expect("a word");
        match bits >> 48 {
            0xFFFB..=0xFFFE => out.push_str("object"),
            0xFFFA => {
                let _ = write!(out, "{}", (bits << 16) as i64 >> 16);
            }
            _ => out.push_str(&word[..end]),
        }
        rest = &word[end..];
    }
    out + rest
}

/// How the instruction `line` ends its block, if it does.
fn end_of(line: &str) -> Option<&str> {
    let op = line.split_whitespace().next()?.split('.').next()?;
    ["jump", "brif", "br_table", "return", "return_call", "return_call_indirect", "trap"]
        .contains(&op)
        .then_some(line)
}

/// Block names in a branch, in order.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.starts_with("block"))
}

/// The blocks of the function `clif`: see the module.
fn layout(clif: &str) -> String {
    struct Block {
        name: String,
        cold: bool,
        stores: usize,
        calls: usize,
        end: String,
    }
    let mut blocks: Vec<Block> = vec![];
    for line in clif.lines() {
        // A source location stands before instructions that have one.
        let line = match line.strip_prefix('@') {
            Some(rest) => rest.split_once(' ').map_or("", |(_, code)| code).trim(),
            None => line.trim(),
        };
        if line.starts_with("block") && line.ends_with(':') {
            let name = line.split(['(', ' ', ':']).next().unwrap_or_default().to_owned();
            let cold = line.ends_with(" cold:");
            blocks.push(Block { name, cold, stores: 0, calls: 0, end: String::new() });
            continue;
        }
        let Some(block) = blocks.last_mut() else { continue };
        // A comment says what the constants are.
        let code = line.split(';').next().unwrap_or_default();
        let op = code.split("= ").last().unwrap_or_default();
        block.stores += usize::from(op.starts_with("store") || op.starts_with("istore"));
        block.calls += usize::from(op.starts_with("call"));
        if let Some(end) = end_of(line) {
            block.end = end.to_owned();
        }
    }
    let is_cold = |name: &str| blocks.iter().any(|b| b.name == name && b.cold);
    let mut out = String::new();
    for block in &blocks {
        let op = block.end.split([' ', '.']).next().unwrap_or_default();
        let _ = write!(out, "  {} {}:", if block.cold { "cold" } else { "hot " }, block.name);
        for (count, what) in [(block.stores, "store"), (block.calls, "call")] {
            if count > 0 {
                let _ = write!(out, " {count} {what}{}", if count > 1 { "s" } else { "" });
            }
        }
        let _ = write!(out, " {op}");
        for target in targets(&block.end) {
            let _ = write!(out, " {target}{}", if is_cold(target) { " (cold)" } else { "" });
        }
        out.push('\n');
    }
    out.pop();
    out
}

/// What the golden of `path` must be.
fn produce(path: &Path) -> Result<String, String> {
    let source = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let stages: Vec<&str> =
        directive(&source, "dump").ok_or("no line '-- dump: …'")?.split(", ").collect();
    let of = directive(&source, "of").unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let wanted: Vec<&str> =
        stages.iter().map(|&s| if s == "layout" { "clif" } else { s }).collect();
    let mut option = format!("--dump={}", wanted.join(","));
    if !of.is_empty() {
        let _ = write!(option, ":{of}");
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    // Below the default, small functions are compiled as early as others.
    let options = [option.as_str(), "--jit-threshold=50"];
    let output = harness::run(harness::perilune(), directory, &options, &[&name]);
    if output.end != harness::End::Status(0) {
        return Err(format!("{:?}: {}", output.end, output.stderr));
    }
    let mut text = String::new();
    let bytecode = output.stderr.split("--- ").next().unwrap_or_default();
    if stages.contains(&"bytecode") {
        let _ = writeln!(text, "--- bytecode\n{}", bytecode.trim_end());
    }
    for section in sections(&output.stderr) {
        let (stage, shown) = match section.stage {
            "clif" => ("layout", layout(section.text)),
            stage => (stage, without_addresses(section.text)),
        };
        let _ = writeln!(text, "--- {stage} of {}\n{shown}", section.unit);
    }
    Ok(text)
}

fn check(path: &Path) -> String {
    let golden = path.with_extension("txt");
    let name = golden.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = match produce(path) {
        Ok(found) => found,
        Err(why) => return format!("  {name}: {why}"),
    };
    if std::env::var_os("PERILUNE_BLESS").is_some() {
        return match std::fs::write(&golden, found) {
            Ok(()) => String::new(),
            Err(why) => format!("  {name}: {why}"),
        };
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    if expected == found {
        return String::new();
    }
    format!("  {name} (PERILUNE_BLESS=1 accepts): {}", harness::difference(&expected, &found))
}

#[test]
fn goldens() {
    let files = harness::lua_files(&harness::root().join("tests/goldens"));
    let failures = harness::two_at_a_time(&files, |path| check(path));
    harness::report("goldens", files.len(), failures);
}

/// Hot code enters cold code by conditional branches only.
#[test]
fn hot_code_only_branches_to_cold_code() {
    let files = harness::lua_files(&harness::root().join("tests/goldens"));
    let mut exits = 0;
    for path in files {
        let Ok(text) = std::fs::read_to_string(path.with_extension("txt")) else { continue };
        for line in text.lines().map(str::trim) {
            let leaves = line.contains("return") || line.contains("jump");
            exits += usize::from(line.starts_with("cold") && leaves);
            if line.starts_with("hot") {
                let unconditional = line.contains(" jump ") && line.ends_with("(cold)");
                assert!(!unconditional, "{}: {line}", path.display());
            }
        }
    }
    assert!(exits > 10, "only {exits} exits in all goldens");
}

#[test]
fn layout_of_a_function() {
    let clif = "function u0:0(i64) -> i64 tail {\n    sig0 = (i64) preserve_all\n\n\
                block0(v0: i64):\n    v1 = load.i64 v0\n    brif v1, block2(v0), block1\n\n\
                block1 cold:\n@80000000    store v1, v0+8\n    return v0\n\nblock2(v3: i64):\n    return v3\n}";
    assert_eq!(
        layout(clif),
        "  hot  block0: brif block2 block1 (cold)\n  cold block1: 1 store return\n  hot  block2: return"
    );
    assert_eq!(
        without_addresses("1:=0xfffa000000000001 2:=0xfffc00007f001234 3:int"),
        "1:=1 2:=object 3:int"
    );
}
