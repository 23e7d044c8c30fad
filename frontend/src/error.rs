//! Syntax errors and how they name their chunk.

use std::fmt;

use perilune_ir::budget::Refusal;

/// Why a chunk does not compile, in PUC Lua's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The whole message, position first: `x.lua:3: unexpected symbol near '+'`.
    /// Bytes, since it may quote the source.
    pub message: Vec<u8>,
    /// The input ended too early: more lines could make it valid.
    pub incomplete: bool,
    /// The line the message names.
    pub line: u32,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.message))
    }
}

impl std::error::Error for SyntaxError {}

/// Why there is no function for a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// The chunk is not valid.
    Syntax(SyntaxError),
    /// The budget refused what it takes.
    Refused(Refusal),
}

impl From<SyntaxError> for CompileError {
    fn from(error: SyntaxError) -> CompileError {
        CompileError::Syntax(error)
    }
}

impl From<Refusal> for CompileError {
    fn from(refusal: Refusal) -> CompileError {
        CompileError::Refused(refusal)
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileError::Syntax(error) => error.fmt(f),
            CompileError::Refused(Refusal::Memory) => f.write_str("not enough memory"),
            CompileError::Refused(Refusal::Stopped) => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for CompileError {}

/// The longest chunk name shown, in bytes, counting a closing zero as C does.
const ID_SIZE: usize = 60;

/// How messages show a chunk's name: `=name` as written, `@file` as a file
/// name, and anything else as the first line of the source it is.
///
/// Too long a name is cut: at its end for `=`, at its start for `@`.
///
/// ```
/// use perilune_frontend::chunk_id;
/// assert_eq!(chunk_id(b"=stdin"), "stdin");
/// assert_eq!(chunk_id(b"@dir/x.lua"), "dir/x.lua");
/// assert_eq!(chunk_id(b"return 1\nx"), "[string \"return 1...\"]");
/// ```
pub fn chunk_id(name: &[u8]) -> String {
    String::from_utf8_lossy(&chunk_id_bytes(name)).into_owned()
}

/// As [`chunk_id`], keeping bytes that are not UTF-8.
pub fn chunk_id_bytes(name: &[u8]) -> Vec<u8> {
    const DOTS: &[u8] = b"...";
    match name {
        [b'=', rest @ ..] => rest[..rest.len().min(ID_SIZE - 1)].to_vec(),
        [b'@', rest @ ..] => {
            if rest.len() < ID_SIZE {
                rest.to_vec()
            } else {
                let room = ID_SIZE - 1 - DOTS.len();
                [DOTS, &rest[rest.len() - room..]].concat()
            }
        }
        _ => {
            const OPEN: &[u8] = b"[string \"";
            const CLOSE: &[u8] = b"\"]";
            let room = ID_SIZE - 1 - OPEN.len() - DOTS.len() - CLOSE.len();
            let line_end = name.iter().position(|&b| b == b'\n');
            let (shown, dots) = match line_end {
                None if name.len() < room => (name, &b""[..]),
                _ => {
                    let line = &name[..line_end.unwrap_or(name.len())];
                    (&line[..line.len().min(room)], DOTS)
                }
            };
            [OPEN, shown, dots, CLOSE].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_ids() {
        assert_eq!(chunk_id(b"=?"), "?");
        assert_eq!(chunk_id(b"x = 1"), "[string \"x = 1\"]");
        assert_eq!(chunk_id(b"\nx = 1"), "[string \"...\"]");
        let long = [b"@".as_slice(), &[b'a'; 100]].concat();
        assert_eq!(chunk_id(&long), format!("...{}", "a".repeat(56)));
        let long = [b"=".as_slice(), &[b'a'; 100]].concat();
        assert_eq!(chunk_id(&long), "a".repeat(59));
        let long = [b'a'; 100];
        assert_eq!(chunk_id(&long), format!("[string \"{}...\"]", "a".repeat(45)));
    }
}
