//! Chunks that a script makes keep to the limits of its state: resident memory, polls, and time that does not
//! grow faster than the source.
//!
//! Resident memory is that of a whole process, so each case is a child: this test binary again.

use std::cell::Cell;
use std::process::Command;
use std::rc::Rc;

use perilune::{Error, Lua};

/// The limit of the state in the children, in bytes.
const LIMIT: usize = 64 << 20;
/// Names the script that a child runs.
const CHILD: &str = "PERILUNE_LOADING_CASE";

/// Scripts that make a source of about 12 MB, `source`, from the parts of a program, by name.
const SHAPES: &[(&str, &str)] = &[
    ("small table", "source = 'return {' .. ('1,'):rep(6000000) .. '}'"),
    ("records", "source = 'return {' .. ('{a=1,b=\"x\"},'):rep(1000000) .. '}'"),
    ("statements", "source = ('x = 1 '):rep(2000000)"),
    ("calls", "source = ('f(a, b) '):rep(1500000)"),
    ("short statements", "source = (';f()'):rep(3000000)"),
    ("nesting", "source = (('do '):rep(100) .. ('end '):rep(100)):rep(17000)"),
    ("branches", "source = ('if a then b() elseif c then d() else e() end '):rep(270000)"),
    ("loops", "source = ('for i=1,2 do end for k in a do break end '):rep(300000)"),
    ("string", "source = 'return \"' .. ('x'):rep(12000000) .. '\"'"),
    ("long string", "source = 'return [[' .. ('x\\n'):rep(6000000) .. ']]'"),
    ("escapes", "source = 'return \"' .. ('\\\\x41'):rep(3000000) .. '\"'"),
    ("comment", "source = '--[[' .. ('x\\n'):rep(6000000) .. ']]'"),
    ("comments", "source = ('--\\n'):rep(4000000)"),
    ("blanks", "source = (' '):rep(12000000)"),
    ("lines", "source = ('\\n'):rep(12000000)"),
    ("name", "source = ('x'):rep(12000000) .. ' = 1'"),
    ("unknown name", "source = 'goto ' .. ('x'):rep(12000000)"),
    ("number", "source = 'x = ' .. ('1'):rep(12000000)"),
    ("bad number", "source = 'x = 1e' .. ('1'):rep(12000000) .. 'x'"),
    ("functions", "source = ('f=function()' .. ('f=function()end '):rep(900) .. 'end '):rep(800)"),
    (
        "names",
        "local t = {} for i = 1, 100000 do t[i] = ('a'):rep(110) .. i .. '()' end source = table.concat(t, ' ')",
    ),
    (
        "constants",
        "local t = {} for i = 1, 300000 do t[i] = i .. '.500000000000000000000000000000' end source = 'return {' .. table.concat(t, ',') .. '}'",
    ),
    ("chain", "source = 'return a' .. ('.b'):rep(6000000)"),
    ("sum", "source = 'return a' .. ('+a'):rep(6000000)"),
    ("conditions", "source = 'return a' .. (' or a'):rep(2400000)"),
    ("gotos", "source = ('goto a '):rep(1700000) .. '::a::'"),
    ("locals", "source = ('do local a, b, c = 1, 2, 3 end '):rep(380000)"),
];

#[test]
fn child() {
    let Ok(case) = std::env::var(CHILD) else { return };
    let lua = Lua::new();
    lua.set_memory_limit(Some(LIMIT));
    let (_, script) = SHAPES.iter().find(|(name, _)| *name == case).unwrap();
    let script =
        format!("{script} collectgarbage() local f, e = load(source) return f and 'loaded' or e");
    let outcome = match lua.load(script).eval::<String>() {
        Ok(text) => text,
        Err(Error::Memory) => "not enough memory".to_owned(),
        Err(error) => error.to_string(),
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.map_or("0", |text| text.trim().trim_end_matches(" kB"));
    println!("\npeak {peak} used {} {}", lua.used_memory(), &outcome[..outcome.len().min(80)]);
}

/// What the state's limit allows, in kilobytes.
const ALLOWED: usize = (LIMIT / 10 * 13 + (16 << 20)) >> 10;

#[test]
#[cfg(target_os = "linux")]
fn resident_memory() {
    for (name, _) in SHAPES {
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program)
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, name)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("peak "));
        let line = line.unwrap_or_else(|| panic!("{name}: {output:?}"));
        let peak: usize = line.split(' ').next().unwrap().parse().unwrap();
        println!("{name}: {line}");
        assert!(peak <= ALLOWED, "{name}: {peak} kB resident, {ALLOWED} allowed");
    }
}

/// A stop ends the work on a chunk, and is no syntax error.
#[test]
fn stops_arrive_in_the_parser() {
    let lua = Lua::new();
    let asked = Rc::new(Cell::new(0));
    let count = Rc::clone(&asked);
    lua.set_interrupt(move |lua| {
        count.set(count.get() + 1);
        lua.interrupt_handle().interrupt();
        if count.get() < 300 { Ok(()) } else { Err(Error::runtime("enough")) }
    });
    let source = "x = 1 ".repeat(500_000);
    lua.interrupt_handle().interrupt();
    let error = lua.load(&source).into_function().unwrap_err();
    assert!(matches!(error, Error::Stopped(_)), "{error}");
    assert_eq!(asked.get(), 300);
    // From a script, where nothing catches it.
    asked.set(0);
    lua.globals().set("source", source).unwrap();
    lua.interrupt_handle().interrupt();
    let error = lua.load("caught = pcall(load, source) and 1 or 2").exec().unwrap_err();
    assert!(matches!(error, Error::Stopped(_)), "{error}");
    assert_eq!(asked.get(), 300);
    assert!(!lua.globals().contains_key("caught").unwrap());
    // The state is as usable as before.
    lua.remove_interrupt();
    let _ = lua.load("return 1").eval::<i64>();
    assert_eq!(lua.load("return #source").eval::<i64>().unwrap(), 3_000_000);
}
