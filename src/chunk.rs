//! Loading and running chunks.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use perilune_ir::bytecode::Function as Code;
use perilune_runtime::load::{self, LoadError};
use perilune_runtime::value::Value as Raw;
use perilune_runtime::vm::Vm;

use crate::error::{Error, Result};
use crate::function::Function;
use crate::lua::Lua;
use crate::multi::{FromLuaMulti, IntoLuaMulti};
use crate::table::Table;

/// What [`Lua::load`] accepts: source text as string or bytes, or the path of a file.
pub trait AsChunk {
    /// The bytes of the chunk.
    ///
    /// # Errors
    /// The file cannot be read.
    fn source(&self) -> std::io::Result<Cow<'_, [u8]>>;

    /// The chunk's name, where it has one of its own.
    fn name(&self) -> Option<Vec<u8>> {
        None
    }
}

macro_rules! texts {
    ($($ty:ty)*) => {$(
        impl AsChunk for $ty {
            fn source(&self) -> std::io::Result<Cow<'_, [u8]>> {
                Ok(Cow::Borrowed(AsRef::<[u8]>::as_ref(self)))
            }
        }
    )*};
}

texts! { &str String &String &[u8] Vec<u8> &Vec<u8> }

/// A file, read as `lua` reads scripts: without a byte order mark, and with a first line that
/// starts with `#` ignored.
fn read(path: &Path) -> std::io::Result<Cow<'static, [u8]>> {
    Ok(Cow::Owned(strip_first_line(std::fs::read(path)?)))
}

fn name_of(path: &Path) -> Option<Vec<u8>> {
    let mut name = b"@".to_vec();
    name.extend_from_slice(path.as_os_str().as_encoded_bytes());
    Some(name)
}

/// Removes what a text file may start with that is not Lua.
pub(crate) fn strip_first_line(mut source: Vec<u8>) -> Vec<u8> {
    if source.starts_with(b"\xEF\xBB\xBF") {
        source.drain(..3);
    }
    if source.first() == Some(&b'#') {
        let end = source.iter().position(|&b| b == b'\n').unwrap_or(source.len());
        // The line end stays for the line count, unless a precompiled chunk follows.
        let binary = source.get(end + 1) == Some(&SIGNATURE);
        source.drain(..if binary { end + 1 } else { end });
    }
    source
}

impl AsChunk for &Path {
    fn source(&self) -> std::io::Result<Cow<'_, [u8]>> {
        read(self)
    }
    fn name(&self) -> Option<Vec<u8>> {
        name_of(self)
    }
}

impl AsChunk for PathBuf {
    fn source(&self) -> std::io::Result<Cow<'_, [u8]>> {
        read(self)
    }
    fn name(&self) -> Option<Vec<u8>> {
        name_of(self)
    }
}

/// First byte of a precompiled chunk.
const SIGNATURE: u8 = 0x1B;

/// A chunk to be run, made by [`Lua::load`].
#[must_use = "a chunk does nothing until it is run"]
pub struct Chunk<'a> {
    lua: &'a Lua,
    source: std::io::Result<Vec<u8>>,
    name: Vec<u8>,
    environment: Option<Table>,
    binary: bool,
}

impl<'a> Chunk<'a> {
    pub(crate) fn new(lua: &'a Lua, chunk: impl AsChunk) -> Chunk<'a> {
        let own = chunk.name();
        let source = chunk.source().map(Cow::into_owned);
        let name = own.unwrap_or_else(|| match &source {
            Ok(source) => source.clone(),
            Err(_) => Vec::new(),
        });
        let binary = !lua.is_sandboxed();
        Chunk { lua, source, name, environment: None, binary }
    }

    /// Names the chunk in messages: `@file`, `=name`, or else a piece of source.
    pub fn set_name(mut self, name: impl AsRef<[u8]>) -> Chunk<'a> {
        self.name = name.as_ref().to_vec();
        self
    }

