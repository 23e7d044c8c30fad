//! The engines compared: Perilune in two settings, and the peers found in `PATH`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One engine and the arguments that precede the program.
#[derive(Debug)]
pub struct Engine {
    /// The name in tables and in a program's `-- peers:` line.
    pub name: &'static str,
    /// The executable.
    pub path: PathBuf,
    /// Arguments before the program.
    pub args: Vec<String>,
    /// The first line that `-v` prints.
    pub version: String,
    /// Whether it is somebody else's engine, which a program may exclude.
    pub peer: bool,
}

/// The name of the engine with the JIT on.
pub const JIT: &str = "perilune";
/// The name of the engine with the JIT off.
pub const NO_JIT: &str = "perilune-no-jit";
/// The reference implementation.
pub const PUC: &str = "lua5.4";
/// The trace compiler.
pub const LUAJIT: &str = "luajit";

fn version(path: &Path) -> Option<String> {
    let output = Command::new(path).arg("-v").output().ok()?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned())
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|d| d.join(program)).find(|p| p.is_file())
}

/// The engines that are here (of those `wanted`), and the names of those that are not.
pub fn find(
    perilune: &Path,
    wanted: Option<&[String]>,
) -> Result<(Vec<Engine>, Vec<&'static str>), String> {
    let is_wanted = |name: &str| wanted.is_none_or(|list| list.iter().any(|w| w == name));
    if let Some(unknown) =
        wanted.and_then(|l| l.iter().find(|w| ![JIT, NO_JIT, PUC, LUAJIT].contains(&w.as_str())))
    {
        return Err(format!("unknown engine '{unknown}' (of {JIT}, {NO_JIT}, {PUC}, {LUAJIT})"));
    }
    let own = version(perilune).unwrap_or_default();
    let mut engines = vec![
        Engine {
            name: JIT,
            path: perilune.to_owned(),
            args: Vec::new(),
            version: own.clone(),
            peer: false,
        },
        Engine {
            name: NO_JIT,
            path: perilune.to_owned(),
            args: vec!["--no-jit".to_owned()],
            version: own,
            peer: false,
        },
    ];
    let mut absent = Vec::new();
    // A plain `lua` counts when it is of the right version.
    let puc = ["lua5.4", "lua"].iter().find_map(|name| {
        let path = in_path(name)?;
        let version = version(&path)?;
        version.starts_with("Lua 5.4").then_some((path, version))
    });
    let luajit = in_path("luajit").and_then(|path| Some((path.clone(), version(&path)?)));
    for (name, found) in [(PUC, puc), (LUAJIT, luajit)] {
        match found {
            Some((path, version)) => {
                engines.push(Engine { name, path, args: Vec::new(), version, peer: true });
            }
            None => absent.push(name),
        }
    }
    engines.retain(|e| is_wanted(e.name));
    absent.retain(|name| is_wanted(name));
    Ok((engines, absent))
}
