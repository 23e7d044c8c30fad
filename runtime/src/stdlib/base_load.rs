//! `load`, `loadfile` and `dofile`.

use std::io::Read;

use super::{Outcome, bytes_of};
use crate::heap::ByteBuffer;
use crate::thread::KILL;
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// First byte of a precompiled chunk.
const SIGNATURE: u8 = 0x1B;

/// Loads a chunk, text or precompiled as `mode` allows (`None`: both).
///
/// # Errors
/// The message, as a value.
pub fn load_chunk(
    vm: &mut Vm,
    chunk: &[u8],
    name: &[u8],
    mode: Option<&[u8]>,
    env: Value,
) -> Result<Value, Value> {
    let binary = chunk.first() == Some(&SIGNATURE);
    let (kind, letter) = if binary { ("binary", b'b') } else { ("text", b't') };
    if let Some(mode) = mode
        && !mode.contains(&letter)
    {
        let mode = String::from_utf8_lossy(mode);
        let message = format!("attempt to load a {kind} chunk (mode is '{mode}')");
        return Err(vm.string(message.as_bytes()));
    }
    if binary {
        return super::dump::undump(vm, chunk, name, env);
    }
    match vm.load(chunk, name, env) {
        Err(message) if is_overflow(vm, message) => {
            // As an error of the running function: message handlers see it.
            let _ = vm.throw(message);
            Err(vm.thrown)
        }
        loaded => loaded,
    }
}

/// Whether a message is about nesting that is too deep.
fn is_overflow(vm: &mut Vm, message: Value) -> bool {
    message.as_string().is_some_and(|s| vm.heap.str_bytes(s).ends_with(b"C stack overflow"))
}

/// Reads a file as `loadfile` does: without byte order mark, and with a first line that starts with
/// `#` emptied. `None` reads standard input.
///
/// # Errors
/// `cannot open …`, `cannot read …`, `not enough memory`, as values.
fn read_source(vm: &mut Vm, path: Option<&[u8]>) -> Result<ByteBuffer, Value> {
    let mut source = ByteBuffer::new();
    let read = match path {
        None => read_all(vm, &mut std::io::stdin().lock(), &mut source),
        Some(path) => match std::fs::File::open(super::os::path(path)) {
            Ok(mut file) => read_all(vm, &mut file, &mut source),
            Err(e) => return Err(file_error(vm, "open", path, &e)),
        },
    };
    match read {
        Ok(Ok(())) => Ok(source),
        Ok(Err(e)) => Err(file_error(vm, "read", path.unwrap_or(b"stdin"), &e)),
        Err(Throw) => Err(vm.thrown),
    }
}

/// Appends all that a reader gives.
fn read_all(
    vm: &mut Vm,
    reader: &mut dyn Read,
    out: &mut ByteBuffer,
) -> Result<std::io::Result<()>, Throw> {
    let mut piece = vec![0; 16 << 10];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(Ok(())),
            Ok(n) => out.extend(vm, &piece[..n])?,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Ok(Err(e)),
        }
    }
}

/// `cannot open …`, `cannot read …`
fn file_error(vm: &mut Vm, what: &str, path: &[u8], e: &std::io::Error) -> Value {
    let reason = super::stream::error_text(e);
    let parts = [b"cannot ", what.as_bytes(), b" ", path, b": ", reason.as_bytes()];
    match ByteBuffer::concat(vm, &parts).and_then(|text| vm.try_string(&text)) {
        Ok(message) => message,
        Err(Throw) => vm.thrown,
    }
}

/// What of a file is its program.
fn program(source: &[u8]) -> &[u8] {
    let source = source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source);
    if source.first() != Some(&b'#') {
        return source;
    }
    let end = memchr::memchr(b'\n', source).unwrap_or(source.len());
    // The newline stays for the line count, unless a precompiled chunk follows.
    let binary = source.get(end + 1) == Some(&SIGNATURE);
    &source[if binary { end + 1 } else { end }..]
}

/// Loads a file (`None`: standard input).
///
/// # Errors
/// The message, as a value.
pub fn load_file(
    vm: &mut Vm,
    path: Option<&[u8]>,
    mode: Option<&[u8]>,
    env: Value,
) -> Result<Value, Value> {
    let name = match path {
        Some(path) => [b"@", path].concat(),
        None => b"=stdin".to_vec(),
    };
    let source = read_source(vm, path)?;
    load_chunk(vm, program(&source), &name, mode, env)
}