    /// The chunk's globals, in place of the state's (or, in a sandboxed state, of a copy of these).
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// let env = lua.create_table().unwrap();
    /// lua.load("answer = 42").set_environment(env.clone()).exec().unwrap();
    /// assert_eq!(env.get::<i64>("answer").unwrap(), 42);
    /// assert!(!lua.globals().contains_key("answer").unwrap());
    /// ```
    pub fn set_environment(mut self, environment: Table) -> Chunk<'a> {
        self.environment = Some(environment);
        self
    }

    /// Refuses precompiled chunks.
    pub fn text_only(mut self) -> Chunk<'a> {
        self.binary = false;
        self
    }

    /// Compiles the chunk without running it.
    ///
    /// # Errors
    /// [`Error::Syntax`], or the file cannot be read.
    pub fn into_function(self) -> Result<Function> {
        let source = self.source.map_err(Error::external)?;
        let code = if source.first() == Some(&SIGNATURE) {
            precompiled(self.lua, &source, &self.name, self.binary)?
        } else {
            compile(self.lua, &source, &self.name)?
        };
        closure(self.lua, &code, self.environment.as_ref())
    }

    /// Runs the chunk.
    ///
    /// # Errors
    /// It does not compile, or throws.
    pub fn exec(self) -> Result<()> {
        self.call(())
    }

    /// Evaluates the chunk: as an expression where it is one, else as a block whose results are
    /// returned.
    ///
    /// # Errors
    /// It does not compile, or throws, or the results are no `R`.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// assert_eq!(lua.load("1 + 1").eval::<i64>().unwrap(), 2);
    /// assert_eq!(lua.load("local x = 3 return x, x * x").eval::<(i64, i64)>().unwrap(), (3, 9));
    /// ```
    pub fn eval<R: FromLuaMulti>(self) -> Result<R> {
        if let Ok(source) = &self.source
            && source.first() != Some(&SIGNATURE)
        {
            let expression = [b"return ", &source[..]].concat();
            match compile(self.lua, &expression, &self.name) {
                Ok(code) => return closure(self.lua, &code, self.environment.as_ref())?.call(()),
                Err(Error::Syntax { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.call(())
    }

    /// Runs the chunk with arguments (`...`) and results.
    ///
    /// # Errors
    /// It does not compile, or throws, or the results are no `R`.
    pub fn call<R: FromLuaMulti>(self, args: impl IntoLuaMulti) -> Result<R> {
        self.into_function()?.call(args)
    }
}

fn compile(lua: &Lua, source: &[u8], name: &[u8]) -> Result<Arc<Code>> {
    within(lua, |vm| load::compile(vm, source, name))?.map_err(|message| Error::Syntax {
        incomplete_input: message.incomplete,
        message: String::from_utf8_lossy(&message.text).into_owned(),
    })
}

fn precompiled(lua: &Lua, source: &[u8], name: &[u8], allowed: bool) -> Result<Arc<Code>> {
    let failed = |message: String| Error::Syntax { message, incomplete_input: false };
    if !allowed {
        return Err(failed("attempt to load a binary chunk (mode is 't')".to_owned()));
    }
    within(lua, |vm| load::undump(vm, source))?.map_err(|message| {
        let name = perilune_frontend::chunk_id(name);
        let reason = String::from_utf8_lossy(&message.text);
        failed(format!("{name}: bad binary format ({reason})"))
    })
}

/// Why a chunk is not valid.
struct Invalid {
    text: Vec<u8>,
    incomplete: bool,
}

/// Loads within the state's means; the inner error is the chunk's.
fn within(
    lua: &Lua,
    loads: impl FnOnce(&mut Vm) -> std::result::Result<Arc<Code>, LoadError>,
) -> Result<std::result::Result<Arc<Code>, Invalid>> {
    lua.run(|vm| match loads(vm) {
        Ok(code) => Ok(Ok(code)),
        Err(LoadError::Syntax(error)) => {
            Ok(Err(Invalid { text: error.message, incomplete: error.incomplete }))
        }
        Err(LoadError::Binary(reason)) => {
            Ok(Err(Invalid { text: reason.into(), incomplete: false }))
        }
        Err(LoadError::Thrown(throw)) => Err(throw),
    })
}

fn closure(lua: &Lua, code: &Arc<Code>, environment: Option<&Table>) -> Result<Function> {
    let own = match environment {
        Some(table) => {
            lua.with(|vm| table.0.raw_for(lua, vm))?;
            None
        }
        None if lua.is_sandboxed() => Some(lua.create_environment()?),
        None => None,
    };
    lua.allocate(|vm| {
        let globals = match environment.or(own.as_ref()) {
            Some(table) => table.0.raw(vm),
            None => Raw::table(vm.globals),
        };
        let closure = vm.new_main_closure(code, globals);
        Function(lua.handle(vm, Raw::closure(closure)))
    })
}

impl Function {
    /// The function as a precompiled chunk, as `string.dump` makes it; `None` for host functions.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// let f = lua.load("return 6 * 7").into_function().unwrap();
    /// let chunk = f.dump(true).unwrap();
    /// assert_eq!(lua.load(chunk).call::<i64>(()).unwrap(), 42);
    /// ```
    pub fn dump(&self, strip: bool) -> Option<Vec<u8>> {
        self.0.lua.with(|vm| {
            let closure = self.0.raw(vm).as_closure()?;
            Some(perilune_runtime::stdlib::dump::dump(closure, strip))
        })
    }
}
