//! The interactive mode: prompts, several lines, printing of results, commands that look inside.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::time::Instant;

use perilune::{Error, Function, Lua, MultiValue, Result, Value, Variadic};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;

use crate::Session;
use crate::report::{Report, say};

const HELP: &str = "\
Lua statements are run, expressions evaluated and printed. An unfinished chunk goes on in the next line.
  :stats [json]      what the JIT did so far
  :dump f            bytecode of the function that the expression f gives
  :jit on|off        turns compiled code on or off
  :time expression   evaluates, and prints the time it took
  :help              this text
Ctrl-C interrupts, Ctrl-D ends.
";

/// Whether standard input is a terminal.
pub fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Writes to standard output. What cannot be written is passed over: the session goes on.
fn show(text: &str) {
    let _ = say(text);
}

/// Where lines come from.
enum Input {
    /// A terminal: with editing and history.
    Editor(Box<rustyline::Editor<(), DefaultHistory>>, Option<PathBuf>),
    /// Anything else.
    Plain,
}

/// What reading a line gave.
enum Line {
    Text(String),
    /// Ctrl-C: what was typed so far is dropped.
    Interrupted,
    End,
}

impl Input {
    fn new() -> Input {
        if !is_terminal() {
            return Input::Plain;
        }
        let Ok(mut editor) = rustyline::DefaultEditor::new() else { return Input::Plain };
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let history = home.map(|home| home.join(".perilune_history"));
        if let Some(path) = &history {
            // There is none at the first time.
            let _ = editor.load_history(path);
        }
        Input::Editor(Box::new(editor), history)
    }

    fn read(&mut self, prompt: &str) -> Line {
        match self {
            Input::Editor(editor, _) => match editor.readline(prompt) {
                Ok(line) => Line::Text(line),
                Err(ReadlineError::Interrupted) => Line::Interrupted,
                Err(_) => Line::End,
            },
            Input::Plain => {
                show(prompt);
                let mut line = Vec::new();
                match std::io::stdin().lock().read_until(b'\n', &mut line) {
                    Ok(n) if n > 0 => {
                        if line.last() == Some(&b'\n') {
                            line.pop();
                        }
                        let line = String::from_utf8_lossy(&line).into_owned();
                        // As `lua` does: the output reads like a session at a terminal.
                        show(&format!("{line}\n"));
                        Line::Text(line)
                    }
                    _ => Line::End,
                }
            }
        }
    }

    /// Notes a complete chunk, also in the file: `os.exit` may be all there is to the session's end.
    fn remember(&mut self, chunk: &str) {
        let Input::Editor(editor, history) = self else { return };
        let noted = editor.add_history_entry(chunk);
        if let (Ok(true), Some(path)) = (noted, history) {
            // A session without its history is better than none.
            let _ = editor.append_history(path);
        }
    }
}

/// Reads, evaluates, prints, until the input ends.
pub fn run(session: &Session, lua: &Lua) -> Result<()> {
    session.interactive.set(true);
    let mut input = Input::new();
    let repl = Repl { session, lua };
    let mut chunk = String::new();
    loop {
        lua.flush();
        let prompt = repl.prompt(chunk.is_empty());
        let line = match input.read(&prompt) {
            Line::Text(line) => line,
            Line::Interrupted => {
                chunk.clear();
                continue;
            }
            Line::End => break,
        };
        if chunk.is_empty() {
            if let Some(command) = line.trim_start().strip_prefix(':')
                && !command.starts_with(':')
            {
                input.remember(&line);
                repl.command(command.trim());
                continue;
            }
            chunk = line;
        } else {
            chunk.push('\n');
            chunk.push_str(&line);
        }
        match repl.load(&chunk) {
            Err(Error::Syntax { incomplete_input: true, .. }) => {}
            Err(error) => {
                input.remember(&chunk);
                chunk.clear();
                session.report(lua, &error);
            }
            Ok(function) => {
                input.remember(&chunk);
                chunk.clear();
                repl.evaluate(&function);
            }
        }
    }
    if !chunk.is_empty()
        && let Err(error) = repl.load(&chunk)
    {
        session.report(lua, &error);
    }
    lua.flush();
    show("\n");
    Ok(())
}