/// The environment for a new chunk: argument `n`, or the globals where it is absent.
fn environment(vm: &Vm, a: Args, n: usize) -> Value {
    if a.is_none(n) { Value::table(vm.globals) } else { a.get(n) }
}

/// `load` of a sandbox's environment, which is its upvalue: the globals of a new chunk are those of who loads it,
/// where it says nothing else, and chunks are source text.
pub(super) fn load_text(vm: &mut Vm, a: Args) -> Outcome {
    let text_only = match a.opt_bytes(vm, 3)? {
        None => true,
        Some(mode) => mode.contains(&b't'),
    };
    let env = if a.is_none(4) { a.upvalue(0) } else { a.get(4) };
    load_with(vm, a, Some(if text_only { b"t" } else { b"" }), env)
}

fn answer(vm: &mut Vm, a: Args, loaded: Result<Value, Value>) -> Outcome {
    match loaded {
        Ok(function) => a.ret1(function),
        Err(message) => {
            vm.check_stop()?;
            a.ret2(Value::NIL, message)
        }
    }
}

pub(super) fn load(vm: &mut Vm, a: Args) -> Outcome {
    let mode = a.opt_bytes(vm, 3)?;
    let env = environment(vm, a, 4);
    load_with(vm, a, mode, env)
}

fn load_with(vm: &mut Vm, a: Args, mode: Option<&[u8]>, env: Value) -> Outcome {
    let chunk = a.get(1);
    if chunk.is_string() || chunk.is_number() {
        let source = a.check_bytes(vm, 1)?;
        let name = a.opt_bytes(vm, 2)?.unwrap_or(source);
        let loaded = load_chunk(vm, source, name, mode, env);
        return answer(vm, a, loaded);
    }
    let name = a.opt_bytes(vm, 2)?.unwrap_or(b"=(load)");
    let reader = a.check_function(vm, 1)?;
    let mut source = ByteBuffer::new();
    loop {
        let piece = vm.protect(vm.detail.stack.handler, |vm| {
            // A small reader has no poll of its own.
            super::poll(vm)?;
            let piece = vm.call1(reader, &[])?;
            if piece.is_nil() || super::base::is_string_or_number(piece) {
                Ok(piece)
            } else {
                Err(vm.error("reader function must return a string"))
            }
        });
        match piece {
            Ok(v) if v.is_nil() => break,
            Ok(v) => match append_piece(vm, &mut source, v) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Throw) => return a.ret2(Value::NIL, vm.thrown),
            },
            Err(error) if error == KILL => {
                vm.thrown = KILL;
                return Err(Throw);
            }
            Err(error) => {
                vm.check_stop()?;
                return a.ret2(Value::NIL, error);
            }
        }
    }
    // A nil environment may come from an argument only; it stays valid.
    let loaded = load_chunk(vm, &source, name, mode, env);
    answer(vm, a, loaded)
}

/// Appends a piece of source, a string or a number; false for an empty one, which is the end.
fn append_piece(vm: &mut Vm, source: &mut ByteBuffer, piece: Value) -> Result<bool, Throw> {
    if let Some(s) = piece.as_string() {
        let bytes = bytes_of(vm, s)?;
        source.extend(vm, bytes)?;
        return Ok(!bytes.is_empty());
    }
    source.extend(vm, crate::metamethod::print_number(piece).as_bytes())?;
    Ok(true)
}

pub(super) fn loadfile(vm: &mut Vm, a: Args) -> Outcome {
    let path = a.opt_bytes(vm, 1)?;
    let mode = a.opt_bytes(vm, 2)?;
    let env = environment(vm, a, 3);
    let loaded = load_file(vm, path, mode, env);
    answer(vm, a, loaded)
}

pub(super) fn dofile(vm: &mut Vm, a: Args) -> Outcome {
    let path = a.opt_bytes(vm, 1)?;
    let env = Value::table(vm.globals);
    match load_file(vm, path, None, env) {
        Ok(function) => {
            let results = vm.call(function, &[])?;
            a.ret_results(vm, results)
        }
        Err(message) => Err(vm.throw(message)),
    }
}
