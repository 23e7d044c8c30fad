//! What the user is told on standard error.

use std::io::Write;

use perilune::{Error, FromLua, Lua, Result, Value};

use crate::Session;
use crate::args::StatsFormat;

/// Reports of a session.
pub trait Report {
    /// `program: message`, with the traceback; in the interactive mode without the program's name.
    fn report(&self, lua: &Lua, error: &Error);
    /// `--stats`
    fn print_stats(&self, lua: &Lua);
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
        // Nobody could be told that standard error is closed.
        let _ = if self.interactive.get() {
            writeln!(std::io::stderr(), "{error}")
        } else {
            writeln!(std::io::stderr(), "{}: {error}", self.program)
        };
    }

    fn print_stats(&self, lua: &Lua) {
        let stats = lua.jit_stats();
        let text = match self.args.stats {
            Some(StatsFormat::Json) => stats.json() + "\n",
            Some(StatsFormat::Table) => stats.table(),
            None => return,
        };
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}
