//! The suites and their programs.

use std::path::Path;
use std::process::Command;

use crate::engine::Engine;

/// A collection of programs; each has a folder of `benches`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// The programs that every engine is measured with.
    Classic,
    /// Longer programs in the styles of Lua's users.
    Objects,
    /// Programs of ten lines, one for each thing that people write.
    Idioms,
}

const SUITES: [Suite; 3] = [Suite::Classic, Suite::Objects, Suite::Idioms];

impl Suite {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Classic => "classic",
            Suite::Objects => "objects",
            Suite::Idioms => "idioms",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Suite::Classic => "benches/programs",
            Suite::Objects => "benches/objects",
            Suite::Idioms => "benches/idioms",
        }
    }

    /// The suites that a list of names stands for, or `all`.
    ///
    /// # Errors
    /// A name that is none of theirs.
    pub fn parse(names: &str) -> Result<Vec<Suite>, String> {
        if names == "all" {
            return Ok(SUITES.to_vec());
        }
        let known = || SUITES.map(Suite::name).join(", ");
        names
            .split(',')
            .map(|name| {
                let found = SUITES.into_iter().find(|s| s.name() == name);
                found.ok_or_else(|| format!("unknown suite '{name}' (of {}, all)", known()))
            })
            .collect()
    }

    /// The programs whose names contain one of `filters` (or all, if there are none), in order.
    /// `perilune` lists the idioms.
    ///
    /// # Errors
    /// A folder or file that cannot be read, as text.
    pub fn programs(
        self,
        root: &Path,
        perilune: &Path,
        filters: &[String],
    ) -> Result<Vec<Program>, String> {
        let mut found = match self {
            Suite::Classic | Suite::Objects => files(&root.join(self.folder()))?,
            Suite::Idioms => idioms(&root.join(self.folder()).join("driver.lua"), perilune)?,
        };
        found.retain(|p| filters.is_empty() || filters.iter().any(|f| p.name.contains(f.as_str())));
        Ok(found)
    }
}

/// A benchmark program.
#[derive(Debug)]
pub struct Program {
    /// What tables call it.
    pub name: String,
    /// The names of the peers that can run it; `None` means all.
    peers: Option<Vec<String>>,
    /// Arguments behind the engine's own, at the usual size and at that of tests.
    args: [Vec<String>; 2],
}

impl Program {
    /// The arguments with which an engine runs it.
    pub fn args(&self, small: bool) -> &[String] {
        &self.args[usize::from(small)]
    }

    /// Whether the engine can run it.
    pub fn runs_under(&self, engine: &Engine) -> bool {
        match (&self.peers, engine.peer) {
            (Some(peers), true) => peers.iter().any(|p| p == engine.name),
            (None, _) | (_, false) => true,
        }
    }
}

/// The value of the comment `-- key: value` among the first lines of `source`.
fn header<'a>(source: &'a str, key: &str) -> Option<&'a str> {
    source.lines().take(5).find_map(|line| {
        line.strip_prefix("-- ")?.strip_prefix(key)?.strip_prefix(':').map(str::trim)
    })
}

/// A program for each file of a folder.
fn files(directory: &Path) -> Result<Vec<Program>, String> {
    let failed = |e: std::io::Error| format!("{}: {e}", directory.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|e| e != "lua") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).map_err(failed)?;
        let peers = header(&source, "peers").map(|list| {
            list.split([',', ' ']).filter(|p| !p.is_empty()).map(str::to_owned).collect()
        });
        let usual = vec![path.to_string_lossy().into_owned()];
        let mut small = usual.clone();
        small.extend(header(&source, "small").map(str::to_owned));
        found.push(Program { name, peers, args: [usual, small] });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// A program for each idiom that the driver lists.
fn idioms(driver: &Path, perilune: &Path) -> Result<Vec<Program>, String> {
    let output = Command::new(perilune).arg(driver).arg("-l").output();
    let output = output.map_err(|e| format!("{}: {e}", perilune.display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let driver = driver.to_string_lossy().into_owned();
    let program = |name: &str| {
        let args = |options: &[&str]| {
            let words = [&[driver.as_str()], options, &["alone", name]].concat();
            words.into_iter().map(str::to_owned).collect()
        };
        Program { name: name.to_owned(), peers: None, args: [args(&[]), args(&["-s"])] }
    };
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(program).collect())
}
