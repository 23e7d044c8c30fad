//! What the user is told on standard output and standard error. Neither may be written to at all: that is an
//! error or passed over, never a panic.

use std::io::Write;

use perilune::{Error, FromLua, Lua, Result, Value};

use crate::Session;
use crate::args::StatsFormat;

/// Reports of a session.
pub trait Report {
    /// `program: message`, with the traceback; in the interactive mode without the program's name.
    fn report(&self, lua: &Lua, error: &Error);
}

/// Makes the message of an error value, at the point of the error.
pub fn message_handler(lua: &Lua, value: Value) -> Result<Value> {
    let message = match value {
        Value::String(_) | Value::Integer(_) | Value::Number(_) => String::from_lua(value, lua)?,
        other => match other.metamethod_text(lua)? {
            Some(text) => return lua.pack(text),
            None => format!("(error object is a {} value)", other.type_name()),
        },
    };
    lua.pack(lua.traceback(Some(&message), 1))
}

/// Writes to standard output at once.
///
/// # Errors
/// It cannot be written to.
pub fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes to standard error. Nobody could be told that it cannot be written to.
pub fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// What a failure of [`say`] is called.
pub fn not_written(error: &std::io::Error) -> String {
    format!("cannot write to standard output: {}", without_number(error))
}

/// An I/O error's text without its number, as C's `strerror`.
pub fn without_number(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

impl Report for Session {
    fn report(&self, lua: &Lua, error: &Error) {
        lua.flush();
        if self.interactive.get() {
            complain(&format!("{error}\n"));
        } else {
            complain(&format!("{}: {error}\n", self.program));
        }
    }
}

/// `--stats`
pub fn print_stats(lua: &Lua, format: StatsFormat) {
    let stats = lua.jit_stats();
    complain(&match format {
        StatsFormat::Json => stats.json() + "\n",
        StatsFormat::Table => stats.table(),
    });
}
