//! `ARCHITECTURE.md` names every file that holds unsafe code, and no other; `ir` and `frontend` forbid it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Whether code (not comments) has the word `unsafe`.
fn is_unsafe(text: &str) -> bool {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).any(|code| {
        code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == "unsafe")
    })
}

/// Test code is not listed.
fn is_test(path: &str) -> bool {
    path.contains("test") || path.ends_with("baseline.rs")
}

#[test]
fn unsafe_code_is_where_the_list_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the document");
    let section = document.split("\n## Files with unsafe code\n").nth(1).expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let listed: BTreeSet<String> = section
        .split('`')
        .filter(|text| text.ends_with(".rs") && text.contains('/') && !is_test(text))
        .map(str::to_owned)
        .collect();
    let mut files = vec![];
    for directory in ["runtime/src", "jit/src", "ir/src", "frontend/src", "src", "benches"] {
        rust_files(&root.join(directory), &mut files);
    }
    let holding: BTreeSet<String> = files
        .iter()
        .filter(|path| is_unsafe(&std::fs::read_to_string(path).unwrap_or_default()))
        .filter_map(|path| Some(path.strip_prefix(root).ok()?.to_string_lossy().into_owned()))
        .filter(|path| !is_test(path))
        .collect();
    let missing: Vec<_> = holding.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&holding).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not list {missing:?}");
    assert!(stale.is_empty(), "ARCHITECTURE.md lists files without unsafe code: {stale:?}");
    for forbidding in ["ir", "frontend"] {
        let found: Vec<_> = holding.iter().filter(|f| f.starts_with(forbidding)).collect();
        assert!(found.is_empty(), "{found:?}");
        let lib = root.join(forbidding).join("src/lib.rs");
        let lib = std::fs::read_to_string(lib).expect("a crate");
        assert!(lib.contains("#![forbid(unsafe_code)]"), "{forbidding} does not forbid it");
    }
}

/// Documents name files by their path, in backticks.
#[test]
fn documents_name_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "SECURITY.md"] {
        let text = std::fs::read_to_string(root.join(document)).expect("the document");
        for name in text.split('`') {
            let of_ours = ["tests/", "fuzz/", "examples/", "benches/", "src/"];
            if of_ours.iter().any(|start| name.starts_with(start))
                && !name.contains(char::is_whitespace)
            {
                assert!(root.join(name).exists(), "{document} names {name}");
            }
        }
    }
}
