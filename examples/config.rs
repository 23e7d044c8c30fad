//! Reads a configuration file that is written in Lua: `cargo run --example config [file]`.
//!
//! The file runs in a sandboxed state, so that it can compute its settings but sees nothing of the system,
//! within limits of memory and time. What it sets is then read out, with types.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use perilune::{FromLua, Limits, Lua, Result, Table, Value};

/// What the program wants to know.
#[derive(Debug, PartialEq)]
struct Config {
    name: String,
    port: u16,
    verbose: bool,
    paths: Vec<String>,
    limits: BTreeMap<String, i64>,
}

impl FromLua for Config {
    fn from_lua(value: Value, lua: &Lua) -> Result<Config> {
        let table = Table::from_lua(value, lua)?;
        // Errors name the field.
        Ok(Config {
            name: table.get("name")?,
            port: table.get::<Option<u16>>("port")?.unwrap_or(80),
            verbose: table.get("verbose")?,
            paths: table.get("paths")?,
            limits: table.get::<Option<_>>("limits")?.unwrap_or_default(),
        })
    }
}

/// Runs the file and reads its settings.
fn read(lua: &Lua, path: &Path) -> Result<Config> {
    let environment = lua.create_environment()?;
    let file = path.display().to_string();
    let warn = lua.create_function(move |_, message: String| {
        eprintln!("{file}: {message}");
        Ok(())
    })?;
    environment.set("warn", warn)?;

    let timeout = lua.interrupt_handle();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(5));
        timeout.interrupt();
    });
    lua.load(path).set_environment(environment.clone()).exec()?;
    Config::from_lua(Value::Table(environment), lua)
}

fn main() -> std::process::ExitCode {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/config.lua");
    let path = std::env::args().nth(1).unwrap_or_else(|| default.to_owned());
    let limits = Limits::default().memory(16 << 20);
    match Lua::sandboxed(limits).and_then(|lua| read(&lua, Path::new(&path))) {
        Ok(config) => {
            println!("{config:#?}");
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
