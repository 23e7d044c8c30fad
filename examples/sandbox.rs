//! A host of plugins that it does not trust: `cargo run --example sandbox [plugin.lua …]`.
//!
//! Each plugin has a state of its own, so that none can starve or see another, and a limit of memory, time and
//! depth. It is a chunk that defines `on_event`; the host calls that for each event. A plugin that fails once
//! is told so in the log; one that had to be stopped is not called again. Without arguments the host shows some
//! that misbehave.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use perilune::{Error, Function, Limits, Lua, Result, Table};

/// Name and source of plugins, of which the first alone means well.
const PLUGINS: &[(&str, &str)] = &[
    ("counter", "local n = 0 function on_event(text) n = n + 1 log(n .. ': ' .. text:upper()) end"),
    ("spy", "function on_event() return io.open('/etc/passwd'):read('a') end"),
    (
        "vandal",
        "local all = _G string.upper = nil for k in pairs(all) do all[k] = nil end function on_event() end",
    ),
    (
        "hoarder",
        "local t = {} function on_event() while true do t[#t + 1] = ('x'):rep(1000) .. #t end end",
    ),
    ("digger", "function on_event(text) return 1 + #on_event(text) end"),
    (
        "clinger",
        "function on_event() while true do pcall(function() while true do end end) end end",
    ),
    ("typist", "function on_event( end"),
];

/// A plugin that was loaded.
struct Plugin {
    name: String,
    /// What is called for each event; `None` for one that is not called any more.
    on_event: Option<Function>,
    /// What it logs.
    log: Rc<RefCell<Vec<String>>>,
}

impl Plugin {
    /// Loads a plugin into a state of its own.
    fn load(name: &str, source: &str) -> Result<Plugin> {
        let limits =
            Limits::default().memory(4 << 20).time(Duration::from_millis(100)).stack(20_000);
        let lua = Lua::sandboxed(limits)?;
        let log = Rc::new(RefCell::new(Vec::new()));
        let lines = Rc::clone(&log);
        let write = lua.create_function(move |_, line: String| {
            // What a host function keeps counts for no limit: so it has one of its own.
            if lines.borrow().len() >= 100 {
                return Err(Error::runtime("too many lines"));
            }
            lines.borrow_mut().push(line.chars().take(200).collect());
            Ok(())
        })?;
        let environment: Table = lua.create_environment()?;
        environment.set("log", &write)?;
        environment.set("print", write)?;
        lua.load(source)
            .set_name(format!("={name}"))
            .set_environment(environment.clone())
            .exec()?;
        // The function keeps its state alive.
        let on_event = Some(environment.get("on_event")?);
        Ok(Plugin { name: name.to_owned(), on_event, log })
    }

    /// Calls the plugin.
    fn send(&mut self, event: &str) {
        let Some(on_event) = &self.on_event else { return };
        let outcome = match on_event.call::<()>(event) {
            Ok(()) => return,
            Err(error) => error,
        };
        let note = match &outcome {
            Error::Stopped(stop) => format!("stopped for good: {}", stop.message()),
            error => format!("failed: {}", error.message()),
        };
        if matches!(outcome, Error::Stopped(_)) {
            self.on_event = None;
        }
        self.log.borrow_mut().push(note);
    }
}

fn main() -> std::io::Result<()> {
    let mut sources: Vec<(String, String)> = Vec::new();
    for path in std::env::args().skip(1) {
        let source = std::fs::read_to_string(&path)?;
        sources.push((path, source));
    }
    if sources.is_empty() {
        sources.extend(PLUGINS.iter().map(|&(name, source)| (name.to_owned(), source.to_owned())));
    }
    let mut plugins = Vec::new();
    for (name, source) in &sources {
        match Plugin::load(name, source) {
            Ok(plugin) => plugins.push(plugin),
            Err(error) => println!("{name}: not loaded: {}", error.message()),
        }
    }
    for event in ["start", "moon"] {
        plugins.iter_mut().for_each(|plugin| plugin.send(event));
    }
    for plugin in &plugins {
        for line in plugin.log.borrow().iter() {
            println!("{}: {line}", plugin.name);
        }
    }
    Ok(())
}