struct Repl<'a> {
    session: &'a Session,
    lua: &'a Lua,
}

impl Repl<'_> {
    /// The prompt: a global of the program's, or the usual one.
    fn prompt(&self, first: bool) -> String {
        let (name, usual) = if first { ("_PROMPT", "> ") } else { ("_PROMPT2", ">> ") };
        match self.lua.globals().get::<Value>(name) {
            Ok(Value::Nil) | Err(_) => usual.to_owned(),
            Ok(value) => value.to_display_string(self.lua).unwrap_or_else(|_| usual.to_owned()),
        }
    }

    /// Compiles a chunk: as an expression where it is one. `=` in front is the old way to ask for that.
    fn load(&self, chunk: &str) -> Result<Function> {
        let text = chunk.strip_prefix('=').unwrap_or(chunk);
        let expression = format!("return {text}");
        let compiled = self.lua.load(&expression).set_name("=stdin").into_function();
        match compiled {
            Err(_) if text.len() == chunk.len() => {
                self.lua.load(chunk).set_name("=stdin").into_function()
            }
            result => result,
        }
    }

    /// Runs a chunk and prints its results by `print`.
    fn evaluate(&self, function: &Function) {
        match self.session.protected(self.lua, function, Variadic::new()) {
            Ok(results) => self.print(results),
            Err(error) => self.session.report(self.lua, &error),
        }
    }

    fn print(&self, results: MultiValue) {
        if results.is_empty() {
            return;
        }
        let printed = self.lua.globals().call_function::<()>("print", results);
        if let Err(error) = printed {
            // `lua` does not name what it calls once more.
            let message = error.message();
            let reason = message.strip_suffix(" (field 'print')").unwrap_or(&message);
            let message = format!("error calling 'print' ({reason})");
            self.session.report(self.lua, &Error::runtime(message));
        }
    }

    fn command(&self, command: &str) {
        self.lua.flush();
        let (name, rest) = match command.split_once(char::is_whitespace) {
            Some((name, rest)) => (name, rest.trim()),
            None => (command, ""),
        };
        match (name, rest) {
            ("help", _) => show(HELP),
            ("stats", "") => show(&self.lua.jit_stats().table()),
            ("stats", "json") => show(&(self.lua.jit_stats().json() + "\n")),
            ("jit", "on") => self.lua.set_jit_enabled(true),
            ("jit", "off") => self.lua.set_jit_enabled(false),
            ("jit", "") => {
                show(if self.lua.jit_enabled() { "jit is on\n" } else { "jit is off\n" });
            }
            ("dump", expression) if !expression.is_empty() => self.dump(expression),
            ("time", expression) if !expression.is_empty() => self.time(expression),
            _ => show(&format!("unknown command ':{command}'; ':help' lists them\n")),
        }
    }

    fn dump(&self, expression: &str) {
        let found = self.lua.load(expression).set_name("=stdin").eval::<Value>();
        match found {
            Ok(Value::Function(function)) => match function.bytecode(None) {
                Some(text) => show(&text),
                None => show("a host function has no bytecode\n"),
            },
            Ok(other) => show(&format!("a function expected, got {}\n", other.type_name())),
            Err(error) => self.session.report(self.lua, &error),
        }
    }

    fn time(&self, expression: &str) {
        let function = match self.load(expression) {
            Ok(function) => function,
            Err(error) => return self.session.report(self.lua, &error),
        };
        let start = Instant::now();
        let result = self.session.protected(self.lua, &function, Variadic::new());
        let time = start.elapsed();
        match result {
            Ok(results) => self.print(results),
            Err(error) => self.session.report(self.lua, &error),
        }
        self.lua.flush();
        show(&format!("{:.3} ms\n", time.as_secs_f64() * 1e3));
    }
}
